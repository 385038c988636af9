#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a crawl to token shards, on real input, with one command.
# Builds, crawls the Debian handbook from a server on this machine, runs WARC to
# shards (choosing and ordering on the way), trains a tiny model for a few steps,
# prints what each stage did, and draws it as a page, report.html.
# Everything lands in out/quickstart. A second run does nothing; a run that was
# killed goes on where it stopped.
#
# OUT        folder for all of it, without spaces in its name [out/quickstart]
# ORDER      in which a model reads, a plan of this folder: plan, shuffle or sorted [plan]
# LANGUAGES  see crawl.sh; only the first run asks for them
set -euo pipefail

start=$PWD
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(realpath -m "${OUT:-$root/out/quickstart}")
mkdir -p "$out"
cd "$root"

# From here on all paths are relative to the root, so that its own may hold spaces.
out=$(realpath --relative-to=. "$out")
bin=build/release/bin
here=examples/quickstart

say() { printf '== %s (%s s)\n' "$*" $SECONDS; }

say "packages"
.ci/deps.sh quickstart

say "build"
log=build/quickstart.log
mkdir -p build
{
  cmake --preset release && cmake --build --preset release --target tools
} > $log 2>&1 || { cat $log >&2; exit 1; }

say "crawl"
$here/crawl.sh "$out"

say "WARC to shards"
to=(make --no-print-directory -s -f $here/Makefile "OUT=$out" "BIN=$bin"
  "ORDER=${ORDER:-plan}")
"${to[@]}"

say "train a tiny model for a few steps"
if python=$($here/find_torch.sh); then
  "${to[@]}" "PYTHON=$python" train
  cat "$out/train.log"
else
  echo "SKIPPED: no Python with PyTorch and NumPy here (Debian: python3-torch python3-numpy)"
fi

say "done; what each stage did"
python3 $here/table.py "$out"
echo
echo "The report, a page to look at in a browser:"
realpath --relative-to="$start" "$out/report.html"

# Commands that can be pasted where this was started.
near() { printf %q "$(realpath --relative-to="$start" "$1")"; }
export=$(near $bin/sluice-export)
cat <<TXT

The shards and their manifest are in $(near "$out/shards"). Commands to try next:
  $export --columns url,difficulty_compression $(near "$out/kept.arrows") | head -n 3
  $export --columns url,reject_reason $(near "$out/filter-rejects.arrows") | head -n 3
  $(near $bin/sluice-verify) $(near "$out/docs.arrows") $(near "$out/shards")
TXT
