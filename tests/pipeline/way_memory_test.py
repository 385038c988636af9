#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# alone: yes
"""Memory of the streaming tools does not grow with the input: the peak on 300 MB
is no more than 8 MB and a tenth above that on 30 MB.

usage: way_memory_test.py BUILD_DIR
"""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from memory_bench import Feed, peak, tools  # noqa: E402

SMALL, LARGE = 30 * 10**6, 300 * 10**6
SLACK_BYTES = 8 << 20


def main():
    build = Path(sys.argv[1]).resolve()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        for name, kind, command in tools(build, work):
            low, n_low = peak(Feed(build, work, SMALL), kind, command)
            high, n_high = peak(Feed(build, work, LARGE), kind, command)
            ok = high <= 1.1 * low + SLACK_BYTES and n_high > 5 * n_low
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"FAIL {name}: {low / 1e6:.1f} MB on {n_low / 1e6:.0f} MB of input, "
                      f"{high / 1e6:.1f} MB on {n_high / 1e6:.0f} MB")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
