"""The whole gallery as page makers see it: settings, models, pairs, notes, and the way to the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis import Counterparts, FlowViews, HeadContrast, HeadMap, SentenceAnalysis
from attention_gallery.analysis.capture_pictures import PairPictures
from attention_gallery.analysis.experiments.prefix_sweep import LengthReading
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.similarity.distances import HeadDistances
from attention_gallery.evidence.published_notes import GalleryNotes
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import ContrastSpec, GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.parse_view import SentenceParse
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.records import ModelFacts, Provenance, StoredAttention
from attention_gallery.theme.assets import ThemeAssets
from attention_gallery.theme.render import Renderer


class PlannedPage(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class Contrast:
    """What is compared: two models on a sentence, two sentences in a model, or two heads.

    `left` and `right` are the two pairs, the same one for two heads. `heads` are their (layer, head), none
    for other contrasts. `across` tells that heads are compared on every sentence of the model: `left` is then
    the first.
    """

    spec: ContrastSpec
    left: Pair
    right: Pair
    heads: tuple[tuple[int, int], ...] = ()
    across: bool = False

    @property
    def route(self) -> str:
        """Its page."""
        return routes.contrast(self.spec.slug)


@dataclass(frozen=True, slots=True)
class ReadLadder:
    """The beginnings of one text that a model read, the shortest first, with the keys of their captures.

    `sentence` is the slug of the sentence whose text it is, None for a text of its own.
    """

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    sentence: str | None

    @property
    def inputs(self) -> str:
        """Digest of what a page about it depends on."""
        return digest([self.texts[-1], self.keys, self.sentence])


class GalleryData(Protocol):
    """Reads captures and their analyses, keeping few of them in memory.

    `sides` are the side analyses that failed so far: pages take what comes of these through it.
    """

    @property
    def sides(self) -> SideAnalyses:
        """What pages can do without."""

    def attention(self, pair: Pair) -> StoredAttention:
        """The captured attention of a pair."""

    def analysis(self, pair: Pair) -> SentenceAnalysis:
        """The measures of a pair."""

    def views(self, pair: Pair) -> FlowViews:
        """Where each token of a pair draws from, by several views."""

    def pictures(self, pair: Pair) -> PairPictures:
        """The weights of all heads of a pair as its page holds them, and a picture of each layer."""

    def repeats(self, key: str) -> RepeatScores:
        """The scores of every head on random tokens, by the key of their capture."""

    def length(self, key: str) -> LengthReading:
        """The heads on a text of one length, by the key of its capture."""

    def head_map(self, pairs: Sequence[Pair]) -> HeadMap | None:
        """Where the heads of one model lie to each other over these sentences, None where that is nowhere."""

    def head_distances(self, pair: Pair) -> HeadDistances:
        """How far the heads of a pair are from each other, all layers in one count."""

    def pair_distance(self, pair: Pair, one: tuple[int, int], other: tuple[int, int]) -> float:
        """How far two heads (layer, head) of a pair are from each other, over all rows."""

    def contrast(self, left: Pair, right: Pair) -> HeadContrast:
        """What the same heads do otherwise in two pairs."""

    def counterparts(self, left: Pair, right: Pair) -> Counterparts:
        """Which head of one pair is most like which of the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Everything that pages are made from. `base` is the digest of what every page depends on.

    `sentences` are those that have pages. `probes` and `ladders` are by slug of the model; one that
    reads a target has none, nor has any a ladder where the manifest asks for none. `repeats` are the keys of
    random tokens read twice, by slug of the models that read them. `parses` are by slug of the sentence, for
    those that a parser read.
    """

    settings: GallerySettings
    models: tuple[GalleryModel, ...]
    sentences: tuple[SentenceSpec, ...]
    pairs: Mapping[tuple[str, str], Pair]
    probes: Mapping[str, ModelProbe]
    repeats: Mapping[str, str]
    ladders: Mapping[str, ReadLadder]
    parses: Mapping[str, SentenceParse]
    notes: GalleryNotes
    data: GalleryData
    renderer: Renderer
    assets: ThemeAssets
    plotly: str
    options: Mapping[str, str | bool | int | float]
    base: str
    generator: str
    built: str | None
    contrasts: tuple[Contrast, ...] = ()

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

    def told(self, sentence: SentenceSpec) -> str:
        """Digest of a sentence, and of the models of the manifest that read it, but for its relations."""
        readers = [model.title for model in self.settings.models if sentence.read_by(model.slug)]
        return digest([sentence.model_dump(mode="json", exclude={"relations", "annotate"}), readers])

    def related(self, sentence: SentenceSpec) -> str:
        """Digest of the relations and entities of a sentence; empty where it has none."""
        parse = self.parses.get(sentence.slug)
        if not sentence.relations and parse is None:
            return ""
        told = [one.model_dump(mode="json") for one in sentence.relations]
        return digest([told, None if parse is None else parse.inputs])

    def inputs(self, *parts: object) -> str:
        """Digest of what a page depends on: what all pages share, and these parts (JSON values)."""
        return digest([self.base, *parts])
