#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: loader_test.py BUILD

Proves what docs/loader.md says of examples/pytorch: each test is one sentence.
The folders are made here, by numpy, from documents that are known; where the
build has the tools, one folder comes from them. Prints "N passed, N failed, N
skipped".
"""
import hashlib
import itertools
import json
import os
import pickle
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import traceback
import warnings

sys.dont_write_bytecode = True

try:
    import numpy as np
    from loader_folder import (BUFFERS, EXAMPLES, PAD, ROOT, VOCAB, Folder, Skip, divisors,
                               file_of, order_of, raises, run, run_all)
    import sluice_shards as loader
    from sluice_shards import FILLER, Permutation, ShardDataset, ShardError, Shards, StepSampler
except ImportError as missing:
    print(f'skipped: {missing}')
    print('0 passed, 0 failed, 1 skipped')
    sys.exit(77)

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    torch = None

# Three workers on two processors are what a test asks for.
warnings.filterwarnings('ignore', 'This DataLoader will create')

def need_torch():
    if torch is None:
        raise Skip('torch is not installed')


# ---- reading ----

def test_every_token_mask_and_piece_is_the_one_written(folder):
    for dtype, extra, n in (('uint16', False, 23), ('uint32', False, 20), ('uint16', True, 23),
                            ('uint16', False, 1), ('uint16', False, 0)):
        made = Folder(folder(), n=n, dtype=dtype, extra=extra)
        shards = Shards(made.path)
        assert len(shards) == n and shards.length == 16 + extra
        assert shards.digest == made.manifest['digest'] and shards.n_ids == VOCAB
        assert shards.extra_token == extra and shards.n_targets == 16 + extra - 1
        for i, (tokens, mask, pieces) in enumerate(made.rows):
            assert shards.tokens(i).dtype == np.dtype(dtype)
            assert (shards.tokens(i) == tokens).all() and (shards.loss_mask(i) == mask).all()
            assert shards.pieces(i) == pieces, (i, shards.pieces(i), pieces)
        for i in (-1, n):
            raises(IndexError, 'sequence', lambda: shards.tokens(i))


def test_what_is_read_are_views_that_cannot_be_written(folder):
    shards = Shards(Folder(folder()).path)
    for view in (shards.tokens(11), shards.loss_mask(11)):
        assert np.shares_memory(view, shards._maps[1]) and not view.flags.writeable


def test_numpy_alone_reads(folder):
    made = Folder(folder())
    out = run(['sluice_shards.py', made.path, '--seen', '1', '--batch', '4'], no_torch=True)
    want = [f'{doc} {a} {a + n}' for _, _, ps in made.rows[4:8] for doc, a, _, n in ps]
    assert out.returncode == 0 and out.stdout.splitlines() == want, out


def test_a_copy_for_another_process_is_small_and_checked(folder):
    made = Folder(folder())
    text = pickle.dumps(Shards(made.path, VOCAB))
    assert len(text) < 1000
    assert (pickle.loads(text).tokens(22) == made.rows[22][0]).all()
    shutil.rmtree(made.path)
    Folder(made.path, seed=1)
    raises(ShardError, 'replaced', lambda: pickle.loads(text))


# ---- order ----

CASES = [(n, b, seed) for n in (1, 7, 8, 23, 64) for b in (1, 4, 6, 12) for seed in (None, 5)]


def test_step_s_holds_positions_sB_to_sB_plus_B_for_every_R(_):
    for (n, b, seed), epoch in itertools.product(CASES, (0, 3)):
        order = order_of(n, seed, epoch)
        for r in divisors(b):
            ranks = [list(StepSampler(n, b, r, k, seed, epoch)) for k in range(r)]
            for s, parts in enumerate(zip(*ranks)):
                got = [i for part in parts for i in part]
                want = order[s * b:(s + 1) * b]
                assert got == want + [FILLER] * (b - len(want)), (n, b, seed, r, s)
                assert {len(part) for part in parts} == {b // r}
                assert StepSampler(n, b, r, 0, seed, epoch).indices(s).tolist() == got


def test_ranks_take_equal_steps_and_the_union_is_exact(_):
    for n, b, seed in CASES + [(0, 4, None), (0, 4, 1)]:
        for r in divisors(b):
            ranks = [StepSampler(n, b, r, k, seed) for k in range(r)]
            assert {len(s) for s in ranks} == {len(list(s)) for s in ranks} == {-(-n // b)}
            seen = [i for s in ranks for part in s for i in part if i != FILLER]
            assert sorted(seen) == list(range(n)), (n, b, r)


def test_a_batch_that_the_ranks_do_not_divide_is_an_error(_):
    raises(ValueError, 'batch of 10 .* 4 ranks', lambda: StepSampler(20, 10, 4))
    raises(ValueError, 'rank 4 of 4', lambda: StepSampler(20, 8, 4, 4))
    raises(ValueError, 'batch of 0', lambda: StepSampler(20, 0))
    raises(ValueError, 'seed -1', lambda: StepSampler(20, 4, seed=-1))


def test_the_seeded_order_is_a_permutation_as_the_page_defines_it(_):
    for n in list(range(1, 70)) + [127, 128, 129, 1000]:
        for seed, epoch in ((0, 0), (1, 0), (1, 1), (2**64 - 1, 5)):
            got = Permutation(n, seed, epoch)(np.arange(n)).tolist()
            assert sorted(got) == list(range(n)) and got == order_of(n, seed, epoch)
    got = Permutation(1000003, 7, 0)(np.arange(1000003))
    assert len(np.unique(got)) == 1000003 and got.max() == 1000002


def test_the_numbers_of_the_page_are_these(_):
    with open(os.path.join(ROOT, 'docs', 'loader.md'), encoding='utf-8') as f:
        rows = re.findall(r'^\| (\d+) \| (\d+) \| (\d+) \| ([\d, ]+) \|$', f.read(), re.M)
    assert len(rows) >= 5
    for n, seed, epoch, numbers in rows:
        numbers = [int(v) for v in numbers.split(',')]
        p = Permutation(int(n), int(seed), int(epoch))
        assert p(np.arange(len(numbers))).tolist() == numbers, n


def test_epochs_and_seeds_differ_and_look_random(_):
    orders = [Permutation(1000, s, e)(np.arange(1000)) for s in range(4) for e in range(4)]
    for a, b in itertools.combinations([np.arange(1000)] + orders, 2):
        assert (a == b).sum() < 12, 'two orders agree at too many positions'
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.2
    # where one index lands over many seeds: chi-square with 16 degrees of freedom
    for epoch in (0, 1):
        lands = [Permutation(17, s, epoch)(np.arange(17))[3] for s in range(1700)]
        counts = np.bincount(lands, minlength=17)
        assert ((counts - 100) ** 2 / 100).sum() < 45, counts


def test_a_sampler_of_any_size_takes_the_same_memory(_):
    peaks = []
    for n in (10**3, 10**12):
        tracemalloc.start()
        sampler = StepSampler(n, 64, 4, 1, seed=3)
        batches = list(itertools.islice(sampler, 5)) + [sampler.indices(sampler.steps - 1)]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(batches[0]) == 16 and max(map(max, batches)) < n
    assert max(peaks) < 200000, peaks


# ---- resume, seen, filler ----

def test_a_resume_with_another_R_goes_on_where_it_stopped(_):
    for (n, b, seed), stop in itertools.product(CASES, range(0, 70, 3)):
        whole = StepSampler(n, b, seed=seed, epoch=2)
        if stop > whole.steps:
            continue
        want = [whole.indices(s).tolist() for s in range(whole.steps)]
        for before, after in ((1, b), (b, 1)):
            ranks = [StepSampler(n, b, before, k, seed, epoch=2) for k in range(before)]
            got = [sum(p, []) for p in itertools.islice(zip(*ranks), stop)]
            state = json.loads(json.dumps(ranks[-1].state_dict(stop)))
            ranks = [StepSampler(n, b, after, k, seed) for k in range(after)]
            for s in ranks:
                s.load_state_dict(state)
            if stop == whole.steps:
                assert {(s.epoch, s.step) for s in ranks} == {(3, 0)}
                continue
            got += [sum(p, []) for p in zip(*ranks)]
            assert got == want, (n, b, seed, stop, before, after)


def test_a_resume_with_other_data_or_batch_is_refused(folder):
    shards = Shards(Folder(folder()).path)
    state = StepSampler(shards, 4, seed=1).state_dict(2)
    StepSampler(shards, 4, 2, 1, seed=1).load_state_dict(state)
    other = Shards(Folder(folder(), seed=1).path)
    for key, sampler in (('batch', StepSampler(shards, 8, seed=1)),
                         ('seed', StepSampler(shards, 4, seed=2)),
                         ('digest', StepSampler(other, 4, seed=1))):
        raises(ShardError, f'resume: {key}', lambda: sampler.load_state_dict(state))
    raises(ValueError, 'steps', lambda: StepSampler(shards, 4, step=7))


def test_seen_lists_documents_and_token_spans(folder):
    for extra, seed in itertools.product((False, True), (None, 9)):
        made = Folder(folder(), n=37, extra=extra)
        shards = Shards(made.path)
        whole = []
        order = order_of(37, seed, 1)
        for r in (1, 2, 4):
            sampler = StepSampler(shards, 4, r, r - 1, seed, epoch=1)
            steps = [sampler.seen(s) for s in range(sampler.steps)]
            for s, got in enumerate(steps):
                assert got == [(doc, a, a + n) for i in order[4 * s:4 * s + 4]
                               for doc, a, _, n in made.rows[i][2]]
                assert StepSampler(shards, 4, seed=seed).seen(s, epoch=1) == got
            assert not whole or whole == steps
            whole = steps
        tokens = {}
        for doc, a, end in (span for step in whole for span in step):
            for k in range(a, end):
                tokens[doc, k] = tokens.get((doc, k), 0) + 1
        assert set(tokens) == {(d, k) for d, doc in made.docs.items() for k in range(len(doc))}
        assert sum(tokens.values()) - len(tokens) == (36 if extra else 0)
        raises(IndexError, 'step 10 of 10', lambda: sampler.seen(10))


def test_spans_say_which_tokens_stand_where(folder):
    made = Folder(folder())
    shards = Shards(made.path)
    for i in range(len(shards)):
        for doc, first, at, n in shards.pieces(i):
            assert shards.tokens(i)[at:at + n].tolist() == made.docs[doc][first:first + n]


def test_filler_is_padding_without_targets(folder):
    need_torch()
    shards = Shards(Folder(folder(), n=6).path)
    last = list(DataLoader(ShardDataset(shards), batch_sampler=StepSampler(shards, 4)))[-1]
    assert last['index'].tolist() == [4, 5, FILLER, FILLER]
    assert (last['tokens'][2:] == PAD).all() and not last['loss_mask'][2:].any()
    assert last['loss_mask'][:2].any(1).all() and last['tokens'].shape == (4, 16)
    assert last['tokens'].dtype == torch.int64 and last['loss_mask'].dtype == torch.bool


def test_targets_are_the_inputs_one_token_on(folder):
    need_torch()
    for extra in (False, True):
        made = Folder(folder(), extra=extra)
        shards = Shards(made.path)
        batch = next(iter(DataLoader(ShardDataset(shards), batch_sampler=StepSampler(shards, 2))))
        inputs, targets, mask = loader.split(batch)
        assert inputs.shape == targets.shape == mask.shape == (2, shards.n_targets)
        assert (inputs[:, 1:] == targets[:, :-1]).all()
        assert targets[1].tolist() == made.rows[1][0][1:].tolist()


def batches_of(shards, workers, state=None, ranks=1, rank=0):
    order = StepSampler(shards, 4, ranks, rank, seed=11)
    if state:
        order.load_state_dict(state)
    return list(DataLoader(ShardDataset(shards), batch_sampler=order, num_workers=workers))


def test_any_number_of_workers_gives_the_same_batches(folder):
    need_torch()
    made = Folder(folder())
    shards = Shards(made.path)
    order = order_of(23, 11, 0) + [FILLER]
    for workers in (0, 1, 3):
        batches = batches_of(shards, workers)
        assert [i for b in batches for i in b['index'].tolist()] == order
        for batch in batches:
            for i, tokens, mask in zip(*(batch[k].tolist() for k in
                                         ('index', 'tokens', 'loss_mask'))):
                assert i == FILLER or tokens == made.rows[i][0].tolist()
                assert i == FILLER or mask == (made.rows[i][1] == 1).tolist()


def test_workers_and_a_resume_with_another_R_together(folder):
    need_torch()
    shards = Shards(Folder(folder()).path)
    want = torch.cat([b['tokens'] for b in batches_of(shards, 0)[2:]])
    state = StepSampler(shards, 4, seed=11).state_dict(2)
    for workers in (0, 3):
        ranks = [batches_of(shards, workers, state, 2, k) for k in range(2)]
        got = torch.cat([b['tokens'] for pair in zip(*ranks) for b in pair])
        assert torch.equal(got, want)


# ---- refusals ----

def remove_shard(folder):
    os.remove(file_of(folder, 1))


def remove_manifest(folder):
    os.remove(os.path.join(folder.path, 'manifest.json'))


def swap_shards(folder):
    a, b, c = file_of(folder, 0), file_of(folder, 1), os.path.join(folder.path, 'c')
    assert os.path.getsize(a) == os.path.getsize(b), 'the swap must not show in the sizes'
    os.rename(a, c)
    os.rename(b, a)
    os.rename(c, b)


def fixed_folder(path, first=0, **options):
    """Shards 0 and 1 have equal sizes, which a swap must have to be of interest."""
    for seed in range(first, first + 2000):
        made = Folder(path, seed=seed, **options)
        sizes = [s['bytes'] for s in made.manifest['shards']]
        if sizes[0] == sizes[1]:
            return made
        shutil.rmtree(path)
    raise AssertionError('no two shards of one size')


BREAKS = [(remove_shard, 'shard-00001.arrows is missing'),
          (swap_shards, 'shard-00000.arrows holds other sequences .* swapped'),
          (remove_manifest, 'no manifest.json')]


def test_programs_refuse_broken_folders_with_a_message_and_a_code(folder):
    for work, pattern in BREAKS + [(None, 'another vocabulary: .* 258 ids .* loader has 300')]:
        made = fixed_folder(folder())
        assert run(['sluice_shards.py', made.path, '--vocab-size', '258'], True).returncode == 0
        vocab = [] if work else ['--vocab-size', '300']
        if work:
            work(made)
        results = [run(['sluice_shards.py', made.path, *vocab], no_torch=True)]
        if torch:
            results.append(run(['train.py', '--shards', made.path, *vocab]))
        for r in results:
            assert r.returncode == 1 and r.stdout == '', r
            assert re.search(pattern, r.stderr) and r.stderr.count('\n') == 1, r.stderr


def test_another_vocabulary_is_refused(folder):
    made = Folder(folder())
    Shards(made.path, VOCAB, '5' * 32)
    for size in (VOCAB - 1, VOCAB + 1, 0):
        raises(ShardError, f'258 ids .* loader has {size}', lambda: Shards(made.path, size))
    raises(ShardError, 'another vocabulary', lambda: Shards(made.path, VOCAB, '6' * 32))
    made.manifest['tokenizer'].update(vocab_size=200, max_id=VOCAB - 1)
    made.save()
    Shards(made.path, VOCAB)
    raises(ShardError, 'loader has 200', lambda: Shards(made.path, 200))
    made.manifest['tokenizer'].update(max_id=65536)
    made.save()
    raises(ShardError, 'max_id', lambda: Shards(made.path))
    made.manifest['tokenizer'] = None
    made.save()
    Shards(made.path)
    raises(ShardError, 'unknown number', lambda: Shards(made.path, VOCAB))


def test_a_shard_that_is_not_the_manifests_is_refused(folder):
    other = fixed_folder(folder(), first=5000)

    def change(at, data, whence=os.SEEK_SET):
        def work(made):
            with open(file_of(made, 1), 'r+b') as f:
                f.seek(at, whence)
                f.write(data)
        return work

    def resize(n):
        return lambda made: os.truncate(file_of(made, 1), n)

    def take_other(made):
        size = os.path.getsize(file_of(made, 1))
        with open(file_of(other, 1), 'rb') as f:
            data = f.read()
        with open(file_of(made, 1), 'wb') as f:
            f.write(data[-size:].rjust(size, b'\0'))

    for work, pattern in BREAKS + [
            (resize(100), 'has 100 bytes'), (resize(0), 'has 0 bytes'),
            (resize(10**6), 'has 1000000 bytes'), (take_other, 'other sequences'),
            (change(-8, b'\0' * 8, os.SEEK_END), 'no trailer'),
            (change(-900, b'\0' * 800, os.SEEK_END), 'no trailer')]:
        made = fixed_folder(folder(), n=24)
        if work is take_other:
            assert other.manifest['shards'][1]['digest'] != made.manifest['shards'][1]['digest']
        Shards(made.path)
        work(made)
        raises(ShardError, pattern, lambda: Shards(made.path))


def test_a_manifest_that_does_not_add_up_is_refused(folder):
    def put(*path, value):
        def work(m):
            for key in path[:-1]:
                m = m[key]
            m[path[-1]] = value
        return work

    tokens, null = BUFFERS.index('tokens.item.values'), BUFFERS.index('doc_ids.item.validity')
    batch = ('shards', 1, 'batches', 0)
    cases = [(put(key, value=v), pattern) for key, v, pattern in (
        ('format', 'other', 'not of sluice-shard'), ('version', 2, 'version 2'),
        ('kind', 'docs', 'docs, not sequences'), ('sequences', 24, 'times'),
        ('sequences', '23', "'sequences'"), ('sequences', True, "'sequences'"),
        ('length', 0, "'length'"), ('length', 15, 'times'), ('length', 8, 'times'),
        ('tokens', None, "'tokens'"), ('dtype', 'float32', 'dtype'),
        ('dtype', 'uint32', 'is not where'), ('digest', 'x', "'digest'"),
        ('shards', {}, "'shards'"),
        ('sequences_per_shard', 9, 'entry of shard-00000'), ('tokenizer', 7, 'tokenizer'),
        ('buffers', BUFFERS[:-1], 'no buffer .loss_mask'), ('buffers', None, "'buffers'"))]
    cases += [(put('shards', 1, key, value=v), pattern) for key, v, pattern in (
        ('file', '../shard-00001.arrows', 'entry'), ('sequences', 9, 'entry'),
        ('digest', '0' * 32, 'other sequences'), ('bytes', 7, 'manifest says 7'),
        ('batches', [], 'do not add up'), ('batches', None, 'entry'))]
    cases += [(put(*batch, 'rows', value=v), p) for v, p in (
        (3, 'add up|is not where'), (5, 'add up|is not where'), (0, 'batch'),
        (10**18, 'is not where'))]
    cases += [(put(*batch, 'buffers', tokens, value=v), p) for v, p in (
        (-1, 'is not where'), (10**18, 'is not where'), (33, 'is not where'),
        (-2, 'batch'), (1.5, 'batch'))]
    cases += [(put(*batch, 'buffers', null, value=0), 'batch'),
              (put(*batch, 'buffers', value=[1]), 'batch'), (put(*batch, value=None), 'batch'),
              (lambda m: m.update(sequences=24, tokens=24 * 16), 'entry of shard-00002'),
              (lambda m: m.update(length=10**15, tokens=23 * 10**15), 'is not where'),
              (lambda m: m['shards'].reverse(), 'entry of shard-00000'),
              (lambda m: m['shards'].pop(), 'do not add up'), (lambda m: m.clear(), 'not of')]
    made = Folder(folder())
    text = json.dumps(made.manifest)
    for work, pattern in cases:
        made.manifest = json.loads(text)
        work(made.manifest)
        made.save()
        raises(ShardError, pattern, lambda: Shards(made.path))
    for broken in (text[:-5], '[]', '', '[' * 10**5, '{"format":"\xff"}'):
        with open(os.path.join(made.path, 'manifest.json'), 'w', encoding='latin-1') as f:
            f.write(broken)
        raises(ShardError, 'manifest.json', lambda: Shards(made.path))


def test_lists_that_point_out_of_a_file_are_refused(folder):
    made = Folder(folder())
    at = made.manifest['shards'][0]['batches'][0]['buffers'][BUFFERS.index('doc_ids.offsets')]
    for begin, end in ((0, 2**31 - 1), (5, 2), (-3, 2)):
        with open(file_of(made, 0), 'r+b') as f:
            f.seek(at)
            f.write(np.array([begin, end], '<i4').tobytes())
        raises(ShardError, 'doc_ids', lambda: Shards(made.path).pieces(0))


# ---- training, and the tools ----

def losses(out):
    assert out.returncode == 0, out.stderr
    lines = out.stdout.splitlines()
    return lines[0], [float(v) for v in re.findall(r'loss ([\d.]+)', out.stdout)]


def test_training_logs_the_digest_and_the_loss_falls(folder):
    need_torch()
    made = Folder(folder(), n=60, length=64, rare=20)
    command = ['train.py', '--shards', made.path, '--steps', '20', '--batch', '8', '--seed', '3']
    head, loss = losses(run(command))
    assert head == f"manifest {made.manifest['digest']}"
    assert len(loss) == 20 and sum(loss[-3:]) < 0.9 * sum(loss[:3]), loss
    assert losses(run(command))[1] == loss, 'the same command, another loss'


def test_shards_of_the_tools(folder):
    bins = [os.path.join(BUILD, p) for p in ('test/docs_sample', 'bin/sluice-tokenize',
                                             'bin/sluice-pack', 'bin/sluice-shard')]
    for path in bins:
        if not os.path.exists(path):
            raise Skip(f'there is no {path}')
    sample, tokenize, pack, shard = bins
    for extra in ([], ['--extra-token']):
        path = folder()
        command = f'"{sample}" 300 | "{tokenize}" | "{pack}" --length 64 {" ".join(extra)} ' \
                  f'| "{shard}" --sequences 100 -o "{path}"'
        subprocess.run(['bash', '-o', 'pipefail', '-c', command], check=True)
        check_shards_of_the_tools(path, bool(extra))
        files = [os.path.join(path, f'shard-0000{k}.arrows') for k in (0, 1)]
        os.rename(files[0], files[0] + '.other')
        raises(ShardError, 'shard-00000.arrows is missing', lambda: Shards(path))
        os.rename(files[1], files[0])
        os.rename(files[0] + '.other', files[1])
        raises(ShardError, 'shard-00000.arrows (has|holds other)', lambda: Shards(path))


def check_shards_of_the_tools(path, extra):
    shards = Shards(path)
    assert len(shards) > 0 and shards.extra_token == extra and shards.length == 64 + extra
    counts = next(s['tally'] for s in shards.lineage if s['tool'] == 'sluice-pack')
    order = StepSampler(shards, 8, seed=1)
    spans = sorted(span for s in range(order.steps) for span in order.seen(s))
    places = {(doc, k) for doc, a, end in spans for k in range(a, end)}
    stored = sum(end - a for _, a, end in spans)
    numbers = counts['counts']
    assert len(places) == numbers['tokens_in'] + numbers['specials'] - numbers['cut']
    assert stored - len(places) == numbers.get('overlap', 0)
    assert len({doc for doc, _ in places}) == counts['begun']['rows']
    masked = sum(int(shards.loss_mask(i).sum()) for i in range(len(shards)))
    assert masked == shards.targets == stored
    if torch:
        command = ['train.py', '--shards', path, '--steps', '20', '--batch', '8']
        head, loss = losses(run(command))
        assert head == f'manifest {shards.digest}' and loss[-1] < loss[0]


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build/release')
    sys.exit(run_all(globals()))
