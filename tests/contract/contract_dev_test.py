#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
# build: dev
"""usage: contract_dev_test.py BUILD

The cases of contract_test.py that reach the corners of memory, on the tools with
ASan and UBSan.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contract_test  # noqa: E402

CASES = ('stdin_to_stdout', 'truncated', 'flipped_bit', 'foreign', 'no_rows', 'several_inputs',
         'files_from', 'inputs_that_differ', 'upstream_failed', 'existing_output', 'full_disk',
         'rejects', 'lineage', 'strict_numbers', 'full_help', 'man', 'completion')

if __name__ == '__main__':
    sys.argv[2:] = CASES
    contract_test.main()
