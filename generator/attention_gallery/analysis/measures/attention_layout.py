"""What a measure sees: the weights of some heads, and what is fixed for all heads of a sentence."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from attention_gallery.records import AttentionKind, Bool, Float32, Tokens


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What all heads of one sentence share; made once and read by every measure.

    queries, keys: how many tokens look, and how many are looked at. window: the distance in tokens that
    counts as local. reach: how far apart query and key may be, in tokens, in a layer with a window; None
    where all are seen. visible: float32[query], how many keys a query can see. choosing: bool[query], true
    where it sees more than one. lookers: float32[key], how many queries see a key, itself left out where it
    is one. separators, punctuation: bool[key], special tokens and punctuation other than the first token.
    asking: bool[query] and content: bool[key], tokens worth naming: not special and, in causal models, not
    the first. distance: float32[query, key], |i - j|, or for cross attention, whose
    queries and keys are different tokens, how far j lies from the diagonal. far: float32[query, key], 1
    between two content tokens, which must be two or more apart unless they are of different texts.
    equal: bool[query, key], whether both are the same token, wherever they stand. in_sight: bool[query, key],
    what `seen` gives a copy of.
    """

    queries: int
    keys: int
    kind: AttentionKind
    window: int
    reach: int | None
    visible: Float32
    choosing: Bool
    separators: Bool
    punctuation: Bool
    asking: Bool
    content: Bool
    lookers: Float32
    distance: Float32
    far: Float32
    equal: Bool
    in_sight: Bool

    @classmethod
    def from_tokens(cls, tokens: Tokens, *, causal: bool, window: int, reach: int | None = None) -> Layout:
        """The layout of a sentence whose tokens look at each other, at most `reach` tokens apart."""
        count = len(tokens)
        position = np.arange(count, dtype=np.float32)
        # A window as long as the text hides nothing, and all such layers are measured together.
        reach = None if reach is None or reach >= count - 1 else reach
        content = ~tokens.special
        if causal:
            # Causal models pour attention into their first token whatever it is.
            content[:1] = False
        farthest = np.float32(count if reach is None else reach)
        before, after = np.minimum(position, farthest), np.minimum(position[::-1], farthest)
        visible = (before + 1 if causal else before + 1 + after).astype(np.float32)
        distance = np.abs(position[:, None] - position)
        far = (distance >= 2) & content[:, None] & content
        kind: AttentionKind = "decoder" if causal else "encoder"
        counts = visible, after if causal else before + after
        return cls._made(kind, (window, reach), counts, (tokens, tokens), (content, content), distance, far)

    @classmethod
    def crossing(cls, queries: Tokens, keys: Tokens, *, window: int) -> Layout:
        """The layout of cross attention: the tokens of a target look at those of a source."""
        rows, columns = len(queries), len(keys)
        # Where a query would look if both texts were read at the same pace.
        pace = (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(columns / max(1, rows)) - 0.5
        distance = np.abs(pace[:, None] - np.arange(columns, dtype=np.float32)).astype(np.float32)
        counts = np.full(rows, columns, dtype=np.float32), np.full(columns, rows, dtype=np.float32)
        content = ~queries.special, ~keys.special
        far = content[0][:, None] & content[1]
        return cls._made("cross", (window, None), counts, (queries, keys), content, distance, far)

    @classmethod
    def _made(
        cls,
        kind: AttentionKind,
        spans: tuple[int, int | None],
        counts: tuple[Float32, Float32],
        tokens: tuple[Tokens, Tokens],
        content: tuple[Bool, Bool],
        distance: Float32,
        far: Bool,
    ) -> Layout:
        queries, keys = tokens
        later = np.arange(len(keys)) > 0
        made = cls(
            queries=len(queries),
            keys=len(keys),
            kind=kind,
            window=spans[0],
            reach=spans[1],
            visible=counts[0],
            choosing=counts[0] > 1,
            lookers=counts[1],
            separators=keys.special & later,
            punctuation=punctuation(keys) & later,
            asking=content[0],
            content=content[1],
            distance=distance,
            far=far.astype(np.float32),
            equal=_equal(queries, keys),
            in_sight=_in_sight(distance, causal=kind == "decoder", reach=spans[1]),
        )
        for name in cls.__dataclass_fields__:
            value = getattr(made, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False  # every measure reads it, those of others too
        return made

    @property
    def causal(self) -> bool:
        """Whether a query sees only itself and what came before."""
        return self.kind == "decoder"

    def seen(self) -> Bool:
        """Which keys each query can see: bool[query, key]."""
        return self.in_sight.copy()

    def uniform(self) -> Float32:
        """Attention spread evenly over what is visible: float32[query, key], rows sum to 1."""
        even: Float32 = self.in_sight.astype(np.float32) / self.visible[:, None]
        return even


def _in_sight(distance: Float32, *, causal: bool, reach: int | None) -> Bool:
    seen = np.ones(distance.shape, dtype=bool) if reach is None else distance <= reach
    return np.tril(seen) if causal else seen


def punctuation(tokens: Tokens) -> Bool:
    """Which tokens consist of punctuation (Unicode categories P…) and are not special: bool[token]."""
    marks = [_is_punctuation(text.strip()) for text in tokens.texts]
    return np.array(marks, dtype=bool) & ~tokens.special


def _is_punctuation(text: str) -> bool:
    return bool(text) and all(unicodedata.category(character).startswith("P") for character in text)


def _equal(queries: Tokens, keys: Tokens) -> Bool:
    same: Bool = queries.ids[:, None] == keys.ids
    if queries is keys:
        return same
    # Two texts may have vocabularies of their own, in which a number means different tokens.
    names = {text: number for number, text in enumerate(dict.fromkeys([*queries.texts, *keys.texts]))}
    query_names, key_names = (
        np.array([names[text] for text in tokens.texts], dtype=np.int64) for tokens in (queries, keys)
    )
    both: Bool = same & (query_names[:, None] == key_names)
    return both


@dataclass(frozen=True, slots=True, eq=False)
class LayerView:
    """The heads that are measured: weights float32[head, query, key], row_sums float32[head, query]."""

    weights: Float32
    row_sums: Float32
    layout: Layout

    @classmethod
    def from_weights(cls, weights: Float32, layout: Layout) -> LayerView:
        """A view of `weights` float32[head, query, key]; the heads may come from several layers."""
        # A product takes two thirds to a sixth of the time of a sum along the last axis.
        return cls(weights, np.vecdot(weights, np.ones(layout.keys, np.float32)), layout)

    @property
    def heads(self) -> int:
        """How many heads are in view."""
        return len(self.weights)

    def column_mass(self) -> Float32:
        """What each key gets from all queries, in sum: float32[head, key].

        Where queries and keys are the same tokens, a key's own look at itself does not count.
        """
        mass: Float32 = self.weights.sum(axis=1)
        if self.layout.kind != "cross":
            mass -= np.diagonal(self.weights, axis1=1, axis2=2)
        return mass

    def absent(self) -> Float32:
        """The answer of a measure that is not defined here: NaN for every head, float32[head]."""
        return np.full(self.heads, np.nan, dtype=np.float32)
