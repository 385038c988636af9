#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a tiny language model on a folder of shards: what the loader is for.

    train.py --shards DIR [--steps N] [--batch B] [--seed S] [--vocab-size N]
"""
import argparse
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader

from sluice_shards import ShardDataset, ShardError, Shards, StepSampler, split


class TinyModel(nn.Module):
    """One recurrent layer; the rarer ids (those behind) share small parts of the output."""

    def __init__(self, n_ids, width=64):
        super().__init__()
        self.token = nn.Embedding(n_ids, width)
        self.layer = nn.GRU(width, width, batch_first=True)
        cuts = sorted({max(1, n_ids // 64), max(2, n_ids // 8)})
        self.head = nn.AdaptiveLogSoftmaxWithLoss(width, n_ids, cuts)

    def forward(self, inputs, targets, mask):
        x, _ = self.layer(self.token(inputs))
        # Padding and the filler of the last batch are no targets: they are left out.
        return -self.head(x[mask], targets[mask]).output.mean()


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--shards', required=True)
    p.add_argument('--steps', type=int, default=20)
    p.add_argument('--batch', type=int, default=8)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--vocab-size', type=int, help='refuse shards of another vocabulary')
    a = p.parse_args()
    try:
        shards = Shards(a.shards, a.vocab_size)
    except ShardError as e:
        sys.exit(f'train.py: {e}')
    if not len(shards) or not shards.n_ids:
        sys.exit(f'train.py: {a.shards}: no sequences, or of an unknown vocabulary')
    print(f'manifest {shards.digest}', flush=True)
    torch.manual_seed(a.seed)
    model = TinyModel(shards.n_ids)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    order = StepSampler(shards, a.batch, seed=a.seed)
    loader = DataLoader(ShardDataset(shards), batch_sampler=order, num_workers=1)
    for step in range(a.steps):
        epoch, at = divmod(step, order.steps)
        if at == 0:
            order.set_epoch(epoch)
            batches = iter(loader)
        loss = model(*split(next(batches)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        print(f'step {step} loss {loss.item():.4f}', flush=True)


if __name__ == '__main__':
    main()
