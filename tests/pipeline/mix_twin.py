# SPDX-License-Identifier: Apache-2.0
"""docs/mixing.md a second time, in Python, from that page and docs/orders.md alone.

A source is the list of its rows' weights. What comes out is [(source, row, pass)], or
Refused, with the source that was too small and the output's row from 1."""
import math
import os
import sys
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
import orders_test as base  # noqa: E402

ONE, FOREVER = 1 << 36, 1 << 39


class Refused(Exception):
    def __init__(self, source, row):
        super().__init__(f'source {source} at row {row}')
        self.source, self.row = source, row


def shares_of(how, sizes, n):
    """how: (option, values); the shares in units of 2^-36."""
    option, values = how
    if option == 'alpha':
        alpha, given = values
        shares = [math.floor(Fraction(given[i]) * ONE) if i in given else 0
                  for i in range(len(sizes))]
        rest = [0.0 if i in given or not s else float(base.power(s, alpha))
                for i, s in enumerate(sizes)]
        return [a + b for a, b in zip(shares, base.divide(rest, ONE - sum(shares)))]
    if option == 'unimax':
        return base.divide_whole(base.unimax(sizes, n, values), ONE)
    return base.divide([float(v) for v in values], ONE)


class ByRows:
    """The chairman assignment of standing shares over so many positions."""

    def __init__(self, shares, positions):
        self.shares, self.positions, self.t = shares, positions, 0
        self.count = [0] * len(shares)
        self.d = Fraction(1, 2 * len(shares) - 2) if len(shares) > 1 else 0

    def times(self, i):
        """Release and deadline of the source's next item."""
        if not self.shares[i]:
            return None
        per = Fraction(ONE, self.shares[i])
        release = math.ceil((self.count[i] + self.d) * per)
        deadline = math.floor((self.count[i] + 1 - self.d) * per) + 1
        return release, deadline if deadline <= self.positions else math.inf

    def next(self, _):
        self.t += 1
        if len(self.shares) == 1:
            return 0
        may = []
        for i in range(len(self.shares)):
            times = self.times(i)
            if times and times[0] <= self.t:
                may.append((times[1], i))
        who = min(may)[1]
        self.count[who] += 1
        return who


class ByWeight:
    """WF2Q: the sources that are not ahead, by the end of their next row."""

    def __init__(self, shares, _):
        self.shares = [Fraction(s, ONE) for s in shares]
        self.given = [0] * len(shares)

    def next(self, weight):
        whole = sum(self.given)
        may = [((g + weight(i)) / s, i) for i, (g, s) in enumerate(zip(self.given, self.shares))
               if s and g <= s * whole]
        who = min(may)[1]
        self.given[who] += weight(who)
        return who


def mix(sources, shares, ends, n, by_weight=False):
    """ends: what happens where each source ends; n: rows, 0 for none."""
    shares, out = list(shares), []
    at, passes = [0] * len(sources), [0] * len(sources)
    given = [0] * len(sources)

    def has(i):
        """A row is there; a source that repeats begins again."""
        if at[i] == len(sources[i]) and ends[i] == 'repeat' and given[i]:
            at[i], passes[i] = 0, passes[i] + 1
        return at[i] < len(sources[i])

    def weight(i):
        return sources[i][at[i]] if has(i) else 0

    def begin():
        return (ByWeight if by_weight else ByRows)(shares, n - len(out) if n else FOREVER)

    picker = begin()
    while not n or len(out) < n:
        i = picker.next(weight)
        if has(i):
            out.append((i, at[i], passes[i]))
            at[i] += 1
            given[i] += 1
            continue
        if ends[i] == 'stop':
            break
        left = [j for j in range(len(sources)) if shares[j] and has(j)]
        if not n and ends[i] != 'repeat' and all(ends[j] == 'repeat' for j in left):
            break
        if ends[i] != 'redistribute' or not left:
            raise Refused(i, len(out) + 1)
        shares = base.divide_whole([0 if ends[j] == 'redistribute' and not has(j) else s
                                    for j, s in enumerate(shares)], ONE)
        picker = begin()
    return out
