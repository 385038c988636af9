#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# build: dev
"""usage: warc_test.py [BUILD [--update]]

The WARC reader against files that others made and against two other readers,
FastWARC and warcio, which read the same files beside it.

shared   every WARC of the shared data: our result must be the one that
         warc_expected.json holds (--update writes it anew, for review), and
         equal the other readers' records, byte for byte, except where
         DIFFERENCES says and explains how they differ.
made     inputs that no file there has, made here with gzip, zstandard, brotli
         and zlib: see warc_cases.py.

Prints "N passed, N failed[, N skipped]".
"""
import glob
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import warc_cases  # noqa: E402
from warc_tools import Count, dump, fast_records, missing_referees, warcio_records  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.path.join(os.environ.get('SLUICE_SHARED') or os.path.join(ROOT, '..', 'shared'),
                      'data', 'warc')
EXPECTED = os.path.join(HERE, 'warc_expected.json')

# (referee, file): what the referee gives instead of our records, and why.
#   ('records', n)       only the first n of ours, then it stops or fails
#   ('more', n)          n records that we do not deliver
#   ('body', [i])        other decoded bodies of our records number i
#   ('differ', o, t, s)  we have o, it has t, of which s are the same
ARC = 'an ARC file: we refuse it by name, warcio converts it'
ONE_MEMBER = 'one gzip member for the whole file: warcio refuses that by design, we read it'
CLIPPED = 'the only member is cut: it gives the 75,207 bytes before the cut as if they were the ' \
          'record; we report one lost record with its offset'
SHORT = 'Content-Length is 2 bytes short in a plain file: it gives the block without its last ' \
        'bytes%s; we lose that record, since nothing vouches for its end, and read the next'
DIFFERENCES = {
    ('fastwarc', 'resiliparse-clipped.warc.gz'): (('more', 1), CLIPPED),
    ('fastwarc', 'resiliparse-clueweb-quirk.warc.gz'): (
        ('body', list(range(1, 30))),
        'HTTP heads with LF line ends: it searches on for CRLF CRLF, finds it some 10 KB inside '
        'the page and takes what comes before for the head; we and warcio end it at LF LF'),
    ('fastwarc', 'warcio-example-trunc.warc'): (
        ('differ', 3, 3, 2), SHORT % ' and ends there without a word'),
    ('warcio', 'resiliparse-clipped.warc.gz'): (('more', 1), CLIPPED),
    ('warcio', 'warcio-bad.arc'): (('more', 4), ARC),
    ('warcio', 'warcio-example-bad-non-chunked.warc.gz'): (('records', 1), ONE_MEMBER),
    ('warcio', 'warcio-example-bad.warc.gz.bad'): (('records', 1), ONE_MEMBER),
    ('warcio', 'warcio-example-space-in-url.arc'): (('more', 2), ARC),
    ('warcio', 'warcio-example-trunc.warc'): (('more', 1), SHORT % ', with a warning'),
    ('warcio', 'warcio-example-wrong-chunks.warc.gz'): (
        ('differ', 2, 1, 0),
        'a record split over three members: it gives the first part and raises; we and FastWARC '
        'put it together'),
    ('warcio', 'warcio-example.arc'): (('more', 2), ARC),
    ('warcio', 'warcio-example.arc.gz'): (('more', 2), ARC),
}


def ours(exe, path, **kw):
    return [r for r in dump(exe, path, **kw) if 'type' in r]


def compare(mine, theirs):
    """None where equal, else a short description of the difference."""
    a = [(r['type'], r['id'], r['block'].encode('latin-1')) for r in mine]
    b = [(t, i, block) for t, i, block, _ in theirs]
    if a != b:
        if len(b) < len(a) and a[:len(b)] == b:
            return ('records', len(b))
        same = [x for x in b if x in a]
        if same == a:
            return ('more', len(b) - len(a))
        return ('differ', len(a), len(b), len(same))
    bad = [i for i, (r, t) in enumerate(zip(mine, theirs))
           if 'body' in r and t[3] is not None and r['body'].encode('latin-1') != t[3]]
    return ('body', bad) if bad else None


def brief(r):
    """What the expectation keeps of a line: no bytes, only their hashes."""
    keep = ('type', 'lost', 'lost_bytes', 'error', 'off', 'declared', 'flags', 'id', 'truncated',
            'block_bytes', 'block_xxh3', 'status', 'mime', 'charset', 'body_bytes', 'body_xxh3',
            'notes')
    return {k: r[k] for k in keep if k in r and r[k] not in ('', [])}


def check_shared(exe, count, update):
    files = sorted(glob.glob(os.path.join(SHARED, '*')))
    if not files:
        count.skip('the shared WARC files are absent: %s' % SHARED)
        return
    expected = {} if update else json.load(open(EXPECTED))
    got = {}
    for path in files:
        name = os.path.basename(path)
        got[name] = [brief(r) for r in dump(exe, path)]
        if not update:
            count.equal('shared/' + name, got[name], expected.get(name))
    if update:
        with open(EXPECTED, 'w') as f:
            lines = ('%s: [\n%s\n]' % (json.dumps(n), ',\n'.join(
                '  ' + json.dumps(r, separators=(',', ':')) for r in rs)) for n, rs in got.items())
            f.write('{\n' + ',\n'.join(lines) + '\n}\n')
    for ref, read in (('fastwarc', fast_records), ('warcio', warcio_records)):
        if ref in missing_referees():
            count.skip('%s cannot be imported: its comparison was NOT made' % ref)
            continue
        for path in files:
            name = os.path.basename(path)
            diff = compare(ours(exe, path, bytes=True), read(path))
            count.equal('%s/%s' % (ref, name), diff, DIFFERENCES.get((ref, name), (None,))[0])


def main():
    args = [a for a in sys.argv[1:] if not a.startswith('--')]
    build = args[0] if args else os.path.join(ROOT, 'build', 'dev')
    exe = os.path.join(build, 'test', 'warc_dump')
    count = Count()
    if not os.path.exists(exe):
        print('failed: %s is not built' % exe)
        count.failed += 1
        return count.report()
    check_shared(exe, count, '--update' in sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        warc_cases.check_all(exe, folder, count)
    return count.report()


if __name__ == '__main__':
    sys.exit(main())
