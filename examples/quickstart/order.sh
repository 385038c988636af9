#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: order.sh shuffle|warmup|sorted PACKED > ORDERED
#
# Write the packed sequences of PACKED in the order in which a model should read
# them, as one stream on standard output.
#
#   shuffle  by seed; the default, and what to compare everything else with
#   warmup   first the easiest 15 % with random others among them, 20 % of the
#            warm-up; then all the rest. Each part is shuffled.
#   sorted   from easy to hard. To be measured, not to be used: see
#            docs/reading-order.md
#
# BIN   folder of the tools [found by PATH]
# SEED  of everything random [7]
# BY    how hard a sequence is, easy ones first [difficulty_compression]
# WORK  folder for what is written on the way [a temporary one]
# REPORTS  folder for the stages' reports [none]
set -euo pipefail

order=$1 packed=$2
bin=${BIN:+${BIN%/}/}sluice-
seed=${SEED:-7}
by=${BY:-difficulty_compression}
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# report NAME: the option that keeps a stage's report, if reports are wanted
report() {
  [ -z "${REPORTS-}" ] || printf '%s\n%s\n' --report "$REPORTS/$1.json"
}

case $order in
shuffle)
  mapfile -t r < <(report 08-shuffle)
  "${bin}shuffle" "${r[@]}" --seed "$seed" "$packed"
  ;;
warmup)
  mapfile -t r < <(report 08-sort)
  "${bin}sort" "${r[@]}" --by "$by" "$packed" \
    | "${bin}sample" --first 15% --rest "$work/harder.arrows" -o "$work/easy.arrows"
  # 20 % of the warm-up are 25 % of its easy part.
  easy=$("${bin}export" --columns id "$work/easy.arrows" | wc -l)
  "${bin}sample" -n $((easy / 4)) --seed "$seed" --rest "$work/later.arrows" \
    "$work/harder.arrows" -o "$work/background.arrows"
  "${bin}cat" "$work/easy.arrows" "$work/background.arrows" \
    | "${bin}shuffle" --seed "$seed" -o "$work/warmup.arrows"
  "${bin}shuffle" --seed "$seed" "$work/later.arrows" -o "$work/main.arrows"
  "${bin}cat" "$work/warmup.arrows" "$work/main.arrows"
  ;;
sorted)
  echo "order.sh: warning: a full sort from easy to hard did worst in a pilot, and does more harm" \
    "where the learning rate decays (docs/reading-order.md)" >&2
  mapfile -t r < <(report 08-sort)
  "${bin}sort" "${r[@]}" --by "$by" "$packed"
  ;;
*)
  echo "order.sh: unknown order '$order'; there are shuffle, warmup and sorted" >&2
  exit 2
  ;;
esac
