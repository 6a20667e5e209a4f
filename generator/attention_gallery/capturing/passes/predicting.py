"""What a model expects: the likeliest tokens after each token, or in place of a mask.

The language-modelling head is the model's own, with whatever it does to its logits. It is given what the pass
that is captured made of the tokens, a few at a time, since logits are as wide as the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from attention_gallery.capturing.passes.checks import SAME
from attention_gallery.capturing.reading.decoded import PlainVocabulary
from attention_gallery.capturing.reading.model_reading import ModelInput
from attention_gallery.models.inspecting.trial import final_states
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.loading.memory import raise_trouble
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import Int32, Predictions

# So many logits (16 MB) are held at a time.
AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A language-modelling head that can be asked by itself, and how many tokens it knows.

    `body` is the part of `head` that makes the final states. `mask` is the token that a masked model fills,
    None of a causal one.
    """

    head: Any
    body: Any
    vocabulary: PlainVocabulary
    mask: int | None
    size: int

    def positions(self, read: ModelInput) -> Int32:
        """The tokens at which the model predicts: of a masked model the masks, otherwise all."""
        ids = read.tokens.ids
        positions = np.arange(len(ids)) if self.mask is None else np.flatnonzero(ids == self.mask)
        return positions.astype(np.int32)

    def predict(
        self, states: torch.Tensor, sentences: Sequence[ModelInput], count: int
    ) -> tuple[Predictions, ...]:
        """The `count` likeliest tokens of each sentence, from final states [batch, token, feature].

        Each sentence is asked about by itself: how many rows the head is given changes its last bits.
        """
        with torch.inference_mode():
            return tuple(self._of(states[row], sentence, count) for row, sentence in enumerate(sentences))

    def _of(self, states: torch.Tensor, read: ModelInput, count: int) -> Predictions:
        at = self.positions(read)
        # The token that follows each place, -1 where none does or where that is not what is predicted.
        follows = np.append(read.tokens.ids[1:], -1) if self.mask is None else np.full(len(at), -1)
        rows = states[torch.from_numpy(at).long()]
        ids, shares, actual = self._likeliest(rows, torch.from_numpy(follows), min(count, self.size))
        return Predictions(at, ids, shares, actual, tuple(self.vocabulary.texts(row) for row in ids.tolist()))

    def _likeliest(
        self, rows: torch.Tensor, follows: torch.Tensor, count: int
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Ids and probabilities [row, rank], and the probability of what follows [row], NaN for nothing."""
        parts = []
        step = max(1, AT_ONCE // self.size)
        for first in range(0, len(rows), step):
            logits = self.logits(rows[first : first + step])
            came = follows[first : first + step].to(logits.device)
            total = logits.logsumexp(-1)
            best = logits.topk(count)
            known = logits.gather(1, came.clamp(min=0)[:, None])[:, 0]
            actual = torch.where(came < 0, torch.nan, (known - total).exp())
            parts.append((best.indices, (best.values - total[:, None]).exp(), actual))
        if not parts:
            return np.zeros((0, count), np.int32), np.zeros((0, count), np.float32), np.zeros(0, np.float32)
        whole = [torch.cat(chunk).cpu().numpy() for chunk in zip(*parts, strict=True)]
        return whole[0].astype(np.int32), whole[1].astype(np.float32), whole[2].astype(np.float32)

    def logits(self, rows: torch.Tensor) -> torch.Tensor:
        """The logits of some final states: float32[row, vocabulary] of [row, feature]."""
        nothing = torch.zeros((1, len(rows)), dtype=torch.long, device=rows.device)
        made = BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=rows[None])
        with _standing_in(self.body, made):
            logits: torch.Tensor = self.head(input_ids=nothing).logits[0].float()
        return logits


@contextmanager
def _standing_in(body: Any, made: Any) -> Iterator[None]:
    """Let `body` give what it is said to have made, without running."""
    own = body.__dict__.get("forward")
    body.forward = lambda *_, **__: made
    try:
        yield
    finally:
        if own is None:
            del body.forward
        else:
            body.forward = own


def find_predictor(loaded: LoadedModel, inputs: Mapping[str, Any]) -> Predictor | None:
    """The head of a model, if asked by itself it gives what the whole model gives; tried on a few tokens."""
    if loaded.head is None:
        return None
    mask = None if loaded.facts.causal else getattr(loaded.tokenizer, "mask_token_id", None)
    if not loaded.facts.causal and mask is None:
        return None
    vocabulary = PlainVocabulary(loaded.tokenizer)
    # OPT's head asks the decoder inside the body.
    for body in (loaded.model, getattr(loaded.model, "decoder", None)):
        predictor = Predictor(loaded.head, body, vocabulary, mask, loaded.facts.vocabulary)
        if isinstance(body, torch.nn.Module) and _agrees(predictor, loaded, inputs):
            return predictor
    return None


def _agrees(predictor: Predictor, loaded: LoadedModel, inputs: Mapping[str, Any]) -> bool:
    """Whether the head by itself, a few states at a time, gives what the whole model gives."""
    try:
        with quiet_libraries(), torch.inference_mode():
            whole = loaded.head(**inputs).logits[0].float()
            rows = final_states(loaded.model(**inputs))[0]
            apart = torch.cat([predictor.logits(rows[:2]), predictor.logits(rows[2:].flip(0)).flip(0)])
    except MODEL_FAULTS as error:
        raise_trouble(error)
        return False
    if apart.shape != whole.shape:
        return False
    largest = whole.abs().max().clamp(min=1e-12)
    return bool((apart - whole).abs().max() <= SAME[loaded.dtype] * largest)
