#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: crawl.sh FOLDER
#
# Make a real crawl, FOLDER/crawl.warc.gz: serve the Debian handbook in some
# languages (the first one under a second path too) on loopback, and fetch it
# with wget --warc-file. The crawl is an input: written under a temporary name,
# renamed when whole, and kept from then on.
#
# LANGUAGES  of the handbook ["en-US de-DE es-ES fr-FR ja-JP pt-BR ru-RU zh-CN"]
# PAGES      a folder of HTML for each language, in place of the handbook
set -euo pipefail

out=$1
warc=$out/crawl.warc.gz
[ -s "$warc" ] && exit 0

read -ra languages <<< "${LANGUAGES:-en-US de-DE es-ES fr-FR ja-JP pt-BR ru-RU zh-CN}"
twice=${languages[0]}
work=$out/crawl.tmp
rm -rf "$work"
mkdir -p "$work/site/handbook" "$work/site/mirror"

# Machines that leave documentation out when they install packages have no
# pages: unpack the package by hand then.
pages=${PAGES:-/usr/share/doc/debian-handbook/html}
if [ ! -d "$pages/$twice" ] && [ -z "${PAGES-}" ]; then
  (
    cd "$work"
    apt-get -o APT::Sandbox::User=root download -q debian-handbook > apt.log 2>&1 || {
      cat apt.log >&2
      exit 1
    }
  )
  dpkg-deb -x "$work"/debian-handbook_*.deb "$work/pkg"
  pages=$work/pkg$pages
fi

for l in "${languages[@]}"; do cp -r "$pages/$l" "$work/site/handbook/$l"; done
cp -r "$pages/$twice" "$work/site/mirror/$twice"
{
  echo '<!doctype html><title>The handbook</title><ul>'
  for l in "${languages[@]}"; do echo "<li><a href=\"handbook/$l/index.html\">$l</a>"; done
  echo "<li><a href=\"mirror/$twice/index.html\">$twice again</a></ul>"
} > "$work/site/index.html"

# The server ends with this script, even if that is killed. Its log is looked for
# at once, maybe before it has started.
: > "$work/server.log"
setpriv --pdeathsig KILL \
  python3 -u -m http.server --bind 127.0.0.1 --directory "$work/site" 0 \
  > "$work/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2> /dev/null || true' EXIT
port=
for _ in $(seq 100); do
  port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server.log" | head -n 1)
  [ -n "$port" ] && break
  sleep 0.1
done
if [ -z "$port" ]; then
  echo "crawl: the server did not start" >&2
  cat "$work/server.log" >&2
  exit 1
fi

# The server closes each connection, which wget may learn too late where it means
# to use it again. Its exit code 8 says that some link of the handbook answered
# 404: a crawl has such pages, and the pipeline counts them.
status=0
(
  cd "$work"
  wget --no-config --no-proxy --no-http-keep-alive --tries=3 --quiet \
    --recursive --level=inf --no-parent --no-directories --delete-after \
    --reject='*.png,*.jpg,*.svg,*.css,*.ico,*.js' \
    --warc-file=crawl "http://127.0.0.1:$port/index.html"
) || status=$?
[ "$status" = 0 ] || [ "$status" = 8 ] || { echo "crawl: wget failed ($status)" >&2; exit 1; }
mv "$work/crawl.warc.gz" "$warc"
rm -rf "$work"
