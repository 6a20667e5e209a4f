"""The values that flow through the generator: frozen, without behaviour beyond small look-ups.

Axes are named in every docstring: `float32[head, query, key]`. Layers, heads and tokens count from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from attention_gallery.errors import first_words
from attention_gallery.texts.reading import joined_texts, texts_read
from attention_gallery.texts.words import Span, words_of_tokens

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

AttentionKind = Literal["encoder", "decoder", "cross"]
# Those of an encoder-decoder, whose pages are those of three models.
ATTENTION_KINDS: tuple[AttentionKind, ...] = get_args(AttentionKind)
Precision = Literal["float16", "float32"]


@dataclass(frozen=True, slots=True)
class TextInput:
    """What a model is given to read.

    text: the sentence; for a chat its messages joined by line feeds, which only people read. pair: a
    second text that the tokenizer joins to the first. chat: (role, content) of each message, put through
    the model's chat template. target: what the decoder of an encoder-decoder reads; without one it is
    continued greedily. generate: how many tokens the model may add of its own. truncate: whether what
    exceeds the context is left out instead of being an error. chat_options: (name, value) of what the chat
    template is given besides the messages, ordered by name.
    """

    text: str
    pair: str | None = None
    chat: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    generate: int = 0
    truncate: bool = False
    chat_options: tuple[tuple[str, str | bool | int | float], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that is read, text by text or message by message."""
        return texts_read(self.text, self.pair, [content for _, content in self.chat])

    @property
    def joined(self) -> str:
        """Everything that is read as one text; offsets of tokens refer to it."""
        return joined_texts(self.texts)


@dataclass(frozen=True, slots=True)
class RepeatedTokens:
    """Random tokens to be read twice over, instead of a text: `count` different ones, chosen by `seed`.

    The name of what they are for is part of every key, so that no text can have the same.
    """

    count: int = 50
    seed: int = 2022
    purpose: str = "repeated tokens"


Given = TextInput | RepeatedTokens


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens of one sentence under one tokenizer.

    ids: int64[token]. texts: what people read for each token, without tokenizer marks.
    special: bool[token], true for tokens that the tokenizer added ([CLS], <s>, …).
    continues: bool[token], true where a token goes on with the word of the token before it.
    offsets: int32[token, 2], half-open code-point ranges into `TextInput.joined`, or None.
    words: int32[token], index of the word a token belongs to, -1 for special tokens and blanks, or None. They
    follow from the text and the offsets: see `worded`.
    segments: int32[token], which of `segment_names` a token belongs to, -1 for those between, or None.
    Segments are the two texts of a pair, the messages of a chat, or prompt and continuation.
    left_out: how many tokens of the text were cut off because the model cannot read them.
    splits: bool[token], true where the tokenizer divides the text before a token by itself, or None.
    unread: half-open code-point ranges of the text that the author wrote and the model was not given to read
    in these words, in order.
    """

    ids: Int64
    texts: tuple[str, ...]
    special: Bool
    continues: Bool
    offsets: Int32 | None = None
    words: Int32 | None = None
    segments: Int32 | None = None
    segment_names: tuple[str, ...] = ()
    left_out: int = 0
    splits: Bool | None = None
    unread: tuple[Span, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def worded(self, text: str) -> Tokens:
        """The same with `words` and `continues` as `text`, that of the offsets, has them.

        Without offsets they stay as they are.
        """
        if self.offsets is None:
            return self
        splits = np.zeros(len(self), bool) if self.splits is None else self.splits
        words = words_of_tokens(text, self.offsets, self.special.tolist(), splits.tolist())
        continues = np.zeros(len(self), bool)
        continues[1:] = (words[1:] == words[:-1]) & (words[1:] >= 0)
        return replace(self, words=words, continues=continues)


@dataclass(frozen=True, slots=True, eq=False)
class AttentionLayer:
    """The attention probabilities of one layer: weights float32[head, query, key], rows sum to 1.

    Queries and keys are the same tokens, except for cross attention, whose keys are the encoder's.
    """

    index: int
    kind: AttentionKind
    weights: Float32


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model is, read from its configuration. `context` is in tokens, None when unbounded.

    Layers and heads are those that attend in the way that was captured. `cross` tells that a decoder looks
    at an encoder. `windows` is for each layer how many tokens a query reaches back at most, itself among
    them, None for all; empty where no layer has a window. `skipped` are the numbers of the model's layers
    without attention. `parameters` are those of the architecture, however they are packed. `quantised` names
    the quantiser of the files and the bits of a weight, "" where weights are plain numbers.

    `license` is None in a capture: it can change while the capture stays, so a build reads it anew.
    """

    architecture: str
    model_type: str
    layers: int
    heads: int
    key_value_heads: int
    causal: bool
    context: int | None
    hidden_size: int
    vocabulary: int
    parameters: int
    weights_format: Literal["safetensors", "gguf"]
    license: str | None = None
    cross: bool = False
    windows: tuple[int | None, ...] = ()
    skipped: tuple[int, ...] = ()
    quantised: str = ""

    @property
    def kind(self) -> AttentionKind:
        """The kind of attention of every layer."""
        return "cross" if self.cross else "decoder" if self.causal else "encoder"


@dataclass(frozen=True, slots=True)
class NumericEnvironment:
    """All that decides about the last bits of a capture, besides its key.

    `torch` and `transformers` are versions. `device` is the kind of device ("cpu", "cuda", "mps"), `dtype`
    the number format in which the model ran, `strategy` the way in which its attention was captured. `batch`
    is "equal lengths" where texts of one length may share a pass, "one by one" where none may. `threads` is
    how many threads an operation on a processor took.
    """

    torch: str
    transformers: str
    device: str
    dtype: str
    strategy: str
    batch: str
    threads: int


def differences(actual: NumericEnvironment, expected: NumericEnvironment) -> tuple[str, ...]:
    """In what one environment is not the other, in words: `torch 2.12.0 instead of 2.13.0`."""
    pairs = (
        (field.name, getattr(actual, field.name), getattr(expected, field.name)) for field in fields(actual)
    )
    return tuple(f"{name} {ours} instead of {theirs}" for name, ours, theirs in pairs if ours != theirs)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the numbers come from; kept beside a capture and shown on its pages.

    `row_sum_error` is the largest |row sum - 1| before the numbers were stored. `precision` is the number
    format in the store, `storage_error` the largest absolute difference that it makes. `remote_code` tells
    that code which came with the model was run.

    An entry of the store does not keep `source` and `revision` ("" and None there), since the same weights
    may be found in another place tomorrow, nor `differs`: in what the environment is not that of the gallery,
    "" where it is. A build fills them in.
    """

    model_fingerprint: str
    tokenizer_fingerprint: str
    source: str
    revision: str | None
    environment: NumericEnvironment
    row_sum_error: float
    precision: Precision = "float32"
    storage_error: float = 0.0
    remote_code: bool = False
    differs: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The likeliest tokens at some positions of a text, as a model with a language-modelling head tells them.

    positions: int32[position], tokens of the text: those after which a causal model predicts the next one, or
    the masks that a masked model fills. ids: int32[position, rank], likeliest first. probabilities:
    float32[position, rank], 0 to 1. texts: what people read for each of `ids`. actual: float32[position], the
    probability of the token that follows in the text, NaN where none follows.
    """

    positions: Int32
    ids: Int32
    probabilities: Float32
    actual: Float32
    texts: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """How many positions, and how many tokens at each."""
        return int(self.ids.shape[0]), int(self.ids.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class SideOutputs:
    """What a pass tells beside the weights, None where it does not, with the reason.

    norms: float32[layer, head, key], the length of what a head takes from a key: of its value vector put
    through the head's slice of the output projection (f(x) of Kobayashi et al. 2020).
    """

    norms: Float32 | None = None
    predictions: Predictions | None = None
    no_norms: str = ""
    no_predictions: str = ""


NO_SIDE_OUTPUTS = SideOutputs()
_FAILED = "working them out failed"


def failure_reason(error: BaseException) -> str:
    """Why something is not told beside the weights, where telling it failed."""
    message = first_words(str(error), 200)
    return f"{_FAILED} ({type(error).__name__}{': ' + message if message else ''})"


def failure_in(reason: str) -> tuple[str, str] | None:
    """The kind of an error and what it says, of what `failure_reason` gave; None for any other reason."""
    if not reason.startswith(f"{_FAILED} ("):
        return None
    kind, _, detail = reason[len(_FAILED) + 2 : -1].partition(": ")
    return kind, detail


class StoredAttention(Protocol):
    """A capture as the numpy side reads it: layer by layer, never all at once."""

    @property
    def key(self) -> str:
        """The capture key: SHA-256 of all that can change the numbers."""

    @property
    def text(self) -> str:
        """The text of `tokens`: the sentence, with what the model wrote after it, or what a decoder read."""

    @property
    def tokens(self) -> Tokens:
        """Its tokens, which look: the queries."""

    @property
    def keys(self) -> Tokens:
        """The tokens that are looked at: the same, except for cross attention."""

    @property
    def key_text(self) -> str:
        """The text of `keys`."""

    @property
    def facts(self) -> ModelFacts:
        """The model that attended."""

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from."""

    @property
    def side_outputs(self) -> SideOutputs:
        """What was captured with the weights. Raises `DamagedEntry` when it cannot be read."""

    def layer(self, index: int) -> AttentionLayer:
        """One layer, read from the store. Raises `DamagedEntry` when it cannot be read."""

    def parts(self, first: int, end: int, heads: int) -> Iterator[NDArray[Any]]:
        """Layers `first` to `end` (not itself) as they are stored, half or single: [layer, head, query, key].

        All of them at once, or one layer so many heads at a time, in an array that holds good until the next.
        Raises `DamagedEntry` when they cannot be read, which may show after the first parts only.
        """


@dataclass(frozen=True, slots=True, eq=False)
class HeadMetric:
    """One measure of every head on one sentence: values float32[layer, head].

    `range` is the closed interval of possible values; `unit` is shown after a number
    ("", "tokens", "share"). Undefined values (no such key, one visible token only) are NaN. `ordered` tells
    whether it asks where the weights of a row lie, so that shuffling them can change it.
    """

    name: str
    title: str
    unit: str
    range: tuple[float, float]
    values: Float32
    definition: str = ""
    source: str = ""
    caveat: str = ""
    ordered: bool = True


def joined_titles(first: str, *more: str) -> str:
    """The titles of the types of a head, the first as it is."""
    return ", also ".join([first, *(title[0].lower() + title[1:] for title in more)])


class HeadType(NamedTuple):
    """What a head does on one sentence or over many, with the evidence that led to it.

    `name` is a short slug such as "previous-token"; `family` groups types for colour
    ("position", "sink", "repeat", "local", "focused", "broad", "mixed"). `also` is a second type that the
    head has, None where it has one.
    """

    name: str
    title: str
    family: str
    evidence: str
    also: HeadType | None = None

    @property
    def titles(self) -> str:
        """Both types as people read them: `Induction head, also first-token sink`."""
        return self.title if self.also is None else joined_titles(self.title, self.also.title)

    @property
    def evidences(self) -> str:
        """The evidence of both."""
        return self.evidence if self.also is None else f"{self.evidence}; {self.also.evidence}"


def head_name(layer: int, head: int) -> str:
    """A head as people write it: `L3H7`."""
    return f"L{layer}H{head}"
