#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
# alone: yes
"""usage: quickstart_test.py [BUILD]

The quickstart: killed anywhere, the next run goes on and ends with the same
bytes; a second run does nothing; the commands that it prints work.

crawl     crawl.sh on made pages, killed midway and run again
make      the Makefile on that crawl: killed with its whole process group at
          many moments, from nothing and over finished output of another crawl
orders    the plan by its formulas, the record, the report; and the other plans
run.sh    the whole of it, on two languages of the handbook, from a folder
          elsewhere (skipped where its packages cannot be installed)

Prints "N passed, N failed[, N skipped]".
"""
import glob
import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, 'examples', 'quickstart')
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build/release'))
STAGES = 'warc extract filter dedup difficulty tokenize pack curriculum shard'.split()
KILLS = 9               # in time, of each of two starts
WORDS = 'the of a in corpus record member border language model crawl page text shard'.split()
ENV = {k: v for k, v in os.environ.items() if k not in ('OUT', 'LANGUAGES', 'PAGES', 'MAKEFLAGS')}

passed = failed = skipped = 0


def check(name, truth, detail=''):
    global passed, failed
    if truth:
        passed += 1
    else:
        failed += 1
        print(f'failed: {name} {detail}', flush=True)


def skip(why):
    global skipped
    skipped += 1
    print('skipped: ' + why, flush=True)


def make_pages(folder):
    """Two languages of made pages, with a link that leads nowhere."""
    for language, n in (('aa', 90), ('bb', 60)):
        rng = random.Random(language)
        os.makedirs(os.path.join(folder, language))
        for i in range(n):
            name = 'index.html' if i == 0 else f'{i}.html'
            text = ''.join('<p>%s.</p>\n' % ' '.join(rng.choices(WORDS, k=90)) for _ in range(40))
            links = ''.join(f'<a href="{k}.html">{k}</a> ' for k in range(1, n + 1))
            with open(os.path.join(folder, language, name), 'w') as f:
                f.write(f'<!doctype html><title>{language} {i}</title>{links if i == 0 else ""}'
                        f'\n{text}')


def files_of(folder, stat=False):
    """Every file: its bytes, or its identity and time of change."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            s = os.stat(path)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, folder)] = (
                    (s.st_ino, s.st_size, s.st_mtime_ns) if stat else f.read())
    return found


def result_of(folder):
    """What must be the same: all but reports, which hold seconds, and what verify says of paths."""
    return {k: v for k, v in files_of(folder).items()
            if k not in ('verified', 'report.html') and not re.match(r'\d\d-\w+\.json$', k)}


def kill_after(seconds, command, whole_group=True, **options):
    """True where it was still running."""
    p = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        p.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        (os.killpg if whole_group else os.kill)(p.pid, signal.SIGKILL)
        p.wait()
        return True
    finally:
        until = time.monotonic() + 20
        while lives(p.pid) and time.monotonic() < until:
            time.sleep(0.01)
        if lives(p.pid):
            check('nothing is left running', False, str(command))
            os.killpg(p.pid, signal.SIGKILL)


def lives(group):
    """Is a process of the group alive? Those that only wait to be reaped are not."""
    for stat in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(stat) as f:
                state, _, of_group = f.read().rpartition(')')[2].split()[:3]
        except OSError:
            continue
        if int(of_group) == group and state not in 'ZX':
            return True
    return False


# ---- the crawl ----

def crawl(folder, languages):
    env = {**ENV, 'PAGES': os.path.join(os.path.dirname(folder), 'pages'), 'LANGUAGES': languages}
    return {'args': [os.path.join(HERE, 'crawl.sh'), folder], 'env': env}


def responses(warc):
    try:
        with gzip.open(warc) as f:
            return f.read().count(b'WARC-Type: response')
    except (EOFError, OSError):
        return 0


def check_crawl(tmp):
    folder = os.path.join(tmp, 'crawl')
    os.mkdir(folder)
    warc = os.path.join(folder, 'crawl.warc.gz')
    how = crawl(folder, 'aa bb')
    begin = time.monotonic()
    done = subprocess.run(how['args'], env=how['env'], capture_output=True, text=True)
    seconds = time.monotonic() - begin
    if done.returncode or not os.path.exists(warc):
        raise SystemExit(f'failed: crawl.sh {done.returncode} {done.stderr}\n0 passed, 1 failed')
    check('the crawl holds all pages', responses(warc) >= 90 * 2 + 60)
    check('the crawl alone is left', os.listdir(folder) == ['crawl.warc.gz'], os.listdir(folder))
    before = files_of(folder, stat=True)
    subprocess.run(how['args'], env=how['env'], check=True)
    check('a crawl that is there is kept', files_of(folder, stat=True) == before)
    killed, cut = 0, []
    for i, part in enumerate((0.1, 0.3, 0.5, 0.7, 0.85)):
        if os.path.exists(warc):
            os.remove(warc)
        if kill_after(seconds * part, how['args'], whole_group=i % 2 == 0, env=how['env']):
            killed += not os.path.exists(warc)
            cut += [part] if os.path.exists(warc) and responses(warc) < 90 * 2 + 60 else []
    check('a killed crawl has no name', killed >= 3 and not cut, f'{killed} {cut}')
    subprocess.run(how['args'], env=how['env'], check=True)
    check('the next run crawls anew', responses(warc) >= 90 * 2 + 60)
    other = os.path.join(tmp, 'other')
    os.mkdir(other)
    how = crawl(other, 'bb')
    subprocess.run(how['args'], env=how['env'], check=True)
    return warc, os.path.join(other, 'crawl.warc.gz')


# ---- the Makefile ----

def make(folder, *more):
    return ['make', '-s', '-f', os.path.join(HERE, 'Makefile'), 'OUT=' + folder,
            'BIN=' + os.path.join(BUILD, 'bin'), 'LENGTH=128', 'SEQUENCES=256', *more]


def run_make(folder):
    begin = time.monotonic()
    done = subprocess.run(make(folder), env=ENV, capture_output=True, text=True)
    if done.returncode or done.stdout + done.stderr:
        check('make', False, done.stdout[-500:] + done.stderr[-1000:])
    return time.monotonic() - begin


def put(crawl_file, folder):
    os.makedirs(folder, exist_ok=True)
    new = os.path.join(folder, 'new')
    shutil.copyfile(crawl_file, new)
    os.replace(new, os.path.join(folder, 'crawl.warc.gz'))


def difference(folder, want):
    got = result_of(folder)
    return [k for k in sorted({*got, *want}) if got.get(k) != want.get(k)]


def check_second(folder):
    before = files_of(folder, stat=True)
    run_make(folder)
    check('a second make does nothing', files_of(folder, stat=True) == before)
    check('make -q agrees', subprocess.run(make(folder, '-q'), env=ENV).returncode == 0)
    table = subprocess.run([sys.executable, os.path.join(HERE, 'table.py'), folder],
                           capture_output=True, text=True).stdout
    stages = re.findall(r'^sluice-\w+', table, re.M)
    check('the table has every stage', stages == ['sluice-' + s for s in STAGES], table)


def check_kills(name, seconds, want, crawl_file, folder, finished=None):
    """Rounds of: put the crawl there, kill make once (some twice), let it finish."""
    rng, stopped, wrong = random.Random(name), 0, []
    for i in range(4 * KILLS):
        if stopped == KILLS:
            break
        shutil.rmtree(folder, ignore_errors=True)
        if finished:
            shutil.copytree(finished, folder)
        put(crawl_file, folder)
        for _ in range(1 + (i % 3 == 0)):
            kill_after(seconds * (stopped + rng.random()) / KILLS, make(folder), env=ENV)
        if subprocess.run(make(folder, '-q'), env=ENV).returncode:
            stopped += 1
        else:
            seconds *= 0.8      # too late: it is quicker than the first time
        run_make(folder)
        wrong += difference(folder, want)
    check(f'{name}: killed anywhere, the same bytes', not wrong, str(wrong))
    check(f'{name}: kills came in time', stopped == KILLS, str(stopped))
    check_second(folder)


def check_make(tmp, first, second):
    one, two, work = (os.path.join(tmp, n) for n in ('one', 'two', 'work'))
    put(first, one)
    put(second, two)
    seconds = run_make(one)
    want = result_of(one)
    shards = [k for k in want if k.startswith('shards/shard-')]
    check('there are shards', len(shards) >= 8 and 'shards/manifest.json' in want, str(shards))
    check_second(one)
    seconds_of_two = run_make(two)
    check_kills('from nothing', seconds, want, first, work)
    # Over the shards of another crawl, of which there are more.
    check_kills('over older output', seconds_of_two, result_of(two), second, work, finished=one)
    os.remove(os.path.join(work, 'verified'))
    subprocess.run(make(work), env=ENV, check=True)
    check('checked again, the same bytes', not difference(work, result_of(two)))


# ---- the orders ----

def scores(folder):
    """(id, difficulty, stage) of all sequences of the shards, in order."""
    found = []
    for shard in sorted(glob.glob(os.path.join(folder, 'shards', 'shard-*.arrows'))):
        lines = subprocess.run([os.path.join(BUILD, 'bin', 'sluice-export'), '--columns',
                                'id,difficulty_compression,stage', shard], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        found += [json.loads(line) for line in lines]
    return [(row['id'], row['difficulty_compression'], row['stage']) for row in found]


def check_record(name, folder, got):
    """The keys of the record are those of the shards; the lineage has the same stages."""
    keys = subprocess.run([os.path.join(BUILD, 'bin', 'sluice-export'), '--columns', 'id,stage',
                           os.path.join(folder, 'record', 'order.arrows')], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    keys = [json.loads(line) for line in keys]
    check(f'{name}: the record has the order of the shards',
          [(k['id'], k['stage']) for k in keys] == [(i, s) for i, _, s in got])
    with open(os.path.join(folder, 'record', 'manifest.json')) as f:
        record = json.load(f)
    with open(os.path.join(folder, 'shards', 'manifest.json')) as f:
        lineage = json.load(f)['lineage']
    order = [e for e in lineage if e['tool'] == 'sluice-curriculum'][0]['order']
    check(f'{name}: record and lineage have the same stages',
          [(s['name'], s['begin'], s['end']) for s in order['stages']] ==
          [(s['name'], s['begin'], s['end']) for s in record['stages']], str(order))
    return order['stages']


def check_plan(folder):
    """The plan's two stages, by the formulas of docs/orders.md and docs/curriculum.md."""
    got = scores(folder)
    n, d = len(got), len(got) * 20 // 100
    stages = check_record('plan', folder, got)
    check('plan: two stages', [(s['name'], s['begin'], s['end']) for s in stages] ==
          [('warm-up', 0, d), ('main', d, n)], str(stages))
    check('plan: the column agrees', [s for _, _, s in got] == [0] * d + [1] * (n - d))
    check('plan: each sequence once', len({i for i, _, _ in got}) == n)
    rank = {row[0]: i for i, row in enumerate(sorted(got, key=lambda r: (r[1], r[0])))}
    share = int(0.2 * 2 ** 32 + 0.5)
    outside = harder = 0
    for t in range(d):
        pool = min(n, max(t + 1, int((0.05 + 0.25 * (t / d) ** 0.5) * n + 0.5)))
        background = (t + 1) * share >> 32 > t * share >> 32
        within = rank[got[t][0]] < pool
        outside += not background and not within
        harder += background and not within
    check('plan: drawn from the pool', outside == 0, f'{outside} of {d}')
    check('plan: others too', d * 0.2 * 0.4 < harder <= d * 0.2, f'{harder} of {d}')
    for name, part in (('warm-up', got[:d]), ('main', got[d:])):
        check(f'plan: {name} is shuffled', part != sorted(part, key=lambda r: rank[r[0]]) and
              part != sorted(part))
    with open(os.path.join(folder, 'report.html'), encoding='utf-8') as f:
        page = f.read()
    check('plan: the report names the stages', '>warm-up</span>' in page and '>main</span>' in page)
    return got


def check_orders(tmp):
    folder = os.path.join(tmp, 'one')
    planned = check_plan(folder)
    key = sorted(r[:2] for r in planned)
    for order in ('sorted', 'shuffle', 'warmup'):
        done = subprocess.run(make(folder, 'ORDER=' + order), env=ENV, capture_output=True,
                              text=True)
        check(order, done.returncode == 0, done.stderr)
        check(f'{order}: a warning', ('fully sorted' in done.stderr) == (order == 'sorted'),
              done.stderr)
        check(f'{order}: one report is there', [os.path.basename(p) for p in glob.glob(
            os.path.join(folder, '08-*.json'))] == ['08-curriculum.json'])
        got = scores(folder)
        check(f'{order}: the same sequences', sorted(r[:2] for r in got) == key)
        check_record(order, folder, got)
        if order == 'sorted':
            check('sorted', got == sorted(got, key=lambda r: (r[1], r[0])))
        elif order == 'shuffle':
            where = {i: at for at, (i, _, _) in enumerate(got)}
            check('shuffle: it is shuffled', got != sorted(got, key=lambda r: (r[1], r[0])))
            # Of a shuffle the means of both halves are the same; five deviations are allowed.
            n, all_scores = len(got), [r[1] for r in got]
            mean = sum(all_scores) / n
            deviation = (sum((x - mean) ** 2 for x in all_scores) / n) ** 0.5
            half = sum(all_scores[:n // 2]) / (n // 2)
            check('shuffle: no trend', abs(half - mean) < 5 * deviation / n ** 0.5,
                  f'{half} {mean}')
            check('shuffle: another order than the plan', [where[r[0]] for r in planned] !=
                  sorted(where.values()))
        else:
            check('warmup is the plan', got == planned)
    done = subprocess.run(make(folder, 'ORDER=other'), env=ENV, capture_output=True, text=True)
    check('an order that is not there', done.returncode and 'other.yaml' in done.stderr,
          done.stderr)
    check('it changes nothing', scores(folder) == planned)
    run_make(folder)
    check('the plan again, the same order', scores(folder) == planned)


# ---- all of it ----

def check_run(tmp):
    deps = subprocess.run([os.path.join(ROOT, '.ci', 'deps.sh'), 'quickstart'],
                          capture_output=True, text=True)
    if deps.returncode:
        return skip('run.sh was NOT run: its packages cannot be installed')
    start, out = os.path.join(tmp, 'elsewhere'), os.path.join(tmp, 'elsewhere', 'o')
    os.mkdir(start)
    env = {**ENV, 'OUT': 'o', 'LANGUAGES': 'fr-FR ja-JP', 'STEPS': '3'}
    texts, states = [], []
    for _ in range(2):
        done = subprocess.run([os.path.join(HERE, 'run.sh')], cwd=start, env=env,
                              capture_output=True, text=True)
        check('run.sh', done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:])
        texts.append(re.sub(r' \(\d+ s\)$', '', done.stdout, flags=re.M))
        states.append(files_of(out, stat=True))
    check('a second run.sh does nothing', states[0] == states[1])
    check('a second run.sh says the same', texts[0] == texts[1], texts[1])
    check('run.sh trained or says why not', re.search(r'step 2 loss|^SKIPPED', texts[0], re.M))
    at = texts[0].find('\nsluice-warc')
    check('the table comes before the end', 0 < at < texts[0].find('are in o/shards. Commands'))
    check('the path of the report stands on a line', '\no/report.html\n' in texts[0])
    check('the report is there', os.path.getsize(os.path.join(out, 'report.html')) > 10000)
    commands = [c[2:] for c in texts[0].splitlines()[-3:] if c.startswith('  ')]
    check('three commands come last', len(commands) == 3, texts[0][-600:])
    for c in commands:
        done = subprocess.run(['bash', '-c', 'set -o pipefail; ' + c], cwd=start,
                              capture_output=True)
        good = done.returncode in (0, 128 + signal.SIGPIPE) and done.stdout and not done.stderr
        check('the command works: ' + c, good, done.stderr.decode())


def has_room(folder):
    """Containers often have 64 MB of it."""
    if not os.access(folder, os.W_OK):
        return False
    of = os.statvfs(folder)
    return of.f_bavail * of.f_frsize > 1 << 30


def main():
    missing = [p for p in ('make', 'wget', 'setpriv') if not shutil.which(p)]
    if missing:
        skip('the quickstart was NOT tested: no ' + ', '.join(missing))
        return 77
    # In memory where that can be: what is tested is order, and the disk may be busy.
    memory = '/dev/shm' if has_room('/dev/shm') else None
    with tempfile.TemporaryDirectory(dir=memory) as tmp:
        make_pages(os.path.join(tmp, 'pages'))
        check_make(tmp, *check_crawl(tmp))
        check_orders(tmp)
        check_run(tmp)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
