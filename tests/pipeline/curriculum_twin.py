# SPDX-License-Identifier: Apache-2.0
"""docs/curriculum.md a second time, in Python, from that page and docs/orders.md alone.

A plan is a dict as its YAML would give it; rows are, by source, lists of dicts. What
comes out is [(source, unit, copy, stage)], or Refused. Such a list as plan['(past)'] is what
another order placed before this one goes on."""

import math
import os
import sys
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
import orders_test as base  # noqa: E402

ONE36, ONE60 = 1 << 36, 1 << 60
USUAL = {'folding': {'layers': 5}, 'zigzag': {'layers': 5},
         'stair': {'parts': 2, 'radius': 0.225, 'layers': 3},
         'saw': {'parts': 3, 'radius': 0.075, 'layers': 2},
         'segments': {'first': 0.1, 'last': 0.1}, 'jitter': {'window': 1000}}


DOWN = {'linear': lambda y: y, 'sqrt': math.sqrt,
        'cosine': lambda y: (1 - math.cos(math.pi * y)) / 2}


class Refused(Exception):
    """The plan does not fit the data; the word is one that the message must have."""


def past_of(plan):
    return plan.get('(past)', [])


def given_before(plan, source, unit):
    return sum(p[:2] == (source, unit) for p in past_of(plan))


def may_give(plan, sizes, source):
    epochs = plan['sources'][source].get('epochs', 1)
    if not past_of(plan):
        return sizes[source] * epochs
    return sum(max(0, epochs - given_before(plan, source, u)) for u in range(sizes[source]))


def share(v):
    if isinstance(v, str):
        return float(v[:-1]) / 100
    return float(v)


def pacing_of(spec, kind):
    return (kind, share(spec.get('start', 0)), share(spec.get('max', 1)),
            share(spec.get('from', 0)), share(spec.get('to', 1)))


def rate(lr, x):
    decay = lr.get('decay', 1 - lr.get('warmup', 0))
    y = (x - (1 - decay)) / decay if decay > 0 else 0
    if y <= 0 or lr['shape'] == 'constant':
        return 1
    return 1 - (1 - lr.get('end', 0)) * DOWN[lr['shape']](y)


def border(plan, until, n, length):
    if until is None:
        return n
    if isinstance(until, str):
        return math.floor(float(until[:-1]) * n / 100)
    (unit, value), = until.items()
    if unit == 'lr':
        t = math.floor(plan['lr'].get('warmup', 0) * n)
        while t < n and rate(plan['lr'], t / n) > value:
            t += 1
        return t
    return math.floor(value / length if unit in ('tokens', 'bytes') else value)


def mix_shares(plan, mix, replay, sizes):
    names = list(plan['sources'])
    seen = math.floor(share(replay) * ONE36)
    total = ONE36 - seen
    if mix is None:
        weights = [may_give(plan, sizes, s) for s in names]
        if not any(weights):
            weights[0] = 1
        return base.divide_whole(weights, total) + [seen]
    given = [share(mix.get(s, 0)) for s in names]
    if 'alpha' not in mix:
        return base.divide(given, total) + [seen]
    out = [math.floor(w * total) for w in given]
    of = [sizes[s] if s in mix['of'] else 0 for s in names]
    if not any(of):
        raise Refused("sources of 'of' are empty")
    weights = [float(base.power(v, float(mix['alpha']))) if v else 0.0 for v in of]
    part = base.divide(weights, total - sum(out))
    return [a + b for a, b in zip(out, part)] + [seen]


def pieces_of(plan, sizes, ends):
    """[begin, end, from, to, pacing, (begin, end) of the stage] of each stage."""
    out, first, taken = [], 0, len(past_of(plan))
    for stage, last in zip(plan['stages'], ends):
        begin, end = max(first, taken), max(last, taken)
        replay = stage.get('replay', {}).get('share', 0)
        if share(replay) > 0 and not begin:
            raise Refused('nothing to replay')
        mix = stage.get('mixture')
        moving = mix is not None and 'from' in mix
        a = mix_shares(plan, mix['from'] if moving else mix, replay, sizes)
        b = mix_shares(plan, mix['to'], replay, sizes) if moving else None
        pacing = (mix.get('pacing', 'linear'), 0, 1, 0, 1) if moving else None
        out.append([begin, end, a, b, pacing, (first, last)])
        first = last
    return out


def by_position(pieces):
    out = []
    for begin, end, a, b, pacing, (first, last) in pieces:
        if b is None:
            out += [[v << 24 for v in a]] * (end - begin)
        else:
            levels = base.levels(last - first, pacing)[begin - first:end - first]
            out += [[x * (2 ** 24 - g) + y * g for x, y in zip(a, b)] for g in levels]
    return out


def without(mix, who):
    """A mixture without a source, divided anew to one; None where nothing is left."""
    rest = [0 if i == who else v for i, v in enumerate(mix)]
    return base.divide_whole(rest, ONE36) if any(rest) else None


def redistribute(plan, sizes, pieces):
    names = list(plan['sources'])
    while True:
        shares = by_position(pieces)
        taken = len(past_of(plan))
        n, first, who = len(shares) + taken, len(shares) + taken, None
        for i, s in enumerate(names):
            if plan['sources'][s].get('when_empty') != 'redistribute':
                continue
            limit = may_give(plan, sizes, s) * ONE60
            t, total = taken, 0
            while t < n and total + shares[t - taken][i] <= limit:
                total += shares[t - taken][i]
                t += 1
            if t < first:
                first, who = t, i
        if who is None:
            return shares
        after = []
        for p in pieces:
            begin, end, a, b, pacing, whole = p
            if end <= first or not (a[who] or b and b[who]):
                after.append(p)
                continue
            if begin < first:
                after.append([begin, first, a, b, pacing, whole])
            x, y = without(a, who), b and without(b, who)
            if x is None and y is None:
                raise Refused('no source left')
            after.append([max(begin, first), end, x or y, b and (y or x), pacing, whole])
        pieces = after


def seed_of(plan, source, stage, turn):
    h = base.mix(plan.get('seed', 0) + base.G & base.M64)
    for v in (source, stage, turn):
        h = base.mix(h + (v + 1) * base.G & base.M64)
    return h


def ranked(rows, left, by):
    column, desc = (by.split() + [''])[:2]

    def key(u):
        v = rows[u][column]
        return (v is None, 0 if v is None else -v if desc == 'desc' else v, rows[u]['id'])
    return sorted(left, key=key)


def draw(rows, left, order, d, seed):
    """d of the units that are left."""
    if order in ('shuffle', None):
        return [left[base.shuffled(len(left), seed, 0, p)] for p in range(d)]
    if order == 'given':
        return left[:d]
    items, m = ranked(rows, left, order['by']), len(left)
    if 'pacing' in order:
        pacing = pacing_of(order, order['pacing'])
        ranks = base.pool(m, d, pacing, share(order.get('background', 0)), seed)
        return [items[int(str(r).rstrip('*'))] for r in ranks]
    kind = order.get('kind', 'sort')
    c = {'layers': 1, 'parts': 1, 'radius': 0, 'first': 0, 'last': 0, 'window': 1,
         **USUAL.get(kind, {}), **{k: share(v) if k in ('radius', 'first', 'last') else v
                                   for k, v in order.items()}}
    ranks = base.order(kind, m, seed, False, c.get('same_end', False), c['layers'], c['parts'],
                       c['radius'], c['first'], c['last'], c['window'])
    return [items[r] for r in ranks[:d]]


def groups_of(rows, column):
    """Lists of units with one value, each in order, by their first; null: alone."""
    by = {}
    for u, row in enumerate(rows):
        by.setdefault((u,) if row[column] is None else row[column], []).append(u)
    return sorted(by.values())


def group_draws(plan, index, rows, turns):
    """By stage, the groups that it begins."""
    source = list(plan['sources'].values())[index]
    name = list(plan['sources'])[index]
    before = [given_before(plan, name, u) for u in range(len(rows))]
    whole = groups_of(rows, source['group'])
    epoch, over, total, out, full = 0, 0, sum(turns), [], False

    def fresh():
        there = ([u for u in g if before[u] <= epoch] for g in whole)
        return sorted(g for g in there if g)
    left = fresh()
    for j, stage in enumerate(plan['stages']):
        order, begun = source.get('order', stage.get('order')), []
        check_nulls(rows, order, turns[j])
        covered = min(over, turns[j])
        need, over = turns[j] - covered, over - covered
        while need > 0 and not full:
            while not left:
                epoch += 1
                left = fresh()
            reps = {g[0]: g for g in left}
            if isinstance(order, dict):
                place = {u: p for p, u in enumerate(ranked(rows, range(len(rows)), order['by']))}
                reps = {min(g, key=place.get): g for g in left}
            d, sizes = len(left), sum(map(len, left))
            if isinstance(order, dict) and 'pacing' in order:
                d = -(-min(need, sizes) * d // sizes)
            for rep in draw(rows, list(reps), order, d, seed_of(plan, index, j, epoch)):
                group = reps[rep]
                full = len(group) > total
                if full:
                    break
                begun.append(group)
                left.remove(group)
                total -= len(group)
                need -= len(group)
                if need <= 0:
                    over = -need
                    break
        out.append(begun)
    return out


def check_nulls(rows, order, need):
    if need and isinstance(order, dict) and order.get('nulls') != 'last':
        if any(r[order['by'].split()[0]] is None for r in rows):
            raise Refused('is null in')


def draws_of(plan, index, rows, counts):
    source = list(plan['sources'].values())[index]
    name = list(plan['sources'])[index]
    before, epoch, out = [given_before(plan, name, u) for u in range(len(rows))], 0, []
    left = [u for u in range(len(rows)) if before[u] <= epoch]
    for j, stage in enumerate(plan['stages']):
        order, need = source.get('order', stage.get('order')), counts[j]
        check_nulls(rows, order, need)
        while need:
            while not left:
                epoch += 1
                left = [u for u in range(len(rows)) if before[u] <= epoch]
            d = min(need, len(left))
            got = draw(rows, left, order, d, seed_of(plan, index, j, epoch))
            out += got
            left = sorted(set(left) - set(got))
            need -= d
    return iter(out)


def in_blocks(rows, places, by, size):
    """Places of a stage in blocks of one value."""
    out, waiting = [], {}
    for place in places:
        value = rows[place[0]][place[1]][by]
        block = waiting.setdefault(value, [])
        block.append(place)
        if len(block) == size:
            out += waiting.pop(value)
    order = sorted(waiting, key=lambda v: (v is None, 0 if v is None else
                                           v.encode() if isinstance(v, str) else v))
    return out + [p for v in order for p in waiting[v]]


def filled(plan, sizes, ends, shares):
    """The source of each position, up to where a source stops."""
    names, k = list(plan['sources']), len(plan['sources'])
    given, may = [0] * (k + 1), [may_give(plan, sizes, s) for s in names]
    for i in base.assigned(k + 1, shares):
        if i < k:
            s = plan['sources'][names[i]]
            when, size = s.get('when_empty', 'error'), sizes[names[i]]
            if not size or (when != 'repeat' and given[i] == may[i]):
                if when != 'stop':
                    raise Refused(f"source '{names[i]}' is too small")
                return
        given[i] += 1
        yield i


def places(plan, rows, length):
    """rows: source name -> list of {'id', columns}."""
    names = list(plan['sources'])
    sizes = {s: len(rows[s]) for s in names}
    budget = plan.get('budget')
    if budget is None:
        n = sum(sizes[s] * plan['sources'][s].get('epochs', 1) for s in names)
    else:
        tokens = budget['in'] in ('tokens', 'bytes')
        n = math.floor(budget['amount'] / length if tokens else budget['amount'])
    ends = [border(plan, s.get('until'), n, length) for s in plan['stages']]
    for a, b in zip([0] + ends, ends):
        if b < a:
            raise Refused('ends before it begins')
        if b > n:
            raise Refused('ends behind the budget')
    if ends[-1] != n:
        raise Refused('does not end with the budget')
    taken = len(past_of(plan))
    if n < taken:
        raise Refused('the plan ends at position')
    shares = redistribute(plan, sizes, pieces_of(plan, sizes, ends))
    who = list(filled(plan, sizes, ends, shares))
    stages = [sum(taken + t >= e for e in ends) for t in range(len(who))]
    counts = [[0] * len(ends) for _ in range(len(names) + 1)]
    for i, j in zip(who, stages):
        counts[i][j] += 1
    grouped = ['group' in plan['sources'][s] for s in names]
    for j, stage in enumerate(plan['stages']):
        if 'batch' in stage and any(g and counts[i][j] for i, g in enumerate(grouped)):
            raise Refused('would tear the groups')
    drawn = [iter(sum(group_draws(plan, i, rows[s], counts[i]), [])) if grouped[i] else
             draws_of(plan, i, rows[s], counts[i]) for i, s in enumerate(names)]
    out, copies, opened = list(past_of(plan)), {}, [0] * len(names)
    for p in out:
        copies[p[:2]] = copies.get(p[:2], 0) + 1
    for j, stage in enumerate(plan['stages']):
        places, b, k = [], len(out), 0
        for i in (i for i, of in zip(who, stages) if of == j):
            if i == len(names):
                if not b:
                    raise Refused('has nothing to replay')
                seed = seed_of(plan, len(names), j, k // b)
                places.append(out[base.shuffled(b, seed, 0, k % b)][:2])
                k += 1
            elif not grouped[i]:
                places.append((names[i], next(drawn[i])))
            elif opened[i]:
                opened[i] -= 1
            else:
                group = next(drawn[i], [])
                opened[i] = max(0, len(group) - 1)
                places += [(names[i], u) for u in group]
        if 'batch' in stage:
            places = in_blocks(rows, places, stage['batch']['by'], stage['batch']['size'])
        for key in places:
            out.append((*key, copies.get(key, 0), j))
            copies[key] = copies.get(key, 0) + 1
    return out, shares


def bound_of(plan, rows, out):
    """What no prefix is off by: 1, and what groups and blocks add."""
    most = 1
    for s, source in plan['sources'].items():
        if 'group' in source:
            most += max(map(len, groups_of(rows[s], source['group'])), default=1) - 1
    waiting = [0]
    for j, stage in enumerate(plan['stages']):
        if 'batch' in stage:
            values = {rows[p[0]][p[1]][stage['batch']['by']] for p in out if p[3] == j}
            waiting.append(len(values) * (stage['batch']['size'] - 1))
    return most + max(waiting)


def worst_errors(plan, out, shares):
    """The largest error of any source over all prefixes and windows, for a plan without
    replay, in sequences."""
    prefix = window = Fraction(0)
    for i, s in enumerate(plan['sources']):
        error, low, high = 0, 0, 0
        for t, place in enumerate(out):
            error += ONE60 * (place[0] == s) - shares[t][i]
            low, high = min(low, error), max(high, error)
            prefix = max(prefix, Fraction(abs(error), ONE60))
        window = max(window, Fraction(high - low, ONE60))
    return prefix, window


def control(plan, places, kind, window):
    """The places of an order as the control arm of that kind has them."""
    n, w = len(places), window if kind == 'locality' else 1
    windows = [places[i:i + w] for i in range(0, n, w)]
    seed = seed_of(plan, len(plan['sources']) + 1, 0, int(kind == 'locality'))
    out, copies = [], {}
    for p in range(len(windows)):
        for place in windows[base.shuffled(len(windows), seed, 0, p)]:
            copy = copies[place[:2]] = copies.get(place[:2], -1) + 1
            out.append((*place[:2], copy, 0))
    return out
