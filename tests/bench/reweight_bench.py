#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Losses joined to sequences, weighed and sampled, beside DuckDB on the same keys.

usage: reweight_bench.py [BUILD_DIR [THOUSANDS [TMPDIR]]]

THOUSANDS [1000] of sequences of 16 tokens, and a loss for each in another order, as JSON
lines and as an Arrow stream. sluice-reweight writes whole sequences to /dev/null and
hashes them; DuckDB (one thread) makes a table of id and weight in memory, in the order of the
data, by the same formula, and writes nothing: its input is the ids as an Arrow table. CPU
seconds are those of the whole process, of DuckDB's without imports and without making its
input. What is absent is said; nothing passes or fails.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

RIVAL = '''
import resource, sys, time
import duckdb, pyarrow as pa, pyarrow.ipc as ipc
data, losses, mem = sys.argv[1:]
db = duckdb.connect(config={'threads': 1, 'memory_limit': mem})
db.execute('set enable_progress_bar = false')
rows = ipc.open_stream(data).read_all()
ids = pa.table({'id': rows['id'].cast(pa.binary()), 'n': pa.array(range(len(rows)), pa.int64())})
del rows
wall, cpu = time.monotonic(), time.process_time()
if losses.endswith('.jsonl'):
    db.execute("create view l as select unhex(id) id, loss from read_json('%s', columns={"
               "id: 'varchar', loss: 'double'}, format='newline_delimited')" % losses)
else:
    table = ipc.open_stream(losses).read_all()
    l = pa.table({'id': table['id'].cast(pa.binary()), 'loss': table['loss']})
db.execute("""create table t as with j as (select n, ids.id, loss from ids join l using (id)),
  m as (select min(loss) lo, max(loss) hi from j),
  e as (select n, id, exp((least(((loss - lo) - (hi - loss)) / (hi - lo) + 1, 1) - 1) / 0.4) e
        from j, m)
  select n, id, e / (select avg(e) from e) weight from e order by n""")
print(time.monotonic() - wall, time.process_time() - cpu,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
'''


def say(name, wall, cpu, n, peak):
    print(f"{name:44} {wall:6.2f} s {cpu:6.2f} s CPU {n / wall / 1e6:6.2f} M/s "
          f"{peak / 1e6:6.0f} MB", flush=True)


def ours(name, n, folder, *args):
    report = os.path.join(folder, "report.json")
    args = [*map(str, args), "--report", report]
    begin = time.monotonic()
    pid = os.posix_spawnp(args[0], args, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {args}")
    wall = time.monotonic() - begin
    with open(report) as f:
        peak = json.load(f)["peak_memory_bytes"]
    say(name, wall, usage.ru_utime + usage.ru_stime, n, peak)


def rival(name, n, data, losses, mem):
    r = subprocess.run([sys.executable, "-c", RIVAL, data, losses, mem], capture_output=True,
                       text=True)
    if r.returncode:
        print(f"{name:44} {r.stderr.strip().splitlines()[-1]}")
        return
    wall, cpu, peak = map(float, r.stdout.split())
    say(name, wall, cpu, n, peak * 1024)


def make(build, tmp, n):
    import numpy as np
    import pyarrow as pa
    import pyarrow.ipc as ipc
    data = tmp / "data.arrows"
    with open(data, "wb") as f:
        subprocess.run([build / "test/sequences_sample", str(n), "16", "uint16", "8000"], stdout=f,
                       check=True)
    rng = np.random.default_rng(1)
    ids = ipc.open_stream(data).read_all()["id"].combine_chunks().take(
        pa.array(rng.permutation(n)))
    losses = rng.uniform(1, 9, n)
    table = pa.table({"id": ids, "loss": losses})
    with ipc.new_stream(tmp / "losses.arrow", table.schema) as w:
        w.write_table(table, max_chunksize=16000)
    with open(tmp / "losses.jsonl", "w") as f:
        f.writelines(json.dumps({"id": i.hex(), "loss": x}) + "\n"
                     for i, x in zip(ids.to_pylist(), losses.tolist()))
    return data


def main():
    try:
        import pyarrow  # noqa: F401
        import numpy  # noqa: F401
    except ImportError:
        print("skipped: no pyarrow, no numpy")
        return
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    n = 1000 * int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as folder:
        tmp = Path(folder)
        data = make(build, tmp, n)
        print(f"{n} sequences of 16 tokens, {data.stat().st_size / 1e6:.0f} MB")
        tool = build / "bin/sluice-reweight"
        for kind in ("jsonl", "arrow"):
            losses = tmp / f"losses.{kind}"
            for mem in ("1G", "64M"):
                ours(f"sluice-reweight, {kind}, --mem {mem}", n, folder, tool, "--losses", losses,
                     "--mem", mem, "-f", "--tmpdir", tmp, data)
            rival(f"DuckDB, {kind}, 1 GB", n, data, losses, "1GB")
        ours("sluice-reweight --resample 100%, arrow", n, folder, tool, "--losses",
             tmp / "losses.arrow", "--resample", "100%", "-f", "--tmpdir", tmp, data)


main()
