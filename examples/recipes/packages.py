#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the installed packages as questions and answers, a document a line of JSON."""
import json
import re
import subprocess


def main():
    form = '${Package}\t${Section}\t${Description}\x1e'
    found = subprocess.run(['dpkg-query', '-W', '-f', form], check=True, capture_output=True,
                           text=True).stdout.split('\x1e')
    for record in sorted(set(found) - {''}):
        name, section, description = record.split('\t', 2)
        short, _, more = description.partition('\n')
        # Lines of the long description begin with a blank, empty ones are a dot.
        more = re.sub(r'(?m)^ ', '', more)
        more = re.sub(r'(?m)^\.$', '', more)
        text = (f'Question: What is the package {name} of Debian?\n'
                f'Answer: {short}. It is in the section {section}.\n{more}')
        print(json.dumps({'id': name, 'text': text}, ensure_ascii=False))


main()
