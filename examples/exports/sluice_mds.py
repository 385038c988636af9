# SPDX-License-Identifier: Apache-2.0
"""MosaicML's StreamingDataset reads an export in its own order: sample i is row i.

    sluice-shard --export mds packed.arrows -o data/

    dataset = open_export('data/', batch_size=8)               # or remote='s3://...'
    loader = StreamingDataLoader(dataset, batch_size=8, num_workers=2)

batch_size is that of one device. With one canonical node, step s of R devices holds the
rows from sRB to (s + 1)RB - 1, whatever the number of workers. Where R x B does not
divide the rows, StreamingDataset repeats some of them at the end of the epoch.
llm-foundry's text dataset takes the column as it is.
"""
import json
import os

from streaming.base.dataset import StreamingDataset


def open_export(folder=None, batch_size=1, remote=None, **more):
    """folder: of the export, or with remote the place of the copy."""
    if remote is None:
        with open(os.path.join(folder, 'manifest.json')) as f:
            assert json.load(f)['export']['form'] == 'mds'
    return StreamingDataset(local=folder, remote=remote, batch_size=batch_size, shuffle=False,
                            num_canonical_nodes=1, partition_algo='orig', **more)
