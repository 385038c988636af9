# SPDX-License-Identifier: Apache-2.0
"""Inputs that the shared data lacks: made here, with what must come of them."""
import gzip
import os
import random
import struct
import subprocess
import zlib

from warc_tools import Run, dump_many, fast_records, missing_referees, warcio_records

PEAK_MAX = 700 << 20  # with the sanitizers' own memory

WORDS = 'the of a in corpus record member border language model crawl page text shard'.split()


def uid(n):
    return 'urn:uuid:00000000-0000-4000-8000-%012d' % n


def http(body, *headers, status='HTTP/1.1 200 OK', mime='text/html; charset=utf-8'):
    lines = [status, 'Content-Type: ' + mime, *headers, '', '']
    return '\r\n'.join(lines).encode() + body


def page(n, size=3000):
    rng = random.Random(n)
    words = ' '.join(rng.choice(WORDS) for _ in range(size // 6))
    return ('<html><head><title>%d</title></head><body><p>%s</p></body></html>' %
            (n, words)).encode()


def record(n, block, kind='response', length=None, version='1.0', nl='\r\n', extra=(), end=None):
    head = ['WARC/' + version, 'WARC-Type: ' + kind, 'WARC-Record-ID: <%s>' % uid(n),
            'WARC-Target-URI: http://example.org/%d' % n, 'WARC-Date: 2024-05-17T23:31:22Z']
    if kind in ('response', 'request'):
        head.append('Content-Type: application/http; msgtype=' + kind)
    if length != '':
        head.append('Content-Length: %s' % (len(block) if length is None else length))
    head += extra
    tail = nl + nl if end is None else end
    return (nl.join(head) + nl + nl).encode() + block + tail.encode()


def records(n, size=3000):
    return [record(i, http(page(i, size))) for i in range(n)]


def gz(data):
    return gzip.compress(data, 6, mtime=0)


class Read:
    """What came of one input: its records' ids, its losses, the order of both."""

    def __init__(self, lines):
        self.lines = lines
        self.ids = [r['id'] for r in lines if 'type' in r]
        self.lost = [r for r in lines if 'lost' in r]
        self.shape = [r.get('type') or r.get('lost') or 'error' for r in lines]


class Cases:
    def __init__(self, exe, folder, count):
        self.exe, self.folder, self.count = exe, folder, count
        self.n = 0

    def put(self, data):
        self.n += 1
        path = os.path.join(self.folder, '%04d.warc' % self.n)
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def run(self, data, **options):
        path = self.put(data)
        run = Run(self.exe, path, **options)
        run.path = path
        vars(run).update(vars(Read(run.lines)))
        return run

    def run_many(self, inputs):
        """A Read of each input: starting a process for each takes far longer than reading."""
        paths = [self.put(data) for data in inputs]
        reads = [Read(lines) for lines in dump_many(self.exe, paths)]
        self.count.equal('every one of %d inputs was read' % len(paths), len(reads), len(paths))
        for path in paths:
            os.remove(path)
        return reads

    def reads(self, name, data, ids, lost=(), **options):
        """All ids in order, and losses (why, offset or None)."""
        run = self.run(data, **options)
        got = [(r['lost'], r['off'] if w[1:] and w[1] is not None else None)
               for r, w in zip(run.lost, list(lost) + [(0,)] * len(run.lost))]
        want = [(w[0], w[1] if w[1:] else None) for w in lost]
        self.count.equal(name, (run.ids, got, run.code), ([uid(i) for i in ids], want, 0))
        return run

    def refuses(self, name, data, message):
        run = self.run(data)
        ok = run.code == 1 and len(run.lines) == 1 and message in run.lines[0].get('message', '')
        self.count.equal(name, ok or run.lines, True)

    def referees(self, name, data, warcio=True):
        """The other readers must give the same records where the input is sound."""
        run = self.run(data, bytes=True)
        mine = [(r['type'], r['id'], r['block'].encode('latin-1'))
                for r in run.lines if 'type' in r]
        for ref, read in (('fastwarc', fast_records), ('warcio', warcio_records)):
            if ref in missing_referees() or (ref == 'warcio' and not warcio):
                continue
            theirs = [r[:3] for r in read(run.path)]
            self.count.equal('%s (%s)' % (name, ref), mine == theirs, True)


# ---- forms ----

def check_forms(c):
    recs = records(40)
    ids = range(40)
    plain = b''.join(recs)
    for name, data, warcio in (('plain', plain, True),
                               ('gzip, a member a record', b''.join(map(gz, recs)), True),
                               ('gzip, one member', gz(plain), False),
                               ('gzip, ten records a member',
                                b''.join(gz(b''.join(recs[i:i + 10])) for i in range(0, 40, 10)),
                                False)):
        run = c.reads('form: ' + name, data, ids)
        whole = c.count.equal('form: %s, nothing flagged' % name,
                              {f for r in run.lines for f in r['flags']} - {'own'}, set())
        if whole:
            c.referees('form: ' + name, data, warcio)
    run = c.reads('form: empty members between', b''.join(gz(r) + gz(b'') for r in recs), ids)
    offs = [r['off'] for r in c.run(b''.join(map(gz, recs))).lines]
    want = [sum(len(gz(r)) for r in recs[:i]) for i in ids]
    c.count.equal('offsets are those of members', offs, want)
    offs = [r['off'] for r in c.run(gz(plain)).lines]
    want = [sum(len(r) for r in recs[:i]) for i in ids]
    c.count.equal('offsets in one member are in its bytes', offs, want)


def pipe_equals_file(c):
    data = b''.join(map(gz, records(400, 9000)))
    run = c.run(data)
    p = subprocess.run([c.exe, '-'], stdin=subprocess.Popen(
        ['cat', run.path], stdout=subprocess.PIPE).stdout, stdout=subprocess.PIPE)
    with open(run.path, 'rb') as f:
        file = subprocess.run([c.exe, '-'], stdin=f, stdout=subprocess.PIPE)
    c.count.equal('a pipe gives what the file gives', p.stdout == file.stdout, True)
    c.count.equal('400 records over several windows', len(run.ids), 400)


def check_big(c):
    """Members larger than a record may be, over several windows."""
    recs = records(300, 20000)
    plain = b''.join(recs)
    c.reads('one member over the record limit is streamed', gz(plain), range(300), max_record='1M')
    run = c.reads('plain, over several windows', plain, range(300), max_record='1M')
    data = gz(plain)
    bad = bytearray(data)
    bad[len(bad) * 2 // 3] ^= 0x10
    run = c.run(bytes(bad), max_record='1M')
    n = len(run.ids)
    c.count.equal('damage in a streamed member: what comes before it is read',
                  (run.ids == [uid(i) for i in range(n)], 100 < n < 300,
                   run.shape.count('damaged')),
                  (True, True, 1))
    tail = b''.join(map(gz, records(3)))
    run = c.run(data[:len(data) // 2] + tail, max_record='1M')
    c.count.equal('a cut streamed member: one loss', len(run.lost), 1)
    big = record(1, http(page(1, 300000)))
    three = [records(1)[0], big, record(2, http(page(2)))]
    for name, data in (('plain', b''.join(three)), ('gzip', b''.join(map(gz, three)))):
        off = len(three[0]) if name == 'plain' else len(gz(three[0]))
        run = c.reads('oversized record, ' + name, data, [0, 2], [('oversized', off)],
                      max_record='64K')
    big = [record(i, http(page(i, 900000))) for i in range(3)]
    c.reads('members over a window', b''.join(gz(r) for r in big), range(3))
    noise = [record(i, http(random.Random(i).randbytes(3 << 20))) for i in range(4)]
    c.reads('members of several MiB compressed', b''.join(map(gz, noise)), range(4))


def check_zstd(c):
    try:
        import zstandard as zstd
    except ImportError:
        c.count.skip('zstandard cannot be imported: no .zst case was run')
        return
    recs = records(200)
    cctx = zstd.ZstdCompressor(level=3, write_checksum=True)
    plain = b''.join(recs)
    frames = [cctx.compress(r) for r in recs]
    c.reads('zstd, a frame a record', b''.join(frames), range(200))
    c.referees('zstd, a frame a record', b''.join(frames), warcio=False)
    c.reads('zstd, one frame', cctx.compress(plain), range(200))
    stream = zstd.ZstdCompressor(level=1).compressobj()
    c.reads('zstd, one frame without its size, streamed',
            stream.compress(plain) + stream.flush(), range(200), max_record='64K')
    skip = struct.pack('<II', 0x184D2A50, 7) + b'ignored'
    c.reads('zstd, skippable frames between', skip + skip.join(frames) + skip, range(200))
    d = zstd.train_dictionary(4096, recs)
    dctx = zstd.ZstdCompressor(level=3, dict_data=d, write_checksum=True)
    with_dict = [dctx.compress(r) for r in recs]
    for name, raw in (('raw', d.as_bytes()),
                      ('compressed', zstd.ZstdCompressor().compress(d.as_bytes()))):
        head = struct.pack('<II', 0x184D2A5D, len(raw)) + raw
        run = c.reads('zstd, dictionary ' + name, head + b''.join(with_dict), range(200))
        c.count.equal('zstd, dictionary %s: offsets' % name, run.lines[0]['off'], len(head))
    for k in (0, 77):
        for where in (0, 3, 40, 600, -1):
            bad = bytearray(b''.join(frames))
            off = sum(map(len, frames[:k]))
            bad[off + where % len(frames[k])] ^= 0x55
            if (k, where) != (0, 0) and (k, where) != (0, 3):
                c.reads('zstd, damage at byte %d of frame %d' % (where, k), bytes(bad),
                        [i for i in range(200) if i != k], [('damaged', off)])
    cut = b''.join(frames)[:-9]
    c.reads('zstd, cut', cut, range(199), [('cut', sum(map(len, frames[:-1])))])
    three = [recs[0], record(1, http(page(1, 300000))), recs[2]]
    for sized in (True, False):
        made = []
        for r in three:
            o = zstd.ZstdCompressor().compressobj(size=len(r) if sized else -1)
            made.append(o.compress(r) + o.flush())
        c.reads('zstd, oversized record, size %s' % ('known' if sized else 'unknown'),
                b''.join(made), [0, 2], [('oversized', len(made[0]))], max_record='64K')
    huge = record(1, http(page(1, 3000000)))
    made[1] = zstd.ZstdCompressor().compress(huge)
    c.reads('zstd, a frame over the limit', b''.join(made), [0, 2],
            [('oversized', len(made[0]))], max_record='64K')
    c.refuses('zstd, dictionary cut', struct.pack('<II', 0x184D2A5D, 999) + b'abc', 'dictionary')


# ---- deviations that are accepted ----

def check_deviations(c):
    body = http(page(1))
    two = record(2, http(page(2)))
    for name, data in (
            ('LF alone', record(1, body, nl='\n') + record(2, body, nl='\n')),
            ('no blank lines between', record(1, body, end='') + two),
            ('one blank line between', record(1, body, end='\r\n') + two),
            ('six blank lines between', record(1, body, end='\r\n' * 6) + two),
            ('WARC/0.18', record(1, body, version='0.18') + two),
            ('WARC/1.1', record(1, body, version='1.1') + two),
            ('WARC/2.0', record(1, body, version='2.0') + two),
            ('a folded header', record(1, body, extra=['X-Long: one', '  two']) + two),
            ('a line without a colon', record(1, body, extra=['nonsense']) + two),
            ('a repeated header', record(1, body, extra=['Content-Length: 3']) + two),
            ('no end', record(1, body) + two[:-4]),
            ('one line end', record(1, body) + two[:-2]),
            ('blank lines first', b'\r\n\n' + record(1, body) + two)):
        c.reads('plain: ' + name, data, [1, 2])
        if not name.startswith('blank lines'):
            c.reads('one member: ' + name, gz(data), [1, 2])
    info = record(1, b'software: x\r\n', kind='warcinfo', length='')
    c.reads('warcinfo without Content-Length, plain', info + two, [1, 2])
    c.reads('warcinfo without Content-Length, gzip', gz(info) + gz(two), [1, 2])
    run = c.reads('no Content-Length in an own member', gz(record(1, body, length='')) + gz(two),
                  [1, 2])
    c.count.equal('... and its block', run.lines[0]['block_bytes'], len(body))
    c.reads('no Content-Length in a plain file', record(1, body, length='') + two, [2],
            [('length', 0)])
    run = c.run(record(1, page(1)))
    c.count.equal('a bare page', (run.lines[0]['http'], run.lines[0]['body_bytes']),
                  (False, len(page(1))))
    whole = gz(record(1, body))
    parts = [record(1, body)[a:b] for a, b in ((0, 400), (400, 2000), (2000, None))]
    run = c.reads('a record over three members', b''.join(map(gz, parts)) + gz(two), [1, 2])
    c.count.equal('... is the same', run.lines[0]['block_xxh3'],
                  c.run(whole).lines[0]['block_xxh3'])
    c.refuses('ARC', b'filedesc://x.arc 127.0.0.1 20140216050221 text/plain 75\n', 'ARC')
    c.refuses('ARC in gzip', gz(b'filedesc://x.arc 127.0.0.1 2014 text/plain 75\n'), 'ARC')
    c.refuses('empty', b'', 'empty')
    c.refuses('a web page', page(1), 'not a WARC')
    c.refuses('a web page in gzip', gz(page(1)), 'not a WARC')
    c.refuses('noise', random.Random(1).randbytes(5000), 'not a WARC')


# ---- damage ----

def check_lengths(c):
    three = records(3)
    for lie in (-1000, -300, -20, -2, 7, 100, 3000, 10 ** 12, 10 ** 30, 'abc', '-5', ''):
        block = http(page(1))
        length = lie if isinstance(lie, str) else len(block) + lie
        lied = record(1, block, length=length)
        data = [three[0], lied, three[2]]
        run = c.reads('own member, Content-Length off by %s' % lie, b''.join(map(gz, data)),
                      [0, 1, 2])
        c.count.equal('... and the block is the whole of it',
                      (run.lines[1]['block_bytes'], 'own' in run.lines[1]['flags'],
                       bool(set(run.lines[1]['flags']) & {'length_wrong', 'length_absent'})),
                      (len(block), True, True))
        why = 'oversized' if lie == 10 ** 12 else 'length'
        for name, made in (('plain', b''.join(data)), ('one member', gz(b''.join(data)))):
            run = c.run(made)
            c.count.equal('%s, Content-Length off by %s' % (name, lie),
                          (run.ids, [r['off'] for r in run.lost],
                           {r['lost'] for r in run.lost} <= {why, 'length'}),
                          ([uid(0), uid(2)], [len(three[0])], True))
    last = record(2, http(page(2)), length=10 ** 6)
    c.reads('plain, the last length is too long', three[0] + three[1] + last, [0, 1],
            [('cut', len(three[0] + three[1]))])


def damaged(kind, members, k):
    """The four damages of a member k, as bytes."""
    bad = bytearray(members[k])
    if kind == 'A: a byte of the deflate data':
        bad[len(bad) // 2] ^= 0xff
    elif kind == 'B: the magic number':
        bad[0] ^= 0xff
    elif kind == 'C: bytes are missing':
        del bad[100:100 + min(1000, len(bad) // 2)]
    elif kind == 'D: the checksum':
        bad[-8] ^= 1
    elif kind == 'E: the length':
        bad[-1] ^= 1
    elif kind == 'F: the reserved flags':
        bad[3] |= 0xe0
    elif kind == 'G: the start is missing':
        del bad[:50]
    elif kind == 'H: zeros':
        bad[200:] = bytes(len(bad) - 200)
    return b''.join(members[:k]) + bytes(bad) + b''.join(members[k + 1:])


def check_damage(c):
    recs = records(61, 8000)
    members = [gz(r) for r in recs]
    starts = [sum(map(len, members[:k])) for k in range(61)]
    for kind in ('A: a byte of the deflate data', 'B: the magic number', 'C: bytes are missing',
                 'D: the checksum', 'E: the length', 'F: the reserved flags',
                 'G: the start is missing', 'H: zeros'):
        for k in (0, 30, 60):
            run = c.run(damaged(kind, members, k))
            c.count.equal('gzip damage %s in member %d' % (kind, k),
                          (run.ids, [r['off'] for r in run.lost]),
                          ([uid(i) for i in range(61) if i != k], [starts[k]]))
    data = b''.join(members)
    rng = random.Random(7)
    places = [rng.randrange(len(data)) for _ in range(150)]
    reads = c.run_many([flipped(data, at) for at in places])
    bad = [at for at, read in zip(places, reads) if not one_lost(read, at, starts)]
    c.count.equal('150 flipped bytes: each loses its own record at most', bad, [])
    k = 30
    swap = b''.join(members[:k]) + b'\x00' * 5000 + b''.join(members[k:])
    run = c.run(swap)
    c.count.equal('zeros between members are one loss', (len(run.ids), len(run.lost)), (61, 1))
    plain = b''.join(recs)
    pos = sum(map(len, recs[:30]))
    for name, at in (('WARC/1.0', 2), ('a line end', 8), ('Content-Length',
                     recs[30].index(b'Content-Length') + 4)):
        flip = bytearray(plain)
        flip[pos + at] ^= 1
        c.reads('plain, damaged ' + name, bytes(flip), [i for i in range(61) if i != 30],
                [('damaged' if at < 9 else 'length', pos)])
    hole = plain[:pos + 100] + plain[pos + 600:]
    c.reads('plain, 500 bytes missing', hole, [i for i in range(61) if i != 30], [('length',)])


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:]


def one_lost(run, at, starts):
    k = max(i for i, s in enumerate(starts) if s <= at)
    without = [uid(i) for i in range(len(starts)) if i != k]
    whole = [uid(i) for i in range(len(starts))]
    return (run.ids == without and [r['off'] for r in run.lost] == [starts[k]]) or \
        (run.ids == whole and not run.lost)


def check_cuts(c):
    recs = records(3, 400)
    members = [gz(r) for r in recs]
    for name, parts in (('gzip', members), ('plain', recs)):
        data, ends = b''.join(parts), [sum(map(len, parts[:k + 1])) for k in range(3)]
        wrong = []
        cuts = range(1, len(data))
        for n, run in zip(cuts, c.run_many([data[:n] for n in cuts])):
            whole = sum(e <= n for e in ends)
            begins = ([0] + ends)[whole]
            if name == 'plain':  # without its last line ends a record is whole
                whole = sum(e - 4 <= n for e in ends)
                begins = max(begins, ([0] + ends)[whole])
            inside = begins < n
            refused = whole == 0 and run.shape == ['error'] and n < 20
            if not refused and (run.ids != [uid(i) for i in range(whole)] or
                                [r['off'] for r in run.lost] != [begins] * inside):
                wrong.append((n, run.shape, [r['off'] for r in run.lost]))
        c.count.equal('%s, cut at every byte' % name, wrong, [])


def check_hostile(c):
    three = records(3)
    long = record(1, http(page(1)), extra=['X-%d: %s' % (i, 'y' * 90) for i in range(10000)])
    for name, data in (('plain', [three[0], long, three[2]]),
                       ('gzip', [gz(three[0]), gz(long), gz(three[2])])):
        c.reads('a megabyte of headers, ' + name, b''.join(data), [0, 2],
                [('head', len(data[0]))])
    c.reads('a megabyte in one header line', three[0] + record(
        1, b'', extra=['X: ' + 'y' * 1000000]) + three[2], [0, 2], [('head', len(three[0]))])
    heads = http(page(1), *['X-%d: %s' % (i, 'y' * 90) for i in range(10000)])
    run = c.reads('a megabyte of HTTP headers', gz(record(1, heads)), [1])
    c.count.equal('... and the body', run.lines[0]['body_bytes'], len(page(1)))
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = z.compress(record(1, b'', length=300 << 20)[:-4])
    for _ in range(300):
        bomb += z.compress(bytes(1 << 20))
    bomb += z.compress(b'\r\n\r\n') + z.flush()
    for name, data in (('bomb', bomb), ('bomb, cut', bomb[:-1000])):
        run = c.run(gz(three[0]) + data + gz(three[2]))
        c.count.equal('a zip %s' % name, (run.ids, [(r['lost'], r['off']) for r in run.lost]),
                      ([uid(0), uid(2)], [('ratio', len(gz(three[0])))]))
        c.count.equal('... in bounded memory', run.peak_bytes < PEAK_MAX, True)
    small = gz(record(1, b'HTTP/1.1 200 OK\r\n\r\n' + bytes(4 << 20)))
    c.reads('a small bomb', gz(three[0]) + small + gz(three[2]), [0, 2],
            [('ratio', len(gz(three[0])))])
    # Members inside the stored bytes of others, all with one long damaged tail.
    tail = zlib.compressobj(9, zlib.DEFLATED, -15)
    tail = tail.compress(bytes(3 << 20)) + tail.flush()
    head = b'\x1f\x8b\x08\0\0\0\0\0\0\x03'
    start = b'WARC/1.0\r\n'
    nest = b''
    while len(nest) < 60000:
        inner = start + nest
        nest = head + b'\0' + struct.pack('<HH', len(inner), len(inner) ^ 0xffff) + inner
    run = c.run(gz(three[0]) + nest + tail[:-4] + gz(three[2]))
    c.count.equal('overlapping members', (run.ids[0], run.ids[-1]), (uid(0), uid(2)))
    c.count.equal('... in bounded time', run.seconds < 20, True)
    many = b'\x1f\x8b\x08\0\0\0\0\0\0\x03' * 40000
    run = c.run(gz(three[0]) + many + gz(three[2]))
    c.count.equal('400 KB of magic numbers', (run.ids, len(run.lost)), ([uid(0), uid(2)], 1))
    lines = b'WARC/1.0\r\nWARC-Type: x\r\n' * 20000
    run = c.run(three[0] + lines + b'\r\n\r\n' + three[2])
    c.count.equal('20,000 heads without an end', (run.ids, run.seconds < 20),
                  ([uid(0), uid(2)], True))
    one = b''.join(gz(bytes([65 + i % 26])) for i in range(20000))
    run = c.run(gz(record(1, b'', length=10 ** 7, end='')) + one + gz(three[2]))
    c.count.equal('a record in 20,000 members', (run.ids, run.seconds < 20),
                  ([uid(1), uid(2)], True))


# ---- bodies ----

def chunked(data, size=500, end=True):
    parts = [data[i:i + size] for i in range(0, len(data), size)]
    body = b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in parts)
    return body + (b'0\r\n\r\n' if end else b'')


def raw_deflate(data):
    z = zlib.compressobj(6, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def body_is(c, name, stored, headers, want, notes):
    """want: the decoded body, or the number of bytes of it that must be there."""
    run = c.run(gz(record(1, http(stored, *headers))), bytes=True)
    r = run.lines[0]
    got = r['body'].encode('latin-1')
    whole = want if isinstance(want, bytes) else page(1, 20000)[:want]
    c.count.equal('body: ' + name, (got == whole or (len(got), len(whole)), sorted(r['notes'])),
                  (True, sorted(notes)))
    return r


def check_bodies(c):
    p = page(1, 20000)
    chunks, encoded, lied, cut = 'was_chunked', 'was_encoded', 'header_lied', 'body_truncated'
    te, ce = 'Transfer-Encoding: %s', 'Content-Encoding: %s'
    body_is(c, 'as it is', p, [], p, [])
    body_is(c, 'chunked', chunked(p), [te % 'chunked'], p, [chunks])
    body_is(c, 'chunked with extensions and LF', b'5;a=b\n' + p[:5] + b'\n3 \r\n' + p[5:8] +
            b'\r\n0\r\nX: y\r\n\r\n', [te % 'Chunked'], p[:8], [chunks])
    body_is(c, 'chunked is claimed', p, [te % 'chunked'], p, [lied])
    body_is(c, 'an empty chunked body', b'0\r\n\r\n', [te % 'chunked'], b'', [chunks])
    body_is(c, 'a text that begins with 0', b'0\r\nis a number', [te % 'chunked'],
            b'0\r\nis a number', [lied])
    body_is(c, 'a chunked body that never ends', chunked(p, end=False), [te % 'chunked'], p,
            [chunks, cut])
    body_is(c, 'a chunk cut', chunked(p)[:5000], [te % 'chunked'],
            chunk_prefix(chunked(p)[:5000]), [chunks, cut])
    body_is(c, 'a chunk that claims 2^64 bytes', b'ffffffffffffffff\r\n' + p, [te % 'chunked'], p,
            [chunks, cut])
    body_is(c, 'a broken second chunk', chunked(p[:500], end=False) + b'zz\r\n' + p[500:],
            [te % 'chunked'], p[:500], [chunks, cut])
    for name, coder in (('gzip', gz), ('x-gzip', gz), ('deflate', zlib.compress),
                        ('deflate', raw_deflate), ('GZIP', gz)):
        body_is(c, name, coder(p), [ce % name], p, [encoded])
        body_is(c, name + ' in chunks', chunked(coder(p)), [ce % name, te % 'chunked'], p,
                [chunks, encoded])
        body_is(c, name + ' is claimed', p, [ce % name], p, [lied])
        half = coder(p)[:len(coder(p)) // 2]
        r = body_is(c, name + ' cut', half, [ce % name], len_of(c, half, ce % name),
                    [encoded, cut])
        c.count.equal('... keeps a prefix', 1000 < r['body_bytes'] < len(p), True)
    body_is(c, 'gzip as transfer coding', chunked(gz(p)), [te % 'gzip, chunked'], p,
            [chunks, encoded])
    body_is(c, 'gzip twice', gz(gz(p)), [ce % 'gzip, gzip'], p, [encoded])
    body_is(c, 'gzip claimed twice', gz(p), [ce % 'gzip', ce % 'gzip'], p, [encoded, lied])
    body_is(c, 'two gzip members', gz(p[:999]) + gz(p[999:]), [ce % 'gzip'], p, [encoded])
    body_is(c, 'gzip that no header names', gz(p), [], p, [encoded, lied])
    body_is(c, 'a CRLF before gzip', b'\r\n' + gz(p), [ce % 'gzip'], p, [encoded, 'extra_line'])
    body_is(c, 'a CRLF before chunks', b'\r\n' + chunked(p), [te % 'chunked'], p,
            [chunks, 'extra_line'])
    body_is(c, 'a CRLF before a page', b'\r\n' + p, [], b'\r\n' + p, [])
    body_is(c, 'identity', p, [ce % 'identity', te % 'identity'], p, [])
    body_is(c, 'a slip', p, [ce % 'utf-8'], p, [])
    body_is(c, 'compress', p, [ce % 'compress'], p, ['unknown_coding'])
    body_is(c, 'nine codings', p, [ce % 'gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip'], p,
            ['unknown_coding'])
    bomb = gz(bytes(200 << 20))
    for name, data, coding in (('bomb', bomb, 'gzip'), ('bomb in a bomb', gz(bomb), 'gzip, gzip')):
        run = c.run(record(1, http(data, ce % coding)))
        r = run.lines[0]
        c.count.equal('a gzip ' + name, ('over_limit' in r['notes'], r['body_bytes'] <=
                                         max(1 << 20, 512 * len(data)), run.peak_bytes < PEAK_MAX),
                      (True, True, True))
    check_optional_codings(c, p, ce)


def check_optional_codings(c, p, ce):
    encoded, lied, cut = 'was_encoded', 'header_lied', 'body_truncated'
    coders = {}
    try:
        import brotli
        coders['br'] = lambda data: brotli.compress(data, quality=5)  # 11 takes a minute
    except ImportError:
        c.count.skip('brotli cannot be imported: no br case was run')
    try:
        import zstandard
        coders['zstd'] = zstandard.ZstdCompressor(write_checksum=True).compress
    except ImportError:
        c.count.skip('zstandard cannot be imported: no zstd body was tried')
    for name, coder in coders.items():
        body_is(c, name, coder(p), [ce % name], p, [encoded])
        body_is(c, name + ' after gzip', coder(gz(p)), [ce % ('gzip, ' + name)], p, [encoded])
        body_is(c, 'gzip after ' + name, gz(coder(p)), [ce % (name + ', gzip')], p, [encoded])
        body_is(c, name + ' is claimed', p, [ce % name], p, [lied])
        body_is(c, name + ' claimed of noise', random.Random(3).randbytes(3000), [ce % name],
                random.Random(3).randbytes(3000), [lied])
        big = page(1, 2000000)
        half = coder(big)
        half = half[:len(half) // 2]
        run = c.run(record(1, http(half, ce % name)), bytes=True)
        got = run.lines[0]['body'].encode('latin-1')
        c.count.equal('body: %s cut' % name, (sorted(run.lines[0]['notes']),
                                              len(got) > 10000 and got == big[:len(got)]),
                      ([cut, encoded], True))
        bomb = coder(bytes(200 << 20))
        run = c.run(record(1, http(bomb, ce % name)))
        r = run.lines[0]
        c.count.equal('a bomb of ' + name, (r['notes'].count('over_limit'), r['body_bytes'] <=
                                            max(1 << 20, 512 * len(bomb)),
                                            run.peak_bytes < PEAK_MAX), (1, True, True))


def chunk_prefix(data):
    """A plain decoder of what is there of chunks, for comparison."""
    out = b''
    while b'\r\n' in data:
        size, data = data.split(b'\r\n', 1)
        n = int(size, 16)
        out += data[:n]
        data = data[n + 2:]
    return out


def len_of(c, stored, header):
    """What zlib itself gives of cut bytes."""
    wbits = 31 if 'zip' in header.lower() else 15 if stored[:1] == b'\x78' else -15
    return zlib.decompressobj(wbits).decompress(stored)


def check_all(exe, folder, count):
    c = Cases(exe, folder, count)
    check_forms(c)
    pipe_equals_file(c)
    check_big(c)
    check_zstd(c)
    check_deviations(c)
    check_lengths(c)
    check_damage(c)
    check_cuts(c)
    check_hostile(c)
    check_bodies(c)
