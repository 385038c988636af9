#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the shards that sluice-shard wrote, in an order that can be proved.

    Shards        a folder of shards, mapped: views of tokens, masks and pieces, and
                  the stages of the plan that ordered it
    StepSampler   which sequences step s of an epoch holds, for any rank of any R
    ShardDataset  both for torch's DataLoader

Shards and StepSampler need numpy alone; torch is used where it is installed.
docs/loader.md explains all of it and defines the permutation. As a program it
checks a folder and lists what a step has seen:

    sluice_shards.py DIR [--vocab-size N] [--tokenizer DIGEST]
                         [--seen STEP --batch B [--epoch E] [--seed S [--shuffle]]]
"""
import argparse
import bisect
import hashlib
import json
import math
import os
import re
import sys
import warnings
from collections import namedtuple

import numpy as np

try:
    import torch
    from torch.utils.data import Dataset
except ImportError:
    torch, Dataset = None, object

FILLER = -1             # the index of a sequence that only fills the last batch
TAIL_BYTES = 1 << 14    # read first when a trailer is looked for
TAIL_MAX_BYTES = 1 << 22
TRAILER = re.compile(rb'\{"rows":(\d+),"batches":\d+,"schema":"[0-9a-f]{16}",'
                     rb'"digest":"([0-9a-f]{32})"')
END = b'\xff\xff\xff\xff\0\0\0\0'
# What is read of a batch: buffer, bytes of an item (0: of a token), items of a row.
BUFFERS = {'tokens.item.values': 0, 'loss_mask.item.values': 1,
           'doc_ids.offsets': 4, 'doc_ids.item.values': 16,
           'doc_starts.offsets': 4, 'doc_starts.item.values': 4,
           'doc_offsets.offsets': 4, 'doc_offsets.item.values': 4}
# Read where it is asked for: buffer, type of a row's value. Only the id must be there.
SINGLE = {'id.values': 'V16', 'copy.values': '<u2', 'stage.values': '<u2', 'weight.values': '<f4'}
NAMES = [*BUFFERS, *SINGLE]
# Behind a curriculum these leave every row where it was; of any other tool that is not known.
KEEP_ORDER = ('sluice-shard', 'sluice-difficulty', 'sluice-reweight')
STAGES_MAX = 1 << 16

# A stage of the plan: positions [begin, end) of the order, tokens of a sample.
Stage = namedtuple('Stage', 'name begin end length')


class ShardError(ValueError):
    """A folder that cannot be trained on; the text says which file and why."""


def _is_count(value, least=0):
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_digest(value):
    return isinstance(value, str) and re.fullmatch('[0-9a-f]{32}', value) is not None


def _listed_in(value, key):
    """The list that an object has under a key; what is none is empty."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _entries(lineage):
    """All entries of a lineage, those of joined inputs too."""
    for entry in lineage:
        if isinstance(entry, dict):
            for branch in _listed_in(entry, 'inputs'):
                yield from _entries(branch if isinstance(branch, list) else [])
            yield entry


def _option(entry, name):
    options = entry.get('options')
    return options.get(name) if isinstance(options, dict) else None


def _curriculum(lineage):
    """(entry of the last curriculum, None), or (None, why it does not order these rows)."""
    for entry in reversed(lineage):
        tool = entry.get('tool') if isinstance(entry, dict) else None
        if tool == 'sluice-curriculum':
            return entry, None
        if tool not in KEEP_ORDER or _option(entry, 'resample'):
            break
    else:
        return None, None
    if any(e.get('tool') == 'sluice-curriculum' for e in _entries(lineage)):
        return None, f'the order of sluice-curriculum was changed by {tool} behind it'
    return None, None


class Shards:
    """The sequences of a folder, by index.

    folder      where manifest.json and its shards are
    vocab_size  number of ids that the trainer has; another one is refused
    tokenizer   digest of the trainer's tokenizer; another one is refused

    Raises ShardError. Everything that is handed out is a view of the mapped
    files: it costs no memory and cannot be written to.
    """

    def __init__(self, folder, vocab_size=None, tokenizer=None):
        self.folder = os.path.abspath(folder)
        self._wanted = (vocab_size, tokenizer)
        m = self._read_manifest()
        self._check_head(m)
        self.sequences, self.length = m['sequences'], m['length']
        self.dtype = np.dtype('<u2' if m['dtype'] == 'uint16' else '<u4')
        self.digest, self.lineage = m['digest'], _listed_in(m, 'lineage')
        self.targets = m.get('targets')
        self.tokenizer = m.get('tokenizer') or {}
        self._check_vocabulary(vocab_size, tokenizer)
        self._maps, self._first, self._shard_of, self._offs = [], [0], [], []
        self._open_shards(m)
        self._first = np.array(self._first, np.int64)
        self._offs = np.array(self._offs, np.int64).reshape(-1, len(NAMES))
        packs = [e for e in _entries(self.lineage) if e.get('tool') == 'sluice-pack']
        self._extra = bool(packs) and all(_option(e, 'extra-token') is True and
                                          _option(e, 'length') == self.length - 1 for e in packs)
        self._planned = None

    def __len__(self):
        return self.sequences

    def __reduce__(self):
        # A worker that is spawned maps the files again; it must find the same.
        return _reopen, (self.folder, self._wanted, self.digest)

    # ---- what the tokens are ----

    @property
    def n_ids(self):
        """Rows that an embedding needs; None where the manifest does not say."""
        size, last = self.tokenizer.get('vocab_size'), self.tokenizer.get('max_id')
        known = [size] if _is_count(size) else []
        known += [last + 1] if _is_count(last) else []
        return max(known, default=None)

    @property
    def pad(self):
        """The id that fills: the tokenizer's, else its end of document, else 0."""
        ids = [self.tokenizer.get('pad'), self.tokenizer.get('eos'), 0]
        return next(v for v in ids if _is_count(v))

    @property
    def extra_token(self):
        """Was each row stored with the first token of the next (sluice-pack --extra-token)?"""
        return self._extra

    @property
    def row_length(self):
        """L of sluice-pack: the tokens of a row without the extra one."""
        return self.length - self._extra

    @property
    def n_targets(self):
        """Targets of a row: L with the extra token, L - 1 without."""
        return self.length - 1

    # ---- the plan that ordered the rows ----

    @property
    def stages(self):
        """[Stage, ...] of the plan in whose order the rows stand; [] where there is none.

        A plan whose order was lost, by a tool behind it, is warned of once and has none."""
        if self._planned is None:
            entry, why = _curriculum(self.lineage)
            if entry and 'order' in entry:
                self._planned = self._told(entry['order'])
            elif not why:
                self._planned = self._runs(entry)
                why = self._planned is None and "the column 'stage' changes too often"
            if why:
                warnings.warn(f'{self.folder}: no stages: {why}')
                self._planned = []
        return self._planned

    @property
    def plan(self):
        """Digest of the stages' positions and lengths; None without stages."""
        text = json.dumps([stage[1:] for stage in self.stages])
        return hashlib.md5(text.encode()).hexdigest() if self.stages else None

    def _told(self, order):
        """Stages as the lineage has them, held against the rows where they begin and end."""
        stages, at = [], 0
        self._need(_listed_in(order, 'stages'), "manifest.json: 'order' of sluice-curriculum "
                   'is wrong')
        for k, s in enumerate(order['stages']):
            good = isinstance(s, dict) and isinstance(s.get('name'), str) and \
                s.get('begin') == at and _is_count(s.get('end'), at) and \
                _is_count(s.get('length', 1), 1)
            self._need(good, f'manifest.json: stage {k} of sluice-curriculum is wrong')
            length = s.get('length', self.row_length)
            self._need(self.row_length % length == 0, f"stage '{s['name']}' has samples of "
                       f'{length} tokens, which do not divide the {self.row_length} of a row')
            stages.append(Stage(s['name'], at, s['end'], length))
            at = s['end']
        self._need(at == self.sequences and order.get('length') == self.length,
                   'manifest.json: the stages of sluice-curriculum are not of these '
                   f'{self.sequences} sequences of {self.length} tokens')
        for k, s in enumerate(stages):
            same = s.begin == s.end or not self._has('stage') or \
                self.stage(s.begin) == k == self.stage(s.end - 1)
            self._need(same, f"stage '{s.name}' does not stand at the rows {s.begin} to {s.end}, "
                       'where the lineage has it: their order was changed')
        return stages

    def _runs(self, entry):
        """Stages as runs of the column, where an older curriculum told no more."""
        if not self._has('stage') or not self.sequences:
            return []
        begins, last = [], None
        for batch, first in enumerate(self._first[:-1].tolist()):
            values = self._batch_values(batch, 'stage.values')
            new = np.flatnonzero(np.diff(values, prepend=values[0])).tolist()
            new = new if last == values[0] else [0] + new
            begins += [(first + k, int(values[k])) for k in new]
            last = values[-1]
            if len(begins) > STAGES_MAX:
                return None
        told = _listed_in((entry or {}).get('rules'), 'stages')
        names = {k: s.get('name') for k, s in enumerate(told) if isinstance(s, dict)}
        ends = [begin for begin, _ in begins[1:]] + [self.sequences]
        return [Stage(str(names.get(k) or k), begin, end, self.row_length)
                for (begin, k), end in zip(begins, ends)]

    # ---- one sequence ----

    def tokens(self, index):
        return self._fixed(index, 0, self.dtype)

    def loss_mask(self, index):
        return self._fixed(index, 1, np.dtype(np.uint8))

    def id(self, index):
        """32 hex digits; with `copy` the key of a row."""
        return self._single(index, 'id').tobytes().hex()

    def copy(self, index):
        """How often the row stands before, in the order of the plan."""
        return int(self._single(index, 'copy')) if self._has('copy') else 0

    def stage(self, index):
        """Number of the row's stage in the plan."""
        return int(self._single(index, 'stage')) if self._has('stage') else 0

    def weight(self, index):
        """The column `weight`, 1 without it."""
        w = float(self._single(index, 'weight')) if self._has('weight') else 1.0
        self._need(0 <= w < math.inf, f'sequence {index} has the weight {w}')
        return w

    # ---- a sample: a row, or a part of one ----

    def span(self, part=0, length=None):
        """[begin, end) in a row of sample `part` of `length` tokens; length None: the row.

        With the extra token a sample has one more, which is the first of the next."""
        if length is None:
            return 0, self.length
        if length < 1 or self.row_length % length or not 0 <= part < self.row_length // length:
            raise IndexError(f'sample {part} of {length} tokens in rows of {self.row_length}')
        return part * length, (part + 1) * length + self._extra

    def boundaries(self, index, part=0, length=None):
        """(positions, segments) of a sample's tokens, int64.

        Positions count from 0 at the begin of the sample and of every piece of a
        document; segments number these from 0. Padding is one segment more."""
        begin, end = self.span(part, length)
        new = np.zeros(end - begin, np.int64)
        if index != FILLER:
            begins = self._listed(index, 6, np.dtype('<u4')).astype(np.int64)
            begins = np.append(begins, self.n_real(index))
            new[begins[(begins > begin) & (begins < end)] - begin] = 1
        new[0] = 1
        segments = np.cumsum(new) - 1
        return np.arange(end - begin) - np.flatnonzero(new)[segments], segments

    def n_real(self, index):
        """Tokens before the padding: pad tokens at the end that are no targets."""
        mask = self.loss_mask(index)
        if mask[-1]:
            return self.length
        real = (mask != 0) | (self.tokens(index) != self.pad)
        return int(self.length - np.argmax(real[::-1])) if real.any() else 0

    def pieces(self, index):
        """[(document id in hex, first token in the document, offset in the row, tokens), ...]"""
        ids = self._listed(index, 2, np.dtype('V16'))
        starts = self._listed(index, 4, np.dtype('<u4')).tolist()
        offsets = self._listed(index, 6, np.dtype('<u4')).tolist()
        if not len(ids) == len(starts) == len(offsets):
            raise ShardError(f'{self.folder}: the pieces of sequence {index} do not agree')
        ends = offsets[1:] + [self.n_real(index)]
        return [(i.tobytes().hex(), start, at, max(0, end - at))
                for i, start, at, end in zip(ids, starts, offsets, ends)]

    def _place(self, index):
        if not 0 <= index < self.sequences:
            raise IndexError(f'sequence {index} of {self.sequences}')
        batch = int(np.searchsorted(self._first, index, 'right')) - 1
        return batch, index - int(self._first[batch]), self._maps[self._shard_of[batch]]

    def _has(self, column):
        """Is it there? The shards have one schema: in all batches or in none."""
        return self._there[column + '.values']

    def _single(self, index, column):
        batch, row, _ = self._place(index)
        return self._batch_values(batch, column + '.values')[row]

    def _batch_values(self, batch, name):
        dtype = np.dtype(SINGLE[name])
        at, rows = int(self._offs[batch, NAMES.index(name)]), self._first[batch:batch + 2]
        end = at + int(rows[1] - rows[0]) * dtype.itemsize
        return self._maps[self._shard_of[batch]][at:end].view(dtype)

    def _fixed(self, index, column, dtype):
        batch, row, data = self._place(index)
        n_bytes = self.length * dtype.itemsize
        at = int(self._offs[batch, column]) + row * n_bytes
        return data[at:at + n_bytes].view(dtype)

    def _listed(self, index, column, dtype):
        batch, row, data = self._place(index)
        at = int(self._offs[batch, column]) + 4 * row
        begin, end = data[at:at + 8].view('<i4').tolist()
        at = int(self._offs[batch, column + 1])
        if at < 0 and begin == end:
            return np.empty(0, dtype)
        if at < 0 or not 0 <= begin <= end or at + end * dtype.itemsize > len(data):
            raise ShardError(f'{self.folder}: {NAMES[column]} of sequence {index} is wrong')
        return data[at + begin * dtype.itemsize:at + end * dtype.itemsize].view(dtype)

    # ---- the checks before anything is handed out ----

    def _need(self, truth, text):
        if not truth:
            raise ShardError(f'{self.folder}: {text}')

    def _read_manifest(self):
        path = os.path.join(self.folder, 'manifest.json')
        try:
            with open(path, encoding='utf-8') as f:
                m = json.load(f)
        except FileNotFoundError:
            raise ShardError(f'{self.folder}: no manifest.json: not a folder of shards, or one '
                             'that sluice-shard has not finished') from None
        except (OSError, ValueError, RecursionError) as e:
            raise ShardError(f'{self.folder}: cannot read manifest.json: {e}') from None
        self._need(isinstance(m, dict), 'manifest.json is no object')
        return m

    def _check_head(self, m):
        self._need(m.get('format') == 'sluice-shards', 'manifest.json is not of sluice-shard')
        self._need(m.get('version') == 1, f"manifest.json has version {m.get('version')}, "
                   'this loader reads version 1')
        self._need(m.get('kind') == 'sequences', f"holds {m.get('kind')}, not sequences")
        for key, good in (('sequences', _is_count(m.get('sequences'))),
                          ('length', _is_count(m.get('length'), 1)),
                          ('sequences_per_shard', _is_count(m.get('sequences_per_shard'), 1)),
                          ('tokens', _is_count(m.get('tokens'))),
                          ('dtype', m.get('dtype') in ('uint16', 'uint32')),
                          ('digest', _is_digest(m.get('digest'))),
                          ('buffers', isinstance(m.get('buffers'), list)),
                          ('shards', isinstance(m.get('shards'), list))):
            self._need(good, f"manifest.json: '{key}' is missing or wrong")
        self._need(m['tokens'] == m['sequences'] * m['length'],
                   "manifest.json: 'tokens' is not 'sequences' times 'length'")
        for name in [*BUFFERS, 'id.values']:
            self._need(m['buffers'].count(name) == 1,
                       f"manifest.json: no buffer '{name}': the loader needs the columns id, "
                       'tokens, loss_mask, doc_ids, doc_starts and doc_offsets of sluice-pack')
        for name in SINGLE:
            self._need(m['buffers'].count(name) <= 1,
                       f"manifest.json: the buffer '{name}' stands there twice")
        self._need(isinstance(m.get('tokenizer') or {}, dict),
                   "manifest.json: 'tokenizer' is wrong")

    def _check_vocabulary(self, vocab_size, tokenizer):
        name, digest = self.tokenizer.get('name'), self.tokenizer.get('digest')
        self._need(not _is_count(self.tokenizer.get('max_id')) or
                   self.tokenizer['max_id'] < 256 ** self.dtype.itemsize,
                   "manifest.json: 'max_id' does not fit 'dtype'")
        self._need(vocab_size is None or vocab_size == self.n_ids,
                   f'another vocabulary: the shards have {self.n_ids or "an unknown number of"} '
                   f"ids (tokenizer '{name}'), the loader has {vocab_size}")
        self._need(tokenizer is None or tokenizer == digest,
                   f"another vocabulary: the shards were made with tokenizer '{name}' of digest "
                   f'{digest}, the loader has {tokenizer}')

    def _open_shards(self, m):
        self._there = {n: n in m['buffers'] for n in NAMES}
        places = [m['buffers'].index(n) if self._there[n] else -1 for n in NAMES]
        nulls = [k for k, n in enumerate(m['buffers']) if isinstance(n, str) and
                 n.endswith('.validity') and (f"{n.split('.')[0]}.item.values" in NAMES or
                                              f"{n.split('.')[0]}.values" in NAMES)]
        for k, shard in enumerate(m['shards']):
            name = f'shard-{k:05d}.arrows'
            left = m['sequences'] - k * m['sequences_per_shard']
            good = isinstance(shard, dict) and shard.get('file') == name and \
                isinstance(shard.get('batches'), list) and _is_digest(shard.get('digest')) and \
                shard.get('sequences') == min(left, m['sequences_per_shard']) > 0
            self._need(good, f'manifest.json: the entry of {name} is wrong')
            self._maps.append(self._map(name, shard))
            for batch in shard['batches']:
                good = isinstance(batch, dict) and _is_count(batch.get('rows'), 1) and \
                    isinstance(batch.get('buffers'), list) and \
                    len(batch['buffers']) == len(m['buffers']) and \
                    all(_is_count(v, -1) for v in batch['buffers']) and \
                    all(batch['buffers'][n] == -1 for n in nulls)
                self._need(good, f'manifest.json: a batch of {name} is wrong')
                self._add_batch(k, batch['rows'], batch['buffers'], places)
            self._need(self._first[-1] == min(m['sequences'], (k + 1) * m['sequences_per_shard']),
                       f'manifest.json: the batches of {name} do not add up')
        self._need(self._first[-1] == m['sequences'], 'manifest.json: the shards do not add up')

    def _add_batch(self, k, rows, buffers, places):
        """Each buffer must end where the next one of the batch begins, padding aside."""
        size = len(self._maps[k])
        for place, name in zip(places, NAMES):
            if place < 0:
                continue
            off, behind = buffers[place], [v for v in buffers[place + 1:] if v >= 0]
            if name in SINGLE:
                n_bytes, item_bytes = rows * np.dtype(SINGLE[name]).itemsize, 0
            else:
                item_bytes = BUFFERS[name]
                n_bytes = rows * self.length * (item_bytes or self.dtype.itemsize)
            if name.endswith('.offsets'):
                n_bytes = (rows + 1) * item_bytes
            if name.startswith('doc_') and not name.endswith('.offsets'):
                fits = off == -1 or off % 64 == 0 and off <= size   # more when it is used
            else:
                fits = off >= 0 and off % 64 == 0 and off + n_bytes <= size and \
                    (not behind or behind[0] == off - -n_bytes // 64 * 64)
            self._need(fits, f'manifest.json: {name} of shard-{k:05d}.arrows is not where '
                       "'length' and 'dtype' would have it")
        self._first.append(self._first[-1] + rows)
        self._shard_of.append(k)
        self._offs.append([buffers[place] if place >= 0 else -1 for place in places])

    def _map(self, name, shard):
        """The file as bytes, once its size and the digest in its trailer are the manifest's."""
        try:
            with open(os.path.join(self.folder, name), 'rb') as f:
                size = os.fstat(f.fileno()).st_size
                self._need(size == shard.get('bytes'), f'{name} has {size} bytes, '
                           f"the manifest says {shard.get('bytes')}: cut, or another file")
                data = np.asarray(np.memmap(f, np.uint8, 'r')) if size else np.empty(0, np.uint8)
        except FileNotFoundError:
            raise ShardError(f'{self.folder}: {name} is missing') from None
        except OSError as e:
            raise ShardError(f'{self.folder}: cannot read {name}: {e}') from None
        found = _trailer_of(data)
        self._need(found, f'{name} has no trailer: it was cut, or is no shard')
        self._need(found == (shard['sequences'], shard['digest']),
                   f'{name} holds other sequences than the manifest says (digest {found[1]}, '
                   f"not {shard['digest']}): files were swapped or replaced")
        return data


def _trailer_of(data):
    """(rows, digest) of the trailer, which stands right before the end; None: there is none."""
    if data[-len(END):].tobytes() != END:
        return None
    n_bytes = TAIL_BYTES
    while True:
        found = list(TRAILER.finditer(data[-n_bytes:].tobytes()))
        if found:
            return int(found[-1][1]), found[-1][2].decode()
        if n_bytes >= min(len(data), TAIL_MAX_BYTES):
            return None
        n_bytes *= 4


def _reopen(folder, wanted, digest):
    shards = Shards(folder, *wanted)
    if shards.digest != digest:
        raise ShardError(f'{folder}: was replaced while it was read')
    return shards


# ---- order ----

_MASK64, _GOLDEN, ROUNDS = (1 << 64) - 1, 0x9e3779b97f4a7c15, 12


def _mix(z):
    """The finaliser of SplitMix64, on a Python integer or an array of uint64."""
    last = _MASK64 if isinstance(z, int) else np.uint64(_MASK64)
    number = int if isinstance(z, int) else np.uint64
    z = ((z ^ (z >> number(30))) * number(0xbf58476d1ce4e5b9)) & last
    z = ((z ^ (z >> number(27))) * number(0x94d049bb133111eb)) & last
    return z ^ (z >> number(31))


class Permutation:
    """A permutation of 0 .. n - 1 that needs no table: docs/loader.md defines it."""

    def __init__(self, n, seed, epoch):
        bits = max(n - 1, 0).bit_length()
        self.n, self.low_bits = n, bits - bits // 2
        self.masks = ((1 << bits // 2) - 1, (1 << self.low_bits) - 1)
        state = _mix((_mix((seed + _GOLDEN) & _MASK64) + (epoch + 1) * _GOLDEN) & _MASK64)
        self.keys = [_mix((state + (r + 1) * _GOLDEN) & _MASK64) for r in range(ROUNDS)]

    def __call__(self, positions):
        """Indices of an array of positions, each below n."""
        x = self._network(np.array(positions, np.uint64))
        while True:
            outside = np.flatnonzero(x >= np.uint64(self.n))
            if not len(outside):
                return x.astype(np.int64)
            x[outside] = self._network(x[outside])

    def _network(self, x):
        high_mask, low_mask = (np.uint64(m) for m in self.masks)
        high, low = x >> np.uint64(self.low_bits), x & low_mask
        for r, key in enumerate(self.keys):
            if r % 2 == 0:
                high = high ^ (_mix(low ^ np.uint64(key)) & high_mask)
            else:
                low = low ^ (_mix(high ^ np.uint64(key)) & low_mask)
        return (high << np.uint64(self.low_bits)) | low


class StepSampler:
    """The batches of one rank, step by step: a batch_sampler for torch's DataLoader.

    Step s of an epoch is the positions sB .. (s + 1)B - 1 of the order; rank r of
    R takes B/R neighbours of them, from sB + r B/R on. The last batch is filled
    with FILLER. Nothing of this depends on R but who reads what.

    sequences  a Shards, or only the number of sequences
    batch      B, the sequences of a step over all ranks
    seed       None: the order of the shards; a number: a permutation, another
               one for each epoch
    shuffle    True: shuffle shards that stand in the order of a plan, too; without
               it a seed is refused for them, as the plan would be lost

    A batch is a list of indices; where the plan's stages cut rows into samples, of
    (index, part, length) of the same rows. Both are what ShardDataset takes.
    """

    def __init__(self, sequences, batch, ranks=1, rank=0, seed=None, epoch=0, step=0,
                 shuffle=False):
        self.shards = sequences if isinstance(sequences, Shards) else None
        self.n = len(sequences) if self.shards is not None else int(sequences)
        if batch < 1 or ranks < 1 or batch % ranks:
            raise ValueError(f'a batch of {batch} sequences cannot be shared evenly by '
                             f'{ranks} ranks')
        if not 0 <= rank < ranks:
            raise ValueError(f'rank {rank} of {ranks}')
        if seed is not None and not 0 <= seed <= _MASK64:
            raise ValueError(f'seed {seed} is no number of 64 bits')
        self.stages = self.shards.stages if self.shards is not None else []
        if self.stages and seed is not None:
            if not shuffle:
                raise ValueError(f'seed {seed} would lose the order of the plan in '
                                 f'{self.shards.folder}: leave it out, or say shuffle=True')
            self.stages = []
        self._ends = [s.end for s in self.stages]
        self.batch, self.ranks, self.rank, self.seed = batch, ranks, rank, seed
        self.steps = -(-self.n // batch)
        self.set_epoch(epoch, step)

    def set_epoch(self, epoch, step=0):
        """Where the next iteration begins."""
        if not 0 <= epoch < 1 << 63 or not 0 <= step <= self.steps:
            raise ValueError(f'epoch {epoch}, step {step}: an epoch has {self.steps} steps')
        self.epoch, self.step = epoch, step

    def __len__(self):
        return self.steps - self.step

    def __iter__(self):
        epoch = self.epoch
        for step in range(self.step, self.steps):
            rows, length = self.indices(step, self.rank, epoch).tolist(), self.length_of(step)
            if length is None or length == self.shards.row_length:
                yield rows
            else:
                parts = range(self.shards.row_length // length)
                yield [(index, part, length) for index in rows for part in parts]

    def stages_of(self, step):
        """The stages that a step has sequences of; none without a plan, or when shuffled."""
        if not 0 <= step < self.steps:
            raise IndexError(f'step {step} of {self.steps}')
        first, end = step * self.batch, min((step + 1) * self.batch, self.n)
        k = bisect.bisect_right(self._ends, first)
        found = []
        while k < len(self.stages) and self.stages[k].begin < end:
            found += [self.stages[k]] if self._ends[k] > self.stages[k].begin else []
            k += 1
        return found

    def stage_of(self, step):
        """The stage of a step's first sequence, or None."""
        return next(iter(self.stages_of(step)), None)

    def length_of(self, step):
        """Tokens of a step's samples, the same on every rank; None: no shards are known.

        In a batch that holds stages of several lengths it is the greatest that divides all."""
        lengths = [stage.length for stage in self.stages_of(step)]
        if not lengths:
            return self.shards.row_length if self.shards is not None else None
        return math.gcd(*lengths)

    def indices(self, step, rank=None, epoch=None):
        """Indices of a step's sequences: those of a rank, or of all ranks."""
        share = self.batch if rank is None else self.batch // self.ranks
        first = step * self.batch + (0 if rank is None else rank * share)
        there = min(max(self.n - first, 0), share)
        found = np.full(share, FILLER, np.int64)
        found[:there] = np.arange(first, first + there)
        if self.seed is not None and there:
            epoch = self.epoch if epoch is None else epoch
            found[:there] = Permutation(self.n, self.seed, epoch)(found[:there])
        return found

    def seen(self, step, epoch=None):
        """[(document id in hex, first token, last token + 1), ...] of a step, over all ranks.

        Tokens are counted within the document; the mark that ends it counts as one."""
        if self.shards is None:
            raise ValueError('seen() needs the shards, not only their number')
        if not 0 <= step < self.steps:
            raise IndexError(f'step {step} of {self.steps}')
        return [(doc, start, start + n)
                for index in self.indices(step, epoch=epoch).tolist() if index != FILLER
                for doc, start, _, n in self.shards.pieces(index)]

    def state_dict(self, step):
        """Where to go on after `step` steps of this epoch were trained.

        The trainer says how many: the DataLoader's workers read ahead."""
        epoch = self.epoch
        if step == self.steps:
            epoch, step = epoch + 1, 0
        return {'epoch': epoch, 'step': step, 'batch': self.batch, 'seed': self.seed,
                'sequences': self.n, 'digest': self.shards.digest if self.shards else None,
                'plan': self.shards.plan if self.stages else None}

    def load_state_dict(self, state):
        """Go on from a state, with any number of ranks."""
        ours = self.state_dict(0)
        for key in ('batch', 'seed', 'sequences', 'digest', 'plan'):
            if state.get(key) != ours[key]:
                raise ShardError(f'cannot resume: {key} was {state.get(key)}, now it is '
                                 f'{ours[key]}')
        self.set_epoch(state['epoch'], state['step'])


class ShardDataset(Dataset):
    """Map-style dataset: index, or (index, part, length), -> a sample; FILLER -> padding.

    A sample is a dict of tokens (int64), loss_mask (bool), index, weight (float32), and
    with `boundaries` positions and segments (int64)."""

    def __init__(self, shards, boundaries=False):
        if torch is None:
            raise ImportError('ShardDataset needs torch; Shards and StepSampler do not')
        self.shards, self.boundaries = shards, boundaries

    def __len__(self):
        return len(self.shards)

    def __getitem__(self, key):
        index, *part = key if isinstance(key, tuple) else (key,)
        index = FILLER if index is None else int(index)
        begin, end = self.shards.span(*part)
        sample = {'index': index}
        if index == FILLER:
            sample['weight'] = torch.tensor(0.0)
            sample['tokens'] = torch.full((end - begin,), self.shards.pad, dtype=torch.int64)
            sample['loss_mask'] = torch.zeros(end - begin, dtype=torch.bool)
        else:
            tokens, mask = self.shards.tokens(index), self.shards.loss_mask(index)
            sample['tokens'] = torch.from_numpy(tokens[begin:end].astype(np.int64))
            sample['loss_mask'] = torch.from_numpy(mask[begin:end] != 0)
            sample['weight'] = torch.tensor(self.shards.weight(index))
        if self.boundaries:
            for name, values in zip(('positions', 'segments'),
                                    self.shards.boundaries(index, *part)):
                sample[name] = torch.from_numpy(values)
        return sample


def split(batch):
    """(inputs, targets, mask) of a batch: each token is predicted from those before it."""
    tokens, mask = batch['tokens'], batch['loss_mask']
    return tokens[:, :-1], tokens[:, 1:], mask[:, 1:]


def cumulative_lengths(positions):
    """(cu_seqlens, the longest) of a batch's positions, for attention of variable lengths.

    cu_seqlens, int32, has where each segment begins when the rows are laid end to end, and
    the number of all tokens behind. A torch tensor gives one, an array an array."""
    flat = positions.reshape(-1)
    if torch is not None and isinstance(flat, torch.Tensor):
        begins = torch.nonzero(flat == 0).reshape(-1).int()
        ends = torch.cat([begins, begins.new_tensor([len(flat)])])
    else:
        ends = np.append(np.flatnonzero(flat == 0), len(flat)).astype(np.int32)
    return ends, int(flat.max()) + 1 if len(flat) else 0


def main():
    p = argparse.ArgumentParser(description='check a folder of shards; list what a step has seen')
    p.add_argument('folder', metavar='DIR')
    p.add_argument('--vocab-size', type=int, help='refuse another number of ids')
    p.add_argument('--tokenizer', metavar='DIGEST', help='refuse another tokenizer')
    p.add_argument('--seen', metavar='STEP', type=int, help='list documents and token spans')
    p.add_argument('--batch', metavar='B', type=int, help='sequences of a step over all ranks')
    p.add_argument('--epoch', type=int, default=0)
    p.add_argument('--seed', type=int, help='default: the order of the shards')
    p.add_argument('--shuffle', action='store_true', help='a seed for shards with a plan, too')
    a = p.parse_args()
    if a.seen is not None and a.batch is None:
        p.error('--seen needs --batch')
    try:
        shards = Shards(a.folder, a.vocab_size, a.tokenizer)
        if a.seen is None:
            print(f'manifest {shards.digest}: {shards.sequences} sequences of {shards.length} '
                  f'tokens, {shards.n_ids or "?"} ids')
            for s in shards.stages:
                print(f"stage '{s.name}': sequences {s.begin} to {s.end}, "
                      f'samples of {s.length} tokens')
            return
        order = StepSampler(shards, a.batch, seed=a.seed, epoch=a.epoch, shuffle=a.shuffle)
        for doc, first, end in order.seen(a.seen):
            print(doc, first, end)
    except (ValueError, IndexError) as e:
        sys.exit(f'sluice_shards.py: {e}')


if __name__ == '__main__':
    main()
