# SPDX-License-Identifier: Apache-2.0
"""What the experiment compares: fixed before the runs, as registered.md says in words."""

GENRES = ('dictionary', 'fortune', 'guide', 'manual')
OLD, NEW, TARGET = 'dictionary', 'manual', 'guide'
MIXED = 'mixed'             # the mean over the genres

# Arm, control, where it is measured, and what is expected of arm - control in bits per
# byte: '-' the arm is better, '+' it is worse, '?' nothing is expected or claimed.
CONTROLS = (
    ('replay-5', 'replay-0', OLD, '-'),
    ('replay-25', 'replay-0', OLD, '-'),
    ('replay-5', 'replay-0', NEW, '?'),
    ('replay-25', 'replay-0', NEW, '+'),
    ('blend-late-constant', 'blend-even-constant', TARGET, '-'),
    ('blend-late-cosine', 'blend-even-cosine', TARGET, '?'),
    ('duplicates', 'deduplicated', MIXED, '+'),
)
ORDERS = (
    ('locality', 'random', MIXED, '?'),
    ('easy-to-hard', 'random', MIXED, '+'),
    ('easy-to-hard-constant', 'random-constant', MIXED, '+'),
    ('warmup-compression', 'random', MIXED, '?'),
    ('warmup-word-length', 'random', MIXED, '?'),
    ('warmup-sentence-length', 'random', MIXED, '?'),
    ('folding', 'random', MIXED, '?'),
    ('pacing', 'random', MIXED, '?'),
)
# The gain of the late blend under a constant rate, less that under a decaying one.
INTERACTION = (('blend-late-constant', 'blend-even-constant'),
               ('blend-late-cosine', 'blend-even-cosine'), TARGET, '-')
ARMS = ('random', 'locality', 'easy-to-hard', 'warmup-compression', 'warmup-word-length',
        'warmup-sentence-length', 'folding', 'pacing', 'random-constant',
        'easy-to-hard-constant', 'replay-0', 'replay-5', 'replay-25', 'blend-even-constant',
        'blend-late-constant', 'blend-even-cosine', 'blend-late-cosine', 'deduplicated',
        'duplicates')

FULL = {'sequences': 8192, 'seeds': [1, 2, 3, 4, 5], 'rates': [0.002, 0.004, 0.008, 0.016],
        'beta2': [0.95, 0.99], 'points': 10, 'curve_rows': 64, 'final_rows': 256}
SUBSET = {'sequences': 640, 'seeds': [1, 2], 'rates': [0.008], 'beta2': [0.99], 'points': 4,
          'curve_rows': 8, 'final_rows': 32}
TUNING_SEED = 0             # no arm has it
LEAST = 512                 # sequences of a run, at the smallest budget


def n_runs(s):
    """Runs of some settings: the arms' (deduplicated is random again), and the tuning."""
    tuning = len(s['rates']) * (len(s['beta2']) + 1) if len(s['rates']) > 1 else 0
    return (len(ARMS) - 1) * len(s['seeds']) + tuning


def scaled(settings, tokens):
    """The settings for a budget of tokens, those that are only evaluated counted too.

    First the runs get shorter, to an eighth of the sequences; then there are three seeds
    instead of five; then they get as short as they can."""
    s = dict(settings)
    for seeds, least in ((s['seeds'], s['sequences'] // 8), (s['seeds'][:3], LEAST)):
        s['seeds'] = seeds
        looked_at = len(GENRES) * (s['points'] * s['curve_rows'] + s['final_rows']) / 3
        fits = int(tokens / n_runs(s) / 256 - looked_at) // LEAST * LEAST
        if fits >= least:
            break
    s['sequences'] = max(LEAST, min(fits, settings['sequences']))
    return s
