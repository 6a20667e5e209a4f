"""The whole gallery as page kinds see it: models, captures, contrasts, notes, and the way to the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.evidence.published_notes import GalleryNotes
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import (
    ContrastSpec,
    GallerySettings,
    ModelSpec,
    RelationSpec,
    SentenceSpec,
)
from attention_gallery.pages.contexts.shared import Neighbours, SiteInfo
from attention_gallery.pages.neighbours import HeadIndex, head_neighbours
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.parse_view import SentenceParse
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.records import ModelFacts, Provenance, StoredAttention, head_name
from attention_gallery.theme.bundle import ThemeAssets
from attention_gallery.theme.renderer import Renderer

Value = TypeVar("Value")


class Site(NamedTuple):
    """What every page may show, and hangs on: `digest` is of all of it, the theme and the code.

    `info` is what templates get of it. `plotly` is the name of the shared script, `built` the date, None
    where no build may tell it.
    """

    info: SiteInfo
    base_url: str | None
    downloads: bool
    plotly: str
    built: str | None
    assets: ThemeAssets
    renderer: Renderer
    digest: str


# Compared by identity, here and below: there is one of each.
@dataclass(frozen=True, eq=False)
class GalleryModel:
    """A model of the gallery with what its captures told about it.

    `family` is its slug in the manifest, which the three models of an encoder-decoder share, and `kind` which
    of them it is ("self" for a model that is alone). `digest` is of all that pages tell of it by itself.
    """

    spec: ModelSpec
    facts: ModelFacts
    provenance: Provenance
    family: str
    kind: str
    digest: str

    @cached_property
    def heads(self) -> tuple[HeadIndex, ...]:
        """The (layer, head) of all heads, layer by layer."""
        return tuple((layer, head) for layer in range(self.facts.layers) for head in range(self.facts.heads))

    @cached_property
    def routes(self) -> HeadRoutes:
        """The names of its heads in addresses."""
        return HeadRoutes.from_counts(self.facts.layers, self.facts.heads)

    @cached_property
    def neighbours(self) -> Mapping[HeadIndex, Neighbours]:
        """The ways from each head to the next."""
        return head_neighbours(self.heads, self.routes)

    @property
    def causal(self) -> bool:
        """Whether a token sees only itself and what came before."""
        return self.facts.kind == "decoder"

    @property
    def reads_target(self) -> bool:
        """Whether the tokens that look are those of a target, and not of the sentence."""
        return self.kind in ("decoder", "cross")


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """One model on one sentence, which is without its relations: pages that show these ask for them.

    `heads` are the (layer, head) that have a page of their own, in order. `digest` is of all this but what
    the `key` of the capture stands for.
    """

    model: GalleryModel
    sentence: SentenceSpec
    key: str
    heads: tuple[HeadIndex, ...]
    provenance: Provenance
    digest: str

    @property
    def route(self) -> str:
        """Its explorer page."""
        return routes.explorer(self.model.spec.slug, self.sentence.slug)

    def head_route(self, layer: int, head: int) -> str:
        """The page of one of its heads."""
        slug = self.model.routes.slug(layer, head)
        return routes.head(self.model.spec.slug, self.sentence.slug, slug)

    def target(self, head: HeadIndex) -> str:
        """Where a head is shown: on its own page, or selected on the explorer."""
        # Mostly all heads have a page, as the same tuple, and thousands of links need no search.
        if self.heads is self.model.heads or head in self.heads:
            return self.head_route(*head)
        return f"{self.route}#head={head_name(*head)}"


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """What is compared: two models on a sentence, two sentences in a model, or two heads.

    `left` and `right` are the two captures, the same one for two heads. `heads` are their (layer, head), none
    for other contrasts. `across` tells that heads are compared on every sentence of the model: `left` is then
    the first.
    """

    spec: ContrastSpec
    left: Capture
    right: Capture
    heads: tuple[HeadIndex, ...] = ()
    across: bool = False

    @property
    def route(self) -> str:
        """Its page."""
        return routes.contrast(self.spec.slug)

    @property
    def digest(self) -> str:
        """Of all this."""
        # Heads and whether they are compared on every sentence follow from the manifest.
        return digest([self.spec.model_dump(mode="json"), self.left.digest, self.right.digest])


@dataclass(frozen=True, slots=True)
class PrefixSweep:
    """The beginnings of one text that a model read, the shortest first, with the keys of their captures.

    `sentence` is the slug of the sentence whose text it is, None for a text of its own.
    """

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    sentence: str | None


class GalleryData(Protocol):
    """Reads captures and results, keeping few of them in memory. All raise `DamagedEntry`."""

    @property
    def sides(self) -> SideAnalyses:
        """What pages can do without."""

    def entry(self, key: str) -> StoredAttention:
        """The captured attention under a key."""

    def measured(self, key: str) -> SentenceAnalysis:
        """The measures of the capture under a key."""

    def measured_key(self, key: str) -> str:
        """The name under which these measures are cached: the digest of all that can change them."""

    def result(self, result: Result[Value], subject: Subject) -> Value:
        """A result of some captures."""

    def key(self, result: Result[Any], subject: Subject) -> str:
        """The name under which it is cached: the digest of all that can change it."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Everything that pages can be made from.

    `sentences` are those that have pages, without their relations; `relations` are the gold ones, by slug.
    `probes` and `sweeps` are by slug of the model; one that reads a target has none, nor has any a sweep
    where the manifest asks for none. `repeats` are the keys of random tokens read twice, by slug of the
    models that read them. `parses` are by slug of the sentence, for those that a parser read.
    """

    site: Site
    settings: GallerySettings
    models: tuple[GalleryModel, ...]
    sentences: tuple[SentenceSpec, ...]
    relations: Mapping[str, tuple[RelationSpec, ...]]
    captures: Mapping[tuple[str, str], Capture]
    probes: Mapping[str, ModelProbe]
    repeats: Mapping[str, str]
    sweeps: Mapping[str, PrefixSweep]
    parses: Mapping[str, SentenceParse]
    notes: GalleryNotes
    data: GalleryData
    contrasts: tuple[Contrast, ...] = ()

    def models_of_family(self, model: GalleryModel) -> tuple[GalleryModel, ...]:
        """The models of one encoder-decoder, this one among them; nothing for a model that is alone."""
        family = tuple(other for other in self.models if other.family == model.family)
        return family if len(family) > 1 else ()

    def of_model(self, model: GalleryModel) -> tuple[Capture, ...]:
        """Every sentence that one model reads, in the manifest's order."""
        # Some read only some: `models:` of a sentence.
        captures = (self.captures.get((model.spec.slug, sentence.slug)) for sentence in self.sentences)
        return tuple(capture for capture in captures if capture is not None)

    def of_sentence(self, slug: str) -> tuple[Capture, ...]:
        """One sentence under every model that reads it, in the manifest's order."""
        captures = (self.captures.get((model.spec.slug, slug)) for model in self.models)
        return tuple(capture for capture in captures if capture is not None)


def sentence_digest(sentence: SentenceSpec) -> str:
    """Digest of a sentence without its relations."""
    return digest(sentence.model_dump(mode="json"))


def without_relations(sentence: SentenceSpec) -> SentenceSpec:
    """A sentence as most pages know it: relations change nothing of what heads do."""
    return sentence.model_copy(update={"relations": (), "annotate": None})
