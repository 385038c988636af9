#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: data.sh documents OUT
#        data.sh validation OUT SEQUENCES
#        data.sh seed OUT SEED SEQUENCES
#        data.sh order OUT SEED ARM
#
# Every decision about the experiment's data, made by our tools:
#
#   documents   texts without duplicates and with scores, divided by the hash of
#               their ids into those to train on and those to measure with
#   validation  SEQUENCES of each genre to measure with, as shards
#   seed        SEQUENCES to train on, another draw for each seed: about a quarter
#               of each genre, in the order of random documents; and from the
#               same documents what the controls of the method need
#   order       one arm: its plan, with this seed and the options that stand behind
#               '# options:' in it, carried out
#
# BIN  folder of the tools [found by PATH]
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
bin=${BIN:+${BIN%/}/}sluice-
genres=(dictionary fortune guide manual)
length=256          # tokens of a sequence, which are bytes
held_out=10%        # of all documents, to measure with
copied=18           # documents that are planted again
copies_percent=25   # planted copies, in percent of the other documents

documents() {
  local out=$1 docs=$1/documents g
  mkdir -p "$docs"
  for g in "${genres[@]}"; do
    "${bin}import" "$out/corpus/$g.jsonl" \
      | "${bin}dedup" --exact --normalize simple \
      | "${bin}difficulty" \
      | "${bin}sample" -f --share $held_out --seed 1 --rest "$docs/$g.train.arrows" \
        -o "$docs/$g.held-out.arrows"
  done
}

validation() {
  local out=$1 n=$2 g
  mkdir -p "$out/validation"
  for g in "${genres[@]}"; do
    "${bin}shuffle" --seed 1 "$out/documents/$g.held-out.arrows" | pack \
      | first "$n" | "${bin}shard" -f -o "$out/validation/$g"
  done
}

pack() { "${bin}tokenize" | "${bin}pack" --length $length --by source --drop-last; }

# first N: the first N rows; fewer are an error.
first() {
  "${bin}sample" --first "$1" -o "$work/first.arrows" -f
  local there
  there=$("${bin}export" --columns id "$work/first.arrows" | wc -l)
  [ "$there" = "$1" ] || { echo "data.sh: $there sequences where $1 are wanted" >&2; return 1; }
  cat "$work/first.arrows"
}

seed() {
  local out=$1 s=$2 n=$3 to=$1/seeds/$2 g
  # Documents have 1,500 bytes or more in the mean.
  local each=$((n * length / 4 / 1500 + 8))
  rm -rf "$to"
  mkdir -p "$to/shards"
  for g in "${genres[@]}"; do
    # Half of the sequences of one genre are more documents than a quarter of all.
    "${bin}shuffle" --seed "$s" "$out/documents/$g.train.arrows" \
      | "${bin}sample" --first $((2 * each)) -o "$to/$g.twice"
    "${bin}sample" --first $each "$to/$g.twice" -o "$to/$g.docs"
    pack < "$to/$g.docs" | first $((n / 4)) > "$to/$g.arrows"
  done
  for g in dictionary manual; do
    pack < "$to/$g.twice" | first $((n / 2)) > "$to/$g-half.arrows"
  done
  "${bin}cat" "$to"/*.docs | "${bin}shuffle" --seed "$s" -o "$to/pool"
  pack < "$to/pool" | first "$n" > "$to/train.arrows"
  plant "$to" "$s" $((4 * each * copies_percent / 100 / copied + 1))
  "${bin}cat" "$to/pool" "$to/copies" | "${bin}shuffle" --seed "$s" | pack \
    | first "$n" > "$to/planted.arrows"
  "${bin}cat" "$to/pool" "$to/copies" | "${bin}dedup" --exact | "${bin}shuffle" --seed "$s" \
    | pack | first "$n" > "$to/deduped.arrows"
  rm "$to"/*.docs "$to"/*.twice "$to/pool" "$to/copies"
}

# plant FOLDER SEED TIMES: some of the pool's documents, so many times, with new ids.
plant() {
  "${bin}sample" -n $copied --seed "$2" "$1/pool" \
    | "${bin}export" --columns source_id,source,text \
    | python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    for i in range(int(sys.argv[1])):
        print(json.dumps({**row, "source_id": None, "id": "%s copy %d" % (row["source_id"], i)}))
' "$3" > "$1/copies.jsonl"
  "${bin}import" "$1/copies.jsonl" | "${bin}difficulty" -o "$1/copies"
  rm "$1/copies.jsonl"
}

order() {
  local to=$1/seeds/$2 plan=$1/seeds/$2/$3.yaml options
  sed "s/^seed: .*/seed: $2/" "$here/arms/$3.yaml" > "$plan"
  read -ra options < <(sed -n 's/^# options: //p' "$plan"; echo)
  "${bin}curriculum" -q "${options[@]}" "$plan" | "${bin}shard" -f -o "$to/shards/$3"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$@"
