#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the loss of every sequence that was trained, for sluice-reweight to read.

    LossLog   one file of JSON lines for each rank, that outlives an interruption
    to_arrow  all files of a folder as one Arrow stream; needs pyarrow

A line is {"id": "<32 hex digits>", "copy": 0, "step": 12, "loss": 2.31}: the key of
the row, and the mean loss of its targets. docs/loader.md explains it. As a program:

    sluice_losses.py DIR -o FILE       the Arrow stream of a folder's losses
"""
import argparse
import glob
import json
import math
import os
import re
import sys

ROWS_OF_BATCH = 65536
NAME = re.compile(r'loss-(\d{5,})\.jsonl')


class LossLog:
    """The losses of one rank.

    folder       where the files are; it is made
    shards       the Shards that the indices mean
    ranks, rank  as for the StepSampler; another number than before is right
    step         None: a new run, refused where losses are; a number: go on from there,
                 what was written of this step and later ones is cut away

    Steps are those of the whole run, over all epochs. A file is in their order.
    """

    def __init__(self, folder, shards, ranks=1, rank=0, step=None):
        if not 0 <= rank < ranks:
            raise ValueError(f'rank {rank} of {ranks}')
        self.shards, self.step = shards, step or 0
        self.sums, self.targets = {}, {}
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, f'loss-{rank:05d}.jsonl')
        for path in files_of(folder):
            # Files of ranks that are no more are cut too, each by one rank.
            if int(NAME.fullmatch(os.path.basename(path))[1]) % ranks != rank:
                continue
            if step is None and os.path.getsize(path):
                raise ValueError(f'{path} holds losses of another run: give the step to go on '
                                 'from, or another folder')
            _cut(path, self.step)
        self.file = open(self.path, 'ab')

    def add(self, index, loss_sums, targets):
        """Add samples of the current step: rows, sums of their losses, numbers of targets.

        Samples of one row are joined. Filler and rows without targets have no loss."""
        for i, loss, n in zip(_listed(index), _listed(loss_sums), _listed(targets)):
            if i >= 0 and n:
                self.sums[i] = self.sums.get(i, 0.0) + loss
                self.targets[i] = self.targets.get(i, 0) + n

    def write(self, step):
        """Write what was added, as losses of this step. ValueError: a loss is no number."""
        if step < self.step:
            raise ValueError(f'step {step} after step {self.step - 1}')
        lines, sums, targets = [], self.sums, self.targets
        self.step, self.sums, self.targets = step + 1, {}, {}
        for i, total in sums.items():
            key, loss = self.shards.id(i), total / targets[i]
            if not math.isfinite(loss):
                raise ValueError(f'step {step}: the loss of sequence {i} ({key}) is {loss}')
            lines.append(f'{{"id": "{key}", "copy": {self.shards.copy(i)}, "step": {step}, '
                         f'"loss": {loss:.9g}}}\n')
        self.file.write(''.join(lines).encode())
        self.file.flush()

    def sync(self):
        """On disk when it returns: call it before a state of the trainer is saved."""
        os.fsync(self.file.fileno())

    def close(self):
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _listed(values):
    return values.tolist() if hasattr(values, 'tolist') else list(values)


def files_of(folder):
    """The files of a folder's losses, by rank."""
    found = [f for f in glob.glob(os.path.join(glob.escape(folder), 'loss-*.jsonl'))
             if NAME.fullmatch(os.path.basename(f))]
    return sorted(found, key=lambda f: int(NAME.fullmatch(os.path.basename(f))[1]))


def _record(path, at, line):
    """The object of a line, checked."""
    try:
        r = json.loads(line)
        good = re.fullmatch('[0-9a-f]{32}', r['id']) and math.isfinite(r['loss']) and \
            all(type(r[k]) is int and r[k] >= 0 for k in ('copy', 'step'))
    except (ValueError, TypeError, KeyError):
        good = False
    if not good:
        raise ValueError(f'{path}: at byte {at} is no line of losses')
    return r


def _cut(path, step):
    """Cut the lines of `step` and later, and one that an interruption left in parts."""
    with open(path, 'r+b') as f:
        low, high = 0, f.seek(0, os.SEEK_END)
        end = high
        # Steps rise: lines that begin before `low` stay, those from `high` on go.
        while low < high:
            middle = (low + high) // 2
            f.seek(max(middle - 1, 0))
            if middle:
                f.readline()
            at = f.tell()
            line = f.readline() if at < high else b''
            if line.endswith(b'\n') and _record(path, at, line)['step'] < step:
                low = at + len(line)
            else:
                high, end = middle, at if line else end
        f.truncate(end)


def to_arrow(folder, path):
    """Write all losses of a folder, by rank and step, as an Arrow stream."""
    import pyarrow as pa
    schema = pa.schema([('id', pa.utf8()), ('copy', pa.uint16()), ('step', pa.int64()),
                        ('loss', pa.float64())])
    rows, part = [], f'{path}.tmp'
    with pa.OSFile(part, 'wb') as sink, pa.ipc.new_stream(sink, schema) as out:
        for source in files_of(folder):
            at = 0
            with open(source, 'rb') as f:
                for line in f:
                    rows.append(_record(source, at, line))
                    at += len(line)
                    if len(rows) == ROWS_OF_BATCH:
                        out.write_batch(pa.RecordBatch.from_pylist(rows, schema))
                        rows = []
        if rows:
            out.write_batch(pa.RecordBatch.from_pylist(rows, schema))
    os.replace(part, path)


def main():
    p = argparse.ArgumentParser(description='all losses of a folder as one Arrow stream')
    p.add_argument('folder', metavar='DIR')
    p.add_argument('-o', '--output', metavar='FILE', required=True)
    a = p.parse_args()
    try:
        if not files_of(a.folder):
            raise ValueError(f'{a.folder}: no loss-*.jsonl')
        to_arrow(a.folder, a.output)
    except (ImportError, OSError, ValueError) as e:
        sys.exit(f'sluice_losses.py: {e}')


if __name__ == '__main__':
    main()
