#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: install_test.sh BUILD_DIR
#
# cmake --install into an empty folder: every tool runs from there, and has its
# man page and its completions. Looks at the installed folder alone, so a tool
# that was added needs no line here.
set -u
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
dest=$(mktemp -d) || exit 1
trap 'rm -rf "$dest"' EXIT
passed=0 failed=0 skipped=0

# check NAME COMMAND...: passes when the command does
check() {
  local name=$1
  shift
  if "$@" > "$dest/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    head -n 20 "$dest/log"
  fi
}

# with PROGRAM NAME COMMAND...: the same, where there is such a program
with() {
  local program=$1
  shift
  if command -v "$program" > /dev/null; then
    check "$@"
  else
    skipped=$((skipped + 1))
    grep -qx "$program" "$dest/absent" 2> /dev/null || echo "skipped: no $program here"
    echo "$program" >> "$dest/absent"
  fi
}

quiet() { [ -z "$("$@" 2>&1)" ]; }
completes() { bash -c ". '$1' && complete -p '$2'" | grep -q -- "--version"; }
all_there() {
  diff <(cd "$root/tools" && ls -- *.c | sed 's/\.c$//' | sort) <(ls "$usr/bin" | sort)
}

usr=$dest/usr
check install env DESTDIR="$dest" cmake --install "$build" --prefix /usr
check 'all tools are installed' all_there
for path in "$usr"/bin/*; do
  tool=$(basename "$path")
  man=$usr/share/man/man1/$tool.1
  check "$tool --version" "$path" --version
  check "$tool.1" grep -q '^\.SH EXIT STATUS' "$man"
  with groff "$tool.1 is right roff" quiet groff -man -ww -z -Tascii "$man"
  check "bash completes $tool" completes "$usr/share/bash-completion/completions/$tool" "$tool"
  check "zsh has a completion of $tool" grep -q "^#compdef $tool\$" \
    "$usr/share/zsh/site-functions/_$tool"
  with zsh "zsh reads the completion of $tool" zsh -n "$usr/share/zsh/site-functions/_$tool"
  check "fish has a completion of $tool" grep -q "^complete -c $tool -l version" \
    "$usr/share/fish/vendor_completions.d/$tool.fish"
  with fish "fish reads the completion of $tool" \
    fish -n "$usr/share/fish/vendor_completions.d/$tool.fish"
done
check 'sluice finds its tools where they are installed' "$usr/bin/sluice" export --version
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
