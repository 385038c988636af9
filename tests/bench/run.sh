#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: tests/bench/run.sh [BUILD_DIR [PYTHON]]
#
# Every benchmark, one after another, and their figures on standard output.
# BUILD_DIR [build/release] is built before; PYTHON [build/venv/bin/python, else
# python3] should have warcio and FastWARC, and may have selectolax and
# resiliparse. What is absent is said and left out. Takes some minutes; nothing
# passes or fails: docs/benchmarks.md says what is aimed at.
#
# SLUICE_SHARED       folder of test data made by others [../shared]
# SLUICE_BENCH_LARGE  megabytes of the large input for memory [2000]
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
cd "$root" || exit 1
export SLUICE_SHARED=${SLUICE_SHARED:-$(dirname "$root")/shared}
build=${1:-build/release}
python=${2:-build/venv/bin/python}
[ -x "$python" ] || python=python3

if [ "$build" = build/release ]; then
  cmake --preset release >/dev/null && cmake --build --preset release >/dev/null || exit 1
fi

# part TITLE COMMAND...: its output below a title; a failure is said, no more.
part() {
  printf '\n## %s\n' "$1"
  shift
  "$@" || echo "(failed with exit code $?)"
}

sed -n 's/^model name[^:]*: */processor: /p' /proc/cpuinfo | head -n 1
echo "processors: $(nproc), load: $(cut -d' ' -f1-3 /proc/loadavg)"
part 'WARC.gz reading' "$python" "$here/warc_bench.py" "$build"
part 'JSON lines' "$python" "$here/import_bench.py" "$build"
part 'HTML' "$python" "$here/html_bench.py" "$build"
part 'Rule filters' "$python" "$here/filter_bench.py" "$build"
part 'A filter between pipes' "$python" "$here/pipe_bench.py" "$build"
part 'UTF-8 check' "$build/bench/bench_utf8"
part 'Difficulty' "$python" "$here/difficulty_bench.py" "$build"
part 'Rows: gathering, digest, writing' "$build/bench/bench_rows"
part 'External sort of records' "$build/bench/bench_records"
part 'Exact deduplication' "$python" "$here/dedup_bench.py" "$build"
part 'Sorting' "$python" "$here/sort_bench.py" "$build"
part 'Exports for trainers' "$python" "$here/export_bench.py" "$build"
part 'Encoding' "$python" "$here/encode_bench.py" "$build"
part 'The whole chain' "$python" "$here/chain_bench.py" "$build"
part 'Mixing' "$python" "$here/mix_bench.py" "$build"
part 'Curricula' "$python" "$here/curriculum_bench.py" "$build"
part 'Weights from losses' "$python" "$here/reweight_bench.py" "$build"
part 'Training tokenizers' "$python" "$here/train_bench.py" "$build"
part 'Orders and assignments' "$build/bench/bench_order"
part 'Pre-tokenizers' "$build/bench/bench_split"
part 'Memory' "$python" "$here/memory_bench.py" "$build" 100 "${SLUICE_BENCH_LARGE:-2000}"
