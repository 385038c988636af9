# SPDX-License-Identifier: Apache-2.0
"""Cases: where data comes from, where it goes, and what a tool refuses."""
import json
import os
import random
import re
import shutil

from harness import END, check, messages, run, run_terminal

PLACE = re.compile(r'record \d+.*byte \d+|byte \d+.*record \d+')


def once(function):
    """The number of threads cannot matter."""
    function.once = True
    return function


def check_placed(r, what):
    """A data error: exit 1, one message with byte offset and record number."""
    check(r.rc == 1, what, 'exit', r.rc, r.err)
    check(PLACE.search(r.err), what, 'no byte and record in:', r.err)
    check(r.err.count('\n') == 1, what, 'more than one line:', r.err)


def case_stdin_to_stdout(b):
    """stdin to stdout by default; nothing on stderr; whole to the end."""
    r = b.run()
    check(r.rc == 0, 'exit', r.rc, r.err)
    check(r.err == '', 'stderr:', r.err)
    check(r.out, 'no output')
    if b.tool.stream_out:
        check(r.out.endswith(END), 'no end marker')
        again = b.other('sluice-verify', stdin=r.out)
        check(again.rc == 0, 'sluice-verify:', again.err)


def case_dash_operand(b):
    """- is the standard stream wherever a file is taken."""
    b.need(b.tool.reads, 'reads nothing')
    check(b.good('-') == b.good() or b.tool.flow == 'plain', '- gives other bytes')
    if b.tool.has('output') and not b.tool.folder_out:
        check(b.good('-o', '-') == b.good(), '-o - gives other bytes')


def case_output_file(b):
    """-o FILE for output: the same bytes, nothing on stdout, nothing else there."""
    b.need(b.tool.has('output') and not b.tool.folder_out, 'no -o FILE')
    folder = b.path()
    os.mkdir(folder)
    out = os.path.join(folder, 'out')
    check(b.good('-o', out) == b'', 'data on stdout')
    with open(out, 'rb') as f:
        check(f.read() == b.good(), 'the file has other bytes')
    check(os.listdir(folder) == ['out'], 'left behind:', os.listdir(folder))


def case_operands(b):
    """Operands are inputs."""
    b.need(b.tool.reads, 'reads nothing')
    path = b.file(b.small)
    named = ['--source', 'x'] if b.tool.has('source') else []
    got = b.good(path, *named, stdin=b'')
    check(b.tool.flow == 'plain' or got == b.good(*named), 'a file gives other bytes than stdin')


def case_data_only_on_stdout(b):
    """Messages and reports go to stderr: -v changes no byte, and is one line."""
    r = b.run('-v')
    check(r.rc == 0 and r.out == b.good(), 'exit', r.rc, 'or other bytes with -v', r.err)
    if b.tool.flow != 'plain':
        check(r.err.count('\n') == 1 and r.err.startswith(b.tool.name + ':'), 'stderr:', r.err)


@once
def case_terminal_output(b):
    """Refuse to write binary to a terminal."""
    b.need(b.tool.stream_out, 'writes no stream')
    r, shown = run_terminal(b.argv(), ('out',), b.small)
    check(r.rc == 2, 'exit', r.rc)
    check(shown == b'', 'on the terminal:', shown)
    check('terminal' in r.err, r.err)


@once
def case_terminal_input(b):
    """Refuse to read binary from a terminal."""
    b.need(b.tool.reads, 'reads nothing')
    out = ('-o', b.path()) if b.tool.folder_out else ()
    r, _ = run_terminal(b.argv('-', *out), ('in',))
    check(r.rc == 2 and 'terminal' in r.err, 'exit', r.rc, r.err)


@once
def case_no_input(b):
    """No input and stdin a terminal: short help, exit 2, no hang."""
    b.need(b.tool.reads, 'reads nothing')
    out = ('-o', b.path()) if b.tool.folder_out else ()
    r, _ = run_terminal(b.argv(*out), ('in',))
    check(r.rc == 2 and 'no input' in r.err, 'exit', r.rc, r.err)
    check('usage:' in r.err, 'no short help:', r.err)


def cuts(b):
    """Lengths at which an input is cut: in the schema, behind it, inside of a
    batch, between batches, before the trailer, in it, before the end."""
    data, at = b.small, messages(b.small)
    return sorted({5, at[1] // 2, at[1] - 1, at[1], at[2] + 9, at[3] - 64, at[3], at[-2],
                   at[-2] + 70, at[-1], len(data) - 1})


def case_truncated_pipe(b):
    """Truncated input on a pipe fails with byte offset and record number."""
    b.need(b.tool.reads_stream, 'reads no stream')
    for n in cuts(b):
        check_placed(b.run(stdin=b.small[:n]), f'cut at {n} of {len(b.small)}:')


def case_truncated_file(b):
    """Truncated input in a file fails, names the file, and gives no output file."""
    b.need(b.tool.reads_stream, 'reads no stream')
    for n in cuts(b):
        path, out = b.file(b.small[:n]), b.path()
        extra = ('-o', out) if b.tool.has('output') else ()
        r = b.run(path, *extra, stdin=b'')
        check_placed(r, f'cut at {n} of {len(b.small)}:')
        check(os.path.basename(path) in r.err, 'the message does not name the file:', r.err)
        check(not os.path.exists(out) or b.tool.folder_out, 'an output file stands')
        check(not os.path.exists(os.path.join(out, 'manifest.json')), 'a manifest stands')


def case_truncated_source(b):
    """A cut file of records: told with its offset, and an error with --strict."""
    b.need(b.tool.flow == 'source', 'no source')
    r = b.run('--strict', stdin=b.small[:-150])
    check(r.rc == 1 and re.search(r'byte \d+', r.err), 'exit', r.rc, r.err)
    whole, cut = b.report(), b.path()
    r = b.run('--report', cut, stdin=b.small[:-150])
    check(r.rc in (0, 1), 'exit', r.rc, r.err)
    check(r.err or r.rc == 1 or whole['tally']['out']['rows'] > 0, 'nothing told')


def case_flipped_bit(b):
    """A changed byte anywhere is an error, never other data."""
    b.need(b.tool.reads_stream, 'reads no stream')
    r = random.Random(7)
    for _ in range(12):
        data = bytearray(b.small)
        at = r.randrange(len(data))
        data[at] ^= 1 << r.randrange(8)
        got = b.run(stdin=bytes(data))
        check(got.rc == 1, f'bit of byte {at}: exit', got.rc, got.err)


def case_foreign(b):
    """Foreign bytes are refused."""
    b.need(b.tool.reads_stream, 'reads no stream')
    for data in (b'hello\n', b'\0' * 4096, b'\xff' * 4096, random.Random(1).randbytes(5000),
                 b'\x1f\x8b\x08\x00' + b'\0' * 100, b'ARROW1\0\0' + b'\0' * 100):
        r = b.run(stdin=data)
        check(r.rc == 1, 'exit', r.rc, data[:8], r.err)
        check(re.search(r'byte \d+', r.err), 'no byte offset in:', r.err)


def case_empty(b):
    """An empty input is no stream."""
    b.need(b.tool.reads_stream, 'reads no stream')
    r = b.run(stdin=b'')
    check(r.rc == 1 and 'empty' in r.err, 'exit', r.rc, r.err)


def case_no_rows(b):
    """A whole stream without rows is fine."""
    b.need(b.tool.reads_stream, 'reads no stream')
    r = b.run(stdin=b.inputs.empty(b.tool))
    check(r.rc == 0 and r.err == '', 'exit', r.rc, r.err)


@once
def case_wrong_kind(b):
    """A stream of another kind is refused, and both kinds are named."""
    b.need(b.tool.info['in'] not in ('', '*'), 'takes any kind')
    accepted = b.tool.info['in'].split(',')
    kind = next(k for k in ('rejects', 'docs') if k not in accepted)
    r = b.run(stdin=b.inputs.stream(kind, 2, 3, 50))
    check(r.rc == 1 and kind in r.err and accepted[0] in r.err, 'exit', r.rc, r.err)


@once
def case_missing_column(b):
    """A column that is needed and absent is named."""
    need = b.tool.info['needs'].split(',')[0]
    b.need(need and '|' not in need, 'needs no column')
    r = b.run(stdin=b.inputs.stream(b.tool.kind, 2, 3, 50, need))
    check(r.rc == 1 and need in r.err, 'exit', r.rc, r.err)


def rows_in(b, *args, **more):
    return b.report(*args, **more)['tally']['in']['rows']


def case_several_inputs(b):
    """Several inputs are operands: one after another."""
    b.need(b.tool.reads and b.tool.has('report'), 'reads nothing')
    one, two = b.file(b.small, 'one'), b.file(b.small, 'two')
    check(rows_in(b, one, two, stdin=b'') == 2 * rows_in(b, one, stdin=b''), 'rows do not add up')


def case_files_from(b):
    """--files-from FILE names inputs, NUL-separated with -0, blanks and all."""
    b.need_option('files-from', 'null')
    one, two = b.file(b.small, 'a b'), b.file(b.small, 'c\nd')
    plain = b.file(b.small, 'plain')
    lines, nuls = b.file(f'{one}\n{plain}\n'.encode()), b.file(f'{one}\0{two}\0'.encode())
    want = b.good(one, plain, stdin=b'')
    check(b.good('--files-from', lines, stdin=b'') == want, 'another result with names a line')
    check(b.good('--files-from', '-', stdin=f'{one}\n{plain}'.encode()) == want,
          'another result with names on stdin')
    if b.tool.flow != 'source':
        check(b.good('-0', '--files-from', nuls, stdin=b'') == want, 'another result with -0')
    else:
        b.good('-0', '--files-from', nuls, stdin=b'')
    check(b.run('--files-from', b.file(b''), stdin=b'').rc == 2, 'no name is accepted')


def case_glued(b):
    """Raw concatenation of streams is an error that names sluice-cat."""
    b.need(b.tool.reads_stream, 'reads no stream')
    r = b.run(stdin=b.small + b.small)
    check(r.rc == 1 and 'sluice-cat' in r.err, 'exit', r.rc, r.err)


def case_inputs_that_differ(b):
    """Inputs with other columns cannot be joined, and the difference is named."""
    b.need(b.tool.info['in'] and b.tool.kind == 'docs', 'reads no docs')
    one = b.file(b.small)
    two = b.file(b.inputs.stream('docs', 2, 3, 50, b.tool.without() + ',url'))
    r = b.run(one, two, stdin=b'')
    check(r.rc == 1 and 'url' in r.err, 'exit', r.rc, r.err)


def case_missing_file(b):
    """An input that is not there: exit 3, and it is named."""
    b.need(b.tool.reads, 'reads nothing')
    r = b.run(b.path('absent'), stdin=b'')
    check(r.rc == 3 and 'absent' in r.err, 'exit', r.rc, r.err)


def case_same_bytes(b):
    """The same command twice, with any -T and --mem, gives the same bytes."""
    data = b.inputs.large(b.tool)
    want = b.good(stdin=data)
    check(b.good(stdin=data) == want, 'the second run differs')
    for more in (['-T1'], ['-T4'], ['-T8']) if b.tool.has('threads') else ():
        check(b.good(*more, stdin=data) == want, more, 'differs')
    for size in ('64M', '256M', '4G') if b.tool.has('mem') else ():
        check(b.good('--mem', size, stdin=data) == want, size, 'differs')


def case_environment(b):
    """No environment variable changes a result, nor does the folder."""
    want = b.good()
    odd = {'LC_ALL': 'tr_TR.UTF-8', 'LANG': 'de_DE', 'TZ': 'Asia/Kathmandu', 'COLUMNS': '20',
           'POSIXLY_CORRECT': '1', 'MALLOC_PERTURB_': '165', 'HOME': '/nowhere', 'TERM': 'dumb',
           'SLUICE_THREADS': '3', 'SLUICE_SEED': '9', 'OMP_NUM_THREADS': '2',
           'TMPDIR': b.folder, 'NO_COLOR': '1', 'SOURCE_DATE_EPOCH': '1'}
    env = {'PATH': os.environ['PATH'], **odd}
    check(b.run(env=env, cwd='/').out == want, 'odd variables change the result')
    check(b.run(env={}).out == want, 'an empty environment changes the result')


def case_nothing_left(b):
    """Nothing stays in the temporary folder, after success and after failure."""
    b.need_option('tmpdir')
    folder = b.path()
    os.mkdir(folder)
    b.good('--tmpdir', folder, stdin=b.inputs.large(b.tool))
    b.run('--tmpdir', folder, stdin=b.inputs.large(b.tool)[:-100])
    check(os.listdir(folder) == [], 'left behind:', os.listdir(folder))
    shutil.rmtree(folder)


@once
def case_compressed_input(b):
    """A stream packed by gzip is read as the stream."""
    import gzip
    b.need(b.tool.reads, 'reads nothing')
    path = b.file(gzip.compress(b.small, 1), 'x.gz')
    named = ['--source', 'x'] if b.tool.has('source') else []
    check(b.tool.flow == 'plain' or b.good(path, *named, stdin=b'') == b.good(*named) or
          b.tool.flow == 'source', 'gzip gives other bytes')


@once
def case_compressed_output(b):
    """--compress holds the same rows, and takes a level or none."""
    b.need_option('compress')
    plain = b.good(stdin=b.inputs.large(b.tool))
    packed = b.good('--compress', stdin=b.inputs.large(b.tool))
    check(len(packed) < len(plain), 'not smaller')
    one, two = b.file(plain), b.file(packed)
    r = b.other('sluice-verify', '--same', one, two)
    check(r.rc == 0, 'other rows:', r.err)
    check(b.run('--compress=99').rc == 2, 'level 99 is accepted')


def case_lineage(b):
    """The tool stands in the lineage with its options; no path, no thread does."""
    b.need(b.tool.stream_out, 'writes no stream')
    out = b.good(b.file(b.small, 'secret-name'), '--flush', stdin=b'') if b.tool.reads else b.good()
    tail = out[messages(out)[-2]:]
    check(f'"tool":"{b.tool.name}"'.encode() in tail, 'not in the trailer')
    text = tail[tail.index(b'{"rows":'):]
    stage = json.JSONDecoder().raw_decode(text.decode('utf-8', 'replace'))[0]['lineage'][-1]
    for name in stage['options']:
        check(b.tool.options[name]['result'], f'--{name} stands in the lineage')
    check(b'secret-name' not in tail and b.folder.encode() not in tail, 'a path in the lineage')


def run_chain(b, first, data):
    """first | tool | sluice-cat, with everything kept."""
    a = run(first, data)
    c = b.run(stdin=a.out)
    d = b.other('sluice-cat', stdin=c.out) if b.tool.stream_out else None
    return a, c, d


def case_upstream_failed_second(b):
    """The same where a later input has the error: it is told, whatever made the first."""
    b.need(b.tool.info['in'], 'reads no stream')
    cat = os.path.join(b.build, 'bin', 'sluice-cat')
    poisoned = run([cat], b.small[:-8]).out
    r = b.run(b.file(b.small), b.file(poisoned), stdin=b'')
    check(r.rc == 1, 'exit', r.rc, r.err)
    check(r.err.startswith(f'{b.tool.name}: upstream sluice-cat failed:'), 'stderr:', r.err)


def case_upstream_failed(b):
    """A failed upstream is passed on, and told once, by the stage next to it."""
    b.need(b.tool.info['in'] and b.tool.name != 'sluice-cat', 'reads no stream')
    cat = [os.path.join(b.build, 'bin', 'sluice-cat')]
    for n in (len(b.small) - 8, 100):
        a, c, d = run_chain(b, cat, b.small[:n])
        check(a.rc == 1 and a.err.count('\n') == 1, 'sluice-cat:', a.rc, a.err)
        check(c.rc == 1, 'exit', c.rc, c.err)
        check(c.err.startswith(f'{b.tool.name}: upstream sluice-cat failed:') and
              c.err.count('\n') == 1, 'stderr:', c.err)
        if d:
            check(d.rc == 1 and d.err == '', 'the stage behind it: exit', d.rc, d.err)
