# SPDX-License-Identifier: Apache-2.0
"""Exports read by the trainers' own dataset classes, through examples/exports.

    python3 tests/pipeline/trainers_test.py BUILD_DIR

The first 1,000 samples of each must be the first 1,000 sequences of the shards.
build/trainers has the trainers (.ci/deps.sh); where one of them is not there, or does
not start, its test is skipped and says so. export_test.py reads the forms in any case.

SLUICE_TRAINERS   another Python that has them
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from counted import Count

try:
    import numpy as np
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "tests" / "pipeline" / "trainer_read.py"
TRAINERS = {"megatron": "Megatron Core", "bin": "OLMo-core", "mds": "MosaicML Streaming"}
SAMPLES, SECONDS = 1000, 150
count = Count()
check = count.check
skip = count.skip
build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
PYTHON = os.environ.get("SLUICE_TRAINERS", str(ROOT / "build" / "trainers" / "bin" / "python"))
work = Path(tempfile.mkdtemp(prefix="sluice-trainers-"))


def tool(name):
    return str(build / "bin" / name)


def make():
    """Packed documents, as shards and in all forms: 1,100 sequences of 33 tokens."""
    way = (f"{build}/test/docs_sample 500 | {tool('sluice-tokenize')} | "
           f"{tool('sluice-pack')} --length 32 --extra-token -o {work}/packed.arrows")
    subprocess.run(["bash", "-o", "pipefail", "-c", way], check=True)
    for form in (None, *TRAINERS):
        more = ["--export", form, "--sequences", "400"] if form else []
        subprocess.run([tool("sluice-shard"), *more, f"{work}/packed.arrows", "-o",
                        f"{work}/{form or 'shards'}"], check=True)


def shards():
    """All tokens, by the manifest's offsets."""
    folder = work / "shards"
    m = json.loads((folder / "manifest.json").read_text())
    return np.concatenate([
        np.memmap(folder / s["file"], m["dtype"], "r", b["tokens"], (b["rows"], m["length"]))
        for s in m["shards"] for b in s["batches"]])


def read(form, due):
    name, out = TRAINERS[form], work / f"read-{form}"
    out.mkdir()
    env = {**os.environ, "TMPDIR": str(out), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run([PYTHON, READER, form, work / form, str(SAMPLES), out], env=env,
                              capture_output=True, timeout=SECONDS, start_new_session=True)
    except FileNotFoundError:
        return skip(name, f"no {PYTHON}")
    except subprocess.TimeoutExpired:
        return check(name, False, f"not done after {SECONDS} s")
    text = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode == 77:
        return skip(name, text.strip()[-300:])
    check(f"{name} reads", done.returncode == 0, text)
    if done.returncode == 0:
        rows = np.load(out / "samples.npy")
        check(f"{name}: {SAMPLES} samples", rows.shape == (SAMPLES, due.shape[1]), rows.shape)
        check(f"{name}: the order of the shards", np.array_equal(rows, due[:SAMPLES]))


def main():
    for path in (tool("sluice-shard"), tool("sluice-pack"), build / "test" / "docs_sample"):
        if not os.path.exists(path):
            print(f"skipped: not built: {path}")
            return 77
    make()
    due = shards()
    check("enough sequences", len(due) > SAMPLES, len(due))
    for form in TRAINERS:
        read(form, due)
    for path in sorted((ROOT / "examples" / "exports").glob("*.py")):
        check(f"{path.name} has at most 60 lines", len(path.read_text().splitlines()) <= 60)
    return count.finish()


try:
    sys.exit(main())
finally:
    shutil.rmtree(work, ignore_errors=True)
