#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print what an order came to, from the manifest of its record: summary.py RECORD..."""
import json
import os
import sys


def main():
    for folder in sys.argv[1:]:
        with open(os.path.join(folder, 'manifest.json'), encoding='utf-8') as f:
            record = json.load(f)
        print(f'{os.path.basename(folder)}: {record["sequences"]:,} sequences of '
              f'{record["length"]} tokens, order {record["order"]["digest"]}')
        for stage in record['stages']:
            shares = ', '.join(f'{name} {100 * s["share"]:.1f} %'
                               for name, s in stage['shares'].items())
            print(f'  {stage["name"]:12} from {stage["begin"]:6,} to {stage["end"]:6,}: {shares}')


main()
