#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console blocks of README.md and docs/*.md do what the pages say.

usage: tutorial_test.py BUILD_DIR [--update] [PAGE...]

--update writes what was printed into the pages, where it differs.
consoles.py says how a block is written.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import consoles  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('SLUICE_SHARED', ROOT.parent / 'shared'))
# Files that a page uses and does not make; without them the page is skipped.
NEEDS = {'README.md': ['data/warc/whirlwind.warc.gz']}
# Pages with a test of their own.
OTHERS = ['docs/adding-a-tool.md']

counts = {'passed': 0, 'failed': 0, 'skipped': 0}


def check_page(page, build, update):
    name = str(page.relative_to(ROOT))
    files = [SHARED / f for f in NEEDS.get(name, [])]
    if not all(f.exists() for f in files):
        n = len(list(consoles.steps(page.read_text(encoding='utf-8'))))
        print(f'skipped: {name}: no {" ".join(map(str, files))}')
        counts['skipped'] += n
        return
    path = consoles.path_with(build / 'bin', Path(sys.executable).parent)
    passed, failed = consoles.check_page(page, path, files, update)
    counts['passed'] += passed
    counts['failed'] += failed


def check_the_check():
    """A test that cannot fail is a defect: pages that are wrong must be told."""
    def fits(page, shown):
        return all(consoles.fits(s.expected, shown) for s in consoles.steps(page))

    block = '```console\n$ cat <<E\n> a\n> E\n{}\n```\n'
    good = [(block.format('a\nb'), ['a', 'b']), (block.format('...\nb'), ['x', 'y', 'b']),
            (block.format('a...z'), ['a b z']), (block.format('...'), [])]
    bad = [(block.format('a'), ['a', 'b']), (block.format('a\nb'), ['a']),
           (block.format('a...z'), ['a\nz']), (block.format('a'), ['A'])]
    for page, shown in good:
        counts['passed' if fits(page, shown) else 'failed'] += 1
    for page, shown in bad:
        counts['failed' if fits(page, shown) else 'passed'] += 1


def main():
    args = [a for a in sys.argv[1:] if a != '--update']
    build = Path(args[0]).resolve()
    pages = [Path(p).resolve() for p in args[1:]]
    pages = pages or [p for p in [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
                      if p.exists() and str(p.relative_to(ROOT)) not in OTHERS]
    for page in pages:
        check_page(page, build, '--update' in sys.argv)
    check_the_check()
    if counts['failed']:
        print('tests/docs/tutorial_test.py BUILD_DIR --update writes the output into the pages')
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(counts['failed'] != 0)


main()
