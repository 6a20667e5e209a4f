"""Random tokens, read twice over: a text in which only the first copy tells what comes next in the second."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np

from attention_gallery.capturing.reading.bytewise import plain_names
from attention_gallery.capturing.reading.continuing import given_target
from attention_gallery.capturing.reading.model_reading import ModelInput
from attention_gallery.capturing.reading.tokenise import tokenise
from attention_gallery.errors import ModelError
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.records import Int64, RepeatedTokens, TextInput, Tokens

# Names such as [unused7], <0x0A> or <extra_id_3>: places that a vocabulary keeps for other things.
_RESERVED = re.compile(r"\[.+\]|<.+>", re.S)
FEWEST = 4


def read_repeated(
    loaded: LoadedModel, repeated: RepeatedTokens, model: str, problem: ProblemMaker
) -> ModelInput:
    """The tokens that `repeated` stands for, as a model reads them; `model` is its name for people.

    What the tokenizer puts around every text stands around them, too. There are fewer where the model's
    context or its vocabulary is small. Raises `ModelError` where not even `FEWEST` fit.
    """
    around = tokenise(loaded.tokenizer, TextInput("a"))
    texts = np.flatnonzero(~around.special)
    first, last = (int(texts[0]), int(texts[-1]) + 1) if texts.size else (len(around), len(around))
    before, after = around.ids[:first], around.ids[last:]
    ordinary = ordinary_ids(loaded.tokenizer, loaded.facts.vocabulary)
    context = loaded.facts.context
    room = repeated.count if context is None else (context - len(before) - len(after)) // 2
    count = min(repeated.count, room, len(ordinary))
    if count < FEWEST:
        reason = f'the model "{model}" has no room for {FEWEST} random tokens read twice'
        raise ModelError(problem(reason, "leave the test out: `analysis: {repeated_tokens: false}`"))
    chosen = drawn(ordinary, count, repeated.seed)
    ids = np.concatenate([before, chosen, chosen, after])
    special = np.ones(len(ids), bool)
    special[len(before) : len(before) + 2 * count] = False
    tokens = _named(loaded.tokenizer, ids, special)
    target = given_target(loaded, "a") if loaded.is_encoder_decoder else None
    return ModelInput("", tokens, "a" if target is not None else "", target)


def ordinary_ids(tokenizer: Any, vocabulary: int) -> list[int]:
    """The ids in order that stand for pieces of text, below `vocabulary`, which the model knows."""
    added = {*map(int, tokenizer.all_special_ids), *map(int, getattr(tokenizer, "added_tokens_decoder", ()))}
    return sorted(
        number
        for name, number in tokenizer.get_vocab().items()
        if number < vocabulary and number not in added and not _RESERVED.fullmatch(str(name))
    )


def drawn(ordinary: list[int], count: int, seed: int) -> Int64:
    """So many different ids, the same on every machine and with every version of any library."""
    chosen: dict[int, None] = {}
    step = 0
    while len(chosen) < count:
        lot = hashlib.sha256(f"{seed} {step}".encode()).digest()
        chosen[ordinary[int.from_bytes(lot, "big") % len(ordinary)]] = None
        step += 1
    return np.array(list(chosen), np.int64)


def _named(tokenizer: Any, ids: Int64, special: np.ndarray) -> Tokens:
    names = [str(name) for name in tokenizer.convert_ids_to_tokens(ids.tolist())]
    texts = plain_names(tokenizer, names, special.tolist())
    return Tokens(ids, texts, special, np.zeros(len(ids), bool))
