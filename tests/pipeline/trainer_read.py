# SPDX-License-Identifier: Apache-2.0
"""usage: trainer_read.py FORM FOLDER N WORK

Runs in the environment that has the trainers. Reads N samples of an export through
the trainer's own classes and examples/exports, and saves them to WORK/samples.npy.
Exit 77 where the trainer cannot be imported.

Debian's torch 1.13 is older than the trainers want. Their packages' __init__, which
import models and kernels, are left out, and modules of torch that it has not are
empty; the modules of the datasets are the trainers' own, unchanged.
"""
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'examples', 'exports'))
sys.dont_write_bytecode = True


class Absent(types.ModuleType):
    """A module of a newer torch: every name in it is an empty class."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


class NewerTorch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith('torch.'):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


def bare(name):
    """The package without what its __init__ imports."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ImportError(f'no {name}')
    module = types.ModuleType(name)
    module.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = module
    above, _, last = name.rpartition('.')
    if above:
        setattr(sys.modules[above], last, module)


def from_megatron(folder, n, work):
    """Through the builder that training scripts use; several epochs where n asks."""
    import megatron  # noqa: F401
    bare('megatron.core')
    import megatron.core.parallel_state  # noqa: F401
    from megatron.core.datasets.blended_megatron_dataset_builder import (
        BlendedMegatronDatasetBuilder)
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.indexed_dataset import IndexedDataset
    from sluice_megatron import OrderedGPTDataset

    class Tokenizer:
        eod = pad = 0
        vocab_size = 65536
        unique_identifiers = {'class': 'test'}

    prefix = os.path.join(folder, 'text_document')
    low = IndexedDataset(prefix)
    stored = int(low.sequence_lengths[0])

    def config(extra):
        return GPTDatasetConfig(
            random_seed=1, sequence_length=stored - extra, blend=([prefix], None), split='1,0,0',
            tokenizer=Tokenizer(), path_to_cache=work, reset_position_ids=False,
            reset_attention_mask=False, eod_mask_loss=False, create_attention_mask=False,
            add_extra_token_to_sequence=extra, allow_ambiguous_pad_tokens=True)

    def build(kind, extra, samples):
        sizes = [samples, 0, 0]
        return BlendedMegatronDatasetBuilder(kind, sizes, lambda: True, config(extra)).build()[0]

    data = build(OrderedGPTDataset, True, n)
    assert isinstance(data, GPTDataset) and len(data) >= n, len(data)
    out = []
    for i in range(n):
        tokens, labels = data[i]['tokens'].numpy(), data[i]['labels'].numpy()
        assert np.array_equal(tokens[1:], labels[:-1]) and len(tokens) == stored - 1
        out.append(np.concatenate([tokens, labels[-1:]]))
    plain = build(OrderedGPTDataset, False, n)
    for i in range(0, n, 7):
        assert np.array_equal(plain[i]['tokens'].numpy(), out[i])
    if stored > 2:
        try:
            shuffled = build(GPTDataset, True, 20)
            if all(np.array_equal(shuffled[i]['tokens'].numpy(), out[i][:-1]) for i in range(20)):
                raise AssertionError('GPTDataset keeps the order by itself: is this test one?')
        except ImportError as e:
            print(f'not compared with GPTDataset: {e}')
    return out


def from_olmo(folder, n, work):
    import torch
    if not hasattr(torch, 'compiler'):
        torch.compiler = types.SimpleNamespace(disable=lambda f: f, is_compiling=lambda: False)
    bare('olmo_core')
    bare('olmo_core.data')
    from olmo_core.data.numpy_dataset import NumpyFSLDataset
    from sluice_olmo import open_export, open_loader
    data = open_export(folder)
    assert isinstance(data, NumpyFSLDataset)
    out = [data[i]['input_ids'].numpy() for i in range(min(n, len(data)))]
    data.prepare()
    batch, seen = 4, []
    for rank in range(2):
        loader = open_loader(data, batch * len(out[0]), work, dp_world_size=2, dp_rank=rank,
                             num_workers=1, prefetch_factor=2)
        loader.reshuffle(1)
        seen.append([b['input_ids'].numpy() for b in loader])
    for step, halves in enumerate(zip(*seen)):
        if (step + 1) * batch <= len(out):
            rows = np.stack(halves, 1).reshape(batch, -1)
            assert np.array_equal(rows, out[step * batch:(step + 1) * batch]), step
    assert step + 1 == len(data) // batch
    return out


def from_mds(folder, n, work):
    bare('streaming')
    from streaming.base.dataset import StreamingDataset
    from torch.utils.data import DataLoader
    from sluice_mds import open_export
    data = open_export(folder, batch_size=4)
    assert isinstance(data, StreamingDataset)
    out = [data[i]['tokens'] for i in range(min(n, len(data)))]
    loader = DataLoader(data, batch_size=4, num_workers=2, collate_fn=list)
    rows = [s['tokens'] for batch in loader for s in batch]
    assert len(rows) >= len(data), len(rows)
    assert all(np.array_equal(a, b) for a, b in zip(rows, out))
    copied = open_export(os.path.join(work, 'copy'), remote=folder, validate_hash='xxh128')
    assert np.array_equal(copied[len(data) - 1]['tokens'], data[len(data) - 1]['tokens'])
    return out


if __name__ == '__main__':
    form, folder, n, work = sys.argv[1:5]
    try:
        import numpy as np
        import torch  # noqa: F401
    except ImportError as e:
        print(e)
        sys.exit(77)
    if form == 'bin':
        sys.meta_path.append(NewerTorch())
    try:
        rows = {'megatron': from_megatron, 'bin': from_olmo, 'mds': from_mds}[form](
            folder, int(n), work)
    except ImportError as e:
        print(e)
        sys.exit(77)
    np.save(os.path.join(work, 'samples.npy'), np.stack(rows))
