# SPDX-License-Identifier: Apache-2.0
"""What the WARC tests share: running warc_dump, the other readers, counting."""
import io
import json
import os
import subprocess
import sys


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def equal(self, name, got, want):
        if got == want:
            self.passed += 1
            return True
        self.failed += 1
        print('failed: %s\n  got  %.1500s\n  want %.1500s' % (name, got, want))
        return False

    def skip(self, why):
        self.skipped += 1
        print('skipped: ' + why)

    def report(self):
        print('%d passed, %d failed, %d skipped' % (self.passed, self.failed, self.skipped))
        if self.passed + self.failed == 0:
            print('nothing ran')
            return 1
        return 1 if self.failed else 0


class Run:
    """One run of warc_dump on a file or a list of them.

    It has the lines, the exit code, the seconds of CPU and the peak of memory.
    """

    def __init__(self, exe, path, stdin=None, **options):
        cmd = [exe]
        for key, value in options.items():
            cmd.append('--' + key.replace('_', '-'))
            if value is not True:
                cmd.append(str(value))
        cmd += path if isinstance(path, list) else [path]
        out = io.BytesIO()
        p = subprocess.Popen(cmd, stdin=stdin, stdout=subprocess.PIPE)
        out.write(p.stdout.read())
        p.stdout.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        self.code = p.returncode
        self.seconds = usage.ru_utime + usage.ru_stime
        self.peak_bytes = usage.ru_maxrss * 1024
        self.lines = [json.loads(s) for s in out.getvalue().splitlines()]


def dump(exe, path, **options):
    return Run(exe, path, **options).lines


def dump_many(exe, paths, **options):
    """The lines of each of many small files: one process for some hundred of them."""
    found = []
    for i in range(0, len(paths), 250):
        for line in Run(exe, paths[i:i + 250], names=True, **options).lines:
            if 'file' in line:
                found.append([])
            else:
                found[-1].append(line)
    return found


def missing_referees():
    missing = []
    for name in ('fastwarc', 'warcio'):
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    return missing


def strip(value):
    return (value or '').strip().strip('<>').strip()


FAST_TYPES = ('warcinfo response resource request metadata revisit conversion continuation').split()


def fast_records(path):
    """(type, id, block, body) of each record until the end or an error."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    names = {int(getattr(WarcRecordType, t)): t for t in FAST_TYPES}
    records, bodies = [], []

    def read(parse_http, to):
        try:
            with open(path, 'rb') as f:
                for r in ArchiveIterator(f, record_types=WarcRecordType.any_type,
                                         parse_http=parse_http, auto_decode='all'):
                    data = r.reader.read()
                    is_http = parse_http and r.http_headers is not None
                    kind = names.get(int(r.record_type), 'other')
                    body = data if is_http and kind == 'response' else None
                    to.append((kind, strip(r.record_id), None if parse_http else data, body))
        except Exception as e:  # what it cannot read is its result
            to.append(('error', type(e).__name__, b'', None))
    read(False, records)
    read(True, bodies)
    bodies = {(i, r[1]): r[3] for i, r in enumerate(bodies)}
    records = [r for r in records if r[0] != 'error']
    return [(t, i, block, bodies.get((n, i))) for n, (t, i, block, _) in enumerate(records)]


def warcio_records(path):
    from warcio.archiveiterator import ArchiveIterator
    blocks, bodies = [], []
    keep = sys.stderr
    sys.stderr = io.StringIO()  # its warnings are long
    try:
        for parse, to in ((False, blocks), (True, bodies)):
            try:
                with open(path, 'rb') as f:
                    for r in ArchiveIterator(f, no_record_parse=not parse):
                        get = r.rec_headers.get_header
                        is_http = parse and r.rec_type == 'response' and r.http_headers
                        data = r.content_stream().read() if is_http else r.raw_stream.read()
                        to.append((r.rec_type, strip(get('WARC-Record-ID')), data,
                                   data if is_http else None))
            except Exception:
                pass
    finally:
        sys.stderr = keep
    bodies = {(n, r[1]): r[3] for n, r in enumerate(bodies)}
    types = set(FAST_TYPES)
    return [(t if t in types else 'other', i, block, bodies.get((n, i)))
            for n, (t, i, block, _) in enumerate(blocks)]
