#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: tests/run.sh [NAME...]
#
# Builds, and runs every test or those whose name contains one of the NAMEs.
# The last line is "N passed, N failed, N skipped"; the exit code is 1 when one
# failed or none ran. Logs are kept in build/logs.
#
# Tests are found by their place, there is no list to keep:
#   lib/LAYER/X_test.c, tests/conformance/X_test.c
#       unit/dev/X_test (ASan, UBSan) and unit/release/X_test; one each
#   tests/FOLDER/X_test.py, tests/FOLDER/X_test.sh
#       FOLDER/X_test, run with the build folder as argument; counted by its own
#       last line "N passed, N failed[, N skipped]". Exit 77 skips all of it. Its
#       first ten lines may hold
#         # build: dev        given build/dev instead of build/release
#         # python: system    Debian's Python instead of build/venv
#         # alone: yes        no other test runs beside it
#   tests/fuzz/X_fuzz.c
#       fuzz/X_fuzz: some seconds of libFuzzer, a minute for the stream reader
#
# SLUICE_SHARED         folder of test data made by others [../shared]
# SLUICE_TEST_SECONDS   the longest that one test may take [600]
# SLUICE_TEST_JOBS      tests that run side by side [2]
set -u
exec </dev/null
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 1
logs=$root/build/logs
tab=$'\t'

export SLUICE_SHARED=${SLUICE_SHARED:-$(dirname "$root")/shared}
export SLUICE_TEST_SECONDS=${SLUICE_TEST_SECONDS:-600}
# An abort cannot be mistaken for a tool's own exit code.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:abort_on_error=1
export SLUICE_FUZZ_BUILT=yes LC_ALL=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1
unset MAKEFLAGS NO_COLOR

# Is the test of this name asked for?
selected() {
  local n=$1 want
  shift
  [ $# = 0 ] && return 0
  for want; do
    case $n in *"$want"*) return 0 ;; esac
  done
  return 1
}

# head_says FILE KEY: the value of "# KEY: value" in its first ten lines
head_says() {
  head -n 10 "$1" | sed -n "s/^# $2: *\([a-z]*\).*/\1/p" | head -n 1
}

# Writes the tests in the order in which they start, one a line:
# alone or together, name, command. The long ones come first.
find_tests() {
  local f name build interpreter seconds preset share
  # The other targets together take the minute that the reader's takes.
  share=$(compgen -G 'tests/fuzz/*_fuzz.c' | wc -l)
  share=$((share > 12 ? 5 : share < 6 ? 10 : 60 / share))
  for f in tests/fuzz/*_fuzz.c; do
    [ -e "$f" ] || continue
    name=$(basename "$f" .c)
    seconds=$share
    case $name in reader_fuzz | arrow_reader_fuzz | stream_fuzz) seconds=60 ;; esac
    printf 'together\tfuzz/%s\ttests/fuzz/run.sh %s %s\n' "$name" "$seconds" "$name"
  done | sort -t ' ' -k 2,2nr -k 3,3
  for f in tests/*/*_test.py tests/*/*_test.sh; do
    [ -e "$f" ] || continue
    name=${f#tests/}
    build=$(head_says "$f" build)
    interpreter=bash
    if [ "${f##*.}" = py ]; then
      interpreter=build/venv/bin/python
      if [ "$(head_says "$f" python)" = system ]; then
        interpreter=/usr/bin/python3
        [ -x $interpreter ] || interpreter=python3
      fi
    fi
    [ "$(head_says "$f" alone)" = yes ] && printf alone || printf together
    printf '\t%s\t%s %s build/%s\n' "${name%.*}" "$interpreter" "$f" "${build:-release}"
  done
  for preset in dev release; do
    for f in lib/*/*_test.c tests/conformance/*_test.c; do
      [ -e "$f" ] || continue
      name=$(basename "$f" .c)
      printf 'together\tunit/%s/%s\tbuild/%s/test/%s\n' $preset "$name" $preset "$name"
    done
  done
}

# count PASSED FAILED SKIPPED
count() {
  printf '%d %d %d\n' "$@" >>"$logs/counts"
}

# say LINE: with the log of a failure; whole even when two tests end together
say() {
  (
    flock 9
    printf '%s\n' "$1"
    if [ $# -gt 1 ]; then
      [ "$(wc -l <"$2")" -gt 200 ] && echo "    ... ($2 has the whole log)"
      tail -n 200 "$2" | sed 's/^/    /'
    fi
  ) 9>>"$logs/lock"
}

# Builds a preset, or some targets of it; a failure counts as one failed test.
build() {
  local preset=$1 log=$logs/build-$1.log begin=$SECONDS
  shift
  if cmake --preset "$preset" >"$log" 2>&1 &&
    cmake --build --preset "$preset" ${1:+--target "$@"} -- -k 0 >>"$log" 2>&1; then
    say "built $preset $((SECONDS - begin)) s"
  else
    count 0 1 0
    say "FAIL build/$preset" "$log"
    echo "build/$preset" >>"$logs/failed"
  fi
}

# The counts of a test that has ended: by its own last line, or one.
counts_of() {
  local log=$1 rc=$2 line
  local form='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?\.?$'
  line=$(grep -E "$form" "$log" | tail -n 1)
  if [ "$rc" = 77 ]; then
    echo 0 0 1
  elif [[ $line =~ $form ]]; then
    local failed=${BASH_REMATCH[2]}
    [ "$rc" != 0 ] && [ "$failed" = 0 ] && failed=1
    echo "${BASH_REMATCH[1]} $failed ${BASH_REMATCH[4]:-0}"
  elif [ "$rc" = 0 ]; then
    # cmocka names the tests that it skipped within one program
    line=$(sed -n 's/^ \([0-9]*\) SKIPPED TEST(S)$/\1/p' "$log" | tail -n 1)
    echo "1 0 ${line:-0}"
  else
    echo 0 1 0
  fi
}

# run_one NAME COMMAND
run_one() {
  local name=$1 log=$logs/${1//\//-}.log rc seconds passed failed skipped reason
  local -a command
  read -ra command <<<"$2"
  local begin=${EPOCHREALTIME/./}
  if command -v "${command[0]}" >/dev/null; then
    { timeout -k 10 "$SLUICE_TEST_SECONDS" "${command[@]}"; } >"$log" 2>&1
    rc=$?
    [ $rc = 124 ] && echo "stopped after $SLUICE_TEST_SECONDS s" >>"$log"
  elif [ "${command[0]}" = build/venv/bin/python ]; then
    echo "skipped: no build/venv (see .ci/deps.sh)" >"$log"
    rc=77
  else
    echo "${command[0]} was not built" >"$log"
    rc=127
  fi
  seconds=$(((${EPOCHREALTIME/./} - begin) / 100000))
  seconds=$((seconds / 10)).$((seconds % 10))
  read -r passed failed skipped < <(counts_of "$log" $rc)
  count "$passed" "$failed" "$skipped"
  reason=$(grep -iE '^ *(skip|skipped|skipping)\b' "$log" | head -n 5)
  if [ "$failed" != 0 ]; then
    say "FAIL $name ($failed failed, exit $rc) $seconds s" "$log"
    echo "$name" >>"$logs/failed"
  elif [ "$passed" = 0 ]; then
    say "skip $name ${reason:-it ran no case}"
  else
    [ "$passed" != 1 ] && seconds="$seconds s ($passed cases)" || seconds="$seconds s"
    [ "$skipped" != 0 ] && reason="$skipped skipped${reason:+:$'\n'$reason}" || reason=
    say "ok $name $seconds${reason:+, ${reason//$'\n'/$'\n'    }}"
  fi
}

if [ "${1-}" = --run-one ]; then
  run_one "$2" "$3"
  exit 0
fi

rm -rf "$logs"
mkdir -p "$logs"
: >"$logs/counts"
.ci/deps.sh test || count 0 1 0

find_tests >"$logs/all"
while IFS=$tab read -r mode name command; do
  selected "$name" "$@" && printf '%s\t%s\t%s\n' "$mode" "$name" "$command"
done <"$logs/all" >"$logs/plan"
if [ $# != 0 ] && [ ! -s "$logs/plan" ]; then
  echo "no test's name contains one of: $* (all names are in build/logs/all)"
  echo "0 passed, 0 failed, 0 skipped"
  exit 1
fi

build release
build dev
mapfile -t fuzzers < <(cut -f 2 "$logs/plan" | sed -n 's|^fuzz/||p')
[ ${#fuzzers[@]} = 0 ] || build fuzz "${fuzzers[@]}"

for mode in together alone; do
  jobs=${SLUICE_TEST_JOBS:-2}
  [ $mode = alone ] && jobs=1
  sed -n "s/^$mode$tab//p" "$logs/plan" | tr '\t' '\n' |
    xargs -r -d '\n' -n 2 -P "$jobs" bash tests/run.sh --run-one
done

for kind in tools/*.c tests/fuzz/*_fuzz.c 'lib/*/*_test.c'; do
  compgen -G "$kind" >/dev/null || echo "note: there is no $kind"
done
[ -d "$SLUICE_SHARED" ] ||
  echo "*** no shared data at $SLUICE_SHARED: the tests that need it were SKIPPED"
[ -e "$logs/failed" ] && echo "failed: $(sort "$logs/failed" | paste -sd' ')"
passed=0 failed=0 skipped=0
while read -r p f s; do
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <"$logs/counts"
[ $((passed + failed + skipped)) = 0 ] && echo "no test has run"
echo "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed != 0 ]
