"""What a decoder reads: a target that was given to it, or what the model writes by itself.

Writing is greedy, so that the same model writes the same text again: the likeliest token at every step, with
none of the penalties and beams that a model's own settings may ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from attention_gallery.capturing.decoded import written_tokens
from attention_gallery.capturing.tokens import tokenise
from attention_gallery.models.load import LoadedModel
from attention_gallery.models.quiet import quiet_libraries
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
        words=_joined(prompt.words, _counted_on(added.words, prompt.words)),
        segments=np.concatenate([first, _segment(added, len(names))]),
        segment_names=(*names, "continuation"),
        left_out=prompt.left_out,
    )
    return joined, text + written


def given_target(loaded: LoadedModel, target: str) -> Tokens:
    """The tokens that a decoder reads when it is to write `target`: its start token, then the text.

    The token that ends the text is left out, because a decoder only writes it.
    """
    tokens = tokenise(_TargetTokenizer(loaded.tokenizer), TextInput(target))
    ended = len(tokens) > 0 and bool(tokens.special[-1])
    start = _start_of(loaded, tokens.ids if ended else np.append(tokens.ids, 0))
    return _begun(loaded, [start], tokens, len(tokens) - ended)


def written_target(loaded: LoadedModel, source: Tokens, limit: int) -> tuple[Tokens, str]:
    """What an encoder-decoder writes about `source`, at most `limit` tokens after the start token."""
    forced = getattr(loaded.writer.generation_config, "forced_bos_token_id", None)
    begin = [_configured_start(loaded), *([forced] if isinstance(forced, int) else [])]
    ids = _write(loaded, _next_of_target(loaded, source), begin, limit + 1 - len(begin))
    tokens, text = written_tokens(loaded.tokenizer, begin, ids[len(begin) :])
    return _begun(loaded, begin, tokens, len(tokens)), text


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
        words=_joined(np.full(count, -1, np.int32), _upto(tokens.words, end)),
    )


class _TargetTokenizer:
    """A tokenizer that takes every text for a target, as some models have another vocabulary for these."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, text: str, pair: None = None, **options: Any) -> Any:
        return self._tokenizer(text_target=text, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def _start_of(loaded: LoadedModel, labels: np.ndarray[Any, Any]) -> int:
    """The token with which the decoder begins when it is to write `labels`, the last of which ends them.

    For most models it is in the configuration; some, such as mBART, begin with the language that ends them.
    """
    shift = getattr(loaded.writer or loaded.model, "prepare_decoder_input_ids_from_labels", None)
    if shift is None:
        return _configured_start(loaded)
    shifted = shift(labels=torch.from_numpy(labels.astype(np.int64))[None].to(loaded.model.device))
    return int(shifted[0, 0])


def _configured_start(loaded: LoadedModel) -> int:
    """The token with which the decoder begins when it writes by itself."""
    own = getattr(loaded.writer, "generation_config", None)
    configs = (own, loaded.model.config, getattr(loaded.model.config, "decoder", None))
    for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
        for config in configs:
            if isinstance(getattr(config, name, None), int):
                return int(getattr(config, name))
    return 0


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
        given = torch.tensor([ids], device=loaded.model.device)
        return loaded.writer(input_ids=given, attention_mask=torch.ones_like(given)).logits[0, -1]  # type: ignore[no-any-return]

    return following


def _next_of_target(loaded: LoadedModel, source: Tokens) -> _Next:
    given = torch.from_numpy(source.ids)[None].to(loaded.model.device)
    mask = torch.ones_like(given)
    with quiet_libraries(), torch.inference_mode():
        read = loaded.writer.get_encoder()(input_ids=given, attention_mask=mask, return_dict=True)

    def following(ids: list[int]) -> torch.Tensor:
        written = torch.tensor([ids], device=loaded.model.device)
        output = loaded.writer(encoder_outputs=read, attention_mask=mask, decoder_input_ids=written)
        return output.logits[0, -1]  # type: ignore[no-any-return]

    return following


def _ends(loaded: LoadedModel) -> set[int]:
    """The tokens with which a text ends."""
    named = (loaded.writer.generation_config, loaded.writer.config, loaded.tokenizer)
    values = [getattr(holder, "eos_token_id", None) for holder in named]
    return {
        int(one)
        for value in values
        for one in (value if isinstance(value, list | tuple) else [value])
        if one is not None
    }


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


def _counted_on(words: Any, before: Any) -> Any:
    if words is None or before is None:
        return None
    return np.where(words < 0, -1, words + int(before.max(initial=-1)) + 1).astype(np.int32)
