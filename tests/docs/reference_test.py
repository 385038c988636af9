#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""docs/reference is what the tools say, and the links between the pages of the
documentation lead somewhere.

usage: reference_test.py BUILD_DIR
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.argv[1]).resolve() / 'bin'
counts = {'passed': 0, 'failed': 0}


def check(ok, *what):
    counts['passed' if ok else 'failed'] += 1
    if not ok:
        print('FAIL', *what)


def generator(root, *args):
    return subprocess.run([sys.executable, root / 'docs/gen_reference.py', BIN, *args],
                          capture_output=True, text=True)


def test_pages():
    p = generator(ROOT, '--check')
    check(p.returncode == 0, p.stdout + p.stderr +
          'run: cmake --build --preset release --target docs')


def test_the_check():
    """A changed page, a page too few and a page too many are all told."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / 'docs', copy / 'docs')
        for name in ('schemas', 'tools'):
            (copy / name).symlink_to(ROOT / name)
        pages = copy / 'docs/reference'
        (pages / 'sluice-cat.md').write_text('something else\n')
        (pages / 'sluice-verify.md').unlink()
        (pages / 'sluice-gone.md').write_text('a tool that is no more\n')
        p = generator(copy, '--check')
        named = set(re.findall(r'(sluice-\w+)\.md', p.stdout))
        check(p.returncode == 1 and {'sluice-cat', 'sluice-verify', 'sluice-gone'} <= named,
              'a wrong reference passes:', p.stdout, p.stderr)
        check(generator(copy).returncode == 0 and generator(copy, '--check').returncode == 0,
              'the generator does not repair the pages')


def anchors(page):
    for title in re.findall(r'^#+ (.*)$', page.read_text(encoding='utf-8'), re.M):
        yield re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-')


def test_links():
    pages = [p for p in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')] if p.exists()]
    for page in pages:
        text = re.sub(r'^```.*?^```$', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
        for target in re.findall(r'\]\(([^)\s]+)\)', text):
            if re.match(r'[a-z]+:', target):
                continue
            path, _, anchor = target.partition('#')
            to = (page.parent / path).resolve() if path else page
            check(to.exists() and (not anchor or anchor in anchors(to)),
                  f'{page.relative_to(ROOT)}: the link {target} leads nowhere')


def test_index():
    """Every page of docs/ can be reached from README.md or docs/index.md."""
    seen, todo = set(), [ROOT / 'README.md', ROOT / 'docs/index.md']
    while todo:
        page = todo.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r'\]\(([^)#\s]+\.md)', page.read_text(encoding='utf-8'))
        todo += [(page.parent / t).resolve() for t in links]
    for page in (ROOT / 'docs').rglob('*.md'):
        check(page in seen, f'{page.relative_to(ROOT)} has no link from docs/index.md')


test_pages()
test_the_check()
test_links()
test_index()
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(counts['failed'] != 0)
