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
    ('easy-to-hard-blocks', 'random', MIXED, '?'),
    ('easy-to-hard', 'easy-to-hard-blocks', MIXED, '?'),
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
ARMS = ('random', 'locality', 'easy-to-hard', 'easy-to-hard-blocks', 'warmup-compression',
        'warmup-word-length', 'warmup-sentence-length', 'folding', 'pacing', 'random-constant',
        'easy-to-hard-constant', 'replay-0', 'replay-5', 'replay-25', 'blend-even-constant',
        'blend-late-constant', 'blend-even-cosine', 'blend-late-cosine', 'deduplicated',
        'duplicates')

FULL = {'sequences': 8192, 'seeds': [1, 2, 3, 4, 5], 'rates': [0.002, 0.004, 0.008, 0.016],
        'beta2': [0.95, 0.99], 'points': 10, 'curve_rows': 64, 'final_rows': 256}
SUBSET = {'sequences': 512, 'seeds': [1, 2], 'rates': [0.008], 'beta2': [0.99], 'points': 4,
          'curve_rows': 8, 'final_rows': 32}
TUNING_SEED = 0             # no arm has it
LEAST = 512                 # sequences of a run, at the smallest budget


def n_runs(s):
    """Runs of some settings: the arms' (deduplicated is random again), and the tuning."""
    tuning = len(s['rates']) * (len(s['beta2']) + 1) if len(s['rates']) > 1 else 0
    return (len(ARMS) - 1) * len(s['seeds']) + tuning


def cost(s):
    """Tokens of all runs, those that are only evaluated counted as a third."""
    looked_at = len(GENRES) * (s['points'] * s['curve_rows'] + s['final_rows'])
    return n_runs(s) * 256 * (s['sequences'] + looked_at / 3)


def scaled(settings, tokens):
    """The settings for a budget of tokens.

    First the runs get shorter, to an eighth of the sequences; then there are three seeds
    instead of five; then they get as short as they can. What is evaluated shrinks with the
    runs, to a quarter at least."""
    for seeds, least in ((settings['seeds'], settings['sequences'] // 8),
                         (settings['seeds'][:3], LEAST)):
        for n in range(settings['sequences'], least - 1, -LEAST):
            part = max(0.25, n / settings['sequences'])
            s = {**settings, 'seeds': seeds, 'sequences': n,
                 **{k: int(settings[k] * part) for k in ('curve_rows', 'final_rows')}}
            if cost(s) <= tokens:
                return s
    return s
