# SPDX-License-Identifier: Apache-2.0
"""docs/curriculum.md a second time, in Python, from that page and docs/orders.md alone.

A plan is a dict as its YAML would give it; rows are, by source, lists of dicts. What
comes out is [(source, unit, copy, stage)], or Refused. Such a list as plan['(past)'] is what
another order placed before this one goes on; as plan['(keys)'] it is a list of (id, copy,
stage, source), of a source that may be None."""

import ast
import functools
import math
import os
import re
import sys
from collections import Counter
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


def past_from(plan, rows, keys):
    """Keys of another order, found among the rows."""
    found = {s: {} for s in plan['sources']}
    for s in found:
        for u, row in enumerate(rows[s]):
            found[s].setdefault(row['id'], []).append(u)
    out, missing = [], False
    for name, copy, stage, source in keys:
        if name not in found.get(source, {}):
            source = next((s for s in found if name in found[s]), None)
        missing |= source is None
        if source is not None:
            if len(found[source][name]) > 1:
                raise Refused('two sequences with the id')
            out.append((source, found[source][name][0], copy, stage))
    if missing:
        raise Refused('in none of its sources')
    return out


def may_give(plan, sizes, source):
    epochs = plan['sources'][source].get('epochs', 1)
    if not past_of(plan):
        return sizes[source] * epochs
    listed = plan.get('(lists)', {}).get(source)
    times = dict.fromkeys(range(sizes[source]), 1) if listed is None else Counter(listed)
    return sum(max(0, epochs * n - given_before(plan, source, u)) for u, n in times.items())


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
    names, ended = list(plan['sources']), set()
    while True:
        shares = by_position(pieces)
        taken = len(past_of(plan))
        n, first, who = len(shares) + taken, len(shares) + taken, None
        for i, s in enumerate(names):
            if i in ended or plan['sources'][s].get('when_empty') != 'redistribute':
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
        ended.add(who)
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
                if 'budget' in plan or whole != pieces[-1][5]:
                    raise Refused('no source left')
                x, y = a, b
            after.append([max(begin, first), end, x or y, b and (y or x), pacing, whole])
        pieces = after


def seed_of(plan, source, stage, turn):
    h = base.mix(plan.get('seed', 0) + base.G & base.M64)
    for v in (source, stage, turn):
        h = base.mix(h + (v + 1) * base.G & base.M64)
    return h


# ---- scores


def divided(a, b):
    if b:
        return a / b
    return math.nan if not a or a != a else math.copysign(math.inf, a) * math.copysign(1, b)


def multiplied(a, b):
    return a * b


def least(a, b):
    return a if a != a or a <= b else b


def most(a, b):
    return a if a != a or a >= b else b


@functools.lru_cache(1 << 16)
def log_of(a):
    if a != a or a == math.inf:
        return a
    return -math.inf if not a else base.log(a) if a > 0 else math.nan


@functools.lru_cache(1 << 16)
def exp_of(a):
    if a != a or a > 709.782712893384:
        return a if a != a else math.inf
    return base.exp(a) if a > -745.2 else 0.0


CALLS = {'min': least, 'max': most, 'abs': abs, 'log': log_of, 'exp': exp_of,
         'sqrt': lambda a: math.sqrt(a) if a >= 0 or a != a else math.nan}
BINARY = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: multiplied,
          ast.Div: divided}


def value_of(node, names):
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        return -value_of(node.operand, names)
    if isinstance(node, ast.BinOp):
        return BINARY[type(node.op)](value_of(node.left, names), value_of(node.right, names))
    return CALLS[node.func.id](*(value_of(a, names) for a in node.args))


def is_expression(by):
    return bool(set(by) & set('+-*/()`'))


@functools.lru_cache
def names_of(by):
    """Names of columns and parameters in a score."""
    names = re.findall(r'(?<![\w.])[A-Za-z_][A-Za-z0-9_.]*', re.sub(r'(asc|desc)$', '', by.strip()))
    return [n for n in dict.fromkeys(names) if n not in CALLS]


@functools.lru_cache
def tree_of(text):
    return ast.parse(text.strip(), mode='eval').body


def moves(order):
    return isinstance(order, dict) and is_expression(order.get('by', '')) and any(
        isinstance(order.get(n), dict) for n in names_of(order['by']))


def score_of(order, x):
    """The score of a row at progress x: a function; None is null."""
    by = order['by']
    desc = by.split()[-1] == 'desc'
    text = by.rsplit(None, 1)[0] if by.split()[-1] in ('asc', 'desc') else by
    if not is_expression(by):
        return desc, lambda row: row[text]
    tree = tree_of(text)
    fixed = {}
    for n in names_of(by):
        if isinstance(order.get(n), dict):
            fixed[n] = base.pacing_at(pacing_of(order[n], order[n]['pacing']), x)
        elif n in order:
            fixed[n] = float(order[n])

    def score(row):
        names = {n: math.nan if row.get(n) is None else float(row[n]) for n in names_of(by)
                 if n not in fixed}
        v = value_of(tree, {**names, **fixed})
        return None if v != v else v
    return desc, score


def ranked(rows, left, order, x=0):
    desc, score = score_of(order, x)

    def key(u):
        v = score(rows[u])
        return (v is None, 0 if v is None else -v if desc else v, rows[u]['id'])
    return sorted(left, key=key)


# ---- drawing


def strata_turns(held, d, order):
    """(stratum, number in it), d of them."""
    spec = order['strata']
    moving = isinstance(spec, dict)
    first = base.divide([share(v) for v in (spec['from'] if moving else spec)], ONE36)
    last = base.divide([share(v) for v in spec['to']], ONE36) if moving else first
    pacing = (spec.get('pacing', 'linear') if moving else 'linear', 0, 1, 0, 1)
    steps = min(d, order.get('steps', 64)) if moving else 1
    given, t = [0] * len(held), 0
    while t < d:
        shares = []
        for b in range(steps):
            begin, end = d * b // steps, d * (b + 1) // steps
            if end <= t:
                continue
            x = (begin + end) / (2 * d)
            g = math.floor(base.pacing_at(pacing, x) * 2 ** 24 + 0.5) if moving else 0
            w = [v * (2 ** 24 - g) + z * g if a < h else 0
                 for v, z, a, h in zip(first, last, given, held)]
            if not any(w):
                w = [h - a for a, h in zip(given, held)]
            shares += [[v << 24 for v in base.divide_whole(w, ONE36)]] * (end - max(begin, t))
        for i in base.assigned(len(held), shares):
            if given[i] == held[i]:
                break
            yield i, given[i]
            given[i] += 1
            t += 1


def draw_strata(rows, left, order, d, seed):
    k = len(order['strata']['from'] if isinstance(order['strata'], dict) else order['strata'])
    items, m = ranked(rows, range(len(rows)), order), len(rows)
    left = set(left)
    parts = [[u for u in items[m * j // k:m * (j + 1) // k] if u in left] for j in range(k)]
    seeds = [base.mix(seed + (j + 1) * base.G & base.M64) for j in range(k)]
    return [parts[j][base.shuffled(len(parts[j]), seeds[j], 0, p)]
            for j, p in strata_turns([len(p) for p in parts], d, order)]


def draw(rows, left, order, d, seed, x):
    """d of the units that are left."""
    if order in ('shuffle', None):
        return [left[base.shuffled(len(left), seed, 0, p)] for p in range(d)]
    if order == 'given':
        return left[:d]
    if 'strata' in order:
        return draw_strata(rows, left, order, d, seed)
    items, m = ranked(rows, left, order, x), len(left)
    if 'pacing' in order:
        pacing = pacing_of(order, order['pacing'])
        ranks = base.pool(m, d, pacing, share(order.get('background', 0)), seed)
        return [items[int(str(r).rstrip('*'))] for r in ranks]
    if moves(order):
        if order.get('nulls') != 'last' and any(score_of(order, x)[1](rows[u]) is None
                                                for u in left):
            raise Refused('is null in')
        return items[:d]
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
                place = {u: p for p, u in enumerate(ranked(rows, range(len(rows)), order, 0))}
                reps = {min(g, key=place.get): g for g in left}
            d, sizes = len(left), sum(map(len, left))
            if isinstance(order, dict) and 'pacing' in order:
                d = -(-min(need, sizes) * d // sizes)
            for rep in draw(rows, list(reps), order, d, seed_of(plan, index, j, epoch), 0):
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
    if need and isinstance(order, dict) and order.get('nulls') != 'last' and has_nulls(rows, order):
        raise Refused('is null in')


def has_nulls(rows, order):
    if moves(order):
        return any(r[n] is None for r in rows for n in names_of(order['by']) if n not in order)
    return any(score_of(order, 0)[1](r) is None for r in rows)


def parts_of(need, order):
    """(draws, progress): what is drawn with the parameters of one moment."""
    steps = min(need, order.get('steps', 64)) if moves(order) else 1
    for b in range(steps if need else 0):
        begin, end = need * b // steps, need * (b + 1) // steps
        yield end - begin, (begin + end) / (2 * need)


def draws_of(plan, index, rows, counts, listed):
    source = list(plan['sources'].values())[index]
    name = list(plan['sources'])[index]
    before, epoch, at, out = [given_before(plan, name, u) for u in range(len(rows))], 0, 0, []
    left = [u for u in range(len(rows)) if before[u] <= epoch]
    for j, stage in enumerate(plan['stages']):
        order = source.get('order', stage.get('order'))
        if listed is not None:
            for _ in range(counts[j]):
                while before[listed[at % len(listed)]] > 0:
                    before[listed[at % len(listed)]] -= 1
                    at += 1
                out.append(listed[at % len(listed)])
                at += 1
            continue
        check_nulls(rows, order, counts[j])
        for need, x in parts_of(counts[j], order):
            while need:
                while not left:
                    epoch += 1
                    left = [u for u in range(len(rows)) if before[u] <= epoch]
                d = min(need, len(left))
                got = draw(rows, left, order, d, seed_of(plan, index, j, epoch), x)
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


def file_of(plan, s):
    order = plan['sources'][s].get('order', plan['stages'][0].get('order'))
    return order.get('file') if isinstance(order, dict) else None


def lists_of(plan, rows, orders):
    """Source name -> the units that the file of its order lists, or None."""
    out = dict.fromkeys(plan['sources'])
    known = {r['id'] for s in out for r in rows[s]}
    named = [v.get('order') for v in [*plan['sources'].values(), *plan['stages']]]
    for name in dict.fromkeys(v['file'] for v in named if isinstance(v, dict) and 'file' in v):
        twice = set()
        for s in (s for s in out if file_of(plan, s) == name):
            units = {}
            for u, row in enumerate(rows[s]):
                if row['id'] in units:
                    twice.add(row['id'])
                units[row['id']] = u
            out[s] = [units[i] for i in orders[name] if i in units]
        bad = next((i for i in orders[name] if i in twice or i not in known), None)
        if bad is not None:
            raise Refused('stands twice' if bad in twice else 'no source has')
    return out


def filled(plan, sizes, ends, shares):
    """The source of each position, up to where a source stops."""
    names, k = list(plan['sources']), len(plan['sources'])
    given, may = [0] * (k + 1), [may_give(plan, sizes, s) for s in names]
    last = ends[-2] if len(ends) > 1 else 0
    for t, i in enumerate(base.assigned(k + 1, shares), len(past_of(plan))):
        if i < k:
            s = plan['sources'][names[i]]
            when, size = s.get('when_empty', 'error'), sizes[names[i]]
            if not size or (when != 'repeat' and given[i] == may[i]):
                alone = when == 'redistribute' and 'budget' not in plan and t >= last
                if when != 'stop' and not alone:
                    raise Refused(f"source '{names[i]}' is too small")
                return
        given[i] += 1
        yield i


def places(plan, rows, length, orders=None):
    """rows: source name -> list of {'id', columns}. orders: file name -> list of ids."""
    names = list(plan['sources'])
    lists = lists_of(plan, rows, orders or {})
    plan = {**plan, '(lists)': lists}
    if '(keys)' in plan:
        plan['(past)'] = past_from(plan, rows, plan['(keys)'])
    for s, source in plan['sources'].items():
        ways = [source.get('order', stage.get('order')) for stage in plan['stages']]
        if 'group' in source and any(isinstance(w, dict) and ('strata' in w or 'file' in w or
                                                              moves(w)) for w in ways):
            raise Refused('has groups')
    sizes = {s: len(rows[s] if lists[s] is None else lists[s]) for s in names}
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
        if a == b and n and (not past_of(plan) or b > len(past_of(plan))):
            raise Refused('it has no position')
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
             draws_of(plan, i, rows[s], counts[i], lists[s]) for i, s in enumerate(names)]
    out, copies, opened = list(past_of(plan)), {}, [0] * len(names)
    for s, u, _, _ in out:
        copies[rows[s][u]['id']] = copies.get(rows[s][u]['id'], 0) + 1
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
            name = rows[key[0]][key[1]]['id']
            out.append((*key, copies.get(name, 0), j))
            copies[name] = copies.get(name, 0) + 1
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


def control(plan, rows, places, kind, window):
    """The places of an order as the control arm of that kind has them."""
    n, w = len(places), window if kind == 'locality' else 1
    windows = [places[i:i + w] for i in range(0, n, w)]
    seed = seed_of(plan, len(plan['sources']) + 1, 0, int(kind == 'locality'))
    out, copies = [], {}
    for p in range(len(windows)):
        for place in windows[base.shuffled(len(windows), seed, 0, p)]:
            name = rows[place[0]][place[1]]['id']
            copy = copies[name] = copies.get(name, -1) + 1
            out.append((*place[:2], copy, 0))
    return out
