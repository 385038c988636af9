#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a tiny language model on a folder of shards: what the loader is for.

    train.py --shards DIR [--steps N] [--batch B] [--losses DIR] [...: see --help]
"""
import argparse
import os
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader

from sluice_losses import LossLog
from sluice_shards import ShardDataset, Shards, StepSampler, split


class TinyModel(nn.Module):
    """One recurrent layer; the rarer ids (those behind) share small parts of the output."""

    def __init__(self, n_ids, width=64):
        super().__init__()
        self.token = nn.Embedding(n_ids, width)
        self.layer = nn.GRU(width, width, batch_first=True)
        cuts = sorted({max(1, n_ids // 64), max(2, n_ids // 8)})
        self.head = nn.AdaptiveLogSoftmaxWithLoss(width, n_ids, cuts)

    def forward(self, inputs, targets, mask):
        """The loss of every target; 0 where there is none: padding, and the last batch's filler."""
        x, _ = self.layer(self.token(inputs))
        losses = torch.zeros(mask.shape)
        losses[mask] = -self.head(x[mask], targets[mask]).output
        return losses


class Trainer:
    """Model, optimiser and place in the data, which `--state` keeps."""

    def __init__(self, a):
        self.shards = Shards(a.shards, a.vocab_size)
        if not len(self.shards) or not self.shards.n_ids:
            raise ValueError(f'{a.shards}: no sequences, or of an unknown vocabulary')
        # The order of a plan is kept; one without stages is shuffled, anew in each epoch.
        shuffled = a.shuffle or not self.shards.stages
        self.order = StepSampler(self.shards, a.batch, seed=a.seed if shuffled else None,
                                 shuffle=a.shuffle)
        torch.manual_seed(a.seed)
        self.model = TinyModel(self.shards.n_ids)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        self.step, self.file = 0, a.state
        if a.state and os.path.exists(a.state):
            self.load(torch.load(a.state))
        self.log = a.losses and LossLog(a.losses, self.shards, step=self.step or None)

    def load(self, state):
        self.order.load_state_dict(state['order'])
        self.model.load_state_dict(state['model'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.step = state['step']

    def save(self):
        if self.log:
            self.log.sync()
        done = self.order.state_dict(self.step - self.order.epoch * self.order.steps)
        torch.save({'order': done, 'model': self.model.state_dict(), 'step': self.step,
                    'optimiser': self.optimiser.state_dict()}, self.file + '.tmp')
        os.replace(self.file + '.tmp', self.file)

    def train(self, batch):
        losses = self.model(*split(batch))
        n = batch['loss_mask'][:, 1:].sum(1)
        # A weight of 2 counts a sequence twice; the mean weight of all data is 1.
        loss = (losses.sum(1) * batch['weight']).sum() / n.sum().clamp(min=1)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        if self.log:
            self.log.add(batch['index'], losses.detach().sum(1), n)
            self.log.write(self.step)
        return loss.item()

    def run(self, steps):
        loader = DataLoader(ShardDataset(self.shards), batch_sampler=self.order, num_workers=1)
        told = None
        while self.step < steps:
            epoch, at = divmod(self.step, self.order.steps)
            self.order.set_epoch(epoch, at)
            for batch, _ in zip(loader, range(self.step, steps)):
                stage = self.order.stage_of(self.step - epoch * self.order.steps)
                if stage and stage is not told:
                    print(f"stage '{stage.name}': samples of {stage.length} tokens", flush=True)
                told = stage
                print(f'step {self.step} loss {self.train(batch):.4f}', flush=True)
                self.step += 1
        if self.file:
            self.save()


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--shards', required=True)
    p.add_argument('--steps', type=int, default=20, help='of the whole run')
    p.add_argument('--batch', type=int, default=8)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--vocab-size', type=int, help='refuse shards of another vocabulary')
    p.add_argument('--shuffle', action='store_true', help='shuffle what a plan ordered, too')
    p.add_argument('--losses', metavar='DIR', help='write the loss of every sequence')
    p.add_argument('--state', metavar='FILE', help='go on from it, and write it at the end')
    a = p.parse_args()
    try:
        trainer = Trainer(a)
    except ValueError as e:
        sys.exit(f'train.py: {e}')
    print(f'manifest {trainer.shards.digest}', flush=True)
    trainer.run(a.steps)


if __name__ == '__main__':
    main()
