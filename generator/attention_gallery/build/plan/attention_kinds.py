"""The models of a gallery as pages show them: an encoder-decoder is three, one for each kind of attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from attention_gallery.errors import Problem
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.manifest.slugs import kind_slug, kind_title
from attention_gallery.records import ATTENTION_KINDS

# As titles say it; slugs end in the kind itself.
_NAMES: dict[str, str] = {kind: "cross attention" if kind == "cross" else kind for kind in ATTENTION_KINDS}


@dataclass(frozen=True, slots=True)
class ShownModel:
    """One kind of attention of the model that stands at `index` in the manifest.

    `kind` is "self" for a model that has only one. `spec` is the manifest's, but with the slug and title of
    this kind.
    """

    index: int
    kind: str
    spec: ModelSpec


def shown_models(
    manifest: Manifest, index: int, kinds: Sequence[str]
) -> tuple[tuple[ShownModel, ...], list[Problem]]:
    """What is shown of a model that has these `kinds`, and what is wrong with what the manifest chooses."""
    spec = manifest.settings.models[index]
    chosen = spec.attention
    if chosen and kinds == ("self",):
        reason = f'the model "{spec.title}" has no encoder, decoder and cross attention to choose from'
        return (), [manifest.problem(reason, "remove `attention`", "models", index, "attention")]
    if kinds == ("self",):
        return (ShownModel(index, "self", spec),), []
    return tuple(_of_kind(spec, index, kind) for kind in kinds if kind in (chosen or kinds)), []


def sentences_read(
    settings: GallerySettings, models: Iterable[ShownModel]
) -> Iterator[tuple[ShownModel, SentenceSpec]]:
    """Each of these models with every sentence that it reads."""
    for model in models:
        for sentence in settings.sentences:
            if sentence.read_by(settings.models[model.index].slug):
                yield model, sentence


def with_pages(
    settings: GallerySettings, models: Iterable[ShownModel]
) -> Iterator[tuple[ShownModel, SentenceSpec]]:
    """The same, without the sentences that are only captured."""
    return ((model, sentence) for model, sentence in sentences_read(settings, models) if sentence.pages)


def clashes(manifest: Manifest, models: Iterable[ShownModel]) -> list[Problem]:
    """A problem for every slug that two models would share, at the line of the later one."""
    problems = []
    taken: dict[str, ShownModel] = {}
    for model in sorted(models, key=lambda model: model.index):
        other = taken.setdefault(model.spec.slug, model)
        if other is model:
            continue
        line = manifest.where("models", other.index, "slug").line
        divided = model if model.kind != "self" else other
        reason = (
            f'the slug "{model.spec.slug}" is already that of line {line}: '
            f'"{divided.spec.title}" has it for its {_NAMES[divided.kind]}'
        )
        mend = "give one of the two models another name with `slug: …`"
        problems.append(manifest.problem(reason, mend, "models", model.index, "slug"))
    return problems


def _of_kind(spec: ModelSpec, index: int, kind: str) -> ShownModel:
    # Which other kinds are shown changes nothing for this one, and its pages need not be made again.
    changed = {
        "slug": kind_slug(spec.slug, kind),
        "title": kind_title(spec.title, kind),
        "attention": (),
        "aliases": tuple(kind_slug(alias, kind) for alias in spec.aliases),
    }
    return ShownModel(index, kind, spec.model_copy(update=changed))
