#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write docs/experiment.md from results.json on standard output.

    report.py OUT/results.json > docs/experiment.md
"""
import json
import math
import os
import sys

from design import ARMS, CONTROLS, FULL, GENRES, INTERACTION, MIXED, NEW, OLD, ORDERS, TARGET

HERE = os.path.dirname(os.path.abspath(__file__))
# Student's t, two-sided 95 %, by degrees of freedom.
T95 = (None, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def value(result, where):
    """Bits per byte at the end, of a genre or of their mean."""
    return at(result['final'], where)


def at(by_genre, where):
    return sum(by_genre.values()) / len(by_genre) if where == MIXED else by_genre[where]


def mean_sd(values):
    m = sum(values) / len(values)
    return m, math.sqrt(sum((v - m) ** 2 for v in values) / max(1, len(values) - 1))


def interval(differences):
    """(mean, half width of the 95 % interval)"""
    m, sd = mean_sd(differences)
    return m, T95[len(differences) - 1] * sd / math.sqrt(len(differences))


def signed(m, half):
    return f'{m:+.3f} ± {half:.3f}'


def verdict(m, half):
    if m + half < 0:
        return 'better'
    return 'worse' if m - half > 0 else 'no difference found'


def fulfilled(expected, m, half):
    """What stands in the column 'expected'."""
    want = {'-': 'better', '+': 'worse'}.get(expected)
    return f"{want}: {'yes' if verdict(m, half) == want else 'not shown'}" if want else ''


def table(head, rows):
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(str(c) for c in line) + ' |' for line in lines) + '\n'


class Results:
    def __init__(self, results):
        self.arms = results['arms']

    def paired(self, arm, control, of):
        """Differences of arm and control, seed by seed."""
        pairs = zip(self.arms[arm], self.arms[control])
        return [of(a) - of(c) for a, c in pairs if a['seed'] == c['seed']]

    def final(self, arm, control, where):
        return interval(self.paired(arm, control, lambda r: value(r, where)))

    def spread(self, arm, where):
        return '{:.3f} ± {:.3f}'.format(*mean_sd([value(r, where) for r in self.arms[arm]]))

    def over_the_run(self, arm, control, where, points=slice(None)):
        def of(result):
            curve = [at(v, where) for _, v in result['curve'][points]]
            return sum(curve) / len(curve)
        return interval(self.paired(arm, control, of))

    def reaches(self, arm, control, where):
        """The part of the run after which the arm is where the control ends."""
        goal = mean_sd([at(r['curve'][-1][1], where) for r in self.arms[control]])[0]
        curves = [r['curve'] for r in self.arms[arm]]
        last = None
        for k, (n, _) in enumerate(curves[0]):
            now = mean_sd([at(c[k][1], where) for c in curves])[0]
            part = n / curves[0][-1][0]
            if now <= goal:
                if last:
                    part = last[0] + (part - last[0]) * (last[1] - goal) / (last[1] - now)
                return f'{100 * part:.0f} %'
            last = (part, now)
        return 'never'


def controls(r):
    rows = []
    for arm, control, where, expected in CONTROLS:
        m, half = r.final(arm, control, where)
        rows.append([f'`{arm}` - `{control}`', where, r.spread(control, where),
                     r.spread(arm, where), signed(m, half), verdict(m, half),
                     fulfilled(expected, m, half)])
    (a, b), (c, d), where, expected = INTERACTION
    m, half = interval([x - y for x, y in zip(r.paired(a, b, lambda v: value(v, where)),
                                             r.paired(c, d, lambda v: value(v, where)))])
    rows.append(['late blend: constant - cosine', where, '', '', signed(m, half),
                 verdict(m, half), fulfilled(expected, m, half)])
    return table(['comparison', 'measured on', 'control', 'arm', 'difference', 'verdict',
                  'expected'], rows)


def orders(r):
    rows, found = [], []
    curve = r.arms['random'][0]['curve']
    early = max(k for k, (n, _) in enumerate(curve) if k == 0 or n <= curve[-1][0] * 0.21)
    part = round(100 * curve[early][0] / curve[-1][0])
    for arm, control, where, expected in ORDERS:
        m, half = r.final(arm, control, where)
        found.append(verdict(m, half))
        rows.append([f'`{arm}`', f'`{control}`', signed(m, half), verdict(m, half),
                     fulfilled(expected, m, half),
                     signed(*r.over_the_run(arm, control, where, slice(early, early + 1))),
                     signed(*r.over_the_run(arm, control, where)),
                     r.reaches(arm, control, where)])
    text = table(['arm', 'control', 'difference at the end', 'verdict', 'expected',
                  f'after {part} % of the run', 'mean over the run',
                  "is where the control ends after"], rows)
    counts = ', '.join(f'{found.count(v)} {v}' for v in ('better', 'worse',
                                                         'no difference found'))
    return text + f'\nOf the {len(found)} comparisons: {counts}.\n'


def all_arms(r):
    rows = [[f'`{arm}`', *(r.spread(arm, g) for g in (*GENRES, MIXED)),
             ', '.join(sorted({f"{v['lr']:g}" for v in r.arms[arm]})),
             f"`{r.arms[arm][0]['order'][:12]}`"] for arm in ARMS]
    return table(['arm', *GENRES, MIXED, 'rate', 'order'], rows)


def grid(results):
    if not results['grid']:
        return 'The learning rate was not tuned in this run.\n'
    rows = [[g['shape'], f"{g['lr']:g}", f"{g['beta2']:g}", f"{g['mixed']:.3f}",
             'taken' if [g['lr'], g['beta2']] == results['best'][g['shape']] else '']
            for g in results['grid']]
    return table(['schedule', 'rate', 'beta2', 'mixed', ''], rows)


def corpus(results):
    rows = [[g, ', '.join(f'{p} {v}' for p, v in c['packages'].items()),
             f"{c['documents']:,}", f"{c['bytes'] / 1e6:.1f}"]
            for g, c in results['corpus'].items()]
    return table(['genre', 'Debian packages', 'documents', 'MB as JSON'], rows)


def seconds_of(results):
    """{run: its time}; arms that read the same share a run."""
    return {(v['data'], v['shape'], v['seed']): v['seconds']
            for runs in results['arms'].values() for v in runs}


def scale(results):
    setup, asked = results['setup']['settings'], results['setup']['asked']
    n, seeds = setup['sequences'], len(results['arms']['random'])
    text = (f"{n:,} sequences of 256 bytes ({n * 256 / 1e6:.1f} MB) a run, {seeds} seeds, "
            f'{len(seconds_of(results))} runs of the arms')
    if asked['subset']:
        return text + ('. **This is the subset: it shows that the machinery works, and nothing '
                       'about orders.**')
    if (n, seeds) != (FULL['sequences'], len(FULL['seeds'])):
        text += (f". **This is less than the whole experiment** ({FULL['sequences']:,} sequences, "
                 f"{len(FULL['seeds'])} seeds)")
        text += f", to fit into {asked['budget']:g} minutes" if asked['budget'] else ''
    return text + '.'


PAGE = """# Does the order matter? An experiment

```sh
examples/experiment/run.sh
```

This page is written by that command, whatever it shows: a small byte-level language model,
trained on the CPU, on orders made by `sluice-curriculum`. Date of the figures: {date}.

Scale: {scale}

No other page of the project claims an effect of an order on a model that is not in
these tables.

## Registered before

{registered}
## Orders

Bits per byte, so less is better; `±` is the half width of the 95 % interval of the paired
difference. Measured on all genres ({mixed}).

{orders}
The columns behind the verdict are from a smaller part of the held-out documents, and were no
part of the rule.

## Positive controls

Old genre: {old}. New genre: {new}. Target: {target}.

{controls}
In the columns of control and arm `±` is the standard deviation over the seeds; in that of the
difference, half of the 95 % interval.

## All arms

Bits per byte at the end, mean ± standard deviation over the seeds, by genre. `order` is the
beginning of the SHA-256 of the tokens that the first seed's run read, in the order in which
it read them.

{arms}
## Learning rate

{grid}
## Data, model, machine

{corpus}
Documents are cut at blank lines to at most 2 KiB, one of each text is kept (`sluice-dedup
--exact --normalize simple`), and 10 % are held out by the hash of their ids. Each seed draws
other documents. Licences are those of the packages; no text is part of this project.

The model: a feed-forward network over the {context} bytes before, embedding {embedding}, hidden
layer {hidden}, 0.14 million parameters; AdamW, steps of 512 bytes, one pass. Tokens are bytes.

Machine: {processor}, {processors} processors, {workers} runs side by side with one thread
each, torch {torch}. The sum of the runs' times is {minutes:.0f} minutes.

## Limits

A tiny model that sees 16 bytes, a few megabytes of English about computers and of quotations,
few seeds: this says how to measure an order, and nothing about large models. Near duplicates
that differ by a word are not removed. The rate was tuned on the control, which favours it;
that is on purpose. Plans and metrics are one choice of many: what fails here may work with
another pace, and the other way round.
"""


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        results = json.load(f)
    with open(os.path.join(HERE, 'registered.md'), encoding='utf-8') as f:
        registered = f.read()
    r = Results(results)
    if len(r.arms['random']) < 2:
        sys.exit('report.py: one seed has no interval')
    sys.stdout.write(PAGE.format(
        date=results['date'], scale=scale(results), registered=registered, mixed=MIXED,
        orders=orders(r), controls=controls(r), arms=all_arms(r), grid=grid(results),
        corpus=corpus(results), old=OLD, new=NEW, target=TARGET,
        minutes=sum(seconds_of(results).values()) / 60, **results['machine'],
        **{k: results['model'][k] for k in ('context', 'embedding', 'hidden')}))


if __name__ == '__main__':
    main()
