#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Move batches of keys: batches.py SIZE LIST < KEYS > KEYS

LIST holds the numbers of the batches, from 0, in the order in which they are to be read;
each must stand there once. A line of KEYS is {"id": "..."}, SIZE of them are a batch. What
goes out can be read by sluice-import, which wants a text.
"""
import json
import sys


def main():
    size = int(sys.argv[1])
    with open(sys.argv[2], encoding='ascii') as f:
        order = [int(word) for word in f.read().split()]
    keys = [json.loads(line)['id'] for line in sys.stdin]
    batches = [keys[i:i + size] for i in range(0, len(keys), size)]
    if sorted(order) != list(range(len(batches))):
        sys.exit(f'batches.py: {sys.argv[2]} must have each number from 0 to '
                 f'{len(batches) - 1} once')
    for number in order:
        for key in batches[number]:
            print(json.dumps({'id': key, 'text': ''}))


main()
