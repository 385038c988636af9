#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A curriculum that is killed at random moments and begun again comes to the same shards.

usage: curriculum_resume_test.py BUILD_DIR

The plan has three sources, pools, a moving mixture, epochs and replay; its memory is so
small that everything spills. SLUICE_LONG_TESTS=1 kills ten times as often.
"""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from counted import Count

BUILD = Path(sys.argv[1]).resolve()
BIN = BUILD / "bin"
SIZES = {"web": 9000, "books": 4000, "old": 2500}
LENGTH = 512
PLAN = """seed: 11
sources:
  web:   {path: web.arrows}
  books: {path: books.arrows, epochs: 2, order: {by: id desc}}
  old:   {path: old.arrows, when_empty: repeat}
budget: {amount: 16000, in: sequences}
stages:
  - name: warm-up
    until: 25%
    order: {by: id, pacing: root, start: 10%, background: 20%}
    mixture: {web: 0.6, books: 0.3, old: 0.1}
  - name: main
    until: 100%
    mixture: {from: {web: 0.5, books: 0.2, old: 0.3}, to: {web: 0.3, books: 0.5, old: 0.2}}
    replay: {of: seen, share: 5%}
"""
N_KILLS = 80 if os.environ.get("SLUICE_LONG_TESTS") else 8

count = Count()
check = count.check


def packed(source, rows):
    """A stream of so many sequences, of a document each."""
    rng = random.Random(source)
    lines = b"".join(b'{"id":"%s %d","text":"%s"}\n' % (
        source.encode(), i, rng.randbytes(LENGTH // 2).hex().encode()) for i in range(rows))
    for tool, *args in (("import", "-"), ("tokenize",), ("pack", "--length", str(LENGTH + 1))):
        lines = subprocess.run([BIN / f"sluice-{tool}", *args], input=lines,
                               stdout=subprocess.PIPE, check=True).stdout
    return lines


def folder_digest(folder):
    """Of all files, with their names."""
    h = hashlib.sha256()
    for p in sorted(p for p in folder.iterdir() if p.name != ".begun.json"):
        h.update(p.name.encode() + b"\0" + p.read_bytes())
    return h.hexdigest()


def begin(work, folder):
    """curriculum | shard, both in one process group."""
    script = (f'"{BIN}/sluice-curriculum" --mem 24M --tmpdir "{work}/tmp" "{work}/plan.yaml"'
              f' | "{BIN}/sluice-shard" --sequences 1000 -o "{folder}"')
    return subprocess.Popen(["bash", "-o", "pipefail", "-c", script], start_new_session=True,
                            stderr=subprocess.DEVNULL)


def kill_after(work, folder, seconds):
    """Is it killed before its end?"""
    p = begin(work, folder)
    try:
        p.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        return True


def test_kills(work):
    whole = work / "whole"
    started = time.monotonic()
    check("the whole run", begin(work, whole).wait() == 0)
    takes = time.monotonic() - started
    want = folder_digest(whole)
    rng = random.Random(5)
    n_killed = 0
    for k in range(N_KILLS):
        folder, kills = work / f"again-{k}", 0
        while kills < 3 and kill_after(work, folder, rng.uniform(0.02, 1) * takes):
            kills += 1
            check("nothing left in tmpdir", not list((work / "tmp").iterdir()), k)
            if (folder / "manifest.json").exists():  # killed behind its end: it is whole
                break
        for _ in range(20):  # the machine is faster than it was: kill earlier from now on
            if kills:
                break
            takes *= 0.7
            shutil.rmtree(folder)
            kills += kill_after(work, folder, rng.uniform(0.02, 1) * takes)
        n_killed += kills
        if not (folder / "manifest.json").exists():
            check("begun again", begin(work, folder).wait() == 0, k)
        check("the same shards", folder_digest(folder) == want, k)
    check("runs were killed", n_killed >= N_KILLS, n_killed)
    digest = json.loads((whole / "manifest.json").read_text())["digest"]
    for more in (["--mem", "1G"], ["-T4"], ["-T8", "--mem", "64M"]):
        rows = subprocess.run([BIN / "sluice-curriculum", *more, work / "plan.yaml"],
                              stdout=subprocess.PIPE, check=True).stdout
        told = subprocess.run([BIN / "sluice-verify"], input=rows, stdout=subprocess.PIPE,
                              check=True).stdout.decode()
        check(f"the same digest with {more}", digest in told, told)


def main():
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "tmp").mkdir()
        (work / "plan.yaml").write_text(PLAN)
        for source, rows in SIZES.items():
            (work / f"{source}.arrows").write_bytes(packed(source, rows))
        test_kills(work)
    sys.exit(count.finish())


main()
