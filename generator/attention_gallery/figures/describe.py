"""Text alternatives: what a figure shows, in plain English, from the numbers themselves.

The texts are plain text; tokens in them are untrusted and are escaped where they are put into HTML.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import AttentionKind, HeadType, Tokens, head_name
from attention_gallery.texts.readable import JOINERS

LONGEST_LABEL = 40
PAIRS_SHOWN = 3


class Described(Protocol):
    """What a description reads of an analysis; array axes as in `SentenceAnalysis`."""

    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def kind(self) -> AttentionKind: ...
    @property
    def type_counts(self) -> tuple[tuple[str, int], ...]: ...
    @property
    def top_pair_queries(self) -> NDArray[Any]: ...
    @property
    def top_pair_keys(self) -> NDArray[Any]: ...
    @property
    def top_pair_weights(self) -> NDArray[Any]: ...
    @property
    def top_keys(self) -> NDArray[Any]: ...
    @property
    def top_weights(self) -> NDArray[Any]: ...
    @property
    def top_content_keys(self) -> NDArray[Any]: ...
    @property
    def top_content_weights(self) -> NDArray[Any]: ...
    @property
    def overall_average(self) -> NDArray[Any]: ...
    def head_type(self, layer: int, head: int) -> HeadType: ...
    def clearest(self, type_name: str) -> tuple[int, int] | None: ...


class HeadDescriber:
    """Descriptions of one sentence under one model; turns arrays to lists once, for thousands of heads."""

    def __init__(self, tokens: Tokens, analysis: Described, keys: Tokens | None = None) -> None:
        """`keys` are the tokens that are looked at, where they are not those that look."""
        self._analysis = analysis
        self._names = quoted_tokens(tokens)
        self._keys = self._names if keys is None or keys is tokens else quoted_tokens(keys)

    @cached_property
    def _pairs(self) -> tuple[list[Any], list[Any], list[Any]]:
        analysis = self._analysis
        return (
            analysis.top_pair_queries.tolist(),
            analysis.top_pair_keys.tolist(),
            analysis.top_pair_weights.tolist(),
        )

    def head(self, layer: int, head: int, kind: HeadType | None = None) -> str:
        """One head: its type with the evidence, and its strongest pairs, sinks left out.

        `kind` is the head's type where the caller knows it already.
        """
        head_type = kind or self._analysis.head_type(layer, head)
        text = f"{head_name(layer, head)} is a {_lower_first(head_type.titles)}: {head_type.evidences}."
        pairs = self.strongest(layer, head)
        return f"{text} Strongest between words: {'; '.join(pairs)}." if pairs else text

    def strongest(self, layer: int, head: int, limit: int = PAIRS_SHOWN) -> list[str]:
        """The strongest pairs of one head, each as `“it” → “cat” 0.41`."""
        names, others = self._names, self._keys
        queries, keys, weights = (ranked[layer][head] for ranked in self._pairs)
        return [
            f"{names[query]} → {others[key]} {decimal(weight)}"
            for query, key, weight in zip(queries[:limit], keys, weights, strict=False)
            if query >= 0
        ]

    def grid(self) -> str:
        """All heads as small multiples: how many there are of each type, and the clearest of each."""
        analysis = self._analysis
        parts = []
        for name, count in analysis.type_counts:
            clearest = analysis.clearest(name)
            if clearest is None:
                parts.append(f"{count} {name}")
            else:
                which = head_name(*clearest) if count == 1 else f"the clearest {head_name(*clearest)}"
                parts.append(f"{count} {name}, {which}, {analysis.head_type(*clearest).evidence}")
        heads = _count(analysis.layers * analysis.heads, "head")
        return f"The attention of {heads} in {_count(analysis.layers, 'layer')}. By type: {'; '.join(parts)}."

    def token(self, query: int) -> str:
        """Where one token looks through the layers, heads averaged.

        Special tokens are left out, and in causal models the first token; where nothing else can be
        seen, all tokens are described.
        """
        analysis = self._analysis
        keys = analysis.top_content_keys[:, query, 0].tolist()
        weights = analysis.top_content_weights[:, query, 0].tolist()
        # Of a text of special tokens alone something is said, too.
        left_out = any(key >= 0 for key in keys)
        if not left_out:
            keys = analysis.top_keys[:, query, 0].tolist()
            weights = analysis.top_weights[:, query, 0].tolist()
        runs = [
            f"{_layers(first, last)} {self._run(key, low, high)}"
            for key, first, last, low, high in _runs(keys, weights)
        ]
        aside = ""
        if left_out:
            first = analysis.kind == "decoder"
            aside = ", the first token left out" if first else ", special tokens left out"
        return f"Where {self._names[query]} looks most, heads averaged{aside}: {'; '.join(runs)}."

    def average(self) -> str:
        """The mean over all heads, as on a thumbnail: the tokens that receive most."""
        received = self._analysis.overall_average.mean(axis=0)
        # Stable, so that of equal tokens the first is named on every machine.
        order = np.argsort(-received, kind="stable")[:PAIRS_SHOWN].tolist()
        parts = [f"{self._keys[key]} {decimal(float(received[key]))}" for key in order]
        return f"Attention averaged over all heads. Tokens that receive most: {', '.join(parts)}."

    def _run(self, key: int, low: float, high: float) -> str:
        if key < 0:
            return "none"
        span = decimal(low) if decimal(low) == decimal(high) else f"{decimal(low)} to {decimal(high)}"
        return f"{self._keys[key]} {span}"


def decimal(weight: float) -> str:
    """A weight as it is read: two decimals, and `< 0.01` where they would say nothing."""
    return "0" if weight == 0 else "< 0.01" if 0 < weight < 0.01 else f"{weight:.2f}"


def quoted_tokens(tokens: Tokens) -> tuple[str, ...]:
    """Every token in quotation marks, repeated ones with their ordinal: `“the” (2nd)`."""
    texts = [_shown(text) for text in tokens.texts]
    # A word that stands once needs no number.
    repeated = {text for text, count in Counter(texts).items() if count > 1}
    seen: Counter[str] = Counter()
    names = []
    for text in texts:
        seen[text] += 1
        names.append(f"{text} ({ordinal(seen[text])})" if text in repeated else text)
    return tuple(names)


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`, …"""
    # 11th, not 11st.
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _shown(text: str) -> str:
    """A token in quotation marks: on one line, without control characters, not too long."""
    line = " ".join(text.split())
    line = "".join(character for character in line if character.isprintable() or character in JOINERS)
    if line:
        short = line if len(line) <= LONGEST_LABEL else f"{line[: LONGEST_LABEL - 1]}…"
        return f"“{isolated(short)}”"
    if text.isspace():
        return "a line break" if "\n" in text else "a space"
    return "an unprintable token" if text else "an empty token"


def isolated(text: str) -> str:
    """The text; between invisible marks where it runs from right to left, lest it turn what stands beside."""
    # Only where it is needed: the marks would be copied with every token.
    turns = any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
    return f"\u2068{text}\u2069" if turns else text


def _runs(keys: list[int], weights: list[float]) -> list[tuple[int, int, int, float, float]]:
    """Consecutive layers with the same strongest key: (key, first, last, least weight, most weight)."""
    runs: list[tuple[int, int, int, float, float]] = []
    for layer, (key, weight) in enumerate(zip(keys, weights, strict=True)):
        if runs and runs[-1][0] == key:
            _, first, _, low, high = runs[-1]
            runs[-1] = (key, first, layer, min(low, weight), max(high, weight))
        else:
            runs.append((key, layer, layer, weight, weight))
    return runs


def _layers(first: int, last: int) -> str:
    return f"L{first}" if first == last else f"L{first} to L{last}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
