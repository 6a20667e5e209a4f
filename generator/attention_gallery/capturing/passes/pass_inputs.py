"""What a model is called with for a batch of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from attention_gallery.models.inspecting.trial import trial_ids
from attention_gallery.models.loading.load_model import LoadedModel

TokenIds = Sequence[int] | NDArray[np.int64]


def model_inputs(
    loaded: LoadedModel, source: Sequence[TokenIds], target: Sequence[TokenIds] = ()
) -> dict[str, Any]:
    """What the model is called with for sentences of equal length, which need no padding.

    `source` are the tokens of each sentence, `target` those that its decoder reads, where it has one. The
    mask hides nothing; some models do without one only in ways of their own.
    """
    ids = _stacked(loaded, source)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if target:
        inputs["decoder_input_ids"] = _stacked(loaded, target)
        inputs["decoder_attention_mask"] = torch.ones_like(inputs["decoder_input_ids"])
    # Keys and values of past tokens are of no use here and would stay in memory.
    config = loaded.model.config
    if hasattr(config, "use_cache") and (loaded.facts.causal or target):
        inputs["use_cache"] = False
    return inputs


def trial_inputs(loaded: LoadedModel, shape: Sequence[int], texts: Sequence[int] = (0,)) -> dict[str, Any]:
    """What the model is called with for tokens that mean nothing: two texts, 0 and 1, in some order.

    `shape` are the lengths of what it reads, and of what its decoder reads, where it has one.
    """
    readers = (loaded.facts, loaded.parts["decoder"]) if loaded.is_encoder_decoder else (loaded.facts,)
    read = []
    for facts, length in zip(readers, shape, strict=False):
        ids = trial_ids(loaded.model, facts.vocabulary, 2 * length)
        read.append([ids[text * length : (text + 1) * length] for text in texts])
    return model_inputs(loaded, *read)


def _stacked(loaded: LoadedModel, rows: Sequence[TokenIds]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(row, np.int64) for row in rows])).to(loaded.model.device)
