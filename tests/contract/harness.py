# SPDX-License-Identifier: Apache-2.0
"""What the contract suite needs to run a tool that it has never seen: the tool's
own description (--describe), inputs of its kind, and ways to start it with
pipes, files and terminals. Nothing here lists tools by name."""
import errno
import hashlib
import itertools
import json
import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
import time
from collections import namedtuple

END = b'\xff\xff\xff\xff\x00\x00\x00\x00'
TIMEOUT = 60
Result = namedtuple('Result', 'rc out err')


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failed(' '.join(w if isinstance(w, str) else repr(w)[:300] for w in what))


def clean_env(**more):
    env = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'}
    env.update({k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'TSAN_'))})
    env.update(more)
    return env


class Tool:
    def __init__(self, path):
        self.path = path
        self.file = os.path.basename(path)
        r = run([path, '--describe'])
        check(r.rc == 0 and not r.err, self.file, '--describe:', r)
        self.info = json.loads(r.out)
        self.name = self.info['name']
        self.flow = self.info['flow']
        self.options = {o['name']: o for o in self.info['options']}
        self.trial = shlex.split(self.info['trial'])
        self.text_out = self.info['text_out']
        self.folder_out = self.info['folder_out']
        self.stream_out = bool(self.info['out'])
        self.reads_stream = bool(self.info['in']) or self.info['reads_files']
        self.reads = self.reads_stream or self.flow == 'source'
        self.kind = 'docs'
        if self.info['in'] not in ('', '*'):
            self.kind = self.info['in'].split(',')[0]

    def has(self, option):
        return option in self.options

    def writes(self, option):
        """Is it an option for a file that is written? One of another type is read."""
        return self.has(option) and self.options[option]['type'] == 'path'

    def without(self):
        """Columns that the tool adds and does not need: absent from its input."""
        needs = self.info['needs'].replace('|', ',').split(',')
        return ','.join(a['name'] for a in self.info['adds'] if a['name'] not in needs)

    def threads(self):
        return (1, 4) if self.has('threads') else (None,)

    def args(self, threads=None):
        return self.trial + ([f'-T{threads}'] if threads else [])


def find_tools(build):
    for folder, prefix in (('bin', 'sluice'), ('test', 'flow_')):
        where = os.path.join(build, folder)
        for name in sorted(os.listdir(where)):
            path = os.path.join(where, name)
            if name.startswith(prefix) and os.path.isfile(path) and os.access(path, os.X_OK):
                yield path


# ---- running ----

def run(argv, stdin=b'', env=None, cwd=None, stdout=None, timeout=TIMEOUT):
    """stdin: bytes, or a path. stdout: an open file or descriptor instead of a pipe."""
    handle = open(stdin, 'rb') if isinstance(stdin, str) else None
    p = subprocess.Popen(argv, stdin=handle or subprocess.PIPE, stdout=stdout or subprocess.PIPE,
                         stderr=subprocess.PIPE, env=env or clean_env(), cwd=cwd)
    try:
        out, err = p.communicate(None if handle else stdin, timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        raise Failed('it hangs:', shlex.join(argv))
    finally:
        if handle:
            handle.close()
    err = err.decode('utf-8', 'replace')
    for word in ('AddressSanitizer', 'runtime error:', 'ThreadSanitizer', 'LeakSanitizer'):
        check(word not in err, shlex.join(argv), err[:3000])
    return Result(p.returncode, out, err)


def terminal():
    """Both ends of a terminal that passes bytes as they are."""
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    return master, slave


def read_terminal(master, until):
    """What arrives before the time is over or the other end is closed."""
    data = b''
    while time.monotonic() < until:
        if not select.select([master], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(master, 65536)
        except OSError as e:
            if e.errno == errno.EIO:
                break
            raise
        if not piece:
            break
        data += piece
    return data


def run_terminal(argv, ends, stdin=b'', feed=None, env=None):
    """ends: which of 'in', 'out', 'err' are a terminal. feed: writes to stdin slowly.
    Gives the result and what came to the terminal; stdout is a file otherwise."""
    master, slave = terminal()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen(argv, stdin=slave if 'in' in ends else subprocess.PIPE,
                             stdout=slave if 'out' in ends else out,
                             stderr=slave if 'err' in ends else err, env=env or clean_env())
        os.close(slave)

        def give():
            try:
                (feed or (lambda to: to.write(stdin)))(p.stdin)
                p.stdin.close()
            except BrokenPipeError:
                pass
        if p.stdin:
            threading.Thread(target=give, daemon=True).start()
        data = read_terminal(master, time.monotonic() + 20)
        try:
            rc = p.wait(5)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            raise Failed('it hangs:', shlex.join(argv))
        finally:
            os.close(master)
        out.seek(0)
        err.seek(0)
        return Result(rc, out.read(), err.read().decode('utf-8', 'replace')), data


# ---- inputs ----

def messages(stream):
    """Offsets where the messages of a stream begin, and that of its end."""
    offsets, at = [], 0
    while stream[at:at + 8] != END:
        size = int.from_bytes(stream[at + 4:at + 8], 'little')
        meta = stream[at + 8:at + 8 + size]
        root = int.from_bytes(meta[:4], 'little')
        vtable = root - int.from_bytes(meta[root:root + 4], 'little', signed=True)
        slots = int.from_bytes(meta[vtable:vtable + 2], 'little') // 2 - 2
        body_at = int.from_bytes(meta[vtable + 10:vtable + 12], 'little') if slots > 3 else 0
        body = int.from_bytes(meta[root + body_at:root + body_at + 8], 'little') if body_at else 0
        offsets.append(at)
        at += 8 + size + body
    return offsets + [at]


def warc_record(i, text_bytes):
    words = ('river', 'stone', 'water', 'mill', 'and', 'the', 'of', 'r\u00e9colte')
    text = ' '.join(words[(i * 7 + k * k) % 8] for k in range(max(4, text_bytes // 6)))
    body = f'<html><head><title>Page {i}</title></head><body><p>{text}.</p></body></html>'.encode()
    http = (b'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n'
            b'Content-Length: %d\r\n\r\n' % len(body)) + body
    uuid = hashlib.md5(str(i).encode()).hexdigest()
    head = (f'WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid[:8]}-{uuid[8:12]}-'
            f'{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}>\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n'
            f'WARC-Target-URI: http://example.org/{i}\r\n'
            f'Content-Type: application/http; msgtype=response\r\n'
            f'Content-Length: {len(http)}\r\n\r\n').encode()
    return head + http + b'\r\n\r\n'


def warc(n, text_bytes=200):
    return b''.join(warc_record(i, text_bytes) for i in range(n))


def records(tool, n, text_bytes=200):
    """What a source reads: WARC records, or lines of JSON where its --format says so."""
    if 'jsonl' not in tool.options.get('format', {}).get('value', ''):
        return warc(n, text_bytes)
    return b''.join(json.dumps({'id': f'doc-{i}', 'url': f'http://example.org/{i}', 'n': i,
                                'text': f'text {i} of "some" words\n' * (text_bytes // 22 + 1)}
                               ).encode() + b'\n' for i in range(n))


class Inputs:
    """Streams by kind and size, made once by the helper program of the build."""

    def __init__(self, build, folder):
        self.maker = os.path.join(build, 'test', 'contract_streams')
        self.folder = folder
        self.made = {}
        self.lock = threading.Lock()

    def stream(self, kind, batches, rows, text_bytes, without=''):
        key = (kind, batches, rows, text_bytes, without)
        with self.lock:
            if key not in self.made:
                r = run([self.maker, kind, str(batches), str(rows), str(text_bytes), without])
                check(r.rc == 0, 'contract_streams', key, r.rc, r.err)
                self.made[key] = r.out
            return self.made[key]

    def small(self, tool):
        if tool.flow == 'source':
            return records(tool, 6)
        return self.stream(tool.kind, 6, 10, 300, tool.without()) if tool.reads else b''

    def empty(self, tool):
        """A whole stream without rows."""
        return self.stream(tool.kind, 0, 0, 300, tool.without())

    def large(self, tool):
        """Some megabytes in many batches, some large and some small."""
        if tool.flow == 'source':
            return records(tool, 600, 4000)
        if not tool.reads:
            return b''
        batches, rows = (12, 20) if tool.folder_out else (20, 150)  # every file is synced
        return self.stream(tool.kind, batches, rows, 1500, tool.without())


# ---- output ----

def folder_bytes(path):
    """One bytes object that stands for all files of a folder."""
    parts = []
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), 'rb') as f:
            parts.append(name.encode() + b'\0' + f.read())
    return b'\1'.join(parts)


class Bench:
    """One tool with its inputs and a folder of its own: what the cases get."""
    numbers = itertools.count()

    def __init__(self, tool, inputs, build, threads):
        self.tool, self.inputs, self.build, self.T = tool, inputs, build, threads
        self.folder = tempfile.mkdtemp(prefix='sluice-contract-')
        self.small = inputs.small(tool)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name=None):
        return os.path.join(self.folder, name or f'file-{next(self.numbers)}')

    def file(self, data, name=None):
        path = self.path(name)
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def argv(self, *args):
        return [self.tool.path] + self.tool.args(self.T) + [str(a) for a in args]

    def run(self, *args, stdin=None, **more):
        """The tool on its trial arguments; a tool that writes a folder gets one,
        and its files stand for its output."""
        if not self.tool.folder_out or '-o' in args:
            return run(self.argv(*args), self.small if stdin is None else stdin, **more)
        folder = self.path()
        r = run(self.argv('-o', folder, *args), self.small if stdin is None else stdin, **more)
        done = os.path.exists(os.path.join(folder, 'manifest.json'))
        return Result(r.rc, (folder_bytes(folder) if done else b'') + r.out, r.err)

    def good(self, *args, **more):
        r = self.run(*args, **more)
        check(r.rc == 0, 'exit', r.rc, 'of', shlex.join(map(str, args)), r.err)
        return r.out

    def need(self, condition, why):
        if not condition:
            raise Skipped(why)

    def need_option(self, *names):
        for name in names:
            self.need(self.tool.has(name), f'no --{name}')

    def report(self, *args, **more):
        path = self.path()
        self.good('--report', path, *args, **more)
        with open(path) as f:
            return json.load(f)

    def other(self, name, *args, stdin=b''):
        return run([os.path.join(self.build, 'bin', name), *args], stdin)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
