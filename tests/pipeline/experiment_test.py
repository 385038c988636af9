#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: experiment_test.py [BUILD]

The subset of examples/experiment/run.sh: it ends with a table of every arm, on data
whose order is what the plans say; what is well known comes out with the right sign; a
run that was killed goes on; and the statistics are those of the textbook.
"""
import contextlib
import glob
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, 'examples', 'experiment')
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build/release'))
sys.path[:0] = [HERE, os.path.join(ROOT, 'tests', 'pipeline')]
from counted import Count  # noqa: E402

import corpus  # noqa: E402
import design  # noqa: E402
import report  # noqa: E402

ENV = {**os.environ, 'BIN': os.path.join(BUILD, 'bin'), 'SUBSET': '1'}
RUN = [os.path.join(HERE, 'run.sh')]
ALL = design.n_runs(design.SUBSET)
t = Count()
check = t.check


def load(path):
    with open(path, encoding='utf-8') as f:
        return json.load(f)


# ---- parts that need no run ----

def check_statistics():
    # 1, 2, 3, 4, 5: standard deviation sqrt(2.5), t of 4 degrees of freedom 2.776.
    m, half = report.interval([1, 2, 3, 4, 5])
    check('interval', m == 3 and abs(half - 2.776 * math.sqrt(2.5 / 5)) < 1e-9, m, half)
    check('verdicts', [report.verdict(*v) for v in ((-2, 1), (2, 1), (1, 2), (-1, 2))] ==
          ['better', 'worse', 'no difference found', 'no difference found'])
    check('expected and found', report.fulfilled('-', -2, 1) == 'better: yes')
    check('expected, not found', report.fulfilled('-', -1, 2) == 'better: not shown')
    check('expected, the contrary', report.fulfilled('-', 2, 1) == 'better: not shown')
    check('nothing expected', report.fulfilled('?', -2, 1) == '')
    runs = {'a': [1.0, 3.0, 2.0], 'b': [2.0, 3.0, 1.0]}
    r = report.Results({'arms': {k: [{'seed': s, 'final': {'x': v, 'y': v + 1}}
                                     for s, v in enumerate(vs)] for k, vs in runs.items()}})
    check('paired by seed', r.paired('a', 'b', lambda v: report.value(v, 'x')) == [-1, 0, 1])
    check('mixed is the mean', report.value(r.arms['a'][0], design.MIXED) == 1.5)


def check_budget():
    full, last = design.FULL, 0
    check('the runs of all', design.n_runs(full) == 19 * 5 + 12, design.n_runs(full))
    for tokens in [1 << k for k in range(16, 34)]:
        s = design.scaled(full, tokens)
        size = s['sequences'] * len(s['seeds'])
        check('a larger budget, no less', size >= last and len(s['seeds']) in (3, 5), tokens)
        check('no more than all', design.LEAST <= s['sequences'] <= full['sequences'], tokens)
        last = size
    check('enough for all', design.scaled(full, 1 << 34) == full)


def check_corpus_parts():
    roff = ('.TH x 1\n.SH NAME\nx \\- a\\fBb\\fP\n.\\" no\n.BR open (2)\n.TP\n.B \\-\\-all\n'
            'said \\(aqno\\(aq\n')
    check('a manual page', corpus.plain_of_roff(roff).split() ==
          ['NAME', 'x', '-', 'ab', 'open(2)', '--all', 'said', "'no'"],
          corpus.plain_of_roff(roff))
    blocks = ['a' * 1000, '', 'b' * 1000, 'c' * 3000, 'd']
    check('cut at blocks', [len(d) for d in corpus.cut(blocks)] == [2002, 3000, 1])


def check_arms():
    there = {os.path.basename(p)[:-5] for p in glob.glob(os.path.join(HERE, 'arms', '*.yaml'))}
    check('an arm is a plan', there == set(design.ARMS), there ^ set(design.ARMS))
    named = {a for c in design.CONTROLS + design.ORDERS for a in c[:2]}
    check('every arm is compared', named == set(design.ARMS), named ^ set(design.ARMS))
    with open(os.path.join(HERE, 'registered.md'), encoding='utf-8') as f:
        text = f.read()
    for arm in design.ARMS:
        stem = re.sub(r'-(late|even)-.*', r'-\1-*', arm).removesuffix('-constant')
        check('registered', f'`{stem}`' in text, arm)


# ---- the data ----

def exported(folder, columns):
    rows = []
    for shard in sorted(glob.glob(os.path.join(folder, 'shard-*.arrows'))):
        done = subprocess.run([os.path.join(BUILD, 'bin', 'sluice-export'), '--columns', columns,
                               shard], check=True, capture_output=True, text=True)
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows


def check_data(out, arms):
    """The orders of the first seed made again, in another folder, from the same documents."""
    again = out + '-again'
    os.mkdir(again)
    os.symlink(os.path.join(out, 'documents'), os.path.join(again, 'documents'))
    data = [os.path.join(HERE, 'data.sh')]
    n = str(design.SUBSET['sequences'])
    subprocess.run([*data, 'seed', again, '1', n], env=ENV, check=True)
    known, rows = load(os.path.join(out, 'seed-1.json'))['digests'], {}
    for arm in design.ARMS:
        subprocess.run([*data, 'order', again, '1', arm], env=ENV, check=True)
        folder = os.path.join(again, 'seeds', '1', 'shards', arm)
        check('made again, the same order', load(folder + '/manifest.json')['digest'] == known[arm],
              arm)
        rows[arm] = exported(folder, 'id,copy,stage,doc_ids,difficulty_compression')
        check('all sequences', len(rows[arm]) == int(n), arm)
    keys = {arm: [(r['id'], r['copy']) for r in rows[arm]] for arm in rows}
    for arm, control, _, _ in design.ORDERS:
        check('the same sequences as its control', sorted(keys[arm]) == sorted(keys[control]), arm)
        check('in another order', keys[arm] != keys[control], arm)
    for shape in ('constant', 'cosine'):
        even, late = keys['blend-even-' + shape], keys['blend-late-' + shape]
        check('blends of the same sequences', len(set(even) ^ set(late)) <= 4, shape)
    scores = [r['difficulty_compression'] for r in rows['easy-to-hard']]
    check('sorted', scores == sorted(scores))
    for arm in ('locality', 'random'):
        side = sum(bool(set(a['doc_ids']) & set(b['doc_ids']))
                   for a, b in zip(rows[arm], rows[arm][1:]))
        check('neighbours are of a document', (side > int(n) / 2) == (arm == 'locality'), arm, side)
    for share in (0, 5, 25):
        repeated = sum(r['copy'] > 0 for r in rows[f'replay-{share}'])
        check('so much is replayed', abs(repeated - int(n) / 2 * share / 100) <= 1, share, repeated)
    check('without duplicates it is the control', known['deduplicated'] == known['random'])
    check('with them it is not', known['duplicates'] != known['random'])
    read = {v[0]['order'] for v in arms.values()}
    check('other orders, other bytes to read', len(read) == len(set(known.values())), read)


# ---- the run ----

def run(out, *args, **env):
    return subprocess.run([*RUN, *args], env={**ENV, 'OUT': out, **env}, capture_output=True,
                          text=True)


def kill_soon(out):
    """Start, and kill all of it when two results are there."""
    with subprocess.Popen(RUN, env={**ENV, 'OUT': out}, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as p:
        while p.poll() is None and len(glob.glob(os.path.join(out, 'runs', '*.json'))) < 2:
            time.sleep(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(p.pid, signal.SIGKILL)
        return p.stderr.read()


def without_times(results):
    return {arm: [{k: v for k, v in r.items() if k != 'seconds'} for r in runs]
            for arm, runs in results['arms'].items()}


def check_run(out):
    said = kill_soon(out)
    if 'cannot download the packages' in said:
        t.skip('the experiment was NOT run: its corpus, Debian packages, cannot be downloaded')
        return
    done = run(out)
    if not check('run.sh', done.returncode == 0, done.stdout[-1000:], done.stderr[-2000:]):
        return
    there = re.search(r'(\d+) runs done now, (\d+) were there', done.stdout)
    check('the killed run went on', there and int(there[2]) >= 2 and
          int(there[1]) + int(there[2]) == ALL, done.stdout[-500:])
    check('time left is told', re.search(rf'\[{ALL}/{ALL}\] .* min left', done.stdout))
    results = load(os.path.join(out, 'results.json'))
    check_page(out, results)
    check_signs(report.Results(results), results['arms'])
    check_data(out, results['arms'])
    check_second(out, results)


def check_page(out, results):
    with open(os.path.join(out, 'experiment.md'), encoding='utf-8') as f:
        page = f.read()
    table = page[page.index('## All arms'):page.index('## Learning rate')]
    for arm in design.ARMS:
        check('in the table', f'\n| `{arm}` |' in table, arm)
        check('every seed', [r['seed'] for r in results['arms'][arm]] == design.SUBSET['seeds'])
    for arm, control, where, _ in design.CONTROLS:
        check('a comparison', f'| `{arm}` - `{control}` | {where} |' in page, arm, where)
    for arm, control, _, _ in design.ORDERS:
        check('an order', f'| `{arm}` | `{control}` |' in page, arm)
    check('it says what it is', 'This is the subset' in page)
    numbers = [float(v) for v in re.findall(r'\d\.\d{3}', table)]
    check('bits per byte', numbers and all(v < 8 for v in numbers))


def check_signs(r, arms):
    """What is strong enough for runs of this size, in every seed."""
    for arm in ('replay-5', 'replay-25'):
        d = r.paired(arm, 'replay-0', lambda v: report.value(v, design.OLD))
        check('replay helps the old genre', all(v < 0 for v in d), arm, d)
    learned = [r_['curve'][0][1][g] - r_['curve'][-1][1][g] for g in design.GENRES
               for r_ in arms['random']]
    check('something is learned', all(v > 0.1 for v in learned), learned)
    d = r.paired('blend-late-constant', 'blend-even-constant',
                 lambda v: report.value(v, design.TARGET))
    check('a late target is learned', sum(d) < 0, d)


def check_second(out, results):
    path = os.path.join(out, 'results.json')
    before = os.stat(path).st_mtime_ns
    done = run(out)
    check('a second run does nothing', f'0 runs done now, {ALL} were there' in done.stdout and
          os.stat(path).st_mtime_ns == before, done.stdout, done.stderr)
    lost = sorted(glob.glob(os.path.join(out, 'runs', '*.json')))[0]
    os.remove(lost)
    done = run(out)
    check('what is lost is done again', f'1 runs done now, {ALL - 1} were there' in done.stdout,
          done.stdout, done.stderr)
    check('with the same figures', without_times(load(path)) == without_times(results))
    done = run(out, '--budget', '1')
    check('other settings need another folder', done.returncode != 0 and
          'take another folder' in done.stderr, done.stderr)
    done = run(out, '--nonsense')
    check('an unknown option', done.returncode == 2 and 'usage' in done.stderr, done.stderr)


def main():
    check_statistics()
    check_budget()
    check_corpus_parts()
    check_arms()
    missing = [p for p in ('apt-get', 'dpkg-deb') if not shutil.which(p)]
    find = os.path.join(ROOT, 'examples', 'quickstart', 'find_torch.sh')
    if subprocess.run([find], stdout=subprocess.DEVNULL, check=False).returncode:
        missing.append('Python with PyTorch and NumPy')
    if missing:
        t.skip('the experiment was NOT run: no ' + ', '.join(missing))
    else:
        with tempfile.TemporaryDirectory() as tmp:
            check_run(os.path.join(tmp, 'out'))
    return t.finish()


if __name__ == '__main__':
    sys.exit(main())
