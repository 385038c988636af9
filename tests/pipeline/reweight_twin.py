# SPDX-License-Identifier: Apache-2.0
"""docs/reweighting.md in Python, with whole numbers and double-precision floats alone.

A loss is (id, copy, loss, step or None); a sequence is (id, copy)."""
import math
import struct

FLOAT32_MAX = 2.0**128 - 2.0**104


def float32(x):
    return struct.unpack('<f', struct.pack('<f', x))[0]


def reduce(losses, how):
    """(id, copy) -> loss."""
    by_key = {}
    for place, (i, copy, loss, step) in enumerate(losses):
        by_key.setdefault((i, copy), []).append((-math.inf if step is None else step, place, loss))
    out = {}
    for key, measured in by_key.items():
        if how == 'mean':
            total = 0.0
            for loss in sorted(loss for _, _, loss in measured):
                total += loss
            out[key] = total / len(measured)
        else:
            out[key] = (max if how == 'last' else min)(measured)[2]
    return out


def block_weights(losses, kind, d, r):
    """Of a block, in order; None: no loss."""
    have = [x for x in losses if x is not None]
    if not have:
        return [1.0] * len(losses)
    lo, hi = min(have), max(have)

    def f(x):
        h = (d * ((x - lo) - (hi - x))) / (hi - lo) if hi > lo else 0.0
        return {'linupper': min(h + d, d), 'quadratic': 1 - (h * h) / (d * d),
                'extremes': abs(h), 'upper': (h + d) / 2}[kind]

    top = max(f(x) for x in have)
    total = 0.0
    for x in have:
        total += math.exp((f(x) - top) / r)
    return [1.0 if x is None else
            float32((math.exp((f(x) - top) / r) * len(have)) / total) for x in losses]


def weights(losses, kind, d, r, batch):
    out, batch = [], batch or max(len(losses), 1)
    for at in range(0, len(losses), batch):
        out += block_weights(losses[at:at + batch], kind, d, r)
    return out


def sample(ids, weights_, n, seed):
    """(index of the sequence, copy) in order."""
    units = [math.floor(w * 2**24 + 0.5) for w in weights_]
    total, before, out, copies = sum(units), 0, [], {}
    offset = seed * total // 2**64
    for k, u in enumerate(units):
        times = ((before + u) * n + offset) // total - (before * n + offset) // total
        before += u
        for _ in range(times):
            out.append((k, copies.get(ids[k], 0)))
            copies[ids[k]] = out[-1][1] + 1
    return out


def recovery(loss, before):
    if loss is None or before is None or before == 0:
        return None
    x = (before - loss) / before
    return float32(x) if abs(x) <= FLOAT32_MAX else None


def domains(sources, now, reference, eta):
    """[(source, rows, n, X, weight)] in order."""
    names = sorted((s for s in set(sources) if s is not None), key=lambda s: s.encode())
    names += [None] if None in sources else []
    by = {s: [0, 0, 0.0] for s in names}
    for s, a, b in zip(sources, now, reference):
        by[s][0] += 1
        if a is not None and b is not None:
            by[s][1] += 1
            by[s][2] += max(a - b, 0.0)
    mean = {s: x / n if n else 0.0 for s, (_, n, x) in by.items()}
    total, top = sum(n for _, n, _ in by.values()), max([0.0, *mean.values()])
    part = {s: by[s][1] / total * math.exp(eta * (mean[s] - top)) if by[s][1] else 0.0
            for s in names}
    whole = 0.0
    for s in names:
        whole += part[s]
    return [(s, by[s][0], by[s][1], mean[s], (1 - 1e-3) * (part[s] / whole) + 1e-3 / len(names))
            for s in names]
