"""Tokenizers: how much longer each can make a text, and trying one out in a process under limits."""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

# How many times as long a text can become, in characters: the longest compatibility decomposition has 18, the
# longest canonical one 4 (https://unicode.org/faq/normalization.html), lower case 3; bytes are up to 4.
_NORMALIZERS = {
    "BertNormalizer": 12.0,
    "ByteLevel": 4.0,
    "Lowercase": 3.0,
    "NFC": 3.0,
    "NFD": 4.0,
    "NFKC": 18.0,
    "NFKD": 18.0,
    "Nmt": 1.0,
    "Strip": 1.0,
    "StripAccents": 1.0,
}
_SPLITTERS = frozenset(
    {"BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "FixedLength", "Metaspace"}
    | {"Punctuation", "UnicodeScripts", "Whitespace", "WhitespaceSplit"}
)
_DECODERS = frozenset(
    {"BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Strip", "WordPiece"}
)
_PROCESSORS = frozenset({"BertProcessing", "ByteLevel", "RobertaProcessing"})
_PARTS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "decoder": "decoders",
    "post_processor": "processors",
}
_MOST_PIECES = 16
_LONGEST_WORD = 1000


def tryer(tokenizer: str) -> Callable[..., int]:
    """What tries a tokenizer, given as its JSON, on texts or tokens, and tells the number of what it made."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(tokenizer)
    made.no_padding()
    made.no_truncation()

    def attempt(text: str = "", pair: str | None = None, ids: list[int] | None = None) -> int:
        if ids is not None:
            return len(made.decode(ids, skip_special_tokens=False))
        return len(made.encode(text, pair))

    return attempt


def growth(backend: Any) -> float:
    """How many times as long a fast tokenizer can make a text, in characters or tokens; infinite for unknown.

    `backend` is a `tokenizers.Tokenizer`. Finite means, too, that it takes time in proportion to the text, or
    to its square at most: regular expressions can take for ever.
    """
    factor = 1.0
    for step, inner in _PARTS.items():
        component = getattr(backend, step)
        if component is not None:
            factor *= _of_part(step, inner, json.loads(component.__getstate__()))
    longest_word = getattr(backend.model, "max_input_chars_per_word", None)
    return factor if longest_word is None or longest_word <= _LONGEST_WORD else math.inf


def _of_part(step: str, inner: str, state: dict[str, Any]) -> float:
    if state.get("type") == "Sequence":
        return math.prod(_of_part(step, inner, inner_state) for inner_state in state.get(inner, ()))
    kind = str(state.get("type"))
    if kind == "Replace":
        return _of_replacement(state.get("pattern", {}), str(state.get("content", "")))
    if step == "normalizer":
        return _of_normalizer(kind, state)
    if kind == "Split" and step == "pre_tokenizer":
        pattern = state["pattern"]
        return 1.0 if "String" in pattern or _is_quick(pattern.get("Regex", "")) else math.inf
    if kind == "TemplateProcessing" and step == "post_processor":
        pieces = max(len(state["single"]), len(state["pair"]))
        return float(pieces) if pieces <= _MOST_PIECES else math.inf
    known = {"pre_tokenizer": _SPLITTERS, "decoder": _DECODERS, "post_processor": _PROCESSORS}[step]
    return (4.0 if kind == "ByteLevel" else 1.0) if kind in known else math.inf


def _of_normalizer(kind: str, state: dict[str, Any]) -> float:
    if kind == "Prepend":
        return 1.0 + len(str(state.get("prepend", "")))
    if kind == "Precompiled":
        return _of_map(str(state.get("precompiled_charsmap", "")))
    return _NORMALIZERS.get(kind, math.inf)


def _of_replacement(pattern: dict[str, str], content: str) -> float:
    if text := pattern.get("String", ""):
        return max(1.0, len(content) / len(text))
    # What matches nothing at all does so before and behind every character.
    quick = "String" in pattern or _is_quick(pattern.get("Regex", ""))
    return 1.0 + 2 * len(content) if quick else math.inf


def _of_map(coded: str) -> float:
    """The longest text in a map of sentencepiece: the size of a trie, the trie, and texts that end in 0."""
    try:
        data = base64.b64decode(coded, validate=True)
        (size,) = struct.unpack_from("<I", data)
    except (ValueError, struct.error):
        return math.inf
    return max(1.0, *map(len, data[4 + size :].split(b"\0")))


def _is_quick(pattern: str) -> bool:
    """Whether a regular expression takes at most the square of the text's length.

    It does when no group is repeated, no part refers to another, and at most one part of each alternative can
    be of any length.
    """
    plain = re.sub(r"\\[pP]\{[^{}]*\}|\\[^0-9gk]", "x", pattern)
    if "\\" in plain or "&&" in plain:
        return False
    plain = re.sub(r"\[\^?\]?[^\[\]]*\]", "x", plain)
    if "[" in plain or re.search(r"\)[*+{]|\(\?[^:!=i]|\{\d{3,}|\d{3,}\}", plain):
        return False
    return all(len(re.findall(r"[*+]|\{\d*,\}", alternative)) <= 1 for alternative in plain.split("|"))
