#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""A second implementation of docs/orders.md, written from that page alone, in whole
numbers and correctly rounded decimals; everything that orders_dump prints must be equal.

    python3 tests/conformance/orders_test.py BUILD_DIR
"""
import math
import random
import struct
import subprocess
import sys
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from pathlib import Path

DUMP = Path(sys.argv[1] if len(sys.argv) > 1 else 'build/release') / 'test/orders_dump'
M64 = (1 << 64) - 1
G = 0x9e3779b97f4a7c15
rng = random.Random(20)
passed = failed = 0
getcontext().prec = 50


def check(name, fine, why=''):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f'FAILED {name}: {why}')


def dump(commands):
    p = subprocess.run([DUMP], input='\n'.join(commands) + '\n', capture_output=True, text=True)
    if p.returncode:
        sys.exit(f'orders_dump: {p.stderr}')
    return p.stdout.split('\n')[:-1]


def compare(name, cases):
    """cases: (command, the words that should be printed)."""
    wrong = 0
    why = ''
    for (command, want), got in zip(cases, dump([c for c, _ in cases])):
        if got.split() != [str(w) for w in want]:
            wrong += 1
            why = f'{command[:300]}: {got[:200]}, not {" ".join(map(str, want))[:200]}'
    check(f'{name}: {wrong} of {len(cases)} differ', not wrong and cases, why)


# ---- Numbers: correctly rounded, from 50 decimal digits

def exp(x):
    return float(Decimal(x).exp())


def log(x):
    return float(Decimal(x).ln())


def power(x, y):
    return (Decimal(x).ln() * Decimal(y)).exp()


def any_double():
    while True:
        x = struct.unpack('<d', struct.pack('<Q', rng.getrandbits(63)))[0]
        if 0 < x < math.inf:
            return x


def units_off(got, exact):
    return abs(float((Decimal(got) - exact) / Decimal(math.ulp(float(exact)))))


def tables():
    root = Path(__file__).resolve().parents[2]
    p = subprocess.run([sys.executable, root / 'lib/base/gen/math_table.py'], capture_output=True)
    check('math_table.h is what its script writes',
          p.stdout == (root / 'lib/base/math_table.h').read_bytes())


def numbers():
    """Errors against decimals, and against Python's own functions over many more values."""
    near_one = [1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-50, -1) for _ in range(1000)]
    logs = [any_double() for _ in range(1000)] + near_one
    logs += [rng.uniform(0.98, 1.02) for _ in range(6000)]
    exps = [rng.uniform(-708, 709.7) for _ in range(2000)]
    pows = [(float(rng.randrange(1, 1 << 50)), rng.random()) for _ in range(1000)]
    ln2 = Decimal(2).ln()
    exact = ([(f'log {x.hex()}', Decimal(x).ln(), 0.5001) for x in logs] +
             [(f'log2 {x.hex()}', Decimal(x).ln() / ln2, 0.5001) for x in logs] +
             [(f'exp {x.hex()}', Decimal(x).exp(), 0.51) for x in exps] +
             [(f'pow {x.hex()} {y.hex()}', power(x, y), 0.52) for x, y in pows])
    missed = dict.fromkeys(('log', 'log2', 'exp', 'pow'), 0)
    for (command, want, most), got in zip(exact, dump([c for c, _, _ in exact])):
        got = float.fromhex(got)
        off = units_off(got, want)
        if off > most:
            check(command, False, f'off by {off} units')
        missed[command.split()[0]] += got != float(want)
    print('not the nearest double:', missed, 'of 8000, 8000, 2000, 1000')
    check('nearly all are the nearest doubles', missed['log'] == missed['log2'] == 0 and
          missed['exp'] < 10 and missed['pow'] < 10, str(missed))
    many = [('log', any_double(), math.log) for _ in range(100000)]
    many += [('exp', rng.uniform(-708, 709.7), math.exp) for _ in range(100000)]
    many += [('log2', rng.uniform(0.5, 2), math.log2) for _ in range(100000)]
    worst = 0
    for (_, x, f), got in zip(many, dump([f'{n} {x.hex()}' for n, x, _ in many])):
        want = f(x)
        worst = max(worst, abs(float.fromhex(got) - want) / math.ulp(want))
    check('300000 values are within one unit of this machine\'s libm', worst <= 1, str(worst))


# ---- Pacing

def pacing_at(p, x):
    name, b, m, begin, end = p
    if x >= end:
        return m
    if x <= begin:
        return b
    y = (x - begin) / (end - begin)
    d = m - b
    v = {'linear': lambda: b + d * y,
         'quadratic': lambda: b + d * (y * y),
         'root': lambda: b + d * math.sqrt(y),
         'step': lambda: b,
         'exponential': lambda: b + d * ((exp(10 * y) - 1) / (exp(10) - 1)),
         'logarithmic': lambda: b + d * (1 + 0.1 * log(y + exp(-10))),
         'competence': lambda: math.sqrt(y * (m * m - b * b) + b * b),
         'inverse_quadratic': lambda: b + d * (1 - (1 - y) * (1 - y))}[name]()
    return min(max(v, b), m)


PACINGS = ['linear', 'quadratic', 'root', 'step', 'exponential', 'logarithmic', 'competence',
           'inverse_quadratic']


def some_pacing(name=None):
    m = rng.choice([1, 1, rng.random()])
    begin = rng.choice([0, 0, rng.random() / 2])
    return (name or rng.choice(PACINGS), m * rng.choice([0, 0.1, rng.random()]), m, begin,
            rng.choice([1, begin + 0.01 + (0.99 - begin) * rng.random()]))


def words(p):
    return ' '.join([p[0]] + [float(v).hex() for v in p[1:]])


def hexes(values):
    """Doubles as C's %a writes them."""
    out = []
    for v in values:
        h = float(v).hex()
        mantissa, exponent = h.split('p')
        out.append(mantissa.rstrip('0').rstrip('.') + 'p' + exponent if v else '0x0p+0')
    return out


def pacings():
    cases = []
    for name in PACINGS:
        for _ in range(15):
            p = some_pacing(name)
            n = rng.choice([1, 7, 60])
            cases.append((f'pacing {words(p)} {n}',
                          hexes(pacing_at(p, t / n) for t in range(n + 1))))
    compare('pacing', cases)


# ---- Shuffles

def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & M64
    z = (z ^ z >> 27) * 0x94d049bb133111eb & M64
    return z ^ z >> 31


def state_of(seed, stream):
    return mix(mix(seed + G & M64) + (stream + 1) * G & M64)


def shuffled(n, seed, stream, p):
    state = state_of(seed, stream)
    bits = (n - 1).bit_length()
    half, rest = bits // 2, bits - bits // 2
    while True:
        high, low = p >> rest, p & (1 << rest) - 1
        for r in range(12):
            key = mix(state + (r + 1) * G & M64)
            if r % 2 == 0:
                high ^= mix(low ^ key) & (1 << half) - 1
            else:
                low ^= mix(high ^ key) & (1 << rest) - 1
        p = high << rest | low
        if p < n:
            return p


# ---- Orders, as lists

def folded(ranks, k, zigzag):
    out = []
    for layer in range(min(k, len(ranks))):
        part = ranks[layer::k]
        out += part[::-1] if zigzag and layer % 2 else part
    return out


def order(name, n, seed, hard, same, k, parts, radius, first, last, window):
    ranks = list(range(n))
    if name in ('folding', 'zigzag'):
        ranks = folded(ranks, k, name == 'zigzag')
    elif name in ('stair', 'saw'):
        half = min(math.floor(radius * n), n // (2 * parts))
        for j in range(1, parts):
            begin = n * j // parts - half
            ranks[begin:begin + 2 * half] = folded(ranks[begin:begin + 2 * half], k,
                                                   name == 'saw')
    elif name == 'segments':
        a = math.floor(first * n)
        z = min(math.floor(last * n), n - a)
        c = n - a - z
        head, rest = ranks[:a], ranks[a:]
        tail, middle = (rest[:z], rest[z:]) if same else (rest[c:], rest[:c])
        ranks = head + [middle[shuffled(c, seed, 0, p)] for p in range(c)] + tail
    elif name == 'jitter':
        ranks = []
        for i, begin in enumerate(range(0, n, window)):
            s = min(window, n - begin)
            ranks += [begin + shuffled(s, seed, i, p) for p in range(s)]
    elif name == 'shuffle':
        ranks = [shuffled(n, seed, 0, p) for p in range(n)]
    return [n - 1 - r for r in ranks] if hard else ranks


def orders():
    cases = []
    for name in ('sort', 'folding', 'zigzag', 'stair', 'saw', 'segments', 'jitter', 'shuffle'):
        for _ in range(60):
            n = rng.choice([0, 1, 2, rng.randrange(3, 40), rng.randrange(40, 400)])
            parts = rng.randrange(1, 9)
            first = rng.random()
            a = (name, n, rng.getrandbits(64), rng.randrange(2), rng.randrange(2),
                 rng.randrange(1, 10), parts, rng.random() / (2 * parts), first,
                 (1 - first) * rng.random(), rng.randrange(1, 50))
            cases.append(('order ' + ' '.join(v.hex() if isinstance(v, float) else str(v)
                                              for v in a), order(*a)))
    compare('orders', cases)


# ---- Pools

def pool(n, draws, pacing, background, seed):
    u = math.floor(background * 2 ** 32 + 0.5)
    state = state_of(seed, 1)
    drawn, entries, inside, attempt, place = set(), [], 0, 0, 0
    for t in range(draws):
        size = min(n, max(t + 1, math.floor(pacing_at(pacing, t / draws) * n + 0.5)))
        entries += [r for r in range(inside, size) if r not in drawn]
        inside = max(inside, size)
        if (t + 1) * u >> 32 > t * u >> 32:
            while (rank := shuffled(n, seed, 0, place)) in drawn:
                place += 1
            yield f'{rank}*'
        else:
            while True:
                attempt += 1
                i = mix(state + attempt * G & M64) * len(entries) >> 64
                rank = entries[i]
                entries[i] = entries[-1]
                entries.pop()
                if rank not in drawn:
                    break
            yield rank
        drawn.add(rank)


def pools():
    cases = []
    for name in PACINGS * 8:
        n = rng.choice([1, 2, 10, 200])
        p = some_pacing(name)
        draws = rng.choice([n, n, rng.randrange(n + 1)])
        background = rng.choice([0, 1, 1 - 2 ** -34, rng.random()])
        seed = rng.getrandbits(64)
        cases.append((f'pool {n} {draws} {words(p)} {float(background).hex()} {seed}',
                      list(pool(n, draws, p, background, seed))))
    compare('pools', cases)


# ---- Mixtures

def divide_whole(weights, total):
    whole = sum(weights)
    out = [w * total // whole for w in weights]
    rest = sorted(range(len(weights)), key=lambda i: (-(weights[i] * total % whole), i))
    for i in rest[:total - sum(out)]:
        out[i] += 1
    return out


def divide(weights, total):
    scale = 62 - math.frexp(max(weights))[1]
    return divide_whole([math.floor(Fraction(w) * Fraction(2) ** scale) for w in weights], total)


def unimax(sizes, budget, epochs):
    out = [0] * len(sizes)
    left = len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: (sizes[i], i)):
        out[i] = min(budget // left, math.floor(epochs * sizes[i]))
        budget -= out[i]
        left -= 1
    return out


def mixtures():
    one = 1 << 36
    cases = []
    for _ in range(400):
        n = rng.choice([1, 2, 3, 10, 60])
        total = rng.choice([one, one, rng.randrange(one + 1), rng.randrange(9)])
        w = [rng.choice([rng.random(), rng.random() ** 9, 0.1, 1.0]) for _ in range(n)]
        cases.append((f'divide {total} ' + ' '.join(v.hex() for v in w), divide(w, total)))
        s = [rng.randrange(1 << rng.randrange(1, 52)) + 1 for _ in range(n)]
        cases.append((f'units {total} ' + ' '.join(map(str, s)), divide_whole(s, total)))
        budget, epochs = rng.randrange(1 << rng.randrange(1, 52)), rng.choice([1, 4, 1.5])
        cases.append((f'unimax {budget} {float(epochs).hex()} ' + ' '.join(map(str, s)),
                      unimax(s, budget, epochs)))
        a = rng.choice([0.0, 0.3, 0.7, 1.0, rng.random()])
        cases.append((f'alpha {total} {a.hex()} ' + ' '.join(map(str, s)),
                      divide([float(power(v, a)) for v in s], total)))
    compare('mixtures', cases)


# ---- Schedules and assignment

def shares_of(k):
    """Half of them in 64ths, so that many comparisons are of equal numbers."""
    if rng.random() < 0.5:
        w = [0] * k
        for _ in range(64):
            w[rng.choice([0, rng.randrange(k)])] += 1
        return [v << 30 for v in w]
    return divide([rng.choice([rng.random(), rng.random() ** 8, 0]) for _ in range(k - 1)] +
                  [0.01], 1 << 36)


def levels(n, p):
    """The pacing's level at each position of a segment."""
    blocks = min(n, 65536)
    out = []
    for j in range(blocks):
        begin, end = n * j // blocks, n * (j + 1) // blocks
        g = math.floor(pacing_at(p, (begin + end) / (2 * n)) * 2 ** 24 + 0.5)
        out += [g] * (end - begin)
    return out


def some_schedule(k, longest):
    """Commands, and the shares of all sources position by position."""
    commands, shares = [f'sources {k}'], []
    for _ in range(rng.randrange(1, 5)):
        n, a, b = rng.randrange(longest), shares_of(k), shares_of(k)
        if rng.random() < 0.4:
            commands.append(f'still {n} ' + ' '.join(map(str, a)))
            shares += [[v << 24 for v in a]] * n
        else:
            p = some_pacing()
            commands.append(f'moving {n} {words(p)} ' + ' '.join(map(str, a + b)))
            shares += [[x * (2 ** 24 - g) + y * g for x, y in zip(a, b)] for g in levels(n, p)]
    return commands, shares


def assigned(k, shares):
    """By the definition: deadlines are looked for position by position."""
    one, n = 1 << 60, len(shares)
    d = Fraction(one, 2 * k - 2) if k > 1 else 0
    targets = [[0] * k]
    for s in shares:
        targets.append([t + v for t, v in zip(targets[-1], s)])
    count, deadline = [0] * k, [0] * k

    def find(i, t):
        while t <= n and targets[t][i] - count[i] * one <= one - d:
            t += 1
        deadline[i] = t

    for i in range(k):
        find(i, 0)
    for t in range(1, n + 1):
        may = [i for i in range(k) if k == 1 or targets[t][i] - count[i] * one >= d]
        who = min(may, key=lambda i: (deadline[i], i))
        count[who] += 1
        find(who, deadline[who])
        worst = max(abs(targets[t][i] - count[i] * one) for i in range(k))
        check('', worst <= one - d, f'{k} sources are {float(worst / one)} off')
        yield who


def hexes_of(targets):
    return [f'{t >> 64:x}{t & M64:016x}' for t in targets]


def assignments():
    global passed
    begin = passed
    commands, wants = [], []
    for k in [1, 2, 3, 5] * 6 + [9, 10, 24, 25, 26, 60] * 2:
        new, shares = some_schedule(k, 400)
        commands += new
        wants += [[]] * len(new)
        commands.append('assign')
        wants.append(list(assigned(k, shares)))
        at = [0, len(shares), len(shares) // 2]
        commands.append('targets ' + ' '.join(map(str, at)))
        wants.append([h for t in at
                      for h in hexes_of([sum(s[i] for s in shares[:t]) for i in range(k)])])
        i, units = rng.randrange(k), rng.randrange(30)
        total, lasts = 0, 0
        for s in shares:
            total += s[i]
            if total > units << 60:
                break
            lasts += 1
        commands.append(f'lasts {i} {units}')
        wants.append([lasts])
    passed = begin + 1  # the bound of all positions is one case
    compare('schedules and assignment', list(zip(commands, wants)))


def long_schedule():
    """More positions than blocks."""
    new, n = ['sources 2'], 200003
    p = ('root', 0.1, 0.9, 0, 1)
    a, b = [1 << 36, 0], [1 << 34, 3 << 34]
    new.append(f'moving {n} {words(p)} ' + ' '.join(map(str, a + b)))
    total, sums = [0, 0], [[0, 0]]
    for g in levels(n, p):
        total = [t + x * (2 ** 24 - g) + y * g for t, x, y in zip(total, a, b)]
        sums.append(total)
    at = [0, 1, 2, 3, 4, n // 2, n - 1, n] + [rng.randrange(n) for _ in range(200)]
    compare('a schedule of 200003 positions',
            [(c, []) for c in new] + [('targets ' + ' '.join(map(str, at)),
                                       [h for t in at for h in hexes_of(sums[t])])])


def main():
    if not DUMP.exists():
        print(f'skipped: {DUMP} was not built')
        sys.exit(77)
    with localcontext():
        for part in (tables, numbers, pacings, orders, pools, mixtures, assignments,
                     long_schedule):
            part()
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
