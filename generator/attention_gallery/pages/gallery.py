"""The whole gallery as page makers see it: settings, models, pairs, notes, and the way to the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from attention_gallery.analysis import FlowViews, HeadMap, SentenceAnalysis
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.pages import routes
from attention_gallery.pages.model_probe import ModelProbe
from attention_gallery.pages.notes import GalleryNotes
from attention_gallery.pages.routes import HeadRoutes
from attention_gallery.records import ModelFacts, Provenance, StoredAttention
from attention_gallery.theme.assets import ThemeAssets
from attention_gallery.theme.render import Renderer


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """A file to be made: its route, the digest of all that it depends on, and the way to make it.

    Equal `inputs` promise equal bytes, whatever the date, folder or machine.
    """

    route: str
    inputs: str
    make: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class GalleryModel:
    """A model of the gallery with what its captures told about it.

    `places` are all its (layer, head), `routes` their names in addresses. `family` is its slug in the
    manifest, which the three models of an encoder-decoder share, and `kind` which of them it is ("self" for a
    model that is alone).
    """

    spec: ModelSpec
    facts: ModelFacts
    provenance: Provenance
    places: tuple[tuple[int, int], ...]
    routes: HeadRoutes
    family: str
    kind: str

    @classmethod
    def of(
        cls, spec: ModelSpec, facts: ModelFacts, provenance: Provenance, family: str, kind: str
    ) -> GalleryModel:
        """The model with all its (layer, head) places, layer by layer."""
        places = tuple((layer, head) for layer in range(facts.layers) for head in range(facts.heads))
        names = HeadRoutes.of(facts.layers, facts.heads)
        return cls(spec, facts, provenance, places, names, family, kind)

    @property
    def causal(self) -> bool:
        """Whether a token sees only itself and what came before."""
        return self.facts.kind == "decoder"

    @property
    def reads_target(self) -> bool:
        """Whether the tokens that look are those of a target, and not of the sentence."""
        return self.kind in ("decoder", "cross")


@dataclass(frozen=True, slots=True)
class Pair:
    """One model on one sentence. `inputs` is the digest of the capture, its analysis and both specs.

    `heads` are the (layer, head) places that have a page of their own, in order.
    """

    model: GalleryModel
    sentence: SentenceSpec
    key: str
    inputs: str
    heads: tuple[tuple[int, int], ...]
    provenance: Provenance

    @property
    def route(self) -> str:
        """Its explorer page."""
        return routes.explorer(self.model.spec.slug, self.sentence.slug)

    def head_route(self, layer: int, head: int) -> str:
        """The page of one of its heads."""
        slug = self.model.routes.slug(layer, head)
        return routes.head(self.model.spec.slug, self.sentence.slug, slug)


class GalleryData(Protocol):
    """Reads captures and their analyses, keeping few of them in memory."""

    def attention(self, pair: Pair) -> StoredAttention:
        """The captured attention of a pair."""

    def analysis(self, pair: Pair) -> SentenceAnalysis:
        """The measures of a pair."""

    def views(self, pair: Pair) -> FlowViews:
        """Where each token of a pair draws from, by several views."""

    def head_map(self, pairs: Sequence[Pair]) -> HeadMap | None:
        """Where the heads of one model lie to each other over these sentences, None where that is nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Everything that pages are made from. `base` is the digest of what every page depends on.

    `sentences` are those that have pages. `probes` are by slug of the model; one that reads a target has
    none.
    """

    settings: GallerySettings
    models: tuple[GalleryModel, ...]
    sentences: tuple[SentenceSpec, ...]
    pairs: Mapping[tuple[str, str], Pair]
    probes: Mapping[str, ModelProbe]
    notes: GalleryNotes
    data: GalleryData
    renderer: Renderer
    assets: ThemeAssets
    plotly: str
    options: Mapping[str, str | bool | int | float]
    base: str
    generator: str
    built: str | None

    def pair(self, model: GalleryModel, sentence: SentenceSpec) -> Pair | None:
        """One model on one sentence, None where it does not read it."""
        return self.pairs.get((model.spec.slug, sentence.slug))

    def kinds_of(self, model: GalleryModel) -> tuple[GalleryModel, ...]:
        """The models of one encoder-decoder, this one among them; nothing for a model that is alone."""
        kinds = tuple(one for one in self.models if one.family == model.family)
        return kinds if len(kinds) > 1 else ()

    def of_model(self, model: GalleryModel) -> tuple[Pair, ...]:
        """Every sentence that one model reads, in the manifest's order."""
        found = (self.pair(model, sentence) for sentence in self.sentences)
        return tuple(pair for pair in found if pair is not None)

    def of_sentence(self, sentence: SentenceSpec) -> tuple[Pair, ...]:
        """One sentence under every model that reads it, in the manifest's order."""
        found = (self.pair(model, sentence) for model in self.models)
        return tuple(pair for pair in found if pair is not None)

    def probed(self, pair: Pair) -> str:
        """Digest of what is told of the relations of a pair; empty where the sentence has none."""
        probe = self.probes.get(pair.model.spec.slug) if pair.sentence.relations else None
        return "" if probe is None else probe.inputs

    def inputs(self, *parts: object) -> str:
        """Digest of what a page depends on: what all pages share, and these parts (JSON values)."""
        return digest([self.base, *parts])
