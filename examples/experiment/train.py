#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One run of the experiment: a small byte-level language model on shards, in their order.

The model is a feed-forward network over the 16 bytes before: an embedding, one hidden
layer, 0.14 million parameters. It is chosen for what it shows in a second of one core;
it sees nothing farther away than 16 bytes.
"""
import hashlib
import math
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'pytorch'))
from sluice_shards import Shards, StepSampler  # noqa: E402

CONTEXT, EMBEDDING, HIDDEN = 16, 16, 256
BATCH = 2               # sequences of a step: 512 bytes
EVALUATED = 8           # sequences that are evaluated at once
END = 256               # the token that ends a document is no byte
BETA1, EPS, WEIGHT_DECAY = 0.9, 1e-8, 0.01
MODEL = {'context': CONTEXT, 'embedding': EMBEDDING, 'hidden': HIDDEN, 'batch': BATCH,
         'beta1': BETA1, 'weight_decay': WEIGHT_DECAY}


class FastLinear(torch.autograd.Function):
    """x W^T + b by oneDNN: some builds of torch multiply ten times slower without it."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return F.linear(x.to_mkldnn(), weight.to_mkldnn(), bias.to_mkldnn()).to_dense()

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        return (FastLinear._product(grad, weight.t()), FastLinear._product(grad.t(), x.t()),
                grad.sum(0))

    @staticmethod
    def _product(a, b):
        """a b^T"""
        return F.linear(a.contiguous().to_mkldnn(), b.contiguous().to_mkldnn()).to_dense()


def linear(x, layer):
    if torch.backends.mkldnn.is_available():
        return FastLinear.apply(x, layer.weight, layer.bias)
    return layer(x)


class Model(nn.Module):
    def __init__(self, n_ids, before):
        super().__init__()
        self.before = before    # stands for what is before a sequence
        self.bytes = nn.Embedding(n_ids, EMBEDDING)
        self.hidden = nn.Linear(CONTEXT * EMBEDDING, HIDDEN)
        self.out = nn.Linear(HIDDEN, n_ids)

    def forward(self, rows, mask):
        """Nats of the tokens of some sequences, summed, and the number of tokens."""
        x = F.pad(rows, (CONTEXT, 0), value=self.before)[:, :-1].unfold(1, CONTEXT, 1)
        x = self.bytes(x.reshape(-1, CONTEXT)).view(-1, CONTEXT * EMBEDDING)
        x = linear(torch.relu(linear(x, self.hidden)), self.out)
        nats = F.cross_entropy(x, rows.reshape(-1), reduction='none')
        mask = mask.reshape(-1)
        return (nats * mask).sum(), mask.sum()


class Rows:
    """Sequences of a folder of shards, as the loader gives them in the order of the shards."""

    def __init__(self, folder, limit=None):
        shards = Shards(folder)
        self.n_ids, self.pad, self.digest = shards.n_ids, shards.pad, shards.digest
        n = len(shards) if limit is None else min(limit, len(shards))
        order = [int(i) for step in StepSampler(n, BATCH) for i in step if i >= 0]
        tokens = np.stack([shards.tokens(i) for i in order])
        self.order = hashlib.sha256(tokens.astype('<u2').tobytes()).hexdigest()
        self.tokens = torch.from_numpy(tokens.astype(np.int64))
        self.mask = torch.from_numpy(np.stack([shards.loss_mask(i) for i in order])).float()
        self.n_bytes = int(((self.tokens < END) * self.mask).sum())

    def __len__(self):
        return len(self.tokens)


def rate(shape, warmup, end, x):
    """The learning rate at a part x of the run, as a part of the peak."""
    if x < warmup:
        return x / warmup
    if shape == 'constant':
        return 1.0
    y = (x - warmup) / (1 - warmup)
    return end + (1 - end) * (1 + math.cos(math.pi * y)) / 2


def bits_per_byte(model, rows):
    nats = 0.0
    with torch.no_grad():
        for i in range(0, len(rows), EVALUATED):
            n, _ = model(rows.tokens[i:i + EVALUATED], rows.mask[i:i + EVALUATED])
            nats += n.item()
    return nats / math.log(2) / rows.n_bytes


def evaluate(model, sets):
    return {genre: round(bits_per_byte(model, rows), 6) for genre, rows in sets.items()}


def run(job):
    """Train and measure. job: shards, validation (a folder of folders), shape, warmup, end,
    lr, beta2, seed, points, curve_rows, final_rows."""
    begin = time.monotonic()
    torch.manual_seed(job['seed'])
    rows = Rows(job['shards'])
    genres = sorted(os.listdir(job['validation']))
    path = {g: os.path.join(job['validation'], g) for g in genres}
    small = {g: Rows(path[g], job['curve_rows']) for g in genres}
    full = {g: Rows(path[g], job['final_rows']) for g in genres}
    model = Model(rows.n_ids, rows.pad)
    optimiser = torch.optim.AdamW(model.parameters(), lr=job['lr'], eps=EPS,
                                  betas=(BETA1, job['beta2']), weight_decay=WEIGHT_DECAY)
    steps, curve = len(rows) // BATCH, []
    marks = {steps * k // job['points'] for k in range(1, job['points'] + 1)}
    for step in range(steps):
        now = rate(job['shape'], job['warmup'], job['end'], (step + 0.5) / steps)
        optimiser.param_groups[0]['lr'] = job['lr'] * now
        at = slice(step * BATCH, (step + 1) * BATCH)
        nats, n = model(rows.tokens[at], rows.mask[at])
        optimiser.zero_grad(set_to_none=True)
        (nats / n.clamp(min=1)).backward()
        optimiser.step()
        if step + 1 in marks:
            curve.append([(step + 1) * BATCH, evaluate(model, small)])
    return {'order': rows.order, 'curve': curve, 'final': evaluate(model, full),
            'seconds': round(time.monotonic() - begin, 2)}


def speed(seconds):
    """Tokens a second of this process, on made-up rows."""
    torch.manual_seed(0)
    model = Model(258, 257)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    rows, mask = torch.randint(0, 256, (BATCH, 256)), torch.ones(BATCH, 256)
    begin, n = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        optimiser.zero_grad(set_to_none=True)
        model(rows, mask)[0].backward()
        optimiser.step()
        n += rows.numel()
    return n / (time.monotonic() - begin)
