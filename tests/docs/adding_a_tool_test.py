#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""The tool of docs/adding-a-tool.md: its code is compiled as it stands on the page,
its commands do what the page says, and the contract suite passes on it.

usage: adding_a_tool_test.py BUILD_DIR [--update]
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import consoles  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(sys.argv[1]).resolve()
PAGE = ROOT / 'docs/adding-a-tool.md'
WARNINGS = '-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror'.split()
# The layers, in the order in which they are linked, and what they stand on.
LAYERS = ['run', 'order', 'token', 'web', 'text', 'arrow', 'io', 'base']
MODULES = ['libzstd', 'libxxhash', 'libdeflate', 'libbrotlidec', 'zlib', 'jansson']
counts = {'passed': 0, 'failed': 0}


def check(ok, *what):
    counts['passed' if ok else 'failed'] += 1
    if not ok:
        print('FAIL', *what)
    return ok


def code_of_page():
    found = [code for _, code in consoles.blocks(PAGE.read_text(encoding='utf-8').split('\n'), 'c')]
    check(len(found) == 1, f'{len(found)} blocks of C on the page, one is expected')
    return '\n'.join(found[0]) + '\n'


def compile_tool(source, program):
    libs = [p for p in (BUILD / f'libsl_{name}.a' for name in LAYERS) if p.exists()]
    third = subprocess.run(['pkg-config', '--libs', *MODULES], capture_output=True, text=True)
    p = subprocess.run(['gcc', '-std=c17', '-O1', '-D_GNU_SOURCE', *WARNINGS, '-I', ROOT / 'lib',
                        source, '-o', program, *libs, *third.stdout.split(), '-pthread', '-lm'],
                       capture_output=True, text=True)
    return check(p.returncode == 0, 'the code of the page does not compile:', p.stderr)


def check_style(source):
    """The page shows the house style: formatted, and short."""
    p = subprocess.run(['clang-format', '--style=file:' + str(ROOT / '.clang-format'), source],
                       capture_output=True, text=True)
    check(p.returncode == 0 and p.stdout == source.read_text(), 'clang-format wants:\n' + p.stdout)


def check_contract(build):
    """On a build folder that has this tool beside those of the real one."""
    (build / 'test').symlink_to(BUILD / 'test')
    for f in (BUILD / 'bin').iterdir():
        (build / 'bin' / f.name).symlink_to(f)
    p = subprocess.run([sys.executable, ROOT / 'tests/contract/contract_test.py', build,
                        'sluice-minlen'], capture_output=True, text=True)
    last = re.search(r'(\d+) passed, (\d+) failed', p.stdout[-200:])
    check(p.returncode == 0 and last and int(last.group(1)) > 50,
          'the contract suite:', p.stdout[-3000:], p.stderr[-1000:])


def main():
    with tempfile.TemporaryDirectory() as name:
        build = Path(name)
        (build / 'bin').mkdir()
        source = build / 'sluice-minlen.c'
        source.write_text(code_of_page(), encoding='utf-8')
        check_style(source)
        if compile_tool(source, build / 'bin/sluice-minlen'):
            passed, failed = consoles.check_page(
                PAGE, consoles.path_with(build / 'bin', BUILD / 'bin'),
                update='--update' in sys.argv)
            counts['passed'] += passed
            counts['failed'] += failed
            check_contract(build)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(counts['failed'] != 0)


main()
