#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [--subset] [--sequences N] [--budget MINUTES]
#
# Does the order in which a model reads matter? Every arm is a plan in arms/; a small model
# is trained on each, with several seeds; a table says what came of it, docs/experiment.md.
# About 40 minutes on two idle cores. Everything lands in out/experiment. A run that was
# stopped goes on where it stopped; report.py makes the page of the seeds that are whole.
#
#   --subset          short runs and two seeds, some 2 minutes: shows that it works, and
#                     nothing about orders; in out/experiment-subset, docs/ is left alone
#   --sequences N     of each run, in place of 8192
#   --budget MINUTES  shorter runs, then fewer seeds, so that it fits; the table says so
#
# OUT      folder for all of it [out/experiment]
# PAGE     where the table is written [docs/experiment.md; of the subset OUT/experiment.md]
# SUBSET   1: as --subset
# WORKERS  runs side by side [2, or the processors if there are fewer]
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/examples/experiment
args=()
subset=${SUBSET:-0}
while [ $# -gt 0 ]; do
  case $1 in
  --subset) subset=1 ;;
  --budget | --sequences)
    args+=("$1" "${2:?a number}")
    shift
    ;;
  *)
    sed -n '3,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
  esac
  shift
done
[ "$subset" = 0 ] || args+=(--subset)
[ -z "${WORKERS-}" ] || args+=(--workers "$WORKERS")
out=${OUT:-$root/out/experiment$([ "$subset" = 0 ] || echo -subset)}
page=${PAGE:-$([ "$subset" = 0 ] && echo "$root/docs/experiment.md" || echo "$out/experiment.md")}
mkdir -p "$out"
out=$(cd "$out" && pwd)

python=$("$root/examples/quickstart/find_torch.sh") || {
  echo "run.sh: no Python with PyTorch and NumPy here (Debian: python3-torch python3-numpy)" >&2
  exit 3
}
if [ -z "${BIN-}" ]; then
  BIN=$root/build/release/bin
  "$root/.ci/deps.sh" build
  (
    cd "$root"
    cmake --preset release && cmake --build --preset release --target tools
  ) > "$out/build.log" 2>&1 || { cat "$out/build.log" >&2; exit 1; }
fi
export BIN PYTHONDONTWRITEBYTECODE=1

"$python" "$here/corpus.py" "$out"
"$python" "$here/experiment.py" "$out" "${args[@]}"
"$python" "$here/report.py" "$out/results.json" > "$page.tmp"
mv "$page.tmp" "$page"
echo "The table is in $page"
