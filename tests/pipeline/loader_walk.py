# SPDX-License-Identifier: Apache-2.0
"""What torch's DataLoader gives of a folder, for loader_plan_test.py, as JSON.

    python3 loader_walk.py FOLDER BATCH RANKS WORKERS STEP

From STEP on, an array a step: [index, tokens, loss_mask, weight, positions, segments] of
every sample, over the ranks in turn."""
import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'examples' / 'pytorch'))
sys.dont_write_bytecode = True
warnings.filterwarnings('ignore', 'This DataLoader will create')

from torch.utils.data import DataLoader  # noqa: E402
from sluice_shards import ShardDataset, Shards, StepSampler  # noqa: E402

KEYS = 'index', 'tokens', 'loss_mask', 'weight', 'positions', 'segments'


def main(folder, *numbers):
    batch, ranks, workers, step = map(int, numbers)
    shards = Shards(folder)
    loaders = [DataLoader(ShardDataset(shards, boundaries=True), num_workers=workers,
                          batch_sampler=StepSampler(shards, batch, ranks, rank, step=step))
               for rank in range(ranks)]
    for parts in zip(*loaders):
        print(json.dumps([sample for part in parts
                          for sample in zip(*(part[key].tolist() for key in KEYS))]))


main(*sys.argv[1:])
