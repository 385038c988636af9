# SPDX-License-Identifier: Apache-2.0
"""Megatron Core reads an export in its own order: sample i is row i.

    sluice-pack --length 4096 --extra-token < tokens.arrows |
        sluice-shard --export megatron -o data/
    --data-path data/text_document --split 1,0,0 --dataloader-type single

Give OrderedGPTDataset where the training script gives GPTDataset to
BlendedMegatronDatasetBuilder. GPTDataset shuffles documents, joins them to one text,
cuts it anew and shuffles the pieces; here a sample is a row as it was packed, with its
last token as the last label, and sample N is row 0 of the next epoch.
"""
import numpy
from megatron.core.datasets.gpt_dataset import GPTDataset


class OrderedGPTDataset(GPTDataset):
    def _build_document_sample_shuffle_indices(self):
        """Called by GPTDataset where it would shuffle."""
        length = self.config.sequence_length + self.config.add_extra_token_to_sequence
        lengths = self.dataset.sequence_lengths
        if len(lengths) == 0 or lengths.min() != length or lengths.max() != length:
            raise ValueError(f'every row must have {length} tokens: sluice-pack --length '
                             f'{self.config.sequence_length}, with --extra-token where '
                             'add_extra_token_to_sequence is set')
        n = max(len(self.indices), self.num_samples or 0)
        # The length of sample_index is all that GPTDataset asks of these three.
        return self.indices, numpy.broadcast_to(numpy.int32(0), (n + 1, 2)), numpy.arange(1)

    def _query_document_sample_shuffle_indices(self, idx):
        row = self.indices[idx % len(self.indices)]
        return self.dataset.get(row).astype(numpy.int64), numpy.array([row], numpy.int64)
