#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: warc_bench.py [BUILD [RUNS]]

CPU time to read a WARC.gz in Common Crawl's shape (request, response and
metadata of each page, a gzip member a record, as zlib -6 makes them), written
with warcio from the pages of WCXB in the shared data, and all of them four times
over, since a file of a crawl is large (Common Crawl's have about a gigabyte).

Compares the reader, and the tool with its output to /dev/null, with the
decompressor alone on the same members (in memory, into one buffer), and with
FastWARC and warcio. The tool's time is that of its whole process, user and
system; the others count only their loop. They take turns in each of RUNS [5]
rounds (FastWARC and warcio in two); a ratio is the median of those of the
rounds, since the machine's speed varies. "tool, one pass" reads the pages once:
the start of the process weighs more there. Prints a table; nothing passes or
fails here.

Aims: at least 0.85 x the decompressor's own speed, at most 0.8 x FastWARC's time.
"""
import gzip
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('SLUICE_SHARED') or os.path.join(ROOT, '..', 'shared')
PAGES = os.path.join(SHARED, 'data', 'extract', 'wcxb-dev.tar.zst')

REPEATS = 4
PEER_RUNS = 2

PEER = '''
import sys, time
kind, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
best = None
for _ in range(runs):
    n = size = 0
    begin = time.process_time()
    if kind == 'warcio':
        from warcio.archiveiterator import ArchiveIterator
        with open(path, 'rb') as f:
            for r in ArchiveIterator(f, no_record_parse=True):
                n += 1
                size += len(r.raw_stream.read())
    else:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
        for r in ArchiveIterator(path, record_types=WarcRecordType.any_type,
                                 parse_http=kind == 'fastwarc-http'):
            n += 1
            if kind != 'fastwarc-skip':
                size += len(r.reader.read())
    took = time.process_time() - begin
    best = took if best is None else min(best, took)
print('{"cpu_s":%f,"bytes":%d,"pieces":%d}' % (best, size, n))
'''


def pages():
    tar = subprocess.run(['zstd', '-dc', PAGES], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as t:
        for m in t:
            if m.name.endswith('.html.gz'):
                yield m.name, gzip.decompress(t.extractfile(m).read())


def build(path):
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter
    with open(path, 'wb') as out:
        w = WARCWriter(out, gzip=True)
        for name, html in pages():
            url = 'https://example.org/' + name
            head = StatusAndHeaders('GET / HTTP/1.1', [('Host', 'example.org'),
                                                       ('User-Agent', 'CCBot/2.0')],
                                    is_http_request=True)
            w.write_record(w.create_warc_record(url, 'request', http_headers=head,
                                                payload=io.BytesIO(b'')))
            head = StatusAndHeaders('200 OK', [('Content-Type', 'text/html; charset=utf-8'),
                                               ('Server', 'nginx'),
                                               ('X-Crawler-Content-Encoding', 'gzip'),
                                               ('Content-Length', str(len(html)))],
                                    protocol='HTTP/1.1')
            w.write_record(w.create_warc_record(url, 'response', http_headers=head,
                                                payload=io.BytesIO(html)))
            meta = b'fetchTimeMs: 312\r\ncharset-detected: UTF-8\r\n'
            w.write_record(w.create_warc_record(url, 'metadata', payload=io.BytesIO(meta),
                                                warc_content_type='application/warc-fields'))


def measure(cmd):
    """CPU seconds that a command says it took; None: it failed or is absent."""
    out = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return json.loads(out.stdout) if out.returncode == 0 else None


def measure_tool(cmd):
    """CPU seconds of a whole process, its output to /dev/null."""
    pid = os.posix_spawn(cmd[0], cmd, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return None if status else {'cpu_s': usage.ru_utime + usage.ru_stime}


def rounds(rows, n):
    """What each row took, round after round."""
    taken = {name: [] for name, _, _ in rows}
    for i in range(n):
        for name, how, cmd in rows:
            if taken[name][-1:] != [None] and (i < PEER_RUNS or 'warc' not in name):
                taken[name].append(how(cmd))
    return taken


def ratio(over, under):
    return statistics.median(a['cpu_s'] / b['cpu_s'] for a, b in zip(over, under))


def show(rows, taken, repeats):
    base = taken['decompressor alone']
    print('%d members, %.1f MB of content' % (base[0]['pieces'], base[0]['bytes'] / 1e6))
    print('%-26s %8s %9s %22s' % ('', 'CPU s', 'MB/s', 'x decompressor speed'))
    for name, _, _ in rows:
        if taken[name][-1] is None:
            print('%-26s not measured (it failed or is absent)' % name)
            continue
        took = statistics.median(r['cpu_s'] for r in taken[name])
        once = 'one pass' in name
        content = base[0]['bytes'] / (repeats if once else 1)
        print('%-26s %8.3f %9.0f %12.2f' % (name, took, content / 1e6 / took,
                                           ratio(base, taken[name]) / (repeats if once else 1)))
    for name in ('reader', 'tool'):
        for peer in ('fastwarc-skip', 'fastwarc', 'fastwarc-http'):
            if taken[peer][-1] is not None:
                print('%s / %s: %.2f of its CPU time' % (name, peer,
                                                         ratio(taken[name], taken[peer])))


def main():
    build_dir = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'release')
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    exe = os.path.join(build_dir, 'bench', 'bench_warc')
    tool = os.path.join(build_dir, 'bin', 'sluice-warc')
    if not os.path.exists(PAGES):
        print('skipped: the pages are absent: ' + PAGES)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        short, path = os.path.join(folder, 'short.warc.gz'), os.path.join(folder, 'cc.warc.gz')
        build(short)
        with open(path, 'wb') as out:
            for _ in range(REPEATS):
                with open(short, 'rb') as f:
                    shutil.copyfileobj(f, out)
        rows = [('decompressor alone', measure, [exe, 'inflate', path, '1']),
                ('reader', measure, [exe, 'read', path, '1']),
                ('reader, HTTP and bodies', measure, [exe, 'decode', path, '1']),
                ('tool', measure_tool, [tool, path]),
                ('tool, one pass', measure_tool, [tool, short])]
        for kind in ('fastwarc-skip', 'fastwarc', 'fastwarc-http', 'warcio'):
            peer = [sys.executable, '-c', PEER, kind, path, '1']
            rows.append((kind, measure, peer))
        show(rows, rounds(rows, runs), REPEATS)
    return 0


if __name__ == '__main__':
    sys.exit(main())
