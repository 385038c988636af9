#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Carry out the experiment: data, learning rate, every arm with every seed; OUT/results.json.

    experiment.py OUT [--subset] [--sequences N] [--budget MINUTES] [--workers N] [--keep]

A run's result is a file of its own, named by all that it depends on: what is there is not
done again, so a stopped experiment goes on. OUT/setup.json keeps the settings of the first
start.
"""
import argparse
import ctypes
import datetime
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time

os.environ['OMP_NUM_THREADS'] = '1'     # before torch is loaded

import torch  # noqa: E402

import design  # noqa: E402
import train  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DEFINING = [os.path.join(HERE, 'data.sh')] + \
    [os.path.join(HERE, 'arms', arm + '.yaml') for arm in design.ARMS]


def load(path):
    with open(path, encoding='utf-8') as f:
        return json.load(f)


def store(path, value):
    """Whole or not at all."""
    with open(path + '.tmp', 'w', encoding='utf-8') as f:
        json.dump(value, f, indent=1)
        f.write('\n')
    os.rename(path + '.tmp', path)


def digest(*parts):
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()


def start_worker():
    """One thread, and no life after the parent's death."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def work(job):
    result = {**job['said'], **train.run(job)}
    store(job['result'], result)
    return job['name'], result


def schedule_of(arm):
    """The learning rate's schedule, as the arm's plan has it."""
    with open(os.path.join(HERE, 'arms', arm + '.yaml'), encoding='utf-8') as f:
        line = re.search(r'^lr: \{(.*)\}$', f.read(), re.M)[1]
    lr = dict(pair.split(': ') for pair in line.split(', '))
    return {'shape': lr['shape'], 'warmup': float(lr['warmup'].rstrip('%')) / 100,
            'end': float(lr.get('end', 0))}


class Data:
    """The data of the experiment, made by data.sh as far as it is not there."""

    def __init__(self, out, sequences):
        self.out, self.sequences = out, sequences
        self.defined = digest(*(open(p, encoding='utf-8').read() for p in DEFINING),
                              str(sequences))

    def make(self, *args):
        subprocess.run([os.path.join(HERE, 'data.sh'), args[0], self.out, *map(str, args[1:])],
                       check=True)

    def once(self, name, *args):
        """data.sh, unless the file OUT/NAME says that this was done with the same definition."""
        mark = os.path.join(self.out, name)
        if os.path.exists(mark) and load(mark)['defined'] == self.defined:
            return
        self.make(*args)
        store(mark, {'defined': self.defined})

    def shards(self, seed, arm):
        return os.path.join(self.out, 'seeds', str(seed), 'shards', arm)

    def orders(self, seed, arms):
        """{arm: digest of its shards}, made now or remembered."""
        mark = os.path.join(self.out, f'seed-{seed}.json')
        known = load(mark) if os.path.exists(mark) else {}
        if known.get('defined') == self.defined and set(arms) <= set(known['digests']):
            return known['digests']
        self.build(seed, arms)
        digests = {a: load(os.path.join(self.shards(seed, a), 'manifest.json'))['digest']
                   for a in arms}
        store(mark, {'defined': self.defined, 'digests': digests})
        return digests

    def build(self, seed, arms):
        self.make('seed', seed, self.sequences)
        for arm in arms:
            self.make('order', seed, arm)

    def drop(self, seed):
        shutil.rmtree(os.path.join(self.out, 'seeds', str(seed)), ignore_errors=True)


class Runner:
    """Runs jobs on some workers, and says how far it is."""

    def __init__(self, out, settings, data, pool, keep):
        self.out, self.settings, self.data = out, settings, data
        self.pool, self.keep = pool, keep
        self.validation = os.path.join(out, 'validation')
        self.measured = digest(*(load(os.path.join(self.validation, g, 'manifest.json'))['digest']
                                 for g in design.GENRES))
        self.total, self.n, self.done, self.begin = design.n_runs(settings), 0, 0, None
        os.makedirs(os.path.join(out, 'runs'), exist_ok=True)

    def job(self, seed, arm, order, lr, beta2):
        said = {'data': order, 'seed': seed, 'lr': lr, 'beta2': beta2, **schedule_of(arm),
                **{k: self.settings[k] for k in ('points', 'curve_rows', 'final_rows')}}
        key = digest(json.dumps([said, self.measured, train.MODEL], sort_keys=True))[:20]
        return {**said, 'said': said, 'shards': self.data.shards(seed, arm),
                'validation': self.validation, 'name': f'{arm} seed {seed} rate {lr} beta2 {beta2}',
                'key': key,
                'result': os.path.join(self.out, 'runs', key + '.json')}

    def run(self, seed, wanted):
        """wanted: [(arm, lr, beta2)]. Their results, in this order."""
        arms = list(dict.fromkeys(arm for arm, _, _ in wanted))
        orders = self.data.orders(seed, arms)
        jobs = [self.job(seed, arm, orders[arm], lr, beta2) for arm, lr, beta2 in wanted]
        missing = {}
        for job in jobs:
            if not os.path.exists(job['result']):
                missing.setdefault(job['key'], job)
        self.n += len({j['key'] for j in jobs}) - len(missing)
        if missing and not all(os.path.exists(j['shards']) for j in missing.values()):
            self.data.build(seed, arms)
        self.begin = self.begin or time.monotonic()
        for name, result in self.pool.imap_unordered(work, missing.values()):
            self.n, self.done = self.n + 1, self.done + 1
            self.say(name, result)
        if not self.keep:
            self.data.drop(seed)
        return [load(j['result']) for j in jobs]

    def say(self, name, result):
        each = (time.monotonic() - self.begin) / self.done
        left = each * max(0, self.total - self.n)
        print(f'[{self.n}/{self.total}] {name}: {mixed(result):.3f} bits per byte, '
              f"{result['seconds']:.0f} s; {left / 60:.0f} min left", flush=True)


def mixed(result):
    return sum(result['final'].values()) / len(result['final'])


def tune(runner, settings):
    """{shape: (lr, beta2)}: the best of the grid, by the control alone; and the grid."""
    rates, betas = settings['rates'], settings['beta2']
    if len(rates) == 1:
        return {'cosine': (rates[0], betas[0]), 'constant': (rates[0], betas[0])}, []
    pairs = [(lr, b) for lr in rates for b in betas]
    found = runner.run(design.TUNING_SEED, [('random', *p) for p in pairs])
    decayed = min(found, key=mixed)
    pairs = [(lr, decayed['beta2']) for lr in rates]
    more = runner.run(design.TUNING_SEED, [('random-constant', *p) for p in pairs])
    constant = min(more, key=mixed)
    grid = [{'shape': r['shape'], 'lr': r['lr'], 'beta2': r['beta2'], 'mixed': mixed(r)}
            for r in found + more]
    return {'cosine': (decayed['lr'], decayed['beta2']),
            'constant': (constant['lr'], constant['beta2'])}, grid


def machine(workers):
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = re.search(r'^model name\s*: (.*)$', f.read(), re.M)
    return {'processor': model[1] if model else 'unknown', 'processors': os.cpu_count(),
            'workers': workers, 'torch': torch.__version__}


def set_up(out, args, pool):
    """The settings of this folder: those of its first start, or new ones."""
    path = os.path.join(out, 'setup.json')
    asked = {'subset': args.subset, 'sequences': args.sequences, 'budget': args.budget}
    if os.path.exists(path):
        setup = load(path)
        if setup['asked'] != asked:
            sys.exit(f"experiment.py: {out} was begun with {setup['asked']}, not {asked}: "
                     'take another folder')
        return setup
    settings = dict(design.SUBSET if args.subset else design.FULL)
    settings['sequences'] = args.sequences or settings['sequences']
    setup = {'asked': asked, 'settings': settings, 'speed': None}
    if args.budget:
        # On all workers at once, as the runs will be.
        setup['speed'] = sum(pool.map(train.speed, [4.0] * args.workers, chunksize=1))
        setup['settings'] = design.scaled(settings, setup['speed'] * 60 * args.budget * 0.9)
    store(path, setup)
    return setup


def keep_results(out, results):
    """After every seed: two or more make a table. Not written again where nothing is new."""
    path = os.path.join(out, 'results.json')
    if os.path.exists(path):
        known = load(path)
        n = len(results['arms']['random'])
        if {a: r[:n] for a, r in known['arms'].items()} == results['arms']:
            return
    store(path, {**results, 'date': datetime.date.today().isoformat()})


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    p.add_argument('out')
    p.add_argument('--subset', action='store_true', help='short runs, two seeds: a test')
    p.add_argument('--sequences', type=int, help='of each run, at most 8192')
    p.add_argument('--budget', type=float, help='minutes: shorter runs, then fewer seeds')
    p.add_argument('--workers', type=int, default=min(2, len(os.sched_getaffinity(0))))
    p.add_argument('--keep', action='store_true', help='keep the shards of all arms')
    args = p.parse_args()
    begin = time.monotonic()
    with multiprocessing.get_context('fork').Pool(args.workers, start_worker) as pool:
        setup = set_up(args.out, args, pool)
        settings = setup['settings']
        data = Data(args.out, settings['sequences'])
        data.once('documents.json', 'documents')
        data.once('validation.json', 'validation', settings['final_rows'])
        runner = Runner(args.out, settings, data, pool, args.keep)
        best, grid = tune(runner, settings)
        results = {'setup': setup, 'best': best, 'grid': grid,
                   'arms': {arm: [] for arm in design.ARMS},
                   'corpus': load(os.path.join(args.out, 'corpus', 'packages.json')),
                   'model': train.MODEL, 'machine': machine(args.workers)}
        for seed in settings['seeds']:
            wanted = [(arm, *best[schedule_of(arm)['shape']]) for arm in design.ARMS]
            for arm, result in zip(design.ARMS, runner.run(seed, wanted)):
                results['arms'][arm].append(result)
            keep_results(args.out, results)
    print(f'{runner.done} runs done now, {runner.n - runner.done} were there; '
          f'{time.monotonic() - begin:.0f} s', flush=True)


if __name__ == '__main__':
    main()
