# SPDX-License-Identifier: Apache-2.0
"""Reads the ```console blocks of a Markdown page, runs them, and holds what they
print against what the page says.

    $ command              run by bash, in one folder for the whole page
    > more of it           lines that go on with the command
    output                 standard output and standard error together

In the output "..." stands for any text of a line; on a line of its own for any
lines. Seconds, megabytes a second and memory are not compared."""
import difflib
import os
import re
import shutil
import subprocess
import tempfile
from collections import namedtuple

Step = namedtuple('Step', 'line command expected first last')  # first, last: lines of the output

TIMES = re.compile(r'\d+\.\d\d s, \d+ MB/s, \d+ MB of memory')
TIMEOUT_SECONDS = 120


def blocks(lines, language):
    """(index of the first line inside, lines) of every fenced block."""
    start = None
    for i, line in enumerate(lines):
        if start is None and line == '```' + language:
            start = i + 1
        elif start is not None and line == '```':
            yield start, lines[start:i]
            start = None


def steps(text):
    """The commands of a page, in order."""
    for base, block in blocks(text.split('\n'), 'console'):
        i = 0
        while i < len(block):
            begin = i
            if not block[i].startswith('$ '):
                raise ValueError(f'line {base + i + 1}: a console block begins with a command')
            command = [block[i][2:]]
            i += 1
            while i < len(block) and (block[i] == '>' or block[i].startswith('> ')):
                command.append(block[i][2:])
                i += 1
            first = i
            while i < len(block) and not block[i].startswith('$ '):
                i += 1
            yield Step(base + begin + 1, '\n'.join(command), block[first:i], base + first, base + i)


def run(command, folder, path):
    env = {'PATH': path, 'HOME': folder, 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'COLUMNS': '80',
           'PYTHONDONTWRITEBYTECODE': '1'}
    env.update({k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_'))})
    p = subprocess.run(['bash', '-c', command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS)
    text = p.stdout.decode('utf-8', 'replace')
    return text.removesuffix('\n').split('\n') if text else []


def fits(expected, actual):
    pattern = ''
    for line in expected:
        if line.strip() == '...':
            pattern += '(?:[^\n]*\n)*'
        else:
            line = TIMES.sub('TIMES', line)
            pattern += '[^\n]*'.join(re.escape(p) for p in line.split('...')) + '\n'
    text = TIMES.sub('TIMES', ''.join(line + '\n' for line in actual))
    return re.fullmatch(pattern, text) is not None


def show(name, step, actual):
    print(f'FAIL {name}:{step.line}: {step.command}')
    print('\n'.join(difflib.unified_diff(step.expected, actual, 'the page', 'the command',
                                         lineterm='', n=1)))


def check_page(page, path, files=(), update=False):
    """Run a page's commands with this PATH, beside copies of the files. Prints what
    differs; update writes it into the page. Returns the numbers passed and failed."""
    text = page.read_text(encoding='utf-8')
    lines, moved, passed, failed = text.split('\n'), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for f in files:
            shutil.copy(f, folder)
        for step in steps(text):
            actual = run(step.command, folder, path)
            if fits(step.expected, actual):
                passed += 1
                continue
            failed += 1
            show(page.name, step, actual)
            lines[step.first + moved:step.last + moved] = actual
            moved += len(actual) - len(step.expected)
    if update and '\n'.join(lines) != text:
        page.write_text('\n'.join(lines), encoding='utf-8')
    return passed, failed


def path_with(*folders):
    return os.pathsep.join([*map(str, folders), os.environ.get('PATH', '/usr/bin:/bin')])
