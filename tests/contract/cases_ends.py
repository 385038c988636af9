# SPDX-License-Identifier: Apache-2.0
"""Cases: how a run ends: outputs that are whole, closed pipes, full disks,
killed neighbours, reports, rejects, progress."""
import json
import os
import select
import signal
import subprocess
import time
from collections import Counter

from cases_streams import once, rows_in
from harness import check, clean_env, folder_bytes, kill, messages, run, run_terminal


def start(b, *args, stdout=subprocess.PIPE):
    return subprocess.Popen(b.argv(*args), stdin=subprocess.PIPE, stdout=stdout,
                            stderr=subprocess.PIPE, env=clean_env())


def case_killed(b):
    """kill -9 mid-way leaves nothing under the final name."""
    b.need(b.tool.reads and b.tool.has('output'), 'no input or no -o')
    out = b.path()
    p = start(b, '-o', out)
    data = b.inputs.large(b.tool)
    p.stdin.write(data[:len(data) // 2])
    p.stdin.flush()
    kill(p)
    whole = os.path.join(out, 'manifest.json') if b.tool.folder_out else out
    check(not os.path.exists(whole), 'the output stands')
    if b.tool.folder_out:
        b.good('-o', out, stdin=data)
        check(folder_bytes(out) == b.good(stdin=data), 'begun again it gives other files')


def case_existing_output(b):
    """Existing files need -f."""
    b.need(b.tool.has('output') and not b.tool.folder_out, 'no -o FILE')
    out = b.file(b'precious')
    r = b.run('-o', out)
    check(r.rc == 2 and out in r.err, 'exit', r.rc, r.err)
    with open(out, 'rb') as f:
        check(f.read() == b'precious', 'it was changed')
    b.good('-f', '-o', out)
    with open(out, 'rb') as f:
        check(f.read() == b.good(), 'it was not replaced')
    if b.tool.reads_stream:
        before = b.file(b'precious')
        check(b.run('-f', '-o', before, stdin=b.small[:-9]).rc == 1, 'a cut input is fine')
        with open(before, 'rb') as f:
            check(f.read() == b'precious', 'a failed run replaced it')


def case_full_disk(b):
    """A late write error is exit 3 with its reason."""
    b.need(not b.tool.folder_out, 'writes a folder')
    for data in (b.small, b.inputs.large(b.tool)):
        with open('/dev/full', 'wb') as full:
            r = run(b.argv(), data, stdout=full)
        check(r.rc == 3 and 'No space left' in r.err, 'exit', r.rc, r.err)
        check(r.err.count('\n') == 1, 'more than one line:', r.err)
    if b.tool.has('output'):
        r = b.run('-o', '/dev/full', '-f')
        check(r.rc == 3, '-o /dev/full: exit', r.rc, r.err)


def case_full_disk_while_waiting(b):
    """A write error ends the run at once, also while its input stays open."""
    b.need(b.tool.reads and b.tool.flow in ('map', 'scan', 'merge'), 'it may read all first')
    data = b.inputs.stream(b.tool.kind, 60, 200, 2000, b.tool.without())
    b.need(len(b.good(stdin=data)) > 2000000, 'little output')
    with open('/dev/full', 'wb') as full:
        p = start(b, stdout=full)
    try:
        p.stdin.write(data[:messages(data)[-3]])
        p.stdin.flush()
    except BrokenPipeError:
        pass
    try:
        rc = p.wait(15)
    except subprocess.TimeoutExpired:
        kill(p)
        check(False, 'it waits for more input')
    err = p.stderr.read()
    p.stdin = None
    check(rc == 3 and b'No space left' in err, 'exit', rc, err)


def case_many_inputs(b):
    """A name may stand a thousand times: inputs are opened one by one."""
    b.need(b.tool.info['in'] and b.tool.flow != 'merge' and b.tool.has('report'), 'one by one only')
    b.need(not b.tool.folder_out, 'every file is synced')
    path = b.file(b.inputs.stream(b.tool.kind, 1, 2, 30, b.tool.without()))
    names = b.file((path + '\n').encode() * 1500)
    check(rows_in(b, '--files-from', names, stdin=b'') == 3000, 'not all rows')


@once
def case_full_disk_of_others(b):
    """A report, a rejects stream or a make rule that cannot be written is an error,
    and the main output does not appear."""
    b.need(b.tool.has('output'), 'no -o')
    for name in ('report', 'rejects', 'depfile'):
        if not b.tool.writes(name):
            continue
        out = b.path()
        r = b.run(f'--{name}', '/dev/full', '-o', out)
        check(r.rc == 3, f'--{name} /dev/full: exit', r.rc, r.err)
        whole = os.path.join(out, 'manifest.json') if b.tool.folder_out else out
        check(not os.path.exists(whole), f'--{name}: the output stands')


def case_output_in_no_folder(b):
    """An output that cannot be made is exit 3, and named."""
    b.need(b.tool.has('output'), 'no -o')
    r = b.run('-o', b.path('absent/deep/out'))
    check(r.rc == 3 and 'absent' in r.err, 'exit', r.rc, r.err)


def case_closed_downstream(b):
    """Closed downstream: killed by SIGPIPE, nothing on stderr, nothing left."""
    b.need(not b.tool.folder_out, 'writes a folder')
    tmp = b.path()
    os.mkdir(tmp)
    more = ['--tmpdir', tmp] if b.tool.has('tmpdir') else []
    path = [b.file(b.inputs.large(b.tool))] if b.tool.reads else []
    reader, writer = os.pipe()
    os.close(reader)  # before the tool starts: a quick one would have ended
    p = subprocess.Popen(b.argv(*more, *path), stdin=subprocess.DEVNULL, stdout=writer,
                         stderr=subprocess.PIPE, env=clean_env(), restore_signals=False)
    os.close(writer)
    err = p.stderr.read()
    rc = p.wait(30)
    check(rc == -signal.SIGPIPE and err == b'', 'exit', rc, err)
    check(os.listdir(tmp) == [], 'left behind:', os.listdir(tmp))


def case_head(b):
    """| head -c 1: 141 in the shell."""
    b.need(b.tool.stream_out and b.tool.flow in ('map', 'scan', 'merge'), 'little output')
    path = b.file(b.inputs.stream(b.tool.kind, 60, 200, 2000, b.tool.without()))
    b.need(len(b.good(path, stdin=b'')) > 300000, 'little output')
    words = ' '.join(f"'{a}'" for a in b.argv(path))
    r = run(['bash', '-c', f'{words} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}'])
    check(r.rc == 141 and r.err == '', 'exit', r.rc, r.err)


def wait_for(stream, n, seconds):
    """At least n bytes of a pipe, or what came in that time."""
    data, until = b'', time.monotonic() + seconds
    while len(data) < n and time.monotonic() < until:
        if select.select([stream], [], [], 0.05)[0]:
            piece = os.read(stream.fileno(), 1 << 20)
            if not piece:
                break
            data += piece
    return data


def case_flush(b):
    """Output appears batch by batch as input arrives with --flush."""
    b.need(b.tool.has('flush') and b.tool.flow in ('map', 'merge')
           or b.tool.name == 'sluice-cat', 'it may wait for more')
    data = b.small
    half = messages(data)[3]
    p = start(b, '--flush')
    p.stdin.write(data[:half])
    p.stdin.flush()
    schema = messages(b.good())[1]
    early = wait_for(p.stdout, schema + 64, 10)
    rest = p.communicate(data[half:])[0]
    check(len(early) > schema, len(early), 'bytes before the input ended, schema has', schema)
    check(p.returncode == 0, 'exit', p.returncode)
    check(early + rest == b.good('--flush', stdin=data), 'other bytes than in one go')


@once
def case_source_streams(b):
    """A source writes while it reads: it may look ahead, but not hoard."""
    b.need(b.tool.flow == 'source', 'no source')
    p = start(b, '--flush')
    given, piece, seen = 0, b.inputs.large(b.tool), b''
    os.set_blocking(p.stdin.fileno(), False)
    at = 0
    while given < 64 << 20 and len(seen) < 100000:
        if select.select([p.stdout], [], [], 0)[0]:
            seen += os.read(p.stdout.fileno(), 1 << 20)
        elif select.select([], [p.stdin], [], 0.05)[1]:
            n = os.write(p.stdin.fileno(), piece[at:at + 65536])
            at, given = (at + n) % len(piece), given + n
    kill(p)
    p.communicate()
    check(len(seen) >= 100000, 'nothing written after', given, 'bytes')


def case_killed_upstream(b):
    """SIGKILL of the stage before, after its last full batch: exit 1, no output."""
    b.need(b.tool.info['in'], 'reads no stream')
    out = b.path()
    extra = ['-o', out] if b.tool.has('output') else []
    cat = subprocess.Popen([os.path.join(b.build, 'bin', 'sluice-cat'), '--flush'],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p = subprocess.Popen(b.argv(*extra), stdin=cat.stdout, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=clean_env())
    cat.stdout.close()
    cat.stdin.write(b.small[:messages(b.small)[-2]])
    cat.stdin.flush()
    time.sleep(0.15)
    cat.stdin = None
    kill(cat)
    _, err = p.communicate(timeout=30)
    check(p.returncode == 1, 'exit', p.returncode, err)
    check(b'byte' in err, 'no place in:', err)
    whole = os.path.join(out, 'manifest.json') if b.tool.folder_out else out
    check(not os.path.exists(whole), 'the output stands')


def case_report(b):
    """--report FILE is JSON, and its counts are conserved."""
    b.need_option('report')
    r = b.report(stdin=b.inputs.large(b.tool))
    check(r['tool'] == b.tool.name and r['version'] == b.tool.info['version'], r)
    for key in ('bytes_in', 'bytes_out', 'peak_memory_bytes'):
        check(isinstance(r[key], int), key, r)
    check(r['seconds'] >= 0 and r['cpu_seconds'] >= 0 and r['mb_per_s'] >= 0, r)
    t = r['tally']
    check(t['in']['rows'] > 0, 'no rows', t)
    check(r['bytes_in'] > 0, 'no bytes in', r)
    if t.get('law') in (None, 'source'):
        check(t['in']['rows'] == t['out']['rows'] + t['rejected']['rows'], t)
        ids = [int(t[k]['ids'], 16) for k in ('in', 'out', 'rejected')]
        check(ids[0] == (ids[1] + ids[2]) % 2 ** 128, t)
    check(sum(t.get('reasons', {}).values()) == t['rejected']['rows'], t)
    check(sorted(t.get('reasons', {})) == sorted(b.tool.info['reasons']), t)


@once
def case_report_on_stderr(b):
    """Reports never mix with data: --report - is not stdout's stream."""
    b.need(b.tool.has('report') and b.tool.stream_out, 'no report or no stream')
    r = b.run('--report', '-')
    check(r.rc == 2, 'exit', r.rc, 'for two outputs on stdout', r.err)


def case_rejects(b):
    """The rejects stream has as many rows as the tally says, reason by reason."""
    b.need(b.tool.writes('rejects'), 'no --rejects that is written')
    rejects, report = b.path(), b.path()
    out = b.good('--rejects', rejects, '--report', report, stdin=b.inputs.large(b.tool))
    with open(report) as f:
        tally = json.load(f)['tally']
    lines = b.other('sluice-export', '--columns', 'reject_reason', rejects)
    check(lines.rc == 0, lines.err)
    seen = Counter(json.loads(line)['reject_reason'] for line in lines.out.splitlines())
    want = {k: v for k, v in tally['reasons'].items() if v}
    check(dict(seen) == want, dict(seen), 'but the tally says', want)
    check(out == b.good(stdin=b.inputs.large(b.tool)), '--rejects changes the output')
    check(b.other('sluice-verify', rejects).rc == 0, 'sluice-verify refuses the rejects')


def slowly(data, seconds):
    """A feeder that gives most of the data at once, then a little now and then."""
    def feed(to):
        steps = 8
        head = len(data) // 2
        to.write(data[:head])
        to.flush()
        for i in range(steps):
            time.sleep(seconds / steps)
            a, z = (head + (len(data) - head) * k // steps for k in (i, i + 1))
            to.write(data[a:z])
            to.flush()
    return feed


@once
def case_progress(b):
    """Progress only on a terminal, after 1 s, and not with -q."""
    b.need(b.tool.reads and b.tool.has('progress'), 'no progress')
    data = b.inputs.large(b.tool)
    out = ('-o', b.path()) if b.tool.folder_out else ()
    r, shown = run_terminal(b.argv(*out), ('err',), feed=slowly(data, 1.5))
    check(r.rc == 0 and b'MB/s' in shown, 'no progress after 1.5 s:', r.rc, shown)
    check(shown.endswith(b'\r\033[K'), 'the line is not cleared:', shown[-40:])
    out = ('-o', b.path()) if b.tool.folder_out else ()
    r, shown = run_terminal(b.argv('-q', *out), ('err',), feed=slowly(data, 1.2))
    check(r.rc == 0 and shown == b'', 'with -q:', shown)
    out = ('-o', b.path()) if b.tool.folder_out else ()
    r, shown = run_terminal(b.argv(*out), ('err',), stdin=b.small)
    check(r.rc == 0 and shown == b'', 'before the first second:', shown)


def case_depfile(b):
    """--depfile is a make rule: the output depends on the inputs."""
    b.need(b.tool.has('depfile') and b.tool.reads, 'no --depfile')
    rule, out, path = b.path(), b.path('out $1'), b.file(b.small, 'in put#1')
    b.run('-o', out, '-f', '--depfile', rule, path, stdin=b'')
    with open(rule) as f:
        text = f.read()
    want = out.replace('$', '$$').replace(' ', '\\ ') + ': ' + path.replace(' ', '\\ ').replace(
        '#', '\\#') + '\n'
    check(text == want, repr(text), 'not', repr(want))
    check(b.run('--depfile', b.path(), *(() if not b.tool.folder_out else ('-o', b.path()))).rc
          == (0 if b.tool.folder_out else 2), '--depfile without -o is accepted')
