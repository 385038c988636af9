#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print what each stage did, from the reports that the stages wrote."""
import glob
import json
import os
import sys


def rows(folder):
    for path in sorted(glob.glob(os.path.join(folder, "[0-9]*-*.json"))):
        with open(path, encoding="utf-8") as f:
            report = json.load(f)
        tally = report["tally"]
        left = {**tally.get("reasons", {}), **tally.get("counts", {})}
        notes = ", ".join(f"{k} {v:,}" for k, v in left.items() if v)
        yield (report["tool"], f"{tally['in']['rows']:,}", f"{tally['out']['rows']:,}",
               f"{tally['rejected']['rows']:,}", f"{report['cpu_seconds']:.2f}",
               f"{report['peak_memory_bytes'] / 1e6:.0f}", notes)


def main():
    head = ("stage", "in", "out", "rejected", "CPU s", "MB", "")
    table = [head, *rows(sys.argv[1])]
    width = [max(len(r[i]) for r in table) for i in range(len(head))]
    for r in table:
        cells = [r[0].ljust(width[0]), *(r[i].rjust(width[i]) for i in range(1, 6)), r[6]]
        print("  ".join(cells).rstrip())


main()
