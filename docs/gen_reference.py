#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference from what the built tools say of themselves
(`NAME --describe`) and from schemas/*.columns. The pages are committed;
tests/docs/reference_test.py fails where they differ from the code.

usage: docs/gen_reference.py BIN_FOLDER [--check]

--check writes nothing: it prints the pages that differ, and exits with 1.
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / 'docs' / 'reference'
NOTE = '<!-- Made by docs/gen_reference.py. Change the tool, then run the target docs. -->\n'
GROUPS = (('', 'all tools'), ('ingest', 'from crawls and files'), ('text', 'text'),
          ('choose', 'choose'), ('tokens', 'tokens'), ('order', 'order'), ('shards', 'shards'),
          ('look', 'look, join, check'))
FLOWS = {'source': 'files in, rows out', 'map': 'row by row, on any worker',
         'scan': 'rows in order, with state', 'collect': 'reads all rows, then writes',
         'merge': 'several inputs at once', 'sink': 'rows in, files or text out',
         'plain': 'no stream of its own'}


def escape(text):
    for c in '\\|<*`':
        text = text.replace(c, '\\' + c)
    return text


def code(text):
    return '`' + text.replace('|', '\\|') + '`' if text else ''


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '| ' + ' | '.join('---' for _ in head) + ' |']
    return '\n'.join(lines + ['| ' + ' | '.join(r) + ' |' for r in rows]) + '\n'


def sentence(about):
    return about[:1].upper() + about[1:] + '.'


def read_columns(path):
    """(about the kind, comment, columns) of a .columns file."""
    columns = []
    for line in path.read_text(encoding='utf-8').splitlines():
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        if words[0] == 'kind':
            name, about = words[1], ' '.join(words[2:])
        else:
            columns.append((*words[1:5], ' '.join(words[5:])))
    return name, about, columns


def describe(bin_folder):
    tools = []
    for source in sorted((ROOT / 'tools').glob('sluice*.c')):
        p = subprocess.run([bin_folder / source.stem, '--describe'], capture_output=True,
                           check=True)
        tools.append(json.loads(p.stdout))
    return tools


def exit_codes(bin_folder):
    p = subprocess.run([bin_folder / 'sluice', '--help'], capture_output=True, check=True)
    text = p.stdout.decode().split('\nExit codes: ')[1]
    return [e.split(' ', 1) for e in ' '.join(text.split()).rstrip('.').split('; ')]


def option_name(o):
    value = '' if not o['value'] else ' ' + o['value']
    return (f"-{o['letter']}, " if o['letter'] else '') + '--' + o['name'] + value


def kind_links(kinds, text):
    if text in ('', '*'):
        return {'': 'none', '*': 'any kind'}[text]
    return ', '.join(f'[{k}](kind-{k}.md)' if k in kinds else k for k in text.split(','))


def flow_rows(t, kinds):
    yield 'flow', f"{t['flow']}: {FLOWS[t['flow']]}"
    reads = kind_links(kinds, t['in'])
    if t['flow'] == 'source':
        reads = 'files'
    elif not t['in']:
        reads = 'files or standard input' if t['reads_files'] else 'nothing'
    yield 'reads', reads
    if t['needs']:
        # "a|b,c": a or b, and c
        yield 'needs the columns', ' and '.join(
            ' or '.join(code(c) for c in one.split('|')) for one in t['needs'].split(','))
    writes = 'the kind that it reads' if t['out'] == '*' else kind_links(kinds, t['out'])
    if t['folder_out']:
        writes = 'a folder'
    elif t['text_out']:
        writes = 'text'
    yield 'writes', writes
    if t['removes']:
        yield 'removes the columns', ', '.join(code(c) for c in t['removes'].split(','))


def words_section(title, words):
    return f'\n## {title}\n\n' + ', '.join(code(w) for w in words) + '\n' if words else ''


def tool_page(t, kinds):
    page = NOTE + f"# {t['name']}\n\n{sentence(escape(t['about']))}\n\n"
    page += f"```sh\n{t['name']} [OPTION...] {t['operands']}\n```\n\n"
    page += table(('', ''), flow_rows(t, kinds))
    if t['notes']:
        page += '\n' + escape(t['notes']) + '\n'
    page += f"\n## Examples\n\n```sh\n{t['examples']}\n```\n"
    page += '\n## Options\n\nThose marked *result* can change what comes out: they stand in the ' \
            'lineage. Every switch has a `--no-` form. Sizes take K, M, G, T.\n\n'
    page += table(('option', 'default', '', 'meaning'),
                  ((code(option_name(o)), code(o['default']), '*result*' if o['result'] else '',
                    escape(o['about'])) for o in t['options']))
    if t['adds']:
        page += '\n## Columns that it adds\n\n'
        page += table(('column', 'type', 'meaning'),
                      ((code(a['name']), code(a['type']), escape(a['about'])) for a in t['adds']))
    page += words_section('Reasons of rejection', t['reasons'])
    page += words_section('Further counts', t['counts'])
    return page + '\nThe [exit codes](index.md#exit-codes) are those of all tools.\n'


def kind_page(name, about, columns, tools):
    def names(picked):
        picked = [f"[{t['name']}]({t['name']}.md)" for t in picked]
        return ', '.join(picked) or 'none yet'

    def maker(tool):
        return f'[{tool}]({tool}.md)' if tool in {t['name'] for t in tools} else f'{tool} (to come)'

    writes = names([t for t in tools if t['out'] == name])
    if name == 'rejects':
        writes = names([t for t in tools if t['flow'] == 'source']) + ', by `--rejects`'
    page = NOTE + f'# The kind {name}\n\n{sentence(escape(about))}\n\n'
    page += table(('', ''), [('written by', writes),
                             ('read by', names([t for t in tools if name in t['in'].split(',')]))])
    page += '\nTools that read any kind read this one too. Columns that are not listed here ' \
            'are allowed, and passed on. A type that ends in `?` may be null.\n\n## Columns\n\n'
    for need, title in (('must', 'Always there:'), ('usual', 'Usual:')):
        rows = [(code(c[0]), code(c[1]), maker(c[3]), escape(c[4]))
                for c in columns if c[2] == need]
        if rows:
            page += f'{title}\n\n' + table(('column', 'type', 'made by', 'meaning'), rows) + '\n'
    return page + f'Source: [schemas/{name}.columns](../../schemas/{name}.columns).\n'


def index_page(tools, kinds, codes):
    page = NOTE + '# Reference\n\nEvery tool and every kind of stream, as the programs ' \
                  'themselves describe them.\n\n## Tools\n\n'
    known = {g for g, _ in GROUPS}
    for group, title in (*GROUPS, (None, 'others')):
        some = [t for t in tools if (t['group'] if t['group'] in known else None) == group]
        if some:
            page += f'**{title}**\n\n' + ''.join(
                f"- [{t['name']}]({t['name']}.md): {escape(t['about'])}\n" for t in some) + '\n'
    page += '## Kinds of streams\n\n' + ''.join(
        f'- [{name}](kind-{name}.md): {escape(about)}\n' for name, about, _ in kinds)
    page += '\n## Exit codes\n\n' + table(('code', 'meaning'), ((c, escape(m)) for c, m in codes))
    page += '\n## Documents in JSON\n\n'
    for path in sorted((ROOT / 'schemas').glob('*.schema.json')):
        title = json.loads(path.read_text(encoding='utf-8'))['title']
        page += f'- [{path.name}](../../schemas/{path.name}): {escape(title)}\n'
    return page


def make_pages(bin_folder):
    tools = describe(bin_folder)
    kinds = [read_columns(p) for p in sorted((ROOT / 'schemas').glob('*.columns'))]
    pages = {f"{t['name']}.md": tool_page(t, {k for k, _, _ in kinds}) for t in tools}
    pages.update({f'kind-{k[0]}.md': kind_page(*k, tools) for k in kinds})
    pages['index.md'] = index_page(tools, kinds, exit_codes(bin_folder))
    return pages


def main():
    args = [a for a in sys.argv[1:] if a != '--check']
    if len(args) != 1:
        sys.exit(__doc__)
    pages = make_pages(Path(args[0]))
    have = {p.name: p.read_text(encoding='utf-8') for p in OUT.glob('*.md')}
    differ = sorted(n for n in pages.keys() | have.keys() if pages.get(n) != have.get(n))
    if '--check' in sys.argv:
        for name in differ:
            print(f'docs/reference/{name} is not what the tools say')
        sys.exit(bool(differ))
    OUT.mkdir(parents=True, exist_ok=True)
    for name in differ:
        if name in pages:
            (OUT / name).write_text(pages[name], encoding='utf-8')
        else:
            (OUT / name).unlink()
        print(f'docs/reference/{name}')


main()
