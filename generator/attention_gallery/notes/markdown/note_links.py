"""Links that notes write as `[[model/sentence/L3H7]]`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from attention_gallery.errors import Problem
from attention_gallery.manifest.slugs import is_slug, parse_head
from attention_gallery.notes.target import ExplainedError, NoteTarget, TargetKind, place

LinkKind = TargetKind | Literal["model-length", "short", "asset"]

_FORMS = (
    "write [[model/sentence]], [[model/sentence/L3H7]], [[models/model]], [[models/model/L3H7]], "
    "[[models/model/length]], [[sentences/sentence]], [[contrasts/contrast]], [[notes/name]], [[about]] or "
    "[[gallery]]"
)


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What a link in a note points to.

    kind "short": `slug` is a model or a sentence. kind "contrast": `slug` is a contrast. kind "page": `slug`
    is a free-standing note.
    kind "asset": `slug` is a path inside the content folder. `fragment` is what follows `#`, or "".
    `raw` is the link as written; `note`, `line` and `column` (1-based) are its place.
    """

    raw: str
    kind: LinkKind
    model: str | None = None
    sentence: str | None = None
    layer: int | None = None
    head: int | None = None
    slug: str | None = None
    fragment: str = ""
    label: str | None = field(default=None, compare=False)
    note: Path | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)
    column: int | None = field(default=None, compare=False)

    @property
    def default_label(self) -> str:
        """What readers see when the note gives no label."""
        names = {
            "gallery": "the gallery",
            "about": "about this gallery",
            "model": self.model,
            "model-length": f"what length does to {self.model}",
            "model-head": f"L{self.layer}H{self.head} of {self.model}",
            "sentence": self.sentence,
            "pair": f"{self.sentence} in {self.model}",
            "head": f"L{self.layer}H{self.head} of {self.model} on {self.sentence}",
        }
        return names.get(self.kind) or self.slug or self.raw

    def problem(self, reason: str, mend: str, quote: str | None = None) -> Problem:
        """A problem at the place of the link."""
        return Problem(reason, mend, self.note, self.line, self.column, quote)


class LinkFormError(ExplainedError):
    """A link has no known form."""


def parse_link(raw: str) -> LinkTarget:
    """The target of `model/sentence#fragment|label`, without its brackets. Raises `LinkFormError`."""
    # Inside a table other tools need the bar escaped.
    address, bar, label = raw.replace("\\|", "|").partition("|")
    path, _, fragment = address.strip().partition("#")
    parts = tuple(path.strip("/").split("/"))
    if not path.strip("/"):
        raise LinkFormError(f"the link [[{raw}]] names no page", _FORMS)
    if bar and not label.strip():
        raise LinkFormError(f"the link [[{raw}]] has an empty label", "write a label after `|`, or remove it")
    target = _target(parts)
    if target is None:
        raise LinkFormError(f"the link [[{raw}]] has no known form", _FORMS)
    return replace(target, raw=f"[[{raw}]]", fragment=fragment.strip(), label=label.strip() or None)


def target_link(target: NoteTarget, raw: str, fragment: str) -> LinkTarget:
    """A link to the page that a note's target names."""
    return LinkTarget(raw, **asdict(target), fragment=fragment)


def _target(parts: tuple[str, ...]) -> LinkTarget | None:
    if len(parts) == 1 and parts[0] not in ("gallery", "about"):
        is_name = is_slug(parts[0]) and not parse_head(parts[0])
        return LinkTarget("", "short", slug=parts[0]) if is_name else None
    match parts:
        case ("models", model, "length") if is_slug(model):
            return LinkTarget("", "model-length", model)
    target = place(parts)
    return target_link(target, "", "") if target else None
