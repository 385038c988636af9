# SPDX-License-Identifier: Apache-2.0
"""What the style checks need to know of C: functions, blocks, includes.

The functions and their ends come from universal-ctags and the complexity from
pmccabe; this module only strips comments and strings and measures how deep the
control statements of a body nest, with or without braces.
"""
import json
import re
import subprocess

_SKIP = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
_TOKEN = re.compile(r'[A-Za-z_]\w*|[{}()\[\];:?]|[^\sA-Za-z_{}()\[\];:?]')
_OPEN = {'(': ')', '[': ']', '{': '}'}


def strip(text):
    """The text without comments and the contents of strings; lines stay."""
    def blank(m):
        s = m.group(0)
        if s[0] in '"\'':
            return s[0] * 2
        return ' ' + '\n' * s.count('\n')
    return _SKIP.sub(blank, text)


def includes(text):
    """Pairs of '<' or '"' and the header's name."""
    bare = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    return _INCLUDE.findall(bare)


def functions(paths):
    """The functions of the files: dicts with path, name, line, lines, params."""
    if not paths:
        return []
    out = subprocess.run(
        ['ctags', '--languages=C', '--langmap=C:.c.h', '--kinds-C=f', '--fields=+neS',
         '--output-format=json', '-I', 'SL_MUST_USE', '-f', '-', '-L', '-'],
        input='\n'.join(paths), capture_output=True, text=True, check=True).stdout
    found = []
    for tag in map(json.loads, out.splitlines()):
        if 'end' in tag:
            found.append({'path': tag['path'], 'name': tag['name'], 'line': tag['line'],
                          'lines': tag['end'] - tag['line'] + 1,
                          'params': count_params(tag.get('signature', ''))})
    return found


def count_params(signature):
    inner = signature.strip()[1:-1].strip()
    if inner in ('', 'void'):
        return 0
    depth, n = 0, 1
    for c in inner:
        depth += (c in '([') - (c in ')]')
        n += c == ',' and depth == 0
    return n - inner.endswith('...')


def complexity(paths):
    """Rows of (path, function, with a switch as one, with every case counted)."""
    if not paths:
        return []
    out = subprocess.run(['pmccabe', *paths], capture_output=True, text=True).stdout
    rows = []
    for line in out.splitlines():
        f = line.split('\t')
        m = re.match(r'(.*)\(\d+\): (.*)', f[5]) if len(f) > 5 else None
        if m:
            rows.append((m.group(1), m.group(2), int(f[0]), int(f[1])))
    return rows


def nesting(text, line, lines):
    """How deep control statements nest in the function that starts at a line."""
    body = '\n'.join(text.split('\n')[line - 1:line - 1 + lines])
    body = re.sub(r'^[ \t]*#(?:\\\n|[^\n])*', '', strip(body), flags=re.M)
    tokens = _TOKEN.findall(body)
    return _Nest(tokens[tokens.index('{'):]).statement(0) if '{' in tokens else 0


class _Nest:
    """Reads statements; each method returns the greatest depth it saw."""

    def __init__(self, tokens):
        self.t = tokens
        self.i = 0

    def peek(self):
        return self.t[self.i] if self.i < len(self.t) else ''

    def group(self):
        """Steps over a bracketed group."""
        stack = []
        while self.i < len(self.t):
            c = self.t[self.i]
            self.i += 1
            if c in _OPEN:
                stack.append(_OPEN[c])
            elif stack and c == stack[-1]:
                stack.pop()
            if not stack:
                return

    def block(self, depth):
        deep = depth
        self.i += 1
        while self.i < len(self.t) and self.peek() != '}':
            deep = max(deep, self.statement(depth))
        self.i += 1
        return deep

    def statement(self, depth):
        c = self.peek()
        if c == '{':
            return self.block(depth)
        if c == 'if':
            return self.branch(depth)
        if c in ('for', 'while', 'switch'):
            self.i += 1
            self.group()
            return self.statement(depth + 1)
        if c == 'do':
            self.i += 1
            deep = self.statement(depth + 1)
            self.simple(depth)
            return deep
        if c in ('case', 'default'):
            while self.i < len(self.t) and self.peek() != ':':
                self.i += 1
            self.i += 1
            return depth
        return self.simple(depth)

    def branch(self, depth):
        self.i += 1
        self.group()
        deep = self.statement(depth + 1)
        if self.peek() == 'else':
            self.i += 1
            chained = self.peek() == 'if'
            deep = max(deep, self.statement(depth if chained else depth + 1))
        return deep

    def simple(self, depth):
        """An expression or declaration up to its ';', or a macro before a block."""
        start = self.i
        while self.i < len(self.t):
            c = self.peek()
            if c == ';':
                self.i += 1
                return depth
            if c == '}':
                return depth
            if c == '{' and self.i > start and self.t[self.i - 1] == ')':
                return self.statement(depth + 1)
            if c in _OPEN:
                self.group()
            else:
                self.i += 1
        return depth
