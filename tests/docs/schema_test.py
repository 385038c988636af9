#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the tools write as JSON is what schemas/*.schema.json say: reports,
trailers, lineages and the manifest of a folder of shards.

usage: schema_test.py BUILD_DIR
"""
import copy
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
except ImportError:
    print('\n*** SKIPPED: no jsonschema in this Python, so no JSON was held against its schema\n')
    print('skipped: no jsonschema')
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.argv[1]).resolve() / 'bin'
counts = {'passed': 0, 'failed': 0}
SCHEMAS = {p.name.split('.')[0]: json.loads(p.read_text(encoding='utf-8'))
           for p in sorted((ROOT / 'schemas').glob('*.schema.json'))}
REGISTRY = Registry().with_resources(
    (f'{name}.schema.json', Resource.from_contents(s)) for name, s in SCHEMAS.items())


def check(ok, *what):
    counts['passed' if ok else 'failed'] += 1
    if not ok:
        print('FAIL', *what)


def errors(kind, value):
    v = Draft202012Validator(SCHEMAS[kind], registry=REGISTRY)
    return [f'{e.json_path}: {e.message[:200]}' for e in v.iter_errors(value)]


def check_valid(kind, name, value):
    found = errors(kind, value)
    check(not found, f'{name} is no {kind}:', *found[:5])


def check_wrong(kind, name, value, change):
    value = copy.deepcopy(value)
    change(value)
    check(errors(kind, value), f'{kind}: {name} passes')


def run(folder, command):
    p = subprocess.run(['bash', '-c', 'set -o pipefail; ' + command], cwd=folder,
                       env={'PATH': f'{BIN}:/usr/bin:/bin'}, capture_output=True, text=True)
    check(p.returncode == 0, command, p.stderr)


def json_in(path, start):
    """The last JSON in a file that begins like that: a value of the stream's metadata."""
    data = path.read_bytes()
    at = [m.start() for m in re.finditer(start, data)][-1]
    return json.JSONDecoder().raw_decode(data[at:].decode('utf-8', 'replace'))[0]


def trailer_of(path):
    return json_in(path, rb'\{"rows":\d+,"batches"')


def schema_lineage_of(path):
    """The one of the schema message: it stands behind its length, not inside other JSON."""
    return json_in(path, rb'(?<=\0)\[\{"tool":')


def record(n, length=None):
    body = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>%d</title><p>' % n
    body += b'some words ' * 20 * n
    head = ('WARC/1.1\r\nWARC-Type: response\r\nWARC-Date: 2025-03-01T12:00:00Z\r\n'
            f'WARC-Record-ID: <urn:test:{n}>\r\nWARC-Target-URI: https://example.org/{n}\r\n'
            'Content-Type: application/http; msgtype=response\r\n'
            f'Content-Length: {length or len(body)}\r\n\r\n')
    return head.encode() + body + b'\r\n\r\n'


def make_all(folder):
    (folder / 'a.warc').write_bytes(record(1) + record(2, 99999) + record(3))
    (folder / 'b.warc').write_bytes(record(4) + record(5))
    run(folder, 'sluice-warc -q --rejects lost.arrows --report 1.json a.warc -o pages.arrows')
    run(folder, 'sluice-extract --max-doc 300 --rejects large.arrows --report 2.json pages.arrows '
                '-o docs.arrows')
    run(folder, 'sluice-warc b.warc | sluice-extract --max-doc 300 -o more.arrows')
    run(folder, 'sluice-warc b.warc | sluice-extract -o other.arrows')
    run(folder, 'sluice-cat --report 3.json docs.arrows more.arrows -o summed.arrows')
    run(folder, 'sluice-cat summed.arrows other.arrows -o joined.arrows')
    run(folder, 'sluice-tokenize --report 4.json joined.arrows -o tokens.arrows')
    run(folder, 'sluice-pack --length 32 --drop-last --rejects cut.arrows --report 5.json '
                'tokens.arrows -o packed.arrows')
    run(folder, 'sluice-shard --sequences 4 --report 6.json packed.arrows -o shards')
    run(folder, 'sluice-export --report 7.json packed.arrows -o packed.jsonl')
    run(folder, 'sluice-extract --max-doc 1 pages.arrows -o empty.arrows')


def test_outputs(folder):
    streams = sorted([*folder.glob('*.arrows'), *folder.glob('shards/*.arrows')])
    for path in streams:
        check_valid('trailer', path.name, trailer_of(path))
        if path.parent == folder:
            lineage = schema_lineage_of(path)
            check_valid('lineage', path.name, lineage)
            check('"tally"' not in json.dumps(lineage), path.name, 'has tallies in its schema')
    for path in sorted(folder.glob('*.json')):
        check_valid('report', path.name, json.loads(path.read_text()))
    manifest = json.loads((folder / 'shards/manifest.json').read_text())
    check_valid('manifest', 'manifest.json', manifest)
    check_valid('lineage', 'lineage of manifest.json', manifest['lineage'])
    check(len(streams) > 10, 'too few streams were made')


def test_that_it_has_seen(folder):
    """The keys that are rare are among what was checked."""
    text = json.dumps([trailer_of(p) for p in folder.glob('*.arrows')])
    for word in ('"inputs"', '"count": 2', '"port": "rejects"', '"law": "source"',
                 '"law": "tokens"', '"hist"', '"reasons"'):
        check(word in text, 'nothing has', word)


def test_wrong(folder):
    def drop(*keys):
        def change(v):
            for k in keys[:-1]:
                v = v[k]
            del v[keys[-1]]
        return change

    def put(value, *keys):
        def change(v):
            for k in keys[:-1]:
                v = v[k]
            v[keys[-1]] = value
        return change

    report = json.loads((folder / '5.json').read_text())
    trailer = trailer_of(folder / 'packed.arrows')
    for key in report:
        check_wrong('report', 'without ' + key, report, drop(key))
    for key in trailer:
        check_wrong('trailer', 'without ' + key, trailer, drop(key))
    check_wrong('report', 'rows as text', report, put('3', 'tally', 'in', 'rows'))
    check_wrong('report', 'another key', report, put(1, 'host'))
    check_wrong('report', 'tokens law without begun', report, drop('tally', 'begun'))
    check_wrong('trailer', 'a short digest', trailer, put('12', 'digest'))
    check_wrong('trailer', 'a time in the lineage', trailer, put(1, 'lineage', -1, 'seconds'))
    check_wrong('lineage', 'a half reason', trailer['lineage'],
                put(0.5, -1, 'tally', 'reasons', 'cut'))


def main():
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_all(folder)
        test_outputs(folder)
        test_that_it_has_seen(folder)
        test_wrong(folder)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(counts['failed'] != 0)


main()
