#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: .ci/deps.sh build|test|quickstart
#
# The one place that knows the packages. Installs what is missing on Debian 12
# (as root, or through sudo) and makes the Python environment of the tests in
# build/venv. Says nothing and takes no time when everything is there.
#
# A package that is needed to build is an error; one that only some tests need
# is a loud line, and those tests skip.
set -u
exec </dev/null
root=$(cd "$(dirname "$0")/.." && pwd)
export DEBIAN_FRONTEND=noninteractive PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

build=(gcc libc6-dev cmake ninja-build pkg-config libzstd-dev libxxhash-dev libdeflate-dev
  libbrotli-dev zlib1g-dev libjansson-dev libyaml-dev libutf8proc-dev libpcre2-dev)
test=(libcmocka-dev clang clang-format libclang-rt-14-dev pmccabe universal-ctags binutils
  python3 python3-venv)
test_extra=(llvm zstd brotli make wget debian-handbook groff-base zsh fish python3-numpy
  python3-torch unicode-data chromium fonts-dejavu-core)
quickstart=(make wget python3 debian-handbook)
quickstart_extra=(python3-numpy python3-torch)

# Third-party readers and writers that the tests hold us against, in their own
# environment; the versions are the newest that run on Debian 12's Python 3.11.
pins=(numpy==2.4.6 pyarrow==26.0.1 polars==2.1.0 warcio==1.8.1 fastwarc==2.0.1
  brotli==1.2.1 zstandard==0.25.0 xxhash==4.1.0 jsonschema==4.26.0
  duckdb==2.0.1 tokenizers==0.23.3 tiktoken==0.14.0 regex==2026.11.19)

# Trainers that read our exports, in a third environment upon Debian's torch, which is
# a tenth of the size of the one that they would bring: so they come without what they
# depend on, and numpy stays the one that this torch was built with. The last list is
# what their datasets import.
trainers=(megatron-core==0.16.1 ai2-olmo-core==3.0.0 mosaicml-streaming==0.13.0)
trainers_numpy=1.24.2
trainers_need=(packaging==26.3 cached-path==1.8.10 transformers==4.57.6 pillow==13.0.0
  tqdm==4.70.1 xxhash==3.8.2 zstd==1.5.7.2 Brotli==1.2.1 python-snappy==0.7.3 rich==13.9.4
  pyyaml dataclass-extensions==0.5.0 bettermap==1.3.1 importlib_resources==7.1.0
  filelock==3.18.0 catalogue==2.0.10)

loud() {
  printf '\n*** deps: %s\n\n' "$*" >&2
}

# The packages among the arguments that are not installed.
missing() {
  local have p
  have=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' 2>/dev/null |
    sed -n 's/^installed \([^:]*\).*/\1/p')
  for p; do
    grep -qxF -- "$p" <<<"$have" || printf '%s\n' "$p"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n --preserve-env=DEBIAN_FRONTEND "$@"
  fi
}

updated=no
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

apt_get() {
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >"$log" 2>&1
}

# Installs the packages; the log of apt-get is shown when that fails.
install() {
  local want
  mapfile -t want < <(missing "$@")
  [ ${#want[@]} = 0 ] && return 0
  printf 'deps: installing %s\n' "${want[*]}" >&2
  if [ $updated = no ]; then
    apt_get update || cat "$log" >&2
    updated=yes
  fi
  apt_get install -y --no-install-recommends "${want[@]}" && return 0
  cat "$log" >&2
  return 1
}

need() {
  install "$@" && return 0
  loud "cannot install: $(missing "$@" | paste -sd' ')"
  exit 1
}

# One by one after a failure, so that one lost package does not take the others.
want() {
  local p
  install "$@" && return 0
  for p in $(missing "$@"); do
    install "$p" || loud "cannot install $p; what needs it will be skipped"
  done
}

python_env() {
  local py=/usr/bin/python3 venv=$root/build/venv
  [ -x $py ] || py=$(command -v python3) || { loud "no python3"; return; }
  if [ "$(cat "$venv/pins" 2>/dev/null)" = "${pins[*]}" ] && "$venv/bin/python" -c '' 2>/dev/null
  then
    return
  fi
  printf 'deps: making build/venv\n' >&2
  mkdir -p "$root/build"
  if ! $py -m venv --clear "$venv" >"$log" 2>&1; then
    cat "$log" >&2
    loud "cannot make build/venv; the tests that need it will be skipped"
    return
  fi
  if "$venv/bin/python" -m pip install -q --no-cache-dir --only-binary :all: --timeout 20 \
    --retries 2 "${pins[@]}" >"$log" 2>&1; then
    printf '%s\n' "${pins[*]}" >"$venv/pins"
  else
    tail -5 "$log" >&2
    loud "cannot install ${pins[*]}; the tests that need them will be skipped"
  fi
}

# pip_into VENV ARGUMENTS...
pip_into() {
  local venv=$1
  shift
  "$venv/bin/python" -m pip install -q --no-cache-dir --only-binary :all: --timeout 20 \
    --retries 2 "$@" >"$log" 2>&1
}

trainers_env() {
  local venv=$root/build/trainers all="${trainers[*]} ${trainers_need[*]} $trainers_numpy"
  if [ "$(cat "$venv/pins" 2>/dev/null)" = "$all" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    return
  fi
  if ! /usr/bin/python3 -c 'import numpy, torch' 2>/dev/null; then
    loud "no torch for /usr/bin/python3; the tests with trainers will be skipped"
    return
  fi
  printf 'deps: making build/trainers\n' >&2
  mkdir -p "$root/build"
  if /usr/bin/python3 -m venv --clear --system-site-packages "$venv" >"$log" 2>&1 &&
    pip_into "$venv" --no-deps "${trainers[@]}" &&
    pip_into "$venv" "numpy==$trainers_numpy" "${trainers_need[@]}"; then
    printf '%s\n' "$all" >"$venv/pins"
  else
    tail -5 "$log" >&2
    loud "cannot install ${trainers[*]}; the tests that need them will be skipped"
  fi
}

case ${1-} in
build)
  need "${build[@]}"
  ;;
test)
  # All in one go, which is the fastest; apart where that fails.
  install "${build[@]}" "${test[@]}" "${test_extra[@]}" || {
    need "${build[@]}" "${test[@]}"
    want "${test_extra[@]}"
  }
  python_env
  trainers_env
  ;;
quickstart)
  install "${build[@]}" "${quickstart[@]}" "${quickstart_extra[@]}" || {
    need "${build[@]}" "${quickstart[@]}"
    want "${quickstart_extra[@]}"
  }
  ;;
*)
  echo "usage: .ci/deps.sh build|test|quickstart" >&2
  exit 2
  ;;
esac
