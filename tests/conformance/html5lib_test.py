#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the html5lib-tests suite against our tokenizer and encoding sniffer.

Usage  html5lib_test.py FOLDER     FOLDER holds html_token_dump and charset_dump
Data   $SLUICE_SHARED/data/html5lib/html5lib-tests.tar.zst (default: ../shared
       beside the checkout's folder). Absent: "skipped: ..." and exit code 77.
Exit   0 every case passed; 1 a case failed or none ran.

Left out are the cases of xmlViolation.test, which are for parsers that coerce
their output to XML, and the expected parse errors, which we do not report. One
sniffing case needs a script to run; it is counted apart as not feasible.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

STATES = ["Data state", "RCDATA state", "RAWTEXT state", "Script data state",
          "PLAINTEXT state", "CDATA section state"]
MARKS = {"C": "Character", "!": "Comment", "E": "EndTag", "S": "StartTag", "D": "DOCTYPE"}


def data_path():
    here = os.path.dirname(os.path.abspath(__file__))
    shared = os.environ.get("SLUICE_SHARED") or os.path.join(here, "..", "..", "..", "shared")
    return os.path.join(shared, "data", "html5lib", "html5lib-tests.tar.zst")


def unescape(v):
    """The second round of unescaping of doubleEscaped cases, in any JSON value."""
    if isinstance(v, str):
        return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m.group(1), 16)), v)
    if isinstance(v, list):
        return [unescape(x) for x in v]
    if isinstance(v, dict):
        return {unescape(k): unescape(x) for k, x in v.items()}
    return v


def to_bytes(s):
    """UTF-8; pairs of surrogates are joined, lone ones are kept as they are."""
    joined = s.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") \
        if not re.search("[\ud800-\udfff]", s) else join_pairs(s)
    return joined.encode("utf-8", "surrogatepass")


def join_pairs(s):
    def one(m):
        hi, lo = ord(m.group(0)[0]), ord(m.group(0)[1])
        return chr(0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00))
    return re.sub("[\ud800-\udbff][\udc00-\udfff]", one, s)


def normal(v):
    if isinstance(v, str):
        return join_pairs(v)
    if isinstance(v, list):
        return [normal(x) for x in v]
    if isinstance(v, dict):
        return {normal(k): normal(x) for k, x in v.items()}
    return v


def load_tokenizer_cases(folder):
    cases = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".test"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            suite = json.load(f)
        for case in suite.get("tests", []):
            if case.get("doubleEscaped"):
                case["input"] = unescape(case["input"])
                case["output"] = unescape(case["output"])
            for state in case.get("initialStates", ["Data state"]):
                cases.append((name, case, state))
    return cases


def field(s):
    return None if s == "-" else bytes.fromhex(s[1:]).decode("utf-8", "surrogatepass")


def parse_token(line):
    mark, *rest = line.split("\t")
    if mark == "D":
        return [MARKS[mark], field(rest[0]), field(rest[1]), field(rest[2]), rest[3] == "1"]
    if mark != "S":
        return [MARKS[mark], field(rest[0])]
    pairs = [field(x) for x in rest[2:]]
    if len(set(pairs[::2])) != len(pairs[::2]):
        return ["repeated attribute", line]
    token = ["StartTag", field(rest[0]), dict(zip(pairs[::2], pairs[1::2]))]
    return token + [True] if rest[1] == "1" else token


def parse_output(text):
    runs, tokens = [], []
    for line in text.splitlines():
        if line == ".":
            runs.append(tokens)
            tokens = []
            continue
        token = parse_token(line)
        if token[0] == "Character" and tokens and tokens[-1][0] == "Character":
            tokens[-1][1] += token[1]
        else:
            tokens.append(token)
    return runs


def run_tokenizer(program, folder):
    cases = load_tokenizer_cases(folder)
    feed = b""
    for _, case, state in cases:
        page = to_bytes(case["input"])
        feed += b"%d %s %d\n" % (STATES.index(state), (case.get("lastStartTag") or "-").encode(),
                                 len(page)) + page
    done = subprocess.run([program], input=feed, stdout=subprocess.PIPE, check=True)
    runs = parse_output(done.stdout.decode("ascii"))
    if len(runs) != len(cases):
        sys.exit("html_token_dump ran %d of %d cases" % (len(runs), len(cases)))
    failed = 0
    for (name, case, state), got in zip(cases, runs):
        want = normal(case["output"])
        if normal(got) != want:
            failed += 1
            if failed <= 20:
                print("FAILED %s: %s (%s)\n  input %r\n  want  %r\n  got   %r" %
                      (name, case["description"], state, case["input"], want, got))
    return len(cases), failed


def load_sniff_cases(path):
    """(page, encoding) of a .dat file: "#data" lines and "#encoding" lines."""
    with open(path, "rb") as f:
        text = f.read()
    for part in re.split(rb"(?:^|\n)#data\n", text)[1:]:
        page, _, rest = part.partition(b"\n#encoding\n")
        yield page, rest.split(b"\n")[0].strip()


def run_sniffer(program, folder):
    n = failed = 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".dat"):
            continue
        for page, want in load_sniff_cases(os.path.join(folder, name)):
            done = subprocess.run([program], input=page, stdout=subprocess.PIPE, check=True)
            got = done.stdout.decode().strip()
            n += 1
            if got.lower() != want.decode().lower():
                failed += 1
                print("FAILED %s: want %s, got %s\n  %r" % (name, want.decode(), got, page[:300]))
    return n, failed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    archive = data_path()
    if not os.path.exists(archive):
        print("skipped: html5lib-tests.tar.zst is not in the shared data")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", tmp], check=True)
        results = [run_tokenizer(os.path.join(sys.argv[1], "test", "html_token_dump"),
                                 os.path.join(tmp, "tokenizer"))]
        print("tokenizer: %d passed, %d failed" % (results[0][0] - results[0][1], results[0][1]))
        sniffer = os.path.join(sys.argv[1], "test", "charset_dump")
        results.append(run_sniffer(sniffer, os.path.join(tmp, "encoding")))
        print("encoding: %d passed, %d failed" % (results[1][0] - results[1][1], results[1][1]))
        scripted = os.path.join(tmp, "encoding", "scripted")
        print("encoding/scripted: %d not run, they need a script engine" % sum(
            len(list(load_sniff_cases(os.path.join(scripted, f)))) for f in os.listdir(scripted)))
    passed = sum(n - bad for n, bad in results)
    failed = sum(bad for _, bad in results)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or any(n == 0 for n, _ in results) else 0)


main()
