#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: loader_stage_test.py BUILD

Stages, lengths, weights, boundaries and losses of examples/pytorch on folders that are
made here: each test is one sentence of docs/loader.md. loader_plan_test.py has the
folders of the tools. Prints "N passed, N failed, N skipped".
"""
import collections
import copy
import itertools
import json
import math
import os
import re
import sys
import warnings

sys.dont_write_bytecode = True

try:
    import numpy as np
    from loader_folder import PAD, Folder, Skip, order_of, raises, run, run_all
    import sluice_shards as loader
    from sluice_losses import LossLog
    from sluice_shards import FILLER, ShardDataset, ShardError, Shards, Stage, StepSampler
except ImportError as missing:
    print(f'skipped: {missing}')
    print('0 passed, 0 failed, 1 skipped')
    sys.exit(77)

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    torch = None

warnings.filterwarnings('ignore', 'This DataLoader will create')
PLAN = {'warm-up': (9, 4), 'none': 0, 'main': (7, 6), 'anneal': 7}


def need_torch():
    if torch is None:
        raise Skip('torch is not installed')


def numbers_of(stages):
    counts = [r[0] if isinstance(r, tuple) else r for r in stages.values()]
    return [k for k, n in enumerate(counts) for _ in range(n)]


def planned(path, stages=None, **more):
    """23 rows of 24 tokens in stages; the column agrees with them."""
    stages = stages or PLAN
    columns = {'copy': [k % 3 for k in range(23)], 'stage': numbers_of(stages)}
    columns.update(more.pop('columns', {}))
    return Folder(path, n=23, length=24, stages=stages, columns=columns, **more)


def edited(made, work):
    """The folder, its manifest changed."""
    made.manifest = copy.deepcopy(made.manifest)
    work(made.manifest)
    made.save()
    return made.path


def order_entry(manifest):
    return next(e for e in manifest['lineage'] if e['tool'] == 'sluice-curriculum')['order']


# ---- stages ----

def test_stages_are_those_of_the_lineage(folder):
    for extra in (False, True):
        shards = Shards(planned(folder(), extra=extra).path)
        assert shards.row_length == 24 and shards.length == 24 + extra
        assert shards.stages == [Stage('warm-up', 0, 9, 4), Stage('none', 9, 9, 24),
                                 Stage('main', 9, 16, 6), Stage('anneal', 16, 23, 24)]
    assert Shards(Folder(folder()).path).stages == []
    assert Shards(Folder(folder()).path).plan is None


def test_stages_are_runs_of_the_column_where_the_lineage_has_none(folder):
    made = planned(folder(), per_batch=2)

    def forget(m):
        entry = next(e for e in m['lineage'] if e['tool'] == 'sluice-curriculum')
        del entry['order']
        entry['rules'] = {'stages': [{'name': 'a'}, {'name': 'b'}]}

    want = [(0, 9), (9, 16), (16, 23)]
    stages = Shards(edited(made, forget)).stages
    assert [s[1:3] for s in stages] == want and {s.length for s in stages} == {24}
    assert [s.name for s in stages] == ['a', '2', '3']
    stages = Shards(edited(made, lambda m: m.update(lineage=[]))).stages
    assert [s.name for s in stages] == ['0', '2', '3'] and [s[1:3] for s in stages] == want
    for per_batch, values in ((1, [0, 0, 1, 1, 0, 5]), (4, [7] * 6), (3, [0, 1, 2, 2, 2, 2])):
        made = Folder(folder(), n=6, per_batch=per_batch, columns={'stage': values})
        got = [(int(s.name), s.end - s.begin) for s in Shards(made.path).stages]
        assert got == [(k, len(list(g))) for k, g in itertools.groupby(values)]


def test_the_last_curriculum_counts_if_nothing_behind_it_moved_rows(folder):
    made = planned(folder())
    lineage = made.manifest['lineage']
    pack, curriculum, shard = lineage
    older = {'tool': 'sluice-curriculum', 'options': {}, 'order': {'stages': []}}

    def stages_of(*entries):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            path = edited(made, lambda m: m.update(lineage=copy.deepcopy(list(entries))))
            stages = Shards(path).stages
        assert bool(caught) == (not stages)
        return stages, ' '.join(str(w.message) for w in caught)

    want = stages_of(*lineage)[0]
    keep = [{'tool': 'sluice-difficulty'}, {'tool': 'sluice-reweight', 'options': {}}]
    for entries in ([pack, older, curriculum, shard], [pack, curriculum, *keep, shard],
                    [{**curriculum, 'inputs': [[pack, older], [pack]]}, shard]):
        assert stages_of(*entries)[0] == want
    for tool in ('sort', 'shuffle', 'mix', 'sample', 'filter', 'cat', 'reweight'):
        entry = {'tool': f'sluice-{tool}', 'options': {'resample': 10}}
        for entries in ([pack, curriculum, entry, shard],
                        [{**entry, 'inputs': [[pack, curriculum], [pack, curriculum]]}, shard]):
            stages, text = stages_of(*entries)
            assert stages == [] and f'was changed by sluice-{tool}' in text, text
            shards = Shards(made.path)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                assert len(list(StepSampler(shards, 4, seed=3))) == 6


def test_a_lineage_that_does_not_fit_the_rows_is_refused(folder):
    made = planned(folder())
    text = json.dumps(made.manifest)
    for work, pattern in (
            (lambda o: o.update(stages=None), "'order'"),
            (lambda o: o.clear(), "'order'"),
            (lambda o: o.update(length=23), '23 sequences of 24'),
            (lambda o: o['stages'].pop(), 'are not of these 23'),
            (lambda o: o['stages'].pop(0), 'stage 0'),
            (lambda o: o['stages'].append({'name': 'x', 'begin': 23, 'end': 24}), 'not of these'),
            (lambda o: o['stages'][0].update(length=5), "'warm-up'.* 5 tokens.* 24"),
            (lambda o: o['stages'][0].update(length=0), 'stage 0'),
            (lambda o: o['stages'][0].update(length=48), '48 tokens'),
            (lambda o: o['stages'][0].update(length=True), 'stage 0'),
            (lambda o: o['stages'][0].update(end=-1), 'stage 0'),
            (lambda o: o['stages'][2].update(begin=8), 'stage 2'),
            (lambda o: o['stages'][2].update(end=5), 'stage 2'),
            (lambda o: o['stages'][2].update(name=7), 'stage 2'),
            (lambda o: o['stages'].insert(0, 7), 'stage 0'),
            (lambda o: (o['stages'][2].update(end=17), o['stages'][3].update(begin=17)),
             "'main' does not stand"),
            (lambda o: (o['stages'][0].update(end=8), o['stages'][1].update(begin=8, end=8),
                        o['stages'][2].update(begin=8)), "'main' does not stand")):
        made.manifest = json.loads(text)
        path = edited(made, lambda m: work(order_entry(m)))
        raises(ShardError, pattern, lambda: Shards(path).stages)


def test_a_seed_would_lose_the_plan_and_must_be_meant(folder):
    shards = Shards(planned(folder()).path)
    raises(ValueError, 'seed 7 would lose the order of the plan', lambda: StepSampler(
        shards, 4, seed=7))
    shuffled = StepSampler(shards, 4, seed=7, shuffle=True)
    order = order_of(23, 7, 0)
    assert [i for b in shuffled for i in b if i != FILLER] == order
    assert shuffled.stage_of(2) is None and {shuffled.length_of(s) for s in range(6)} == {24}
    kept = StepSampler(shards, 4, shuffle=True)
    assert [kept.stage_of(s).name for s in range(6)] == \
        ['warm-up'] * 3 + ['main'] + ['anneal'] * 2
    names = [[s.name for s in kept.stages_of(k)] for k in range(6)]
    assert names == [['warm-up']] * 2 + [['warm-up', 'main'], ['main'], ['anneal'], ['anneal']]
    raises(IndexError, 'step 6 of 6', lambda: kept.stage_of(6))
    assert StepSampler(23, 4).stage_of(0) is None and StepSampler(23, 4).length_of(0) is None


def test_a_lineage_of_any_shape_is_read_or_refused(folder):
    made = planned(folder())
    text = json.dumps(made.manifest)
    strange = (None, 7, 'x', [], [7], {}, [[]], [{}], {'stages': 7}, {'stages': [7]},
               [{'tool': 'sluice-curriculum'}], [{'tool': 7, 'inputs': [7], 'options': 'x'}])

    def places(value, path=()):
        for key, v in (value.items() if isinstance(value, dict) else enumerate(value)):
            yield (*path, key)
            if isinstance(v, (dict, list)):
                yield from places(v, (*path, key))

    told = refused = 0
    for path in [(), *places(made.manifest['lineage'])]:
        for value in strange:
            at = made.manifest = json.loads(text)
            for key in ('lineage', *path)[:-1]:
                at = at[key]
            at[('lineage', *path)[-1]] = value
            made.save()
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                try:
                    assert all(isinstance(s.name, str) for s in Shards(made.path).stages)
                    told += 1
                except ShardError:
                    refused += 1
    assert told > 50 and refused > 50


# ---- lengths ----

LENGTHS = {'warm-up': 4, 'none': 24, 'main': 6, 'anneal': 24}


def test_a_step_has_samples_of_its_stages_length_on_every_rank(folder):
    for extra, b in itertools.product((False, True), (1, 5, 6, 10, 30)):
        made = planned(folder(), extra=extra)
        shards = Shards(made.path)
        names = [list(PLAN)[k] for k in made.columns['stage']]
        for r in (r for r in (1, 2, 5, 6) if b % r == 0):
            ranks = [list(StepSampler(shards, b, r, k)) for k in range(r)]
            for step, parts in enumerate(zip(*ranks)):
                rows = list(range(step * b, min((step + 1) * b, 23)))
                length = math.gcd(*(LENGTHS[names[i]] for i in rows))
                want = [(i, k, length) if length < 24 else i
                        for i in rows + [FILLER] * (b - len(rows)) for k in range(24 // length)]
                assert [key for part in parts for key in part] == want
                assert {len(part) * length for part in parts} == {b // r * 24}


def test_samples_of_a_row_are_the_row(folder):
    for extra in (False, True):
        made = planned(folder(), extra=extra)
        shards = Shards(made.path)
        for i, length in itertools.product(range(23), (1, 4, 6, 8, 12, 24)):
            spans = [shards.span(k, length) for k in range(24 // length)]
            tokens = [shards.tokens(i)[a:b].tolist() for a, b in spans]
            assert {len(t) for t in tokens} == {length + extra}
            row = made.rows[i][0].tolist()
            assert sum((t[:length] for t in tokens), []) == row[:24]
            if extra:       # every target of the row is one of a sample
                assert sum((t[1:] for t in tokens), []) == row[1:]
        for part, length in ((0, 5), (6, 4), (-1, 4), (0, 48), (0, 0)):
            raises(IndexError, 'sample', lambda: shards.span(part, length))


def keys_of(batch):
    return list(zip(batch['index'].tolist(), batch['tokens'].tolist(),
                    batch['loss_mask'].tolist(), batch['positions'].tolist(),
                    batch['segments'].tolist(), batch['weight'].tolist()))


def loaded(shards, workers, b=5, ranks=1, rank=0, state=None):
    order = StepSampler(shards, b, ranks, rank)
    if state:
        order.load_state_dict(state)
    return [keys_of(batch) for batch in DataLoader(ShardDataset(shards, boundaries=True),
                                                   batch_sampler=order, num_workers=workers)]


def test_torch_gets_the_samples_whatever_the_ranks_and_workers(folder):
    need_torch()
    weights = [k / 8 for k in range(23)]
    for extra in (False, True):
        made = planned(folder(), extra=extra, columns={'weight': weights})
        shards = Shards(made.path)
        whole = loaded(shards, 0)
        for step, keys in enumerate(whole):
            length = StepSampler(shards, 5).length_of(step)
            rows = [i for i in range(5 * step, 5 * step + 5) for _ in range(24 // length)]
            assert [k[0] for k in keys] == [i if i < 23 else FILLER for i in rows]
            for at, (i, tokens, mask, _, _, weight) in enumerate(keys):
                begin = at % (24 // length) * length
                part = slice(begin, begin + length + extra)
                filler = [PAD] * len(tokens), [False] * len(tokens), 0
                want = filler if i == FILLER else (made.rows[i][0][part].tolist(), (
                    made.rows[i][1][part] == 1).tolist(), weights[i])
                assert (tokens, mask, weight) == want
        for ranks, workers in ((5, 0), (1, 2), (5, 1)):
            parts = [loaded(shards, workers, ranks=ranks, rank=k) for k in range(ranks)]
            assert [sum(p, []) for p in zip(*parts)] == whole


def test_a_resume_at_any_step_with_another_R_gives_the_rest(folder):
    made = planned(folder(), extra=True)
    shards = Shards(made.path)
    for b in (5, 10):
        want = list(StepSampler(shards, b))
        for stop, before, after in itertools.product(range(len(want)), (1, 5), (1, 5)):
            state = StepSampler(shards, b, before, before - 1).state_dict(stop)
            state = json.loads(json.dumps(state))
            assert len(json.dumps(state)) < 300
            ranks = [StepSampler(shards, b, after, k) for k in range(after)]
            for sampler in ranks:
                sampler.load_state_dict(state)
            assert [sum(p, []) for p in zip(*ranks)] == want[stop:]
            assert ranks[0].length_of(stop) == StepSampler(shards, b).length_of(stop)


def test_a_resume_with_another_plan_is_refused(folder):
    made = planned(folder())
    state = StepSampler(Shards(made.path), 5).state_dict(2)
    for lengths in ((4, 24), (8, 6), (None, None)):
        def change(m):
            for k, length in zip((0, 2), lengths):
                order_entry(m)['stages'][k]['length'] = length or 24
        shards = Shards(edited(made, change))
        raises(ShardError, 'resume: plan', lambda: StepSampler(shards, 5).load_state_dict(state))
    plain = Folder(folder())
    state = StepSampler(Shards(plain.path), 4).state_dict(2)
    del state['plan']       # as it was saved before there were plans
    StepSampler(Shards(plain.path), 4, 2).load_state_dict(state)


# ---- boundaries ----

def walked(made, i, begin, end):
    """Positions and segments by the text: one token after another."""
    _, mask, pieces = made.rows[i]
    firsts = {at for _, _, at, _ in pieces}
    real = max(at + n for _, _, at, n in pieces)
    positions, segments = [], []
    for k in range(begin, end):
        new = k == begin or k in firsts or k == real
        positions.append(0 if new else positions[-1] + 1)
        segments.append(segments[-1] + new if segments else 0)
    assert real == int(mask.sum())
    return positions, segments


def test_positions_begin_anew_at_every_document_and_sample(folder):
    for extra, length in itertools.product((False, True), (1, 4, 6, 24, None)):
        made = planned(folder(), extra=extra)
        shards = Shards(made.path)
        for i in range(23):
            for part in range(24 // (length or 24)):
                begin, end = shards.span(part, length)
                positions, segments = shards.boundaries(i, part, length)
                assert (positions.tolist(), segments.tolist()) == walked(made, i, begin, end)
        positions, segments = shards.boundaries(FILLER, 0, length)
        assert positions.tolist() == list(range(len(positions))) and not segments.any()


def test_cumulative_lengths_are_the_borders_of_all_segments(folder):
    made = planned(folder())
    shards = Shards(made.path)
    batch = [shards.boundaries(i, part, 12) for i in (3, 22, FILLER) for part in (0, 1)]
    positions = np.stack([p for p, _ in batch])
    borders, at = [], 0
    for p, segments in batch:
        borders += [at + k for k in range(12) if k == 0 or segments[k] != segments[k - 1]]
        at += 12
    ends, longest = loader.cumulative_lengths(positions)
    assert ends.dtype == np.int32 and ends.tolist() == borders + [72]
    assert longest == max(b - a for a, b in zip(ends, ends[1:]))
    if torch:
        got = loader.cumulative_lengths(torch.from_numpy(positions))
        assert got[0].dtype == torch.int32 and got[0].tolist() == borders + [72]
        assert got[1] == longest


# ---- single values ----

def test_id_copy_stage_and_weight_are_the_rows(folder):
    made = planned(folder(), per_batch=3, columns={'weight': [k / 4 for k in range(23)]})
    shards = Shards(made.path)
    for i in range(23):
        assert shards.id(i) == made.ids[i].hex() and shards.copy(i) == i % 3
        assert shards.stage(i) == made.columns['stage'][i] and shards.weight(i) == i / 4
    plain = Shards(Folder(folder()).path)
    assert (plain.copy(3), plain.stage(3), plain.weight(3)) == (0, 0, 1.0)
    for bad in (-1.0, math.nan, math.inf):
        made = planned(folder(), columns={'weight': [1.0] * 22 + [bad]})
        raises(ShardError, 'sequence 22 has the weight', lambda: Shards(made.path).weight(22))


def test_values_that_are_not_where_they_must_be_are_refused(folder):
    made = planned(folder(), columns={'weight': [1.0] * 23})
    text = json.dumps(made.manifest)
    for name, part, value in itertools.product(
            ('id', 'stage', 'copy', 'weight'), ('values', 'validity'), (-1, 10**15, 32, 64)):
        if (part, value) == ('validity', -1):
            continue
        made.manifest = json.loads(text)
        place = made.buffers.index(f'{name}.{part}')
        made.manifest['shards'][1]['batches'][0]['buffers'][place] = value
        made.save()
        raises(ShardError, 'is not where|a batch of', lambda: Shards(made.path))
    made.manifest = json.loads(text)
    made.manifest['buffers'][made.buffers.index('weight.values')] = 'stage.values'
    made.save()
    raises(ShardError, 'twice', lambda: Shards(made.path))


# ---- losses ----

def loss_of(i, step):
    return (i * 7 + step) / 4 + 0.125


def log_of(place, shards, ranks, rank, steps, step=None):
    """What a rank of a trainer logs: rows of two samples, in two micro-batches."""
    order = StepSampler(shards, 10, ranks, rank, step=step or 0)
    with LossLog(place, shards, ranks, rank, step) as log:
        for at in range(step or 0, steps):
            rows = [i for i in order.indices(at, rank).tolist() for _ in range(2)]
            sums = [loss_of(i, at) * n for i, n in zip(rows, itertools.cycle((3, 5)))]
            targets = [0 if i == 4 else n for i, n in zip(rows, itertools.cycle((3, 5)))]
            for half in (slice(0, len(rows) // 2), slice(len(rows) // 2, None)):
                log.add(np.array(rows[half]), np.array(sums[half]), np.array(targets[half]))
            log.write(at)
            log.sync()


def lines_of(place):
    found = []
    for name in sorted(os.listdir(place)):
        with open(os.path.join(place, name), encoding='ascii') as f:
            found += [tuple(json.loads(line).values()) for line in f]
    return found


def test_a_loss_of_every_sequence_is_written_once(folder):
    made = planned(folder())
    shards = Shards(made.path)
    want = {(made.ids[i].hex(), i % 3, i // 10, loss_of(i, i // 10)) for i in range(23) if i != 4}
    for ranks in (1, 2, 5):
        place = folder()
        for rank in range(ranks):
            log_of(place, shards, ranks, rank, 3)
        lines = lines_of(place)
        assert sorted(os.listdir(place)) == [f'loss-{k:05d}.jsonl' for k in range(ranks)]
        assert len(lines) == 22 and set(lines) == want
    with open(os.path.join(place, 'loss-00000.jsonl'), encoding='ascii') as f:
        line = f.readline()
    assert list(json.loads(line)) == ['id', 'copy', 'step', 'loss'] and line.endswith('}\n')


def test_a_log_goes_on_where_the_trainer_does_with_another_R(folder):
    shards = Shards(planned(folder()).path)
    for before, after, stop, torn in itertools.product((1, 2, 5), (1, 2, 5), (0, 1, 2, 3), (0, 30)):
        place = folder()
        for rank in range(before):
            log_of(place, shards, before, rank, 3)
            with open(os.path.join(place, f'loss-{rank:05d}.jsonl'), 'ab') as f:
                f.write(b'{"id": "00000000000000000000000000000000", "copy": 0'[:torn])
        for rank in range(after):
            log_of(place, shards, after, rank, 3, step=stop)
        lines = lines_of(place)
        whole = len(lines) == len({line[:3] for line in lines}) == 22
        assert whole and {line[2] for line in lines} == {0, 1, 2}, (before, after, stop, torn)
        assert collections.Counter(line[2] for line in lines) == {0: 9, 1: 10, 2: 3}


def test_losses_of_another_run_and_broken_ones_are_refused(folder):
    shards = Shards(planned(folder()).path)
    place = folder()
    log_of(place, shards, 1, 0, 3)
    before = lines_of(place)
    raises(ValueError, 'holds losses of another run', lambda: LossLog(place, shards))
    assert lines_of(place) == before
    with LossLog(place, shards, step=2) as log:
        raises(ValueError, 'step 1 after step 1', lambda: log.write(1))
        for step, bad in ((2, math.nan), (3, math.inf)):
            log.add([3], [bad], [2])
            raises(ValueError, f'step {step}: the loss of sequence 3 .* is {bad}',
                   lambda: log.write(step))
    path = os.path.join(place, 'loss-00000.jsonl')
    for bad in (b'x\n', b'{}\n', b'[]\n', b'{"id": "0", "copy": 0, "step": 1, "loss": 1}\n',
                b'{"id": "%032d", "copy": 0, "step": "1", "loss": 1}\n' % 0):
        with open(path, 'wb') as f:
            f.write(bad)
        raises(ValueError, 'at byte 0 is no line', lambda: LossLog(place, shards, step=2))
        assert os.path.getsize(path) == len(bad)
    raises(ValueError, 'rank 2 of 2', lambda: LossLog(place, shards, 2, 2))


# ---- training ----

def steps_of(out):
    assert out.returncode == 0, out.stderr
    return re.findall(r'^step (\d+) loss ([\d.]+)$', out.stdout, re.M)


def test_training_keeps_the_plan_and_goes_on_exactly(folder):
    need_torch()
    for extra in (False, True):
        made = planned(folder(), extra=extra)
        command = ['train.py', '--shards', made.path, '--batch', '5', '--losses']
        whole, parted, state = folder(), folder(), folder()
        out = run([*command, whole, '--steps', '7'])
        assert re.findall(r"stage '(.*)': samples of (\d+)", out.stdout) == \
            [('warm-up', '4'), ('main', '6'), ('anneal', '24'), ('warm-up', '4')]
        steps = steps_of(out)
        assert [int(k) for k, _ in steps] == list(range(7))
        got = [p for n in '257' for p in steps_of(run([*command, parted, '--steps', n, '--state',
                                                       state]))]
        assert got == steps
        lines = lines_of(whole)
        assert lines == lines_of(parted) and len(lines) == 23 + 10
        order = [*range(23), *range(10)]
        assert [line[:2] for line in lines] == [(made.ids[i].hex(), i % 3) for i in order]
        assert run([*command, whole]).returncode == 1


def test_a_weight_of_nothing_trains_nothing(folder):
    need_torch()
    heavy = planned(folder(), columns={'weight': [1.0] * 23})
    light = planned(folder(), columns={'weight': [0.0] * 23})
    plain = planned(folder())
    places = [folder() for _ in range(3)]
    outs = [run(['train.py', '--shards', f.path, '--steps', '5', '--batch', '23', '--losses', p])
            for f, p in zip((heavy, light, plain), places)]
    assert steps_of(outs[0]) == steps_of(outs[2])
    assert {loss for _, loss in steps_of(outs[1])} == {'0.0000'}
    losses = {k: [line[3] for line in lines_of(p)] for k, p in zip('hl', places)}
    assert losses['l'][:23] == losses['l'][-23:] != losses['h'][-23:]
    assert losses['l'][:23] == losses['h'][:23]


def test_shuffling_a_plan_must_be_said_to_the_programs_too(folder):
    made = planned(folder())
    command = ['sluice_shards.py', made.path, '--seen', '1', '--batch', '4', '--seed', '3']
    out = run(command, no_torch=True)
    assert out.returncode == 1 and 'would lose the order' in out.stderr and not out.stdout
    out = run([*command, '--shuffle'], no_torch=True)
    assert out.stdout.splitlines() == [f'{doc} {a} {a + n}' for i in order_of(23, 3, 0)[4:8]
                                       for doc, a, _, n in made.rows[i][2]]
    out = run(['sluice_shards.py', made.path], no_torch=True)
    assert "stage 'main': sequences 9 to 16, samples of 6 tokens" in out.stdout
    if torch:
        command = ['train.py', '--shards', made.path, '--steps', '2', '--shuffle']
        assert 'stage' not in run(command).stdout


if __name__ == '__main__':
    sys.exit(run_all(globals()))
