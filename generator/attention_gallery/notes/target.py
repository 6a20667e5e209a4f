"""The page that a note belongs to, read from its place in the content folder."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from attention_gallery.errors import did_you_mean
from attention_gallery.manifest.slugs import is_slug, kind_slug, parse_head
from attention_gallery.records import ATTENTION_KINDS

TargetKind = Literal[
    "gallery", "about", "model", "model-head", "sentence", "pair", "head", "contrast", "page"
]

LAYOUT = (
    "notes are gallery.md, about.md, models/<model>.md, models/<model>/L3H7.md, sentences/<sentence>.md, "
    "<model>/<sentence>.md, <model>/<sentence>/L3H7.md, contrasts/<contrast>.md or notes/<name>.md"
)
_LAYER = re.compile(r"[Ll](\d{1,4})")


@dataclass(frozen=True, slots=True)
class NoteTarget:
    """What a note is about. Layers and heads count from 0; `slug` names a contrast or a page of its own."""

    kind: TargetKind
    model: str | None = None
    sentence: str | None = None
    layer: int | None = None
    head: int | None = None
    slug: str | None = None


class ExplainedError(ValueError):
    """A mistake that has no place yet: the reason and the mend."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason, mend)
        self.reason, self.mend = reason, mend


class PlaceError(ExplainedError):
    """A note's place names no page."""


def parse_layer(text: str) -> int | None:
    """The layer of `L3`, or None for any other text."""
    match = _LAYER.fullmatch(text)
    return int(match[1]) if match and match[0].isascii() else None


def place(parts: tuple[str, ...]) -> NoteTarget | None:
    """The target of a path without its `.md`, known to the gallery or not; None if there is none."""
    match parts:
        case ("gallery",):
            return NoteTarget("gallery")
        case ("about",):
            return NoteTarget("about")
        case ("notes", slug) if is_slug(slug):
            return NoteTarget("page", slug=slug)
        case ("contrasts", slug) if is_slug(slug):
            return NoteTarget("contrast", slug=slug)
        case ("models", model) if is_slug(model):
            return NoteTarget("model", model=model)
        case ("sentences", sentence) if is_slug(sentence):
            return NoteTarget("sentence", sentence=sentence)
        case ("models", model, head) if is_slug(model) and (at := parse_head(head)):
            return NoteTarget("model-head", model=model, layer=at[0], head=at[1])
        case ("models" | "sentences" | "contrasts" | "notes", *_):
            return None
        case (model, sentence) if is_slug(model) and is_slug(sentence):
            return NoteTarget("pair", model=model, sentence=sentence)
        case (model, sentence, head) if is_slug(model) and is_slug(sentence) and (at := parse_head(head)):
            return NoteTarget("head", model=model, sentence=sentence, layer=at[0], head=at[1])
    return None


def target_of(
    parts: tuple[str, ...],
    models: Collection[str],
    sentences: Collection[str],
    contrasts: Collection[str] = (),
) -> NoteTarget:
    """The target of a note at `parts` (a path without its `.md`). Raises `PlaceError`."""
    target = place(parts)
    if target is None:
        raise PlaceError(_why(parts), LAYOUT)
    if target.model is not None and target.model not in models:
        mend = meant_model(target.model, models) or "add it to the manifest, or move the note"
        raise PlaceError(f'the gallery has no model "{target.model}"', mend)
    if target.sentence is not None and target.sentence not in sentences:
        mend = did_you_mean(target.sentence, sentences) or "add it to the manifest, or move the note"
        raise PlaceError(f'the gallery has no sentence "{target.sentence}"', mend)
    if target.kind == "contrast" and target.slug not in contrasts:
        mend = did_you_mean(target.slug or "", contrasts) or "add it to the manifest, or move the note"
        raise PlaceError(f'the gallery has no contrast "{target.slug}"', mend)
    if target.slug == "index":
        raise PlaceError('"index" is not a name for a note', "the site makes the list of notes itself")
    return target


def meant_model(slug: str, known: Collection[str]) -> str:
    """What to write instead of the slug of a model that is not known: its kinds, where it has some."""
    kinds = [
        shown_as for shown_as in (kind_slug(slug, kind) for kind in ATTENTION_KINDS) if shown_as in known
    ]
    return f"it is shown as {', '.join(kinds)}" if kinds else did_you_mean(slug, known)


def _why(parts: tuple[str, ...]) -> str:
    if parts[0] == "notes" and len(parts) == 2:
        return f'"{parts[1]}" cannot stand in an address, which has a-z, 0-9 and single hyphens'
    if len(parts) == 3 and parts[0] not in ("notes", "sentences", "contrasts") and not parse_head(parts[2]):
        return f'"{parts[2]}" does not name a head, as L3H7 does'
    return "no page of the site has notes at this place"
