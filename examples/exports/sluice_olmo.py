# SPDX-License-Identifier: Apache-2.0
"""OLMo-core reads an export in its own order: instance i is row i.

    sluice-shard --export bin packed.arrows -o data/

    dataset = open_export('data/')
    loader = open_loader(dataset, global_batch_size=512 * length, work_dir='work/',
                         dp_world_size=R, dp_rank=r)

global_batch_size counts tokens, as everywhere in OLMo-core. Step s holds the rows from
sB to (s + 1)B - 1, of which rank r of R reads every R-th from r on; OLMo-core drops the
last batch where it is not full. Documents (of an export from sluice-tokenize) are read back
to back, in windows of a length that is given; the last partial window of every file is
dropped, so write one file: --sequences 1073741824.
"""
import json
import os

from olmo_core.data.collator import DataCollator
from olmo_core.data.data_loader import NumpyDataLoaderBase
from olmo_core.data.numpy_dataset import NumpyFSLDataset
from olmo_core.data.types import NumpyDatasetDType


def open_export(folder, length=None, pad=None):
    with open(os.path.join(folder, 'manifest.json')) as f:
        manifest = json.load(f)
    export, tokenizer = manifest['export'], manifest['tokenizer'] or {}
    assert export['form'] == 'bin', 'OLMo-core reads the form bin'
    length = manifest['length'] or length
    eos = tokenizer.get('eos') or 0
    pad = pad if pad is not None else tokenizer['pad'] if tokenizer.get('pad') is not None else eos
    return NumpyFSLDataset(
        *(os.path.join(folder, f['file']) for f in export['files']),
        sequence_length=length, pad_token_id=pad, eos_token_id=eos,
        vocab_size=max(tokenizer.get('vocab_size') or 0, (tokenizer.get('max_id') or 0) + 1),
        dtype=NumpyDatasetDType(export['dtype']).as_np_dtype())


def open_loader(dataset, global_batch_size, work_dir, **more):
    loader = NumpyDataLoaderBase.wrap_numpy_dataset(
        dataset, global_batch_size=global_batch_size, work_dir=work_dir, shuffle=False,
        collator=DataCollator(pad_token_id=dataset.pad_token_id), **more)
    return loader  # reshuffle(epoch) before each epoch: it shuffles nothing
