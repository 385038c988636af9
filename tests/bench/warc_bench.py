#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: warc_bench.py [BUILD [RUNS]]

CPU time to read a WARC.gz in Common Crawl's shape (request, response and
metadata of each page, a gzip member a record, as zlib -6 makes them), written
with warcio from the pages of WCXB in the shared data. Compares the reader with
the decompressor alone on the same members, and with FastWARC and warcio, each
in a process of its own, best of RUNS [5]. Prints a table; nothing passes or
fails here.

Aims: at least 0.85 x the decompressor's own speed, at most 0.8 x FastWARC's time.
"""
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('SLUICE_SHARED') or os.path.join(ROOT, '..', 'shared')
PAGES = os.path.join(SHARED, 'data', 'extract', 'wcxb-dev.tar.zst')

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
    out = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return json.loads(out.stdout) if out.returncode == 0 else None


def main():
    build_dir = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'release')
    runs = sys.argv[2] if len(sys.argv) > 2 else '5'
    exe = os.path.join(build_dir, 'bench', 'bench_warc')
    if not os.path.exists(PAGES):
        print('skipped: the pages are absent: ' + PAGES)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'cc.warc.gz')
        build(path)
        rows = [('decompressor alone', [exe, 'inflate', path, runs]),
                ('reader', [exe, 'read', path, runs]),
                ('reader, HTTP and bodies', [exe, 'decode', path, runs])]
        for kind in ('fastwarc-skip', 'fastwarc', 'fastwarc-http', 'warcio'):
            rows.append((kind, [sys.executable, '-c', PEER, kind, path, runs]))
        took = {name: measure(cmd) for name, cmd in rows}
        base, content = took['decompressor alone'], took['decompressor alone']['bytes']
        print('%d members, %.1f MB, %.1f MB of content' %
              (base['pieces'], os.path.getsize(path) / 1e6, content / 1e6))
        print('%-26s %8s %9s %22s' % ('', 'CPU s', 'MB/s', 'x decompressor speed'))
        for name, _ in rows:
            r = took[name]
            if r:
                print('%-26s %8.3f %9.0f %12.2f' % (name, r['cpu_s'], content / 1e6 / r['cpu_s'],
                                                   base['cpu_s'] / r['cpu_s']))
            else:
                print('%-26s not measured (it failed or is absent)' % name)
        for peer in ('fastwarc-skip', 'fastwarc', 'fastwarc-http'):
            if took[peer]:
                print('reader / %s: %.2f of its CPU time' %
                      (peer, took['reader']['cpu_s'] / took[peer]['cpu_s']))
    return 0


if __name__ == '__main__':
    sys.exit(main())
