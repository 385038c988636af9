#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""The pages of sluice-report and sluice-curriculum in a real browser, headless Chromium:
on a phone of 360 pixels and on a desk of 1280, light and dark. Nothing sticks out, what is
read can be read (sizes, contrast), and the figures of the DOM are those of the reports.

usage: report_browser_test.py BUILD_DIR [FOLDER]

FOLDER: where the screenshots stay, to be looked at.
"""
import html
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from report_test import HOSTILE, SAMPLE, all_of, check, counts, make, number, run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Measured in the page, in a copy of it for this test: the page itself has no script.
MEASURE = """
<script>
const seen = {overflow: [], small: [], pale: [], figures: {}};
const root = document.documentElement;
document.querySelectorAll('details').forEach(d => d.open = true);
seen.width = innerWidth;
seen.scroll = root.scrollWidth;
seen.dark = matchMedia('(prefers-color-scheme: dark)').matches;
seen.background = getComputedStyle(document.body).backgroundColor;
const rgb = s => (s.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92
  : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b) => { const x = light(a), y = light(b);
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e)
  .backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
document.querySelectorAll('body *').forEach(e => {
  if (e.closest('script')) return;
  const box = e.getBoundingClientRect();
  if (!e.closest('.scroll') && !e.closest('.text') && box.right > innerWidth + 0.5)
    seen.overflow.push(e.tagName + '.' + e.className + ' ' + Math.round(box.right));
  const own = [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim());
  if (!own || e.closest('svg') || !box.width) return;
  const s = getComputedStyle(e);
  if (parseFloat(s.fontSize) < 10) seen.small.push(e.tagName + '.' + e.className + s.fontSize);
  if (contrast(rgb(s.color), behind(e)) < 4.5) seen.pale.push(e.tagName + '.' + e.className + ' '
    + s.color);
});
document.querySelectorAll('svg[role=img] .k, svg[role=img] .l').forEach(e => {
  const s = getComputedStyle(e), c = e.classList.contains('l') ? s.stroke : s.fill;
  if (contrast(rgb(c), behind(e.ownerSVGElement)) < 3) seen.pale.push('shape ' + c);
});
document.querySelectorAll('dd').forEach(d => seen.figures[d.dataset.name] =
  d.firstChild.data);
seen.charts = [...document.querySelectorAll('svg[role=img]')].map(s => {
  const b = s.getBoundingClientRect(); return [Math.round(b.width), Math.round(b.height),
    s.querySelectorAll('path').length]; });
seen.labels = [...document.querySelectorAll('.xs')].filter(x => { let end = -1e9;
  return [...x.children].some(t => { const b = t.getBoundingClientRect(), hit = b.left < end;
    end = b.right; return hit; }); }).length;
seen.sections = [...document.querySelectorAll('nav a')].filter(a =>
  !document.getElementById(a.hash.slice(1))).map(a => a.hash);
parent.postMessage(JSON.stringify(seen), '*');
</script>
"""

# A window is at least 500 pixels wide, a frame has no such limit.
FRAME = """<!doctype html><meta name=color-scheme content="light dark"><style>body{margin:0}</style>
<script>onmessage = e => { const out = document.createElement('pre'); out.id = 'measured';
out.textContent = e.data; document.body.append(out); }</script>
<body><iframe src="measured.html" width="%d" height="900" style="border:0"></iframe></body>
"""


def chromium(tmp, *args):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--no-first-run", "--disable-extensions", "--disable-background-networking",
               f"--user-data-dir={tmp / 'profile'}", *map(str, args)]
    return subprocess.run(command, capture_output=True, timeout=120)


def scheme(dark):
    return ["--blink-settings=preferredColorScheme=0"] if dark else []


def measured(tmp, page, width, dark):
    copy = tmp / "measured.html"
    copy.write_text(page.read_text().replace("</body>", MEASURE + "</body>"))
    frame = tmp / "frame.html"
    frame.write_text(FRAME % width)
    p = chromium(tmp, *scheme(dark), "--window-size=1400,1000", "--virtual-time-budget=5000",
                 "--dump-dom", frame.as_uri())
    found = re.search(r'<pre id="measured">(.*?)</pre>', p.stdout.decode(), re.S)
    if not found:
        check("the browser shows the page", False, p.stderr.decode()[-500:])
        return None
    return json.loads(html.unescape(found.group(1)))


def screenshot(tmp, page, name, width, dark, folder):
    to = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
    chromium(tmp, *scheme(dark), f"--window-size={width},3000", f"--screenshot={to}",
             page.as_uri())
    data = to.read_bytes() if to.exists() else b""
    size = struct.unpack(">II", data[16:24]) if data[:8] == b"\x89PNG\r\n\x1a\n" else None
    check(f"screenshot of {name}, {width}", size == (width, 3000) and len(data) > 20000, size,
          len(data))
    return data


def test_page(tmp, name, page, want, folder):
    shots = []
    for width in (360, 1280):
        for dark in (False, True):
            what = f"{name}, {width}, {'dark' if dark else 'light'}:"
            seen = measured(tmp, page, width, dark)
            if not seen:
                continue
            check(f"{what} width and scheme", seen["width"] == width and seen["dark"] == dark,
                  seen["width"], seen["dark"])
            check(f"{what} nothing scrolls sideways", seen["scroll"] <= width, seen["scroll"])
            check(f"{what} nothing sticks out", not seen["overflow"], seen["overflow"][:5])
            check(f"{what} no text under 10 pixels", not seen["small"], seen["small"][:5])
            check(f"{what} contrast", not seen["pale"], seen["pale"][:5])
            check(f"{what} charts are drawn", all(w > 200 and h > 100 and n > 1
                                                  for w, h, n in seen["charts"]), seen["charts"])
            check(f"{what} labels of axes are apart", seen["labels"] == 0, seen["labels"])
            check(f"{what} links lead to sections", not seen["sections"], seen["sections"])
            got = {k: number(v) for k, v in seen["figures"].items()}
            check(f"{what} figures", got == want, got, want)
            shots.append((screenshot(tmp, page, name, width, dark, folder),
                          rgb_is_dark(seen["background"]) == dark))
    check(f"{name}: light and dark differ", len({s for s, _ in shots}) == 4
          and all(fine for _, fine in shots))


def rgb_is_dark(text):
    return sum(map(int, re.findall(r"\d+", text)[:3])) < 200


def figures_of(folder):
    m = json.loads((folder / "shards" / "manifest.json").read_text())
    tally = {s["tool"].removeprefix("sluice-"): s["tally"] for s in m["lineage"]}
    pack = tally["pack"]
    return {"docs-in": tally["warc"]["in"]["rows"], "kept": pack["begun"]["rows"],
            "dropped": tally["warc"]["rejected"]["rows"] + tally["extract"]["rejected"]["rows"],
            "tokens": pack["counts"]["tokens_out"] - pack["counts"]["padding"],
            "sequences": m["sequences"], "shards": len(m["shards"])}


def build_pages(tmp):
    pages = [(f"h{i % 40}.a-long-name-of-a-domain.example", f"Page {i}", f"word {i} " * (i * 2 + 1))
             for i in range(300)]
    plain, hostile = tmp / "plain", tmp / "hostile"
    make(plain, pages, scored=True)
    make(hostile, [(f"{'x' * 200}.example", t, f"{t} {t}") for t in HOSTILE] +
         [("big.example", t, t * 4000) for t in HOSTILE])
    order = []
    if SAMPLE.exists():
        sample = tmp / "s.arrows"
        with open(sample, "wb") as f:
            subprocess.run([SAMPLE, "20000", "16", "uint16", "512"], stdout=f, check=True)
        order = ["--order", sample, "--score", "difficulty"]
    run("sluice-report", "-o", tmp / "plain.html", *all_of(plain), "--kept",
        plain / "scored.arrows", "--order", plain / "shards")
    run("sluice-report", "-o", tmp / "hostile.html", *all_of(hostile), "--kept",
        hostile / "docs.arrows", "--samples", 50, "--title", HOSTILE[6] + "y" * 300, *order)
    return figures_of(plain), figures_of(hostile)


LONG = "a-very-long-name-of-a-source-that-has-no-place-to-be-broken-at"
PLAN = f"""budget: {{amount: 20000, in: sequences}}
sources:
  {LONG}: {{path: s.arrows}}
  b: {{path: t.arrows, when_empty: repeat, order: {{by: difficulty, nulls: last, pacing: linear}}}}
stages:
  - name: "{'x' * 80} <b>"
    until: 5%
    order: {{by: difficulty, nulls: last, pacing: root, start: 10%, background: 20%}}
    mixture: {{{LONG}: 0.7, b: 0.3}}
  - {{name: two, until: 7%, mixture: {{{LONG}: 0.5, b: 0.5}}}}
  - {{name: three, mixture: {{{LONG}: 1}}, replay: {{of: seen, share: 20%}}}}
"""


def explained(tmp):
    """The page of a curriculum, and its figures; None where there are no rows for it."""
    if not SAMPLE.exists():
        return None
    for name, rows in (("s", 20000), ("t", 900)):
        with open(tmp / f"{name}.arrows", "wb") as f:
            subprocess.run([SAMPLE, str(rows), "16", "uint16", "512"], stdout=f, check=True)
    (tmp / "plan.yaml").write_text(PLAN)
    run("sluice-curriculum", tmp / "plan.yaml", "-f", "--explain", tmp / "order.html")
    return {"sequences": 20000, "tokens": 320000, "length": 16, "stages": 3, "sources": 2}


def main():
    if not CHROMIUM:
        print("\n*** SKIPPED: no chromium here (Debian package chromium), so no page was looked "
              "at in a browser\n")
        print("skipped: no chromium")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="sluice-browser-") as name:
        tmp = Path(name)
        folder = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else tmp
        plain, hostile = build_pages(tmp)
        test_page(tmp, "plain", tmp / "plain.html", plain, folder)
        test_page(tmp, "hostile", tmp / "hostile.html", hostile, folder)
        order = explained(tmp)
        if order:
            test_page(tmp, "order", tmp / "order.html", order, folder)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


main()
