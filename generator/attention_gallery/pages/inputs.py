"""What pages can be made from. A page kind declares those that it needs; see `page_kind.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from attention_gallery.analysis import HeadMap
from attention_gallery.analysis.attribution.views import FLOW_VIEWS
from attention_gallery.analysis.capture_pictures import PICTURES, PairPictures
from attention_gallery.analysis.experiments.prefix_sweep import PREFIX_READING, LengthReading
from attention_gallery.analysis.experiments.repeated_tokens import REPEATED_TOKENS, RepeatScores
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.analysis.similarity.head_map import HEAD_MAP
from attention_gallery.evidence import wording
from attention_gallery.evidence.mentions import NO_NOTES, NoteList
from attention_gallery.evidence.published_notes import NoteSet
from attention_gallery.hashing import digest
from attention_gallery.pages.contexts.shared import Neighbours
from attention_gallery.pages.gallery import Capture, Gallery, GalleryModel, PrefixSweep
from attention_gallery.pages.head_neighbours import HeadIndex, head_neighbours
from attention_gallery.pages.page_kind import InputReader, PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.distributions import Distributions
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections import contrast_links
from attention_gallery.pages.sections.sinks import head_sentences, sinks_across
from attention_gallery.records import Float32

About = TypeVar("About")
Value = TypeVar("Value")


class OfModel(Protocol):
    """What is about a model."""

    @property
    def model(self) -> GalleryModel:
        """The model."""


class OfCapture(Protocol):
    """What is about one model on one sentence."""

    @property
    def capture(self) -> Capture:
        """Both."""


class CapturePage(NamedTuple):
    """A page, or a file, about a capture."""

    capture: Capture

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        return self.capture.digest


class HeadPage(NamedTuple):
    """A page about a head of a capture."""

    capture: Capture
    layer: int
    head: int

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        return f"{self.capture.digest}/{self.layer}/{self.head}"


class ModelPage(NamedTuple):
    """A page, or a file, about a model."""

    model: GalleryModel

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        return self.model.digest


class ModelHeadPage(NamedTuple):
    """A page, or a file, about a head of a model."""

    model: GalleryModel
    layer: int
    head: int

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        return f"{self.model.digest}/{self.layer}/{self.head}"


def plain(name: str, read: Callable[[Gallery, About], Value]) -> PageInput[About, Value]:
    """An input that is JSON, and so tells itself apart."""

    def value(reader: InputReader, about: About) -> Value:
        return read(reader.gallery, about)

    return PageInput(name, value, value)


def result_of(result: Result[Value], captures: Callable[[Gallery, Any], Subject]) -> PageInput[Any, Value]:
    """A result of some captures."""
    return PageInput(
        result.name,
        lambda reader, about: reader.gallery.data.result(result, captures(reader.gallery, about)),
        lambda reader, about: reader.gallery.data.key(result, captures(reader.gallery, about)),
    )


def side_result_of(
    result: Result[Value],
    captures: Callable[[Gallery, Any], Subject],
    side: Callable[[Any], tuple[str, str]],
) -> PageInput[Any, Value | None]:
    """A result that the pages of a scope share, and can do without."""
    needed = result_of(result, captures)
    return PageInput(needed.name, needed.read, needed.identify, shared=True, side=side)


Digested = TypeVar("Digested", NoteSet, NoteList)


def digested(name: str, read: Callable[[Gallery, Any], Digested]) -> PageInput[Any, Digested]:
    """Notes or links, which have digests of their own."""

    def value(reader: InputReader, about: Any) -> Digested:
        return read(reader.gallery, about)

    return PageInput(name, value, lambda reader, about: value(reader, about).digest)


def _in_model(about: OfCapture) -> str:
    capture = about.capture
    return f"“{wording.shortened(capture.sentence.title, 60)}” in {capture.model.spec.title}"


def _slugs(about: OfCapture) -> tuple[str, str]:
    return about.capture.model.spec.slug, about.capture.sentence.slug


# One model on one sentence

CAPTURE: PageInput[OfCapture, CaptureReader] = PageInput(
    "capture",
    lambda reader, about: CaptureReader(reader.gallery.site, reader.gallery.data, about.capture),
    lambda reader, about: reader.gallery.data.measured_key(about.capture.key),
    shared=True,
)
FLOW = side_result_of(
    FLOW_VIEWS,
    lambda gallery, about: Subject.of(about.capture.key),
    side=lambda about: ("other views of the flow", _in_model(about)),
)
PICTURES_OF_CAPTURE: PageInput[OfCapture, PairPictures] = result_of(
    PICTURES, lambda gallery, about: Subject.of(about.capture.key)
)


def _read_sinks(reader: InputReader, about: OfCapture) -> list[list[str]]:
    flow = reader.value(FLOW, about)
    return [] if flow is None else head_sentences(flow, about.capture.model.facts.kind)


SINKS: PageInput[OfCapture, list[list[str]]] = PageInput(
    "sinks", _read_sinks, lambda reader, about: reader.identity(FLOW, about), shared=True
)
FLOW_LIMIT: PageInput[Any, int] = plain(
    "flow_limit", lambda gallery, about: gallery.settings.analysis.flow_limit
)
PROBE: PageInput[OfCapture, ModelProbe | None] = PageInput(
    "probe",
    lambda reader, about: reader.gallery.probes.get(about.capture.model.spec.slug),
    lambda reader, about: _probe_digest(reader.gallery, about.capture),
)


def _probe_digest(gallery: Gallery, capture: Capture) -> str:
    """What is told of the relations of a capture hangs on all sentences; of none, on nothing."""
    probe = gallery.probes.get(capture.model.spec.slug)
    related = probe is not None and probe.has_relations(capture.sentence.slug)
    return probe.inputs if probe is not None and related else ""


OTHER_MODELS: PageInput[OfCapture, tuple[Capture, ...]] = PageInput(
    "other models",
    lambda reader, about: tuple(
        capture
        for capture in reader.gallery.of_sentence(about.capture.sentence.slug)
        if capture is not about.capture
    ),
    lambda reader, about: [
        (capture.model.spec.slug, capture.model.spec.title)
        for capture in reader.gallery.of_sentence(about.capture.sentence.slug)
    ],
)


def _read_siblings(reader: InputReader, about: OfCapture) -> tuple[Capture | None, Capture | None]:
    captures = reader.gallery.of_model(about.capture.model)
    index = captures.index(about.capture)
    before = captures[index - 1] if index else None
    return before, captures[index + 1] if index + 1 < len(captures) else None


def _identify_siblings(reader: InputReader, about: OfCapture) -> list[list[str] | None]:
    return [
        None if capture is None else [capture.sentence.title, capture.sentence.slug]
        for capture in _read_siblings(reader, about)
    ]


SIBLING_CAPTURES: PageInput[OfCapture, tuple[Capture | None, Capture | None]] = PageInput(
    "sibling captures", _read_siblings, _identify_siblings
)


def _read_neighbours(reader: InputReader, about: OfCapture) -> Mapping[HeadIndex, Neighbours]:
    capture, model = about.capture, about.capture.model
    return model.neighbours if capture.heads is model.heads else head_neighbours(capture.heads, model.routes)


# Which heads have pages is told by the capture.
HEAD_NEIGHBOURS: PageInput[OfCapture, Mapping[HeadIndex, Neighbours]] = PageInput(
    "neighbours", _read_neighbours, lambda reader, about: "", shared=True
)
CAPTURE_NOTES = digested("notes", lambda gallery, about: gallery.notes.of_pair(*_slugs(about)))
CAPTURE_MENTIONS = digested("mentions", lambda gallery, about: gallery.notes.mentions.of_pair(*_slugs(about)))
CAPTURE_CONTRASTS = digested(
    "contrasts", lambda gallery, about: contrast_links.of_capture(gallery.contrasts, *_slugs(about))
)
HEAD_NOTES = digested(
    "notes", lambda gallery, about: gallery.notes.of_head(*_slugs(about), about.layer, about.head)
)
HEAD_MENTIONS = digested(
    "mentions",
    lambda gallery, about: gallery.notes.mentions.of_heads(*_slugs(about)).get(
        (about.layer, about.head), NO_NOTES
    ),
)
HEAD_CONTRASTS = digested(
    "contrasts",
    lambda gallery, about: contrast_links.of_head(
        gallery.contrasts, about.capture.model.spec.slug, (about.layer, about.head), _slugs(about)[1]
    ),
)

# One model over all sentences


def _title(about: OfModel) -> str:
    return about.model.spec.title


def _random_tokens(gallery: Gallery, about: OfModel) -> str | None:
    return gallery.repeats.get(about.model.spec.slug)


def _read_repeats(reader: InputReader, about: OfModel) -> RepeatScores | None:
    key = _random_tokens(reader.gallery, about)
    return None if key is None else reader.gallery.data.result(REPEATED_TOKENS, Subject.of(key))


def _identify_repeats(reader: InputReader, about: OfModel) -> str | None:
    key = _random_tokens(reader.gallery, about)
    return None if key is None else reader.gallery.data.key(REPEATED_TOKENS, Subject.of(key))


REPEATS: PageInput[OfModel, RepeatScores | None] = PageInput(
    "scores on random tokens",
    _read_repeats,
    _identify_repeats,
    shared=True,
    side=lambda about: ("scores on random tokens", _title(about)),
)
# Of the heads on random tokens no more is told where there is nothing else to tell.
READS_RANDOM_TOKENS: PageInput[OfModel, bool] = plain(
    "reads random tokens", lambda gallery, about: _random_tokens(gallery, about) is not None
)
ASKS_RANDOM_TOKENS: PageInput[Any, bool] = plain(
    "repeated_tokens", lambda gallery, about: gallery.settings.analysis.repeated_tokens
)


def _read_model(reader: InputReader, about: OfModel) -> ModelReader:
    gallery, model = reader.gallery, about.model
    repeats = reader.value(REPEATS, about)
    return ModelReader(gallery.site, gallery.data, model, gallery.of_model(model), repeats)


def _identify_model(reader: InputReader, about: OfModel) -> Any:
    data = reader.gallery.data
    captures = reader.gallery.of_model(about.model)
    measured = [[capture.digest, data.measured_key(capture.key)] for capture in captures]
    return digest([measured, reader.identity(REPEATS, about)])


MODEL: PageInput[OfModel, ModelReader] = PageInput("model", _read_model, _identify_model, shared=True)


DISTRIBUTIONS: PageInput[OfModel, Distributions] = PageInput(
    "distributions",
    lambda reader, about: Distributions(reader.value(MODEL, about)),
    lambda reader, about: reader.identity(MODEL, about),
    shared=True,
)


def _read_probe(reader: InputReader, about: OfModel) -> ModelProbe | None:
    probe = reader.gallery.probes.get(about.model.spec.slug)
    if probe is not None:
        reader.gallery.data.sides.once(f"probe {about.model.spec.slug}", probe.run)
    return probe


def _identify_probe(reader: InputReader, about: OfModel) -> str:
    probe = reader.gallery.probes.get(about.model.spec.slug)
    return "" if probe is None else probe.inputs


MODEL_PROBE: PageInput[OfModel, ModelProbe | None] = PageInput(
    "probe",
    _read_probe,
    _identify_probe,
    shared=True,
    side=lambda about: ("probes of relations", _title(about)),
)
MAP_OF_HEADS: PageInput[OfModel, HeadMap | None] = side_result_of(
    HEAD_MAP,
    lambda gallery, about: Subject(tuple(sorted({capture.key for capture in gallery.of_model(about.model)}))),
    side=lambda about: ("the map and the distances of heads", _title(about)),
)


def _flows(gallery: Gallery, model: GalleryModel) -> list[Subject]:
    """The captures of a model, those once that are the same."""
    return [Subject.of(key) for key in dict.fromkeys(capture.key for capture in gallery.of_model(model))]


def _read_model_sinks(reader: InputReader, about: OfModel) -> tuple[Float32, Float32] | None:
    data = reader.gallery.data
    return sinks_across(data.result(FLOW_VIEWS, flow) for flow in _flows(reader.gallery, about.model))


MODEL_SINKS: PageInput[OfModel, tuple[Float32, Float32] | None] = PageInput(
    "sinks",
    _read_model_sinks,
    lambda reader, about: [
        reader.gallery.data.key(FLOW_VIEWS, flow) for flow in _flows(reader.gallery, about.model)
    ],
    shared=True,
    side=lambda about: ("the lengths of what heads take", _title(about)),
)
FAMILY: PageInput[OfModel, tuple[GalleryModel, ...]] = PageInput(
    "models of the family",
    lambda reader, about: reader.gallery.models_of_family(about.model),
    lambda reader, about: [model.kind for model in reader.gallery.models_of_family(about.model)],
)
HAS_SWEEP: PageInput[OfModel, bool] = plain(
    "has a prefix sweep", lambda gallery, about: about.model.spec.slug in gallery.sweeps
)


def _sweep(gallery: Gallery, about: OfModel) -> PrefixSweep:
    return gallery.sweeps[about.model.spec.slug]


SWEEP: PageInput[OfModel, PrefixSweep] = PageInput(
    "prefix sweep",
    lambda reader, about: _sweep(reader.gallery, about),
    lambda reader, about: [_sweep(reader.gallery, about).texts, _sweep(reader.gallery, about).sentence],
)
# Read one after the other: what fails, fails while it is read.
PREFIX_READINGS: PageInput[OfModel, Iterator[LengthReading]] = PageInput(
    "prefix readings",
    lambda reader, about: (
        reader.gallery.data.result(PREFIX_READING, Subject.of(key))
        for key in _sweep(reader.gallery, about).keys
    ),
    lambda reader, about: [
        reader.gallery.data.key(PREFIX_READING, Subject.of(key)) for key in _sweep(reader.gallery, about).keys
    ],
)


def _swept_sentence(gallery: Gallery, about: OfModel) -> dict[str, str | None] | None:
    slug = _sweep(gallery, about).sentence
    sentence = next((spec for spec in gallery.sentences if spec.slug == slug), None)
    return None if sentence is None else sentence.model_dump(include={"slug", "title", "language"})


SWEPT_SENTENCE: PageInput[OfModel, dict[str, str | None] | None] = plain("swept sentence", _swept_sentence)
MODEL_NOTES = digested("notes", lambda gallery, about: gallery.notes.of_model(about.model.spec.slug))
MODEL_CONTRASTS = digested(
    "contrasts", lambda gallery, about: contrast_links.of_model(gallery.contrasts, about.model.spec.slug)
)
MODEL_HEAD_NOTES = digested(
    "notes",
    lambda gallery, about: gallery.notes.of_model_head(about.model.spec.slug, about.layer, about.head),
)
MODEL_HEAD_MENTIONS = digested(
    "mentions",
    lambda gallery, about: gallery.notes.mentions.of_model_heads(about.model.spec.slug).get(
        (about.layer, about.head), NO_NOTES
    ),
)
MODEL_HEAD_CONTRASTS = digested(
    "contrasts",
    lambda gallery, about: contrast_links.of_head(
        gallery.contrasts, about.model.spec.slug, (about.layer, about.head)
    ),
)
