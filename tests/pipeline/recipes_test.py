#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""The recipes of examples/recipes, each by its Makefile on real data: pages of the Debian
handbook, descriptions of packages, licences.

usage: recipes_test.py [BUILD [RECIPE...]]

Of each: the record has the keys of the shards; every sequence is one of its source, and
its copies count from 0; stages begin where the plan says; at every position every source
is within one sequence of its target; a second make does nothing; made anew, and made
again after kills, the digests are the same.

Prints "N passed, N failed, N skipped".
"""
import glob
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from counted import Count

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECIPES = os.path.join(ROOT, 'examples', 'recipes')
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build/release'))
ENV = {k: v for k, v in os.environ.items() if k not in ('OUT', 'BIN', 'LENGTH', 'MAKEFLAGS')}
LENGTH = 512
KILLS = 6

t = Count()


def make(tmp, name):
    return ['make', '-s', '-C', os.path.join(RECIPES, name), 'OUT=' + os.path.join(tmp, name),
            'BIN=' + os.path.join(BUILD, 'bin')]


def run_make(tmp, name):
    begin = time.monotonic()
    done = subprocess.run(make(tmp, name), env=ENV, capture_output=True, text=True)
    t.check('make', done.returncode == 0 and not done.stderr, done.stdout[-500:],
            done.stderr[-1500:])
    return (done.stdout, time.monotonic() - begin) if done.returncode == 0 else (None, 0)


def rows_of(path, columns):
    done = subprocess.run([os.path.join(BUILD, 'bin', 'sluice-export'), '--columns', columns, path],
                          check=True, capture_output=True, text=True)
    return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]


def shard_rows(folder, columns='id,copy,stage'):
    return [row for shard in sorted(glob.glob(os.path.join(folder, 'shard-*.arrows')))
            for row in rows_of(shard, columns)]


def read_json(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return json.load(f)


def states(folder):
    """Every file below, with what changes when it is written."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            s = os.stat(os.path.join(at, name))
            found[os.path.relpath(os.path.join(at, name), folder)] = (s.st_ino, s.st_mtime_ns)
    return found


def digests(folder):
    """The digests of everything that came out: orders and shards."""
    found = {}
    for path in glob.glob(os.path.join(folder, '**', 'manifest.json'), recursive=True):
        m = read_json(path)
        found[os.path.relpath(path, folder)] = [m['order']['digest']] if 'sources' in m else [
            m['digest'], *(s['digest'] for s in m['shards'])]
    return found


# ---- what holds for every order ----

def check_keys(name, rows, sources, epochs):
    """Conservation: rows are those of the sources, copies count from 0."""
    known = {i for ids in sources.values() for i in ids}
    t.check(f'{name}: no sequence of elsewhere', all(i in known for i, _, _ in rows))
    seen, wrong = {}, 0
    for i, copy, _ in rows:
        wrong += copy != seen.get(i, 0)
        seen[i] = copy + 1
    t.check(f'{name}: copies count from 0', wrong == 0, wrong)
    for source, most in epochs.items():
        times = max((seen.get(i, 0) for i in sources[source]), default=0)
        t.check(f'{name}: {source} at most {most} times', times <= most, times)


def check_shares(name, rows, sources, stages):
    """stages: [(end, share of each source as a function of the position)]. Every prefix is
    within one sequence of the sum of the shares, so every window within two."""
    owner = {i: source for source, ids in sources.items() for i in ids}
    counts, targets, worst = dict.fromkeys(sources, 0), dict.fromkeys(sources, 0.0), 0.0
    at = 0
    for end, shares in stages:
        for p in range(at, end):
            for source in sources:
                targets[source] += shares(p).get(source, 0.0)
            counts[owner[rows[p][0]]] += 1
            worst = max(worst, max(abs(counts[s] - targets[s]) for s in sources))
        at = end
    t.check(f'{name}: all positions have a stage', at == len(rows), at, len(rows))
    t.check(f'{name}: every prefix within one sequence', worst < 1.0001, worst)


def check_order(folder, shards, record, want_ends):
    """Shards, record and lineage say the same; stages end where they should."""
    rows = shard_rows(os.path.join(folder, shards))
    kept = rows_of(os.path.join(folder, record, 'order.arrows'), 'id,copy,stage')
    t.check(f'{shards}: the record has the keys of the shards', rows and kept == rows)
    manifest = read_json(folder, record, 'manifest.json')
    lineage = read_json(folder, shards, 'manifest.json')['lineage']
    order = [e['order'] for e in lineage if 'order' in e][-1]
    spans = [(s['name'], s['begin'], s['end']) for s in manifest['stages']]
    t.check(f'{shards}: the lineage has the stages',
            [(s['name'], s['begin'], s['end']) for s in order['stages']] == spans)
    t.check(f'{shards}: stages end where they should', [s[2] for s in spans] == want_ends, spans,
            want_ends)
    t.check(f'{shards}: the column agrees', [s for _, _, s in rows] ==
            [k for k, (_, begin, end) in enumerate(spans) for _ in range(begin, end)])
    t.check(f'{shards}: tokens', manifest['tokens'] == len(rows) * LENGTH)
    return rows


def ids_of(tmp, **files):
    return {source: [i for i, in rows_of(os.path.join(tmp, 'data', f + '.arrows'), 'id')]
            for source, f in files.items()}


def ends(tokens, *parts):
    n = tokens // LENGTH
    return [n * p // 100 for p in parts]


# ---- each recipe ----

def check_continual(tmp, folder):
    sources = ids_of(tmp, new='de-DE', old='en-US')
    n = ends(1_000_000, 100)
    replay = check_order(folder, 'replay', 'replay-record', n)
    control = check_order(folder, 'control', 'control-record', n)
    t.check('equal cost', len(replay) == len(control))
    for name, rows, shares in (('replay', replay, {'new': 0.75, 'old': 0.25}),
                               ('control', control, {'new': 1.0})):
        check_keys(name, rows, sources, {'new': 1, 'old': 1})
        check_shares(name, rows, sources, [(n[0], lambda p, s=shares: s)])
    old = set(sources['old'])
    marks = [i in old for i, _, _ in replay]
    sums = [0]
    for m in marks:
        sums.append(sums[-1] + m)
    worst = max(abs(sums[k + 100] - sums[k] - 25) for k in range(len(marks) - 99))
    t.check('in every window of 100 a quarter is replayed, within two', worst < 2, worst)


def check_blend_switch(tmp, folder):
    n = 1_000_000 // LENGTH
    # The first position where 1 - 0.99 (1 - cos(pi x)) / 2 is a fifth or less.
    switch = next(p for p in range(n)
                  if 1 - 0.99 * (1 - math.cos(math.pi * p / n)) / 2 <= 0.2)
    t.check('the switch is at 71 %', round(100 * switch / n) == 71, switch)
    rows = check_order(folder, 'shards', 'record', [switch, n])
    sources = ids_of(tmp, handbook='en-US', answers='packages')
    check_keys('shards', rows, sources, {'handbook': 1})
    check_shares('shards', rows, sources, [
        (switch, lambda p: {'handbook': 0.9, 'answers': 0.1}),
        (n, lambda p: {'handbook': 0.35, 'answers': 0.65})])


def check_babylm(tmp, folder):
    four = ends(2_000_000, 10, 35, 60, 100)
    rows = check_order(folder, 'curriculum', 'record', four)
    sources = ids_of(tmp, simple='packages', middle='en-US', hard='licences')
    check_keys('curriculum', rows, sources, {'middle': 10})
    shares = [{'simple': 0.8, 'middle': 0.2}, {'simple': 0.3, 'middle': 0.65, 'hard': 0.05},
              {'simple': 0.15, 'middle': 0.65, 'hard': 0.2},
              {'simple': 0.2, 'middle': 0.65, 'hard': 0.15}]
    check_shares('curriculum', rows, sources,
                 [(end, lambda p, s=s: s) for end, s in zip(four, shares)])
    score = dict(rows_of(os.path.join(tmp, 'data', 'en-US.arrows'), 'id,difficulty_compression'))
    middle = [score[i] for i, _, _ in rows if i in score]
    tenth = len(middle) // 10
    t.check('the handbook begins easy', sum(middle[:tenth]) / tenth <
            sum(middle[-tenth:]) / tenth)
    mixed = shard_rows(os.path.join(folder, 'random'))
    t.check('random has the same sequences as often', sorted(mixed) == sorted(rows))
    t.check('random has another order', mixed != rows)


def check_imbalance(tmp, folder):
    sources = ids_of(tmp, en='en-US', de='de-DE')
    four = ends(1_600_000, 25, 50, 75, 100)
    n = four[-1]
    many, few = {'en': 0.9, 'de': 0.1}, {'en': 0.1, 'de': 0.9}

    def moving(p):
        x = (p + 0.5) / n
        return {'en': 0.9 - 0.8 * x, 'de': 0.1 + 0.8 * x}

    for name, stages in (('plan', [(e, lambda p, s=s: s) for e, s in
                                   zip(four, (many, few, many, few))]),
                         ('moving', [(n, moving)]),
                         ('balanced', [(n, lambda p: {'en': 0.5, 'de': 0.5})])):
        rows = check_order(folder, name, name + '-record', [e for e, _ in stages])
        check_keys(name, rows, sources, {'en': 1, 'de': 1})
        check_shares(name, rows, sources, stages)
        half = len(set(sources['en']) & {i for i, _, _ in rows})
        t.check(f'{name}: one half of each', abs(half - n / 2) <= 1, half, n)


def check_explicit_order(tmp, folder):
    n = [1024]
    rows = {name: check_order(folder, name, name + '-record', n)
            for name in ('first', 'again', 'explicit')}
    for name in rows:
        check_keys(name, rows[name], ids_of(tmp, pages='en-US'), {'pages': 1})
    t.check('again is first', rows['again'] == rows['first'])
    out = digests(folder)
    t.check('to the digest of the order', out['again-record/manifest.json'] ==
            out['first-record/manifest.json'])
    with open(os.path.join(RECIPES, 'explicit-order', 'batches.txt'), encoding='ascii') as f:
        order = [int(word) for word in f.read().split()]
    t.check('batches are moved', order != sorted(order))
    t.check('explicit is first with its batches moved', rows['explicit'] ==
            [row for b in order for row in rows['first'][16 * b:16 * b + 16]])


def weights_of(losses):
    """linupper over one batch, d = 1 and r = 0.4, with the mean 1."""
    lo, hi = min(losses), max(losses)
    f = [min(((x - lo) - (hi - x)) / (hi - lo) + 1, 1) for x in losses]
    e = [math.exp((x - max(f)) / 0.4) for x in f]
    return [x * len(losses) / sum(e) for x in e]


def check_second_epoch(tmp, folder):
    n = [128]
    first = check_order(folder, 'first', 'first-record', n)
    check_keys('first', first, ids_of(tmp, pages='en-US'), {'pages': 1})
    with open(os.path.join(folder, 'losses', 'loss-00000.jsonl'), encoding='ascii') as f:
        losses = [json.loads(line) for line in f]
    t.check('a loss for every sequence', sorted(x['id'] for x in losses) ==
            sorted(i for i, _, _ in first), len(losses))
    t.check('steps are batches of the plan', all(
        {x['id'] for x in losses if x['step'] == k} ==
        {i for i, _, _ in first[8 * k:8 * k + 8]} for k in range(16)))
    loss = {x['id']: x['loss'] for x in losses}
    got = shard_rows(os.path.join(folder, 'weighted'), 'id,copy,stage,weight')
    t.check('weighted has the rows of first', [row[:3] for row in got] == first)
    want = [w for k in range(0, 128, 8)
            for w in weights_of([loss[i] for i, _, _ in first[k:k + 8]])]
    worst = max(abs(row[3] - w) for row, w in zip(got, want))
    t.check('weights are those of the formula', worst < 1e-5, worst)
    sample = check_order(folder, 'sample', 'sample-record', n)
    times = dict.fromkeys(loss, 0)
    for i, _, _ in sample:
        times[i] += 1
    check_keys('sample', sample, {'pages': list(loss)}, {})
    off = max(abs(times[row[0]] - w) for row, w in zip(got, want))
    t.check('each is there as often as it weighs, within one', off < 1.0001, off)
    t.check('the sample is shuffled', [i for i, _, _ in sample] !=
            sorted((i for i, _, _ in sample), key=[i for i, _, _ in first].index))


CHECKS = {'continual': check_continual, 'blend-switch': check_blend_switch,
          'babylm': check_babylm, 'imbalance': check_imbalance,
          'explicit-order': check_explicit_order, 'second-epoch': check_second_epoch}


def check_recipe(tmp, name):
    t.case = name
    folder = os.path.join(tmp, name)
    said, _ = run_make(tmp, name)
    if said is None:
        return
    with open(os.path.join(folder, 'summary'), encoding='utf-8') as f:
        t.check('make says what came out', said == f.read() and ' %' in said, said)
    before, out = states(folder), digests(folder)
    again, _ = run_make(tmp, name)
    t.check('a second make does nothing', states(folder) == before and again == said)
    CHECKS[name](tmp, folder)
    shutil.rmtree(folder)
    run_make(tmp, name)
    got = digests(folder)
    t.check('made anew, the same digests', len(got) >= 2 and got == out,
            got, out)


def put_crawls(tmp, work):
    """A crawl is an input: another one has other dates and so other ids."""
    for crawl in glob.glob(os.path.join(tmp, 'data', '*', 'crawl.warc.gz')):
        there = crawl.replace(os.path.join(tmp, 'data'), os.path.join(work, 'data'))
        os.makedirs(os.path.dirname(there))
        shutil.copy2(crawl, there)


def check_kills(tmp):
    """One recipe from its crawls, killed at some moments and run again."""
    t.case = 'kills'
    work, rng = os.path.join(tmp, 'kills'), random.Random(7)
    want = digests(os.path.join(tmp, 'continual'))
    put_crawls(tmp, work)
    _, seconds = run_make(work, 'continual')
    stopped = 0
    for k in range(3 * KILLS):
        if stopped == KILLS:
            break
        shutil.rmtree(work)
        put_crawls(tmp, work)
        p = subprocess.Popen(make(work, 'continual'), env=ENV, start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            p.wait(seconds * (stopped + rng.random()) / KILLS)
            seconds *= 0.8      # too late: the machine was busier before
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            stopped += 1
        run_make(work, 'continual')
        t.check('the same digests', digests(os.path.join(work, 'continual')) == want, k)
        left = glob.glob(os.path.join(work, '**', '.sluice-*'), recursive=True)
        t.check('nothing is left', not left, left)
    t.check('kills came in time', stopped == KILLS, stopped)


def main():
    missing = [p for p in ('make', 'wget', 'setpriv', 'dpkg-query') if not shutil.which(p)]
    if missing:
        t.skip('the recipes were NOT tested: no ' + ', '.join(missing))
        return 77
    deps = subprocess.run([os.path.join(ROOT, '.ci', 'deps.sh'), 'quickstart'],
                          capture_output=True, text=True)
    if deps.returncode:
        t.skip('the recipes were NOT tested: their packages cannot be installed')
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        torch = subprocess.run([os.path.join(ROOT, 'examples', 'quickstart', 'find_torch.sh')],
                               capture_output=True).returncode == 0
        for name in sys.argv[2:] or sorted(CHECKS):
            if name == 'second-epoch' and not torch:
                t.skip('the recipe second-epoch was NOT tested: no PyTorch')
                continue
            check_recipe(tmp, name)
        t.check('every recipe is tested', sorted(CHECKS) == sorted(
            os.path.basename(os.path.dirname(p))
            for p in glob.glob(os.path.join(RECIPES, '*', 'Makefile'))))
        if not sys.argv[2:]:
            check_kills(tmp)
    return t.finish()


if __name__ == '__main__':
    sys.exit(main())
