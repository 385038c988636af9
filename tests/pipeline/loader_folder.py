# SPDX-License-Identifier: Apache-2.0
"""What the loader's tests share: folders of shards made from known documents, the
order by the page's text, and the frame that runs the tests of a file."""
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import traceback

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, 'examples', 'pytorch')
sys.path.insert(0, EXAMPLES)
sys.dont_write_bytecode = True

EOS, PAD, VOCAB = 256, 257, 258
BUFFERS = [f'{column}.{part}' for column, parts in (
    ('id', 'validity values'), ('tokens', 'validity item.validity item.values'),
    ('doc_ids', 'validity offsets item.validity item.values'),
    ('doc_starts', 'validity offsets item.validity item.values'),
    ('doc_offsets', 'validity offsets item.validity item.values'),
    ('loss_mask', 'validity item.validity item.values')) for part in parts.split()]


class Skip(Exception):
    pass


class Folder:
    """A folder of shards as docs/stream.md and the manifest's schema describe it.

    The files have raw buffers at the places that the manifest says, and a tail
    like a trailer's; what stands between, the loader does not read. `rows` has
    tokens, mask and pieces of each sequence, `docs` {id: tokens with the end}, `ids`
    the ids. `columns` {name: values} adds copy, stage or weight; `stages` {name: rows, or
    (rows, length)} a curriculum to the lineage.
    """

    def __init__(self, path, n=23, length=16, per_shard=10, per_batch=4, dtype='uint16',
                 extra=False, seed=0, rare=0, columns=None, stages=None):
        self.path, self.n, self.length, self.dtype = path, n, length + extra, dtype
        self.random = random.Random(seed)
        self.rows, self.docs, self.columns = [], {}, columns or {}
        self.ids = [hashlib.md5(b'%d %d' % (seed, k)).digest() for k in range(n)]
        self.buffers = BUFFERS + [f'{c}.{p}' for c in self.columns for p in ('validity', 'values')]
        self.pack(n, length, extra, rare)
        os.mkdir(path)
        shards = [self.shard(k, range(at, min(n, at + per_shard)), per_batch)
                  for k, at in enumerate(range(0, n, per_shard))]
        options = {'length': length, 'extra-token': extra, 'drop-last': False}
        self.manifest = {
            'format': 'sluice-shards', 'version': 1, 'kind': 'sequences', 'sequences': n,
            'length': self.length, 'dtype': dtype, 'sequences_per_shard': per_shard,
            'tokens': n * self.length, 'targets': int(sum(m.sum() for _, m, _ in self.rows)),
            'tokenizer': {'name': 'bytes', 'vocab_size': VOCAB, 'max_id': VOCAB - 1, 'eos': EOS,
                          'bos': None, 'pad': PAD, 'digest': '5' * 32},
            'digest': digest(s['digest'].encode() for s in shards), 'columns': [],
            'buffers': self.buffers, 'shards': shards,
            'lineage': [{'tool': 'sluice-pack', 'version': '0.1.0', 'options': options},
                        *self.curriculum(stages),
                        {'tool': 'sluice-shard', 'version': '0.1.0', 'options': {}}]}
        self.save()

    def curriculum(self, stages):
        """Its entry in the lineage, where there are stages."""
        listed, at = [], 0
        for name, rows in (stages or {}).items():
            rows, length = rows if isinstance(rows, tuple) else (rows, None)
            listed.append({'name': name, 'begin': at, 'end': at + rows, 'placed': {'a': rows}})
            listed[-1].update({'length': length} if length else {})
            at += rows
        order = {'sources': ['a'], 'stages': listed, 'length': self.length, 'sequences': self.n}
        return [{'tool': 'sluice-curriculum', 'version': '0.1.0', 'options': {},
                 'order': order}] if stages else []

    def save(self):
        with open(os.path.join(self.path, 'manifest.json'), 'w', encoding='utf-8') as f:
            json.dump(self.manifest, f, indent=2)

    def pack(self, n, length, extra, rare):
        """Documents end to end until n rows are full but for three tokens of padding."""
        stream, spans, want = [], [], n * length + extra - (3 if n else 0)
        while len(stream) < want:
            size = min(self.random.randrange(0, 40), want - len(stream) - 1)
            doc = [self.random.randrange(rare or EOS) for _ in range(size)] + [EOS]
            name = hashlib.md5(repr((len(spans), doc)).encode()).digest()
            spans += [(name, k) for k in range(len(doc))]
            stream += doc
            self.docs[name.hex()] = doc
        for at in range(0, n * length, length):
            part = slice(at, at + length + extra)
            tokens = np.full(length + extra, PAD, self.dtype)
            tokens[:len(stream[part])] = stream[part]
            mask = np.arange(length + extra) < len(stream[part])
            pieces = [(name.hex(), token, k) for k, (name, token) in enumerate(spans[part])
                      if k == 0 or token == 0]
            ends = [p[2] for p in pieces[1:]] + [len(stream[part])]
            self.rows.append((tokens, mask.astype(np.uint8),
                              [(*p, end - p[2]) for p, end in zip(pieces, ends)]))

    def shard(self, k, rows, per_batch):
        data, batches = bytearray(b'\x07' * 192), []
        for at in range(0, len(rows), per_batch):
            batches.append(self.batch(data, rows[at:at + per_batch]))
        name, own = f'shard-{k:05d}.arrows', digest([bytes(data)])
        trailer = {'rows': len(rows), 'batches': len(batches), 'schema': '0' * 16, 'digest': own,
                   'columns': [['tokens', '1' * 32]], 'lineage': []}
        data += json.dumps(trailer, separators=(',', ':')).encode()
        data += b'\0' * (-len(data) % 64) + b'\0' * 320 + b'\xff\xff\xff\xff\0\0\0\0'
        with open(os.path.join(self.path, name), 'wb') as f:
            f.write(data)
        return {'file': name, 'sequences': len(rows), 'bytes': len(data), 'digest': own,
                'batches': batches}

    def batch(self, data, numbers):
        rows = [self.rows[k] for k in numbers]
        pieces = [p for _, _, ps in rows for p in ps]
        counts = np.cumsum([0] + [len(ps) for _, _, ps in rows]).astype('<i4').tobytes()
        contents = {
            'id.values': b''.join(self.ids[k] for k in numbers), 'tokens.item.values':
            np.concatenate([t for t, _, _ in rows]).astype('<u2' if self.dtype == 'uint16'
                                                           else '<u4').tobytes(),
            'loss_mask.item.values': np.concatenate([m for _, m, _ in rows]).tobytes(),
            'doc_ids.item.values': b''.join(bytes.fromhex(p[0]) for p in pieces),
            'doc_starts.item.values': np.array([p[1] for p in pieces], '<u4').tobytes(),
            'doc_offsets.item.values': np.array([p[2] for p in pieces], '<u4').tobytes()}
        for name, values in self.columns.items():
            kind = '<f4' if name == 'weight' else '<u2'
            contents[f'{name}.values'] = np.array([values[k] for k in numbers], kind).tobytes()
        places = []
        for name in self.buffers:
            content = counts if name.endswith('.offsets') else contents.get(name, b'')
            places.append(len(data) if content else -1)
            data += content + bytes(-len(content) % 64)
        return {'rows': len(rows), 'tokens': places[BUFFERS.index('tokens.item.values')],
                'buffers': places}


def digest(parts):
    h = hashlib.md5()
    for part in parts:
        h.update(part)
    return h.hexdigest()


def raises(error, pattern, work):
    try:
        work()
    except error as e:
        assert re.search(pattern, str(e)), f'the message is: {e}'
        return
    raise AssertionError(f'nothing was raised, but {pattern!r} was expected')


def order_of(n, seed, epoch):
    """The order by the page's text, in plain integers."""
    if seed is None:
        return list(range(n))
    m, g = 2**64 - 1, 0x9e3779b97f4a7c15

    def mix(z):
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & m
        z = (z ^ z >> 27) * 0x94d049bb133111eb & m
        return z ^ z >> 31

    def network(x):
        high, low = x >> low_bits, x & (1 << low_bits) - 1
        for r in range(12):
            if r % 2:
                low ^= mix(high ^ key[r]) & (1 << low_bits) - 1
            else:
                high ^= mix(low ^ key[r]) & (1 << high_bits) - 1
        return high << low_bits | low

    bits = (n - 1).bit_length()
    high_bits, low_bits = bits // 2, (bits + 1) // 2
    state = mix(mix(seed + g & m) + (epoch + 1) * g & m)
    key = [mix(state + (r + 1) * g & m) for r in range(12)]
    order = []
    for x in range(n):
        x = network(x)
        while x >= n:
            x = network(x)
        order.append(x)
    return order


def divisors(n):
    return [r for r in range(1, n + 1) if n % r == 0]


def run(command, no_torch=False):
    env = dict(os.environ)
    with tempfile.TemporaryDirectory() as empty:
        if no_torch:
            with open(os.path.join(empty, 'torch.py'), 'w') as f:
                f.write('raise ImportError("hidden")\n')
            env['PYTHONPATH'] = empty
        return subprocess.run([sys.executable, os.path.join(EXAMPLES, command[0]), *command[1:]],
                              env=env, capture_output=True, text=True)


def file_of(folder, k):
    return os.path.join(folder.path, f'shard-{k:05d}.arrows')


def run_all(tests):
    """Run the test_ functions of a file, each with a giver of paths; the exit code."""
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    tests = [(n[5:], t) for n, t in tests.items() if n.startswith('test_')]
    for name, test in tests:
        with tempfile.TemporaryDirectory() as place:
            numbers = itertools.count()
            try:
                test(lambda: os.path.join(place, f'folder-{next(numbers)}'))
                result = 'passed'
                print(f'ok {name}', flush=True)
            except Skip as e:
                result = 'skipped'
                print(f'skipped: {name}: {e}')
            except Exception:
                result = 'failed'
                print(f'FAIL {name}')
                traceback.print_exc(file=sys.stdout)
            counts[result] += 1
    print(', '.join(f'{n} {what}' for what, n in counts.items()))
    return counts['failed'] != 0
