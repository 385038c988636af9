#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the experiment's corpus, OUT/corpus: documents of four genres from Debian packages.

    corpus.py OUT

The packages are downloaded by apt-get and unpacked by hand, since many machines leave
documentation out when they install. A genre is a file GENRE.jsonl of documents of up to
2 KiB, cut at blank lines, so that length tells the genres apart as little as it can.
packages.json says what was used, with versions. All of it is kept from then on.
"""
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

MAX_BYTES = 2048    # of a document; a longer paragraph is one of its own
MIN_BYTES = 200     # less is not worth a document

PACKAGES = {
    'guide': ['debian-policy', 'debian-reference-en', 'developers-reference', 'debian-faq',
              'maint-guide'],
    'manual': ['manpages', 'manpages-dev'],
    'dictionary': ['dict-foldoc'],
    'fortune': ['fortunes', 'fortunes-min'],
}
GUIDES = ['policy.txt.gz', 'debian-reference.en.txt.gz', 'developers-reference.txt.gz',
          'debian-faq.en.txt.gz', 'maint-guide.en.txt.gz']    # of each package, the whole text


def read(path):
    opened = gzip.open if path.endswith(('.gz', '.dz')) else open
    with opened(path, 'rb') as f:
        return f.read().decode('utf-8', 'replace')


def find(folder, pattern):
    """Files below a folder, symbolic links left out, sorted by their names."""
    found = glob.glob(os.path.join(folder, '**', pattern), recursive=True)
    return sorted(p for p in found if os.path.isfile(p) and not os.path.islink(p))


# ---- one reader for each genre: (name, blocks of text that belong together) ----

def guides(folder):
    path = [p for p in find(folder, '*.txt.gz') if os.path.basename(p) in GUIDES][0]
    yield os.path.basename(path), paragraphs(read(path))


def manuals(folder):
    for path in find(os.path.join(folder, 'usr/share/man'), '*.gz'):
        text = read(path)
        if re.search(r'^\.TH ', text, re.M):
            yield os.path.basename(path)[:-3], paragraphs(plain_of_roff(text))


def dictionary(folder):
    path, = find(folder, 'foldoc.dict.dz')
    # An entry begins at the margin, all else is indented. The first ones are about
    # the dictionary itself.
    entries = re.split(r'\n(?=\S)', read(path))
    yield 'foldoc', [e.strip() for e in entries if '00-database' not in e]


def fortunes(folder):
    for path in find(os.path.join(folder, 'usr/share/games/fortunes'), '*'):
        if '.' not in os.path.basename(path):
            yield os.path.basename(path), [q.strip('\n') for q in
                                           re.split(r'^%\n', read(path), flags=re.M)]


READERS = {'guide': guides, 'manual': manuals, 'dictionary': dictionary, 'fortune': fortunes}


def paragraphs(text):
    return [p.strip('\n') for p in re.split(r'\n\s*\n', text)]


FONTS = ('BI', 'BR', 'IB', 'IR', 'RB', 'RI')
ESCAPES = {'aq': "'", 'dq': '"', 'em': '--', 'en': '-', 'ti': '~', 'ha': '^', 'bu': '*',
           'rs': '\\', 'lq': '"', 'rq': '"', 'oq': "'", 'cq': "'", 'bv': '|', 'mu': 'x'}


def plain_of_roff(text):
    """The text of a manual page, near enough: headings, words and examples, no fonts."""
    out = []
    for line in re.sub(r'\\\n', '', text).split('\n'):
        m = re.match(r"[.'] *([A-Za-z]+|\\\")? *(.*)", line)
        if not m:
            out.append(unescape(line))
            continue
        name, rest = m[1] or '', m[2]
        words = [w.strip('"') for w in re.findall(r'"(?:[^"]|"")*"?|[^ "]+', rest)]
        if name in FONTS:
            out.append(unescape(''.join(words)))
        elif name in ('B', 'I', 'SM', 'SB', 'IP', 'TQ'):
            out.append(unescape(' '.join(words[:1] if name == 'IP' else words)))
        elif name in ('SH', 'SS'):
            out += ['', unescape(' '.join(words)), '']
        elif name in ('PP', 'P', 'LP', 'TP'):
            out.append('')
    return '\n'.join(out)


def unescape(s):
    s = re.sub(r'\\".*', '', s)
    s = re.sub(r'\\f(\[\w*\]|\(..|.)', '', s)
    s = re.sub(r'\\s[-+]?\d+', '', s)
    s = re.sub(r'\\\[(\w+)\]|\\\((..)', lambda m: ESCAPES.get(m[1] or m[2], ''), s)
    return re.sub(r'\\(.)', lambda m: {'e': '\\', '-': '-', '~': ' ', ' ': ' ',
                                       '&': '', '%': '', '/': '', ',': '', '|': '',
                                       '^': ''}.get(m[1], m[1]), s)


def cut(blocks):
    """Neighbouring blocks joined, up to MAX_BYTES."""
    now, size = [], 0
    for block in blocks:
        n = len(block.encode()) + 2
        if now and size + n > MAX_BYTES:
            yield '\n\n'.join(now)
            now, size = [], 0
        if block.strip():
            now.append(block)
            size += n
    if now:
        yield '\n\n'.join(now)


def write_genre(genre, folders, path):
    n = 0
    with open(path + '.tmp', 'w', encoding='utf-8') as f:
        for folder in folders:
            for name, blocks in READERS[genre](folder):
                for i, text in enumerate(cut(blocks)):
                    if MIN_BYTES <= len(text.encode()) <= 2 * MAX_BYTES:
                        json.dump({'id': f'{genre}/{name}/{i}', 'source': genre,
                                   'text': text + '\n'}, f)
                        f.write('\n')
                        n += 1
    os.rename(path + '.tmp', path)
    return n


def download(names, folder):
    """Packages unpacked below a folder; their versions."""
    get = ['apt-get', '-o', 'APT::Sandbox::User=root', '-q']
    for again in (False, True):
        if again:   # the lists of packages are old, or not there
            subprocess.run([*get, 'update'], stdout=subprocess.DEVNULL, check=False)
        done = subprocess.run([*get, 'download', *names], cwd=folder, capture_output=True,
                              text=True)
        if done.returncode == 0:
            break
    else:
        sys.exit(f'corpus.py: cannot download the packages: {done.stderr.strip()}')
    versions = {}
    for deb in sorted(glob.glob(os.path.join(folder, '*.deb'))):
        show = ['dpkg-deb', '--show', '--showformat', '${Package} ${Version}', deb]
        name, version = subprocess.run(show, check=True, capture_output=True,
                                       text=True).stdout.split()
        subprocess.run(['dpkg-deb', '-x', deb, os.path.join(folder, name)], check=True)
        versions[name] = version
    return versions


def main():
    out = os.path.join(sys.argv[1], 'corpus')
    record = os.path.join(out, 'packages.json')
    if os.path.exists(record):
        return
    work = os.path.join(out, 'unpacked')
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(work)
    versions = download([p for names in PACKAGES.values() for p in names], work)
    genres = {}
    for genre, names in PACKAGES.items():
        path = os.path.join(out, genre + '.jsonl')
        n = write_genre(genre, [os.path.join(work, name) for name in names], path)
        genres[genre] = {'packages': {name: versions[name] for name in names}, 'documents': n,
                         'bytes': os.path.getsize(path)}
    shutil.rmtree(work)
    with open(record + '.tmp', 'w', encoding='utf-8') as f:
        json.dump(genres, f, indent=1)
    os.rename(record + '.tmp', record)


if __name__ == '__main__':
    main()
