"""What notes ask of the attention: typed questions that only somebody with the captures can answer.

    Subject                  whose attention: of a head, of a layer or of all heads, on a sentence or on all
    WeightOf, ReceivedBy     a share of attention, 0 to 1
    MeasureOf, HeadsOfType   a measure of a head, how many heads have a type
    AccuracyOf               how often a head, or the best of a model, is right about a kind of relation
    TypeOf                   the type of a head, a text
    KeysOf, PairsOf          a table
    FigureOf                 the heatmap of a head

Notes are read without the captures; `pages` answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attention_gallery.manifest.slugs import is_slug, parse_head
from attention_gallery.notes.target import ExplainedError, NoteTarget, parse_layer

Which = Literal["mean", "lowest", "highest"]
WHICH: tuple[Which, ...] = ("mean", "lowest", "highest")

FORMS = (
    "write model/sentence/L3H1 for a head, model/sentence/L3 for the average of a layer, model/sentence for "
    "that of all heads, models/model/L3H1 for a head over every sentence"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose attention. Layers and heads count from 0.

    Without a sentence it is that of every sentence. Without a head heads are averaged, without a layer those
    of all layers.
    """

    model: str
    sentence: str | None = None
    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True)
class WeightOf:
    """How much the word `query` looks at the word `key`: its row's mean, its column's sum."""

    subject: Subject
    query: str
    key: str


@dataclass(frozen=True, slots=True)
class ReceivedBy:
    """How much a word receives: the sum of its columns, the mean over all queries."""

    subject: Subject
    key: str


@dataclass(frozen=True, slots=True)
class MeasureOf:
    """A measure of a head by its registered name; over every sentence the mean, the lowest or the highest."""

    subject: Subject
    measure: str
    which: Which = "mean"


@dataclass(frozen=True, slots=True)
class HeadsOfType:
    """How many heads are of a type."""

    subject: Subject
    type: str


@dataclass(frozen=True, slots=True)
class AccuracyOf:
    """How often a head is right about a kind of relation, or without a head the best of the model."""

    subject: Subject
    relation: str


@dataclass(frozen=True, slots=True)
class TypeOf:
    """The type of a head."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class KeysOf:
    """The words that a word looks at most: through the layers, in the heads of a layer, or in one head."""

    subject: Subject
    query: str
    top: int = 3
    sinks: bool = False


@dataclass(frozen=True, slots=True)
class PairsOf:
    """The strongest pairs of a head."""

    subject: Subject
    top: int = 5


@dataclass(frozen=True, slots=True)
class FigureOf:
    """The heatmap of a head, with what the author says of it."""

    subject: Subject
    caption: str = ""


ValueAsk = WeightOf | ReceivedBy | MeasureOf | HeadsOfType | AccuracyOf | TypeOf
Ask = ValueAsk | KeysOf | PairsOf | FigureOf


class AskError(ExplainedError):
    """A question that cannot be answered. `part` names what is wrong in it, as `KEYS` does for claims."""

    def __init__(self, reason: str, mend: str, argument: str) -> None:
        super().__init__(reason, mend)
        self.part = argument


def parse_subject(text: str, own: NoteTarget) -> Subject:
    """Whose attention `model/sentence/L3H1` names, what is left out taken from the note it stands in.

    `L3H1` and `L3` are of the note's own model and sentence. A name before them is that of another
    sentence where the note is about a model, and that of a model where it is about a sentence.
    Raises `AskError`.
    """
    parts = text.strip().strip("/").split("/")
    layer, head, named = _place(parts[-1])
    if named:
        parts.pop()
    for slug in parts:
        if not is_slug(slug):
            raise AskError(f'"{text}" names no head, layer or page', FORMS, "target")
    match parts:
        case ["models", model]:
            return Subject(model, None, layer, head)
        case [model, sentence] if model not in ("models", "sentences", "contrasts", "notes"):
            return Subject(model, sentence, layer, head)
        case [name] if own.model is not None:
            return Subject(own.model, name, layer, head)
        case [name] if own.sentence is not None:
            return Subject(name, own.sentence, layer, head)
        case [] if own.model is not None:
            return Subject(own.model, own.sentence, layer, head)
    raise AskError(f'"{text}" does not say which model and sentence', FORMS, "target")


def own_subject(own: NoteTarget) -> Subject:
    """What a note is about. Raises `AskError` for one that is about no model."""
    if own.model is None:
        raise AskError("this note is about no model, so the target cannot be left out", FORMS, "target")
    return Subject(own.model, own.sentence, own.layer, own.head)


def _place(text: str) -> tuple[int | None, int | None, bool]:
    """Layer, head, and whether the text names either."""
    at = parse_head(text)
    if at is not None:
        return (*at, True)
    layer = parse_layer(text)
    return layer, None, layer is not None
