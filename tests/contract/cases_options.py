# SPDX-License-Identifier: Apache-2.0
"""Cases: options, help, and what is made from the option table."""
import os
import re
import shutil

from cases_streams import once
from harness import check, run, run_terminal


@once
def case_long_names(b):
    """Every option has a long name and a help text."""
    for o in b.tool.info['options']:
        check(re.fullmatch(r'[a-z0-9][a-z0-9-]*', o['name']), o)
        check(o['about'] and not o['about'].endswith('.'), o)
        check(o['value'] or o['type'] == 'bool', 'no name for the value', o)
    names = [o['name'] for o in b.tool.info['options']]
    check(len(set(names)) == len(names), 'a name twice', names)


@once
def case_every_boolean_has_no(b):
    """--no-X for every boolean."""
    for o in b.tool.info['options']:
        if o['type'] == 'bool' and o['name'] != 'version':
            r = run([b.tool.path, f'--no-{o["name"]}', '--version'])
            check(r.rc == 0 and r.out.startswith(b.tool.name.encode()), o['name'], r)
            r = run([b.tool.path, f'--no-{o["name"]}=x', '--version'])
            check(r.rc == 2, f'--no-{o["name"]}=x is accepted')


@once
def case_last_one_wins(b):
    """The last one wins."""
    r = run([b.tool.path, '--help', '--no-help', '--version'])
    check(r.rc == 0 and r.out.startswith(b.tool.name.encode()), r)
    b.need(b.tool.has('output'), 'no -o')
    one, two = b.path(), b.path()
    b.good('-o', one, '-o', two)
    check(not os.path.exists(one) and os.path.exists(two), 'the first -o wins')


@once
def case_double_dash(b):
    """-- ends options."""
    b.need(b.tool.reads, 'reads nothing')
    r = b.run('--', '--version', stdin=b'')
    check(r.rc not in (0, 2) and '--version' in r.err, 'exit', r.rc, r.err)
    named = ['--source', 'x'] if b.tool.has('source') else []
    check(b.good(*named, '--', b.file(b.small), stdin=b'') or b.tool.folder_out, 'no output')


def case_order_never_matters(b):
    """Options and operands come in any order."""
    b.need(b.tool.reads and b.tool.has('output') and not b.tool.folder_out, 'no -o FILE')
    path, one, two = b.file(b.small), b.path(), b.path()
    b.good('-o', one, path, stdin=b'')
    out = run([b.tool.path, path, '-o', two] + b.tool.args(b.T), b'')
    check(out.rc == 0, out.err)
    with open(one, 'rb') as x, open(two, 'rb') as y:
        check(x.read() == y.read(), 'the order changes the output')


@once
def case_spellings(b):
    """--name VALUE and --name=VALUE, -xVALUE and -x VALUE, -ab for -a -b."""
    check(b.good('-qv') == b.good('-q', '-v'), '-qv')
    if b.tool.has('threads'):
        check(b.good('-T1') == b.good('-T', '1') == b.good('--threads=1')
              == b.good('--threads', '1'), 'spellings of -T differ')
    check(run([b.tool.path, '--version=1']).rc == 2, '--version=1 is accepted')


@once
def case_sizes(b):
    """Sizes take K M G."""
    sizes = [o['name'] for o in b.tool.options.values() if o['type'] == 'size']
    b.need(sizes, 'no size')
    for name in sizes:
        for value in ('64M', '65536K', '67108864'):
            r = b.run(f'--{name}', value)
            check(r.rc == 0, f'--{name} {value}:', r.err)
        for value in ('64X', '-1', '1.5M', '64MM', '', ' 1', '1 ', '0x10', '99999999999999999999'):
            r = b.run(f'--{name}', value)
            check(r.rc == 2 and name in r.err, f'--{name} "{value}": exit', r.rc, r.err)


@once
def case_strict_numbers(b):
    """Numbers are parsed strictly."""
    for o in b.tool.options.values():
        if o['type'] in ('uint', 'real'):
            bad = ['x', '', '-', '1x', '1,5', ' 1', '0x10', '1e999', 'nan']
            if o['type'] == 'uint':
                bad += ['-1', '1.5', '+1', '18446744073709551616']
            for value in bad:
                r = b.run(f'--{o["name"]}={value}')
                check(r.rc == 2 and o['name'] in r.err, f'--{o["name"]}={value}: exit', r.rc, r.err)
        if o['type'] == 'choice':
            r = b.run(f'--{o["name"]}=nonsense')
            check(r.rc == 2 and o['value'].split('|')[0] in r.err, o['name'], r.rc, r.err)


@once
def case_threads_option(b):
    """-T0 is the CPUs that this process may use; the limits are told."""
    b.need_option('threads')
    check(b.good('-T0') == b.good('-T1'), '-T0 differs')
    check(b.run('-T1000000').rc == 2, '-T1000000 is accepted')


@once
def case_unknown_option(b):
    """Unknown option: name it, suggest the nearest, exit 2."""
    for name in [n for n in b.tool.options if len(n) > 4]:
        wrong = name[:2] + name[3:]
        if wrong in b.tool.options:
            continue
        r = run([b.tool.path, f'--{wrong}'])
        check(r.rc == 2, 'exit', r.rc, r.err)
        check(f'--{wrong}' in r.err and 'did you mean --' in r.err, f'--{wrong}:', r.err)
    r = run([b.tool.path, '-~'])
    check(r.rc == 2 and '-~' in r.err, r)
    check('--help' in r.err, 'no hint at --help:', r.err)


@once
def case_value_missing(b):
    """An option without its value is named."""
    for o in b.tool.info['options']:
        if o['type'] != 'bool' and o['name'] != 'compress':
            r = run([b.tool.path, f'--{o["name"]}'])
            check(r.rc == 2 and o['name'] in r.err, o['name'], r)


@once
def case_short_help(b):
    """-h fits one screen."""
    r = run([b.tool.path, '-h'])
    lines = r.out.decode().split('\n')
    check(r.rc == 0 and not r.err, r)
    check(6 <= len(lines) <= 60, len(lines), 'lines')
    check(max(map(len, lines)) <= 100, 'a line of', max(map(len, lines)))
    check(lines[0].startswith(b.tool.name), 'the first line:', lines[0])
    check('usage:' in r.out.decode(), 'no usage')


@once
def case_full_help(b):
    """--help: one sentence, usage, two examples, defaults in brackets, exit codes."""
    r = run([b.tool.path, '--help'])
    text = r.out.decode()
    check(r.rc == 0 and not r.err, r)
    check(b.tool.info['about'] in text and 'usage:' in text.lower(), 'no sentence or no usage')
    examples = [x for x in b.tool.info['examples'].split('\n') if x.strip()]
    check(len(examples) >= 2 and all(x.strip() in text for x in examples), 'no two examples')
    check('Exit codes' in text, 'no exit codes')
    flat = re.sub(r'\s+', ' ', text)
    for o in b.tool.info['options']:
        check(f'--{o["name"]}' in text, f'--{o["name"]} is not there')
        check(not o['default'] or f'[{o["default"]}]' in flat, o['name'], 'has no default there')
    check(max(map(len, text.split('\n'))) <= 100, 'a line over 100 columns')
    for code in '0123':
        check(re.search(rf'\b{code}\b', text[text.index('Exit codes'):]), f'no exit code {code}')


@once
def case_version(b):
    """-V prints name and version on one line."""
    r = run([b.tool.path, '-V'])
    check(r.rc == 0 and r.out.decode() == f'{b.tool.name} {b.tool.info["version"]}\n', r)


@once
def case_man(b):
    """The man page is made from the table and is valid roff."""
    r = run([b.tool.path, '--man'])
    check(r.rc == 0 and b'.TH' in r.out, r.rc, r.out[:100])
    for o in b.tool.info['options']:
        check(o['name'].replace('-', '\\-').encode() in r.out or o['name'].encode() in r.out,
              o['name'], 'is not in the man page')
    b.need(shutil.which('groff'), 'no groff')
    page = run(['groff', '-man', '-Tutf8', '-ww', '-Kutf8'], r.out)
    check(page.rc == 0 and page.err == '', 'groff:', page.err)
    text = ' '.join(page.out.decode().split())
    check(b.tool.info['about'][:20] in text, 'the page does not say what it is')


@once
def case_completion(b):
    """Completion scripts come from the table and parse."""
    for shell, command in (('bash', ['bash', '-n']), ('zsh', ['zsh', '-n']),
                           ('fish', ['fish', '--no-execute'])):
        r = run([b.tool.path, '--completion', shell])
        check(r.rc == 0 and b'output' in r.out or not b.tool.has('output'), shell, r)
        if shutil.which(command[0]):
            p = run(command + [b.file(r.out)])
            check(p.rc == 0, shell, 'does not parse:', p.err)
    check(run([b.tool.path, '--completion', 'csh']).rc == 2, 'csh is accepted')


@once
def case_help_to_full_disk(b):
    """A late write error is an error, of the help too."""
    with open('/dev/full', 'wb') as full:
        r = run([b.tool.path, '--help'], stdout=full)
    check(r.rc == 3 and r.err, r)


@once
def case_colour(b):
    """No colour where nothing is coloured: plain text on a terminal as in a pipe."""
    _, shown = run_terminal([b.tool.path, '-h'], ('out',))
    check(b'\033' not in shown, 'escape codes in -h')


@once
def case_seed_only_where_seeded(b):
    """--seed is there only where something is random."""
    r = b.run('--seed', '1')
    check(r.rc == (0 if b.tool.has('seed') else 2), 'exit', r.rc, r.err)


@once
def case_operands_of_plain(b):
    """What is not understood is a usage error, never ignored."""
    b.need(not b.tool.reads, 'operands are inputs')
    r = b.run('no-such-thing-at-all')
    check(r.rc == 2 and 'no-such-thing-at-all' in r.err, r)
