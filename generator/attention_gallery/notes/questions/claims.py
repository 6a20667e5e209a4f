"""Claims: what the front matter of a note says of the attention, to be held to it in every build.

A kind of claim is a row of `CLAIMS`: the keys that tell it, and the question that it asks. To let notes claim
something else, add the question to `asks`, the keys to `ClaimSpec`, a row to `CLAIMS`, an answer to
`ANSWERS` in `evidence/answers.py`, and its words to `evidence/phrasing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from attention_gallery.errors import Problem
from attention_gallery.manifest.settings import Settings
from attention_gallery.manifest.slugs import parse_head
from attention_gallery.manifest.yaml.document import Document, Position
from attention_gallery.notes.questions import asks
from attention_gallery.notes.questions.asks import AskError, Subject, own_subject, parse_subject
from attention_gallery.notes.questions.expectations import Bounds, about, at_least, at_most, between
from attention_gallery.notes.target import NoteTarget, parse_layer

# The keys that say whose attention is meant, and what each of them names.
TARGETS = {"head": "a head, as L3H1 does", "layer": "a layer, as L3 does", "of": "a page of all heads"}
LIMITS = ("at_least", "at_most", "between", "about")
WITHIN = 0.01


class ClaimSpec(Settings):
    """One item of `claims`."""

    head: str | None = Field(
        default=None, description="The head: `L3H1`, or with model and sentence, `minilm/tired-cat/L3H1`."
    )
    layer: str | None = Field(
        default=None, description="The average of a layer's heads: `L3` or `minilm/tired-cat/L3`."
    )
    of: str | None = Field(
        default=None, description="All heads: `minilm/tired-cat`, or `models/minilm` over every sentence."
    )
    from_: str | None = Field(default=None, alias="from", description="The word that looks.")
    to: str | None = Field(default=None, description="The word that it looks at.")
    received_by: str | None = Field(
        default=None, description="The word whose share of all attention is meant."
    )
    measure: str | None = Field(default=None, description="The measure of a head: `previous`, `entropy`, …")
    which: asks.Which = Field(
        default="mean",
        description="Of a measure over every sentence: `mean`, or the `lowest` or `highest` of them.",
    )
    type: str | None = Field(
        default=None, description="A type that a head has, first or second: `previous-token`, …"
    )
    count: str | None = Field(default=None, description="The type of which there are so many heads.")
    relation: str | None = Field(
        default=None, description="The kind of relation that a head, or the best of a model, was probed for."
    )
    at_least: float | None = Field(default=None, description="The number is this or more.")
    at_most: float | None = Field(default=None, description="The number is this or less.")
    between: tuple[float, ...] | None = Field(
        default=None, description="The number lies between these two: `[0.2, 0.4]`."
    )
    about: float | None = Field(default=None, description="The number is this, give or take `within`.")
    within: float | None = Field(
        default=None, ge=0, description="The tolerance of `about`; 0.01 when left out."
    )


@dataclass(frozen=True, slots=True)
class ClaimKind:
    """One thing that can be claimed. `keys` tell it; `parts` name them in the words of the question.

    `number` tells whether the answer is one, so that limits belong to it and what is asked about is in the
    keys of `parts`; else the claim is the answer.
    """

    keys: tuple[str, ...]
    ask: Callable[..., asks.ValueAsk]
    parts: Mapping[str, str]
    number: bool = True


CLAIMS: tuple[ClaimKind, ...] = (
    ClaimKind(("from", "to"), asks.WeightOf, {"from": "from", "to": "to"}),
    ClaimKind(("received_by",), asks.ReceivedBy, {"word": "received_by"}),
    ClaimKind(("measure",), asks.MeasureOf, {"measure": "measure", "which": "which"}),
    ClaimKind(("type",), asks.TypeOf, {"type": "type"}, number=False),
    ClaimKind(("count",), asks.HeadsOfType, {"type": "count"}),
    ClaimKind(("relation",), asks.AccuracyOf, {"relation": "relation"}),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: the question, and what its answer should be, bounds of a number or the name of a type.

    `places` are those of the parts of the question in the note at `path`, of the "limit", and "" for others.
    """

    ask: asks.ValueAsk
    expected: Bounds | str
    path: Path
    positions: Mapping[str, Position]

    def problem(self, reason: str, mend: str, key: str = "") -> Problem:
        """A problem with one part of the claim."""
        return (self.positions.get(key) or self.positions[""]).problem(reason, mend, self.path)


def read_claims(
    specs: Mapping[int, ClaimSpec], document: Document, own: NoteTarget, path: Path
) -> tuple[tuple[Claim, ...], list[Problem]]:
    """The claims of a note about `own`, and what is wrong with the others, without a file.

    `specs` are by their place in `claims`.
    """
    claims: list[Claim] = []
    problems: list[Problem] = []
    for index, spec in specs.items():
        try:
            claims.append(_claim(spec, document, own, path, index))
        except AskError as error:
            position = document.position("claims", index, error.part)
            problems.append(position.problem(error.reason, error.mend))
    return tuple(claims), problems


def _claim(spec: ClaimSpec, document: Document, own: NoteTarget, path: Path, index: int) -> Claim:
    kind = _kind(spec)
    target = next((name for name in TARGETS if getattr(spec, name) is not None), "")
    arguments = [_text_of(spec, key) for key in kind.parts.values()] if kind.number else []
    ask = kind.ask(_subject(spec, own), *arguments)
    limit, expected = _bounds(spec) if kind.number else (kind.keys[0], spec.type or "")
    parts = {**kind.parts, "target": target or kind.keys[0], "limit": limit, "": kind.keys[0]}
    positions = {name: document.position("claims", index, key) for name, key in parts.items()}
    return Claim(ask, expected, path, positions)


def _kind(spec: ClaimSpec) -> ClaimKind:
    keys = {"from" if name == "from_" else name for name in spec.model_fields_set}
    kinds = [kind for kind in CLAIMS if keys.intersection(kind.keys)]
    if len(kinds) != 1:
        known = ", ".join(" and ".join(f"`{key}`" for key in kind.keys) for kind in CLAIMS)
        reason = "the claim says several things" if kinds else "the claim says nothing of the attention"
        mend = f"make a claim of each: it has one of {known}"
        raise AskError(
            reason, mend if kinds else f"give it one of {known}", kinds[1].keys[0] if kinds else ""
        )
    (kind,) = kinds
    for key in kind.keys:
        if key not in keys:
            raise AskError(f"the claim needs `{key}`", f"add `{key}: …`", kind.keys[0])
        if not _text_of(spec, key).strip():
            raise AskError(f"`{key}` is empty", "write a text", key)
    limits = keys.intersection((*LIMITS, "within"))
    if not kind.number and limits:
        raise AskError(f"`{min(limits)}` is of no use beside `{kind.keys[0]}`", "remove it", min(limits))
    if "which" in keys and "measure" not in keys:
        raise AskError("`which` belongs to a measure", "remove it", "which")
    return kind


def _subject(spec: ClaimSpec, own: NoteTarget) -> Subject:
    targets = [(name, getattr(spec, name)) for name in TARGETS if getattr(spec, name) is not None]
    if not targets:
        if own.model is None:
            mend = "write `head: model/sentence/L3H1`, `layer: model/sentence/L3` or `of: model/sentence`"
            raise AskError("the claim does not say whose attention it is about", mend, "")
        return own_subject(own)
    if len(targets) > 1:
        raise AskError("the claim has two targets", "keep one of `head`, `layer` and `of`", targets[1][0])
    ((key, text),) = targets
    last = text.rsplit("/", 1)[-1]
    better = "head" if parse_head(last) else "layer" if parse_layer(last) is not None else "of"
    if key != better:
        mend = f"write `{better}: {text}`, or mend the name"
        raise AskError(f'"{text}" does not name {TARGETS[key]}', mend, key)
    try:
        return parse_subject(text, own)
    except AskError as error:
        raise AskError(error.reason, error.mend, key) from None


def _bounds(spec: ClaimSpec) -> tuple[str, Bounds]:
    """What is expected of a number, and the key that says so."""
    limits = [name for name in LIMITS if getattr(spec, name) is not None]
    if len(limits) != 1:
        mend = "give it one of `at_least`, `at_most`, `between: [0.2, 0.4]` and `about`"
        reason = "the claim has two limits" if limits else "the claim has no limit"
        raise AskError(reason, mend, limits[1] if limits else "")
    (key,) = limits
    if spec.within is not None and key != "about":
        raise AskError("`within` belongs to `about`", "remove it", "within")
    if spec.between is not None:
        if len(spec.between) != 2:
            raise AskError("`between` needs two numbers", "write `between: [0.2, 0.4]`", "between")
        least, most = spec.between
        if least > most:
            raise AskError("`between` ends before it begins", "write the smaller number first", "between")
        return key, between(least, most)
    if spec.about is not None:
        return key, about(spec.about, WITHIN if spec.within is None else spec.within)
    return key, at_least(spec.at_least) if spec.at_least is not None else at_most(spec.at_most or 0.0)


def _text_of(spec: ClaimSpec, key: str) -> str:
    """What stands at a key of the claim; "" for nothing."""
    return getattr(spec, "from_" if key == "from" else key) or ""
