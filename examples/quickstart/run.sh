#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a crawl to token shards, on real input, with one command.
# Builds, crawls the Debian handbook from a server on this machine, runs WARC to
# shards, trains a tiny model for a few steps, and prints what each stage did.
# Everything lands in out/quickstart. A second run does nothing; a run that was
# killed goes on where it stopped.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$root/out/quickstart}
here=$root/examples/quickstart
mkdir -p "$out"
cd "$root"

say() { printf '== %s\n' "$*"; }

say "packages"
.ci/deps.sh quickstart

say "build"
cmake --preset release > "$out/build.log" 2>&1 || { cat "$out/build.log"; exit 1; }
cmake --build --preset release >> "$out/build.log" 2>&1 || { cat "$out/build.log"; exit 1; }

say "crawl (once)"
"$here/crawl.sh" "$out"

say "WARC to shards"
make --no-print-directory -s -C "$here" OUT="$out" BIN="$root/build/release/bin"

say "what each stage did"
python3 "$here/table.py" "$out"

say "train a tiny model for a few steps"
if python3=$("$here/find_torch.sh"); then
  "$python3" "$root/examples/pytorch/train.py" --shards "$out/shards" --steps 20 --batch 8
else
  echo "SKIPPED: no Python with PyTorch and NumPy here (Debian: python3-torch python3-numpy)"
fi

rel=$(realpath --relative-to="$OLDPWD" "$out")
bin=$(realpath --relative-to="$OLDPWD" "$root/build/release/bin")
cat <<TXT

The shards and their manifest are in $rel/shards. Three things to try next:
  $bin/sluice-export --columns url,title $rel/docs.arrows | head -n 3
  $bin/sluice-verify $rel/docs.arrows $rel/shards
  $bin/sluice
TXT
