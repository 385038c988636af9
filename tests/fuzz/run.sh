#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: tests/fuzz/run.sh [SECONDS [TARGET...]]
#
# Builds the fuzz targets and runs each of them, or those named, for SECONDS
# [600] under ASan and UBSan. What was found stays in build/fuzz/corpus/TARGET and
# is the start of the next run; tests/fuzz/corpus/TARGET holds the seeds and
# tests/fuzz/TARGET.dict the words, where there are any. An input that fails is kept in
# build/fuzz/found/TARGET. The exit code is 1 when a target failed.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1-600}
[ $# -gt 0 ] && shift
case $seconds in '' | *[!0-9]*)
  sed -n 's/^# usage: /usage: /p' "$0" >&2
  exit 2
  ;;
esac
# Huge sizes in an input must be refused by the code, not by the allocator.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

targets=("$@")
if [ $# = 0 ]; then
  for f in tests/fuzz/*_fuzz.c; do
    [ -e "$f" ] && targets+=("$(basename "$f" .c)")
  done
fi
if [ ${#targets[@]} = 0 ]; then
  echo "skipped: there is no tests/fuzz/*_fuzz.c"
  exit 77
fi

missing=no
for t in "${targets[@]}"; do
  [ -x "build/fuzz/fuzz/$t" ] || missing=yes
done
# The test runner has built them already, and starts this twice at a time.
if [ $missing = yes ] || [ -z "${SLUICE_FUZZ_BUILT-}" ]; then
  cmake --preset fuzz >/dev/null && cmake --build --preset fuzz --target "${targets[@]}" || exit 1
fi

status=0
for t in "${targets[@]}"; do
  corpus=build/fuzz/corpus/$t
  found=build/fuzz/found/$t
  mkdir -p "$corpus" "$found"
  folders=("$corpus")
  [ -d "tests/fuzz/corpus/$t" ] && folders+=("tests/fuzz/corpus/$t")
  options=()
  [ -f "tests/fuzz/$t.dict" ] && options=("-dict=tests/fuzz/$t.dict")
  echo "== $t, $seconds s"
  "build/fuzz/fuzz/$t" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" -print_final_stats=1 "${options[@]}" "${folders[@]}" || {
    status=1
    echo "FAILED: $t; the input is in $found"
  }
done
exit $status
