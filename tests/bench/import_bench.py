#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reading JSON lines: MB/s in CPU time of one core, beside DuckDB and polars.

usage: import_bench.py [BUILD [MEGABYTES [RUNS]]]

The main texts of WCXB (shared data) as documents, over and over up to MEGABYTES
[200], in three shapes: `text` as UTF-8, `ascii` with every other character as \\u
escapes (what Python's json writes by default, a third of the texts replaced by
Russian), `fields` with little text and many fields. sluice-import writes its stream
to /dev/null and checks and hashes all of it on the way; DuckDB (read_json) and
polars (read_ndjson), one thread each, make their columns in memory and write
nothing. The CPU seconds, user and system, are those of the whole process; of the
rivals without what importing their library takes. They take turns in each of RUNS
[3] rounds, and the medians count. What is absent is said; nothing passes or fails.

Aim: 400 MB/s of documents on one core.
"""
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('SLUICE_SHARED') or os.path.join(ROOT, '..', 'shared')
PAGES = os.path.join(SHARED, 'data', 'extract', 'wcxb-dev.tar.zst')

RIVAL = '''
import os, sys, time
kind, path = sys.argv[1:]
if kind == 'duckdb':
    import duckdb
    db = duckdb.connect(config={'threads': 1})
    begin = time.process_time()
    db.execute("create table t as from read_json(?, format='newline_delimited', "
               "maximum_object_size=100000000)", [path])
else:
    os.environ['POLARS_MAX_THREADS'] = '1'
    import polars
    begin = time.process_time()
    polars.read_ndjson(path)
print(time.process_time() - begin)
'''


def texts():
    tar = subprocess.run(['zstd', '-dc', PAGES], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as t:
        for m in t:
            if m.name.endswith('.json'):
                page = json.load(t.extractfile(m))
                truth = page.get('ground_truth') or {}
                yield page.get('url', ''), truth.get('main_content') or ''


def russian(text):
    return ''.join(chr(0x430 + ord(c) % 32) if c.isalpha() else c for c in text)


def shapes(docs):
    def base(i, url):
        return {'id': f'<urn:doc:{i}>', 'url': url, 'date': '2024-05-19T08:09:10Z'}
    yield 'text', [json.dumps({**base(i, u), 'text': t, 'language': 'en'}, ensure_ascii=False)
                   for i, (u, t) in enumerate(docs)]
    yield 'ascii', [json.dumps({**base(i, u), 'text': t if i % 3 else russian(t)})
                    for i, (u, t) in enumerate(docs)]
    yield 'fields', [json.dumps({**base(i, u), 'text': t[:200],
                                 **{f'score_{k}': i / (k + 1) for k in range(20)},
                                 'meta': {'depth': i % 9, 'tags': ['a', 'b']}})
                     for i, (u, t) in enumerate(docs)]


def write(path, lines, megabytes):
    block = ('\n'.join(lines) + '\n').encode()
    with open(path, 'wb') as f:
        for _ in range(max(1, round(megabytes * 1e6 / len(block)))):
            f.write(block)
    return os.path.getsize(path)


def tool_seconds(argv):
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return None if status else usage.ru_utime + usage.ru_stime


def rival_seconds(kind, path):
    p = subprocess.run([sys.executable, '-c', RIVAL, kind, path], capture_output=True, text=True)
    return float(p.stdout) if p.returncode == 0 else None


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'release')
    megabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 200
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    tool = os.path.join(build, 'bin', 'sluice-import')
    if not os.path.exists(PAGES):
        print('skipped: the pages are absent: ' + PAGES)
        return 0
    docs = list(texts())
    print('%-8s %8s %16s %16s %16s   MB/s of CPU time' % ('', 'MB', 'sluice-import', 'DuckDB',
                                                         'polars'))
    with tempfile.TemporaryDirectory() as folder:
        for shape, lines in shapes(docs):
            path = os.path.join(folder, shape + '.jsonl')
            size = write(path, lines, megabytes)
            taken = {'tool': [], 'duckdb': [], 'polars': []}
            for _ in range(runs):
                taken['tool'].append(tool_seconds([tool, path]))
                for kind in ('duckdb', 'polars'):
                    taken[kind].append(rival_seconds(kind, path))
            speeds = ['absent' if None in t else '%.0f' % (size / 1e6 / statistics.median(t))
                      for t in taken.values()]
            print('%-8s %8.0f %16s %16s %16s' % (shape, size / 1e6, *speeds), flush=True)
            os.unlink(path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
