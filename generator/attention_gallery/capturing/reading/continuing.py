"""What a decoder reads: a target that was given to it, or what the model writes by itself.

Writing is greedy, so that the same model writes the same text again: the likeliest token at every step, with
none of the penalties and beams that a model's own settings may ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from attention_gallery.capturing.reading.decoded import written_tokens
from attention_gallery.capturing.reading.tokenise import tokenise
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import Int32, TextInput, Tokens

# How likely each token is to come after those of a text: the logits, float[vocabulary].
_Next = Callable[[list[int]], torch.Tensor]


def continue_prompt(loaded: LoadedModel, text: str, prompt: Tokens, limit: int) -> tuple[Tokens, str]:
    """A prompt with what the model wrote after it, at most `limit` tokens, and the text of both.

    Prompt and continuation are told apart as the segments of the tokens. The token with which a model ends
    its text is not part of it, because the model never read it.
    """
    before = [int(number) for number in prompt.ids]
    ids = _write(loaded, _next_of_decoder(loaded), before, limit)[len(before) :]
    added, written = written_tokens(loaded.tokenizer, before, ids, len(text))
    names = prompt.segment_names or ("prompt",)
    first = _segment(prompt, 0) if prompt.segments is None else prompt.segments
    joined = Tokens(
        ids=np.concatenate([prompt.ids, added.ids]),
        texts=prompt.texts + added.texts,
        special=np.concatenate([prompt.special, added.special]),
        continues=np.concatenate([prompt.continues, added.continues]),
        offsets=_joined(prompt.offsets, added.offsets),
        splits=_joined(prompt.splits, added.splits),
        segments=np.concatenate([first, _segment(added, len(names))]),
        segment_names=(*names, "continuation"),
        left_out=prompt.left_out,
        unread=prompt.unread,
    )
    return joined.worded(text + written), text + written


def given_target(loaded: LoadedModel, target: str) -> Tokens:
    """The tokens that a decoder reads when it is to write `target`: its start token, then the text.

    The token that ends the text is left out, because a decoder only writes it. A tokenizer that adds such an
    end knows how its model is taught, and the start follows from it; else the decoder begins as configured.

    Raises `ModelError` where no start is configured.
    """
    tokens = tokenise(_TargetTokenizer(loaded.tokenizer), TextInput(target))
    ended = len(tokens) > 0 and bool(tokens.special[-1])
    begin = [_start_before(loaded, tokens.ids)] if ended else _configured_begin(loaded)
    if not ended and len(tokens) and bool(tokens.special[0]):
        begin = begin[:1]  # the tokenizer writes what comes first
    return _begun(loaded, begin, tokens, len(tokens) - ended).worded(target)


def written_target(loaded: LoadedModel, source: Tokens, limit: int) -> tuple[Tokens, str]:
    """What an encoder-decoder writes about `source`, at most `limit` tokens after the start token.

    Raises `ModelError` where no start is configured.
    """
    begin = _configured_begin(loaded)
    ids = _write(loaded, _next_of_target(loaded, source), begin, limit + 1 - len(begin))
    tokens, text = written_tokens(loaded.tokenizer, begin, ids[len(begin) :])
    return _begun(loaded, begin, tokens, len(tokens)).worded(text), text


def _begun(loaded: LoadedModel, begin: list[int], tokens: Tokens, end: int) -> Tokens:
    """The tokens up to `end` after those with which a decoder begins; these are special."""
    count = len(begin)
    names = loaded.tokenizer.convert_ids_to_tokens(begin)
    return Tokens(
        ids=np.concatenate([np.array(begin, np.int64), tokens.ids[:end]]),
        texts=(*(str(name) for name in names), *tokens.texts[:end]),
        special=np.concatenate([np.ones(count, bool), tokens.special[:end]]),
        continues=np.concatenate([np.zeros(count, bool), tokens.continues[:end]]),
        offsets=_joined(np.zeros((count, 2), np.int32), _upto(tokens.offsets, end)),
        splits=_joined(np.ones(count, bool), _upto(tokens.splits, end)),
        unread=tokens.unread,
    )


class _TargetTokenizer:
    """A tokenizer that takes every text for a target, as some models have another vocabulary for these."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, text: str, pair: None = None, **options: Any) -> Any:
        return self._tokenizer(text_target=text, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def _start_before(loaded: LoadedModel, labels: np.ndarray[Any, Any]) -> int:
    """The token with which a decoder begins that is taught to write `labels`, the last of which ends them.

    For most models it is in the configuration; some, such as mBART, begin with the language that ends them.
    """
    shift = getattr(loaded.writer or loaded.model, "prepare_decoder_input_ids_from_labels", None)
    with suppress(ValueError):  # where it looks for a start that is not configured
        if shift is not None:
            shifted = shift(labels=torch.from_numpy(labels.astype(np.int64))[None].to(loaded.model.device))
            return int(shifted[0, 0])
    return _configured_begin(loaded)[0]


def _configured_begin(loaded: LoadedModel) -> list[int]:
    """The tokens with which the decoder begins by itself: a start, and the one that must follow, if any."""
    config = loaded.model.config
    generation = getattr(loaded.writer or loaded.model, "generation_config", None)
    holders = [generation, config, getattr(config, "decoder", None)]
    named = ("decoder_start_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    values = (_ids(holder, name) for name in named for holder in holders)
    start = next((ids[0] for ids in values if ids), None)
    if start is None:
        resolved = loaded.resolved
        reason = f'the configuration of "{resolved.source}" names no token with which its decoder begins'
        raise resolved.error(reason, "write `decoder_start_token_id` into its generation_config.json")
    forced = next((ids[0] for holder in holders[:2] if (ids := _ids(holder, "forced_bos_token_id"))), start)
    return [start] if forced == start else [start, forced]


def _ids(holder: Any, name: str) -> list[int]:
    """The token or tokens that a configuration names."""
    value = getattr(holder, name, None)
    values = value if isinstance(value, list | tuple) else [value]
    return [number for number in values if isinstance(number, int)]


def _write(loaded: LoadedModel, following: _Next, ids: list[int], limit: int) -> list[int]:
    """`ids` with the likeliest token after them, again and again, until the model ends its text."""
    ends, never = _ends(loaded), _never(loaded)
    for _ in range(limit):
        with quiet_libraries(), torch.inference_mode():
            logits = following(ids).float()
            logits[never] = -torch.inf
            likeliest = int(logits.argmax())
        if likeliest in ends:
            break
        ids = [*ids, likeliest]
    return ids


def _next_of_decoder(loaded: LoadedModel) -> _Next:
    def following(ids: list[int]) -> torch.Tensor:
        read = torch.tensor([ids], device=loaded.model.device)
        return loaded.writer(input_ids=read, attention_mask=torch.ones_like(read)).logits[0, -1]  # type: ignore[no-any-return]

    return following


def _next_of_target(loaded: LoadedModel, source: Tokens) -> _Next:
    source_ids = torch.from_numpy(source.ids)[None].to(loaded.model.device)
    mask = torch.ones_like(source_ids)
    with quiet_libraries(), torch.inference_mode():
        read = loaded.writer.get_encoder()(input_ids=source_ids, attention_mask=mask, return_dict=True)

    def following(ids: list[int]) -> torch.Tensor:
        written = torch.tensor([ids], device=loaded.model.device)
        output = loaded.writer(encoder_outputs=read, attention_mask=mask, decoder_input_ids=written)
        return output.logits[0, -1]  # type: ignore[no-any-return]

    return following


def _ends(loaded: LoadedModel) -> set[int]:
    """The tokens with which a text ends."""
    named = (loaded.writer.generation_config, loaded.writer.config, loaded.tokenizer)
    return {number for holder in named for number in _ids(holder, "eos_token_id")}


def _never(loaded: LoadedModel) -> list[int]:
    """The tokens that the model must never write, such as Marian's padding."""
    own = loaded.writer.generation_config
    single = [words[0] for words in getattr(own, "bad_words_ids", None) or () if len(words) == 1]
    return [*single, *(getattr(own, "suppress_tokens", None) or ())]


def _segment(tokens: Tokens, number: int) -> Int32:
    """Every token in the segment `number`, except the special ones, which are in none."""
    return np.where(tokens.special, -1, number).astype(np.int32)


def _joined(first: Any, second: Any) -> Any:
    return None if first is None or second is None else np.concatenate([first, second])


def _upto(array: Any, end: int) -> Any:
    return None if array is None else array[:end]
