"""What pages of captures and models can be made from; see `page_kind.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from attention_gallery.analysis.attribution.views import FLOW_VIEWS, FlowViews
from attention_gallery.analysis.capture_pictures import PICTURES, CapturePictures
from attention_gallery.analysis.experiments.prefix_sweep import PREFIX_READING, LengthReading
from attention_gallery.analysis.experiments.repeated_tokens import REPEATED_TOKENS, RepeatScores
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.analysis.similarity.head_map import HEAD_MAP, HeadMap
from attention_gallery.evidence import wording
from attention_gallery.evidence.mentions import NO_NOTES, NoteList
from attention_gallery.evidence.published_notes import NoteSet
from attention_gallery.pages.contexts.shared import Neighbours
from attention_gallery.pages.gallery import Capture, Gallery, GalleryModel, PrefixSweep
from attention_gallery.pages.neighbours import HeadIndex, Siblings, head_neighbours, siblings_of
from attention_gallery.pages.page_kind import InputReader, PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.distributions import Distributions
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections import contrast_links
from attention_gallery.pages.sections.sinks import head_sentences, sinks_across
from attention_gallery.records import Float32

Value = TypeVar("Value")


class CapturePage(NamedTuple):
    """A page, or a file, about a capture."""

    capture: Capture


class HeadPage(NamedTuple):
    """A page about a head of a capture."""

    capture: Capture
    layer: int
    head: int


class ModelPage(NamedTuple):
    """A page, or a file, about a model."""

    model: GalleryModel


class ModelHeadPage(NamedTuple):
    """A page, or a file, about a head of a model."""

    model: GalleryModel
    layer: int
    head: int


class Commentary(NamedTuple):
    """What authors say of the subject of a page: its notes, others that speak of it, and contrasts."""

    notes: NoteSet
    mentions: NoteList
    contrasts: NoteList


def of_gallery(
    name: str,
    read: Callable[[Gallery, Any], Value],
    identify: Callable[[Gallery, Any], Any] | None = None,
) -> PageInput[Value]:
    """An input that is read off the gallery."""
    return PageInput(
        name,
        lambda reader, page: read(reader.gallery, page),
        None if identify is None else lambda reader, page: identify(reader.gallery, page),
    )


def of_result(
    result: Result[Any], captures: Callable[[Gallery, Any], Subject], **options: Any
) -> PageInput[Any]:
    """A result of some captures."""
    return PageInput(
        result.name,
        lambda reader, page: reader.gallery.data.result(result, captures(reader.gallery, page)),
        lambda reader, page: reader.gallery.data.key(result, captures(reader.gallery, page)),
        **options,
    )


# One model on one sentence


def _names(page: CapturePage | HeadPage) -> tuple[str, str]:
    return page.capture.model.spec.slug, page.capture.sentence.slug


def _flow_of(page: CapturePage | HeadPage) -> tuple[str, str]:
    title = wording.shortened(page.capture.sentence.title, 60)
    return "other views of the flow", f"“{title}” in {page.capture.model.spec.title}"


def _read_sinks(reader: InputReader, page: CapturePage | HeadPage) -> list[list[str]]:
    flow = reader.value(FLOW, page)
    return [] if flow is None else head_sentences(flow, page.capture.model.facts.kind)


def _read_neighbours(reader: InputReader, page: HeadPage) -> Mapping[HeadIndex, Neighbours]:
    heads, model = page.capture.heads, page.capture.model
    return model.neighbours if heads is model.heads else head_neighbours(heads, model.routes)


def _sibling_captures(gallery: Gallery, page: CapturePage) -> Siblings:
    captures = gallery.of_model(page.capture.model)
    siblings = siblings_of((capture.sentence.title, capture.route) for capture in captures)
    return next(each for capture, each in zip(captures, siblings, strict=True) if capture is page.capture)


def probe_digest(probe: ModelProbe | None, sentence: str) -> str:
    """What is told of the relations of a sentence hangs on all sentences; of none, on nothing."""
    return "" if probe is None or not probe.has_relations(sentence) else probe.digest


CAPTURE = PageInput(
    "capture",
    lambda reader, page: CaptureReader(reader.gallery.site, reader.gallery.data, page.capture),
    lambda reader, page: reader.gallery.data.measured_key(page.capture.key),
    shared=True,
)
FLOW: PageInput[FlowViews | None] = of_result(
    FLOW_VIEWS, lambda gallery, page: Subject.from_key(page.capture.key), shared=True, side=_flow_of
)
SINKS = PageInput("sinks", _read_sinks, lambda reader, page: reader.identity(FLOW, page), shared=True)
FLOW_SETTINGS = of_gallery(
    "settings of views", lambda gallery, page: FLOW_VIEWS.narrowed(gallery.settings.analysis)
)
CAPTURE_PICTURES: PageInput[CapturePictures] = of_result(
    PICTURES, lambda gallery, page: Subject.from_key(page.capture.key)
)
PROBE = of_gallery(
    "probe",
    lambda gallery, page: gallery.probes.get(page.capture.model.spec.slug),
    lambda gallery, page: probe_digest(gallery.probes.get(_names(page)[0]), _names(page)[1]),
)
OTHER_MODELS = of_gallery(
    "other models",
    lambda gallery, page: [
        capture for capture in gallery.of_sentence(_names(page)[1]) if capture is not page.capture
    ],
    lambda gallery, page: [
        (capture.model.spec.slug, capture.model.spec.title)
        for capture in gallery.of_sentence(_names(page)[1])
    ],
)
SIBLINGS = of_gallery("sibling captures", _sibling_captures)
# Which heads have pages is told by the capture.
HEAD_NEIGHBOURS = PageInput("neighbours", _read_neighbours, lambda reader, page: "", shared=True)


def _of_capture(gallery: Gallery, page: CapturePage) -> Commentary:
    model, sentence = _names(page)
    notes = gallery.notes
    contrasts = contrast_links.of_capture(gallery.contrasts, model, sentence)
    return Commentary(notes.of_pair(model, sentence), notes.mentions.of_pair(model, sentence), contrasts)


def _of_head(gallery: Gallery, page: HeadPage) -> Commentary:
    (model, sentence), head = _names(page), page[1:]
    notes = gallery.notes
    mentions = notes.mentions.of_heads(model, sentence).get(head, NO_NOTES)
    contrasts = contrast_links.of_head(gallery.contrasts, model, head, sentence)
    return Commentary(notes.of_head(model, sentence, *head), mentions, contrasts)


def _of_model(gallery: Gallery, page: ModelPage) -> Commentary:
    model = page.model.spec.slug
    contrasts = contrast_links.of_model(gallery.contrasts, model)
    return Commentary(gallery.notes.of_model(model), NO_NOTES, contrasts)


def _of_model_head(gallery: Gallery, page: ModelHeadPage) -> Commentary:
    model, head, notes = page.model.spec.slug, page[1:], gallery.notes
    mentions = notes.mentions.of_model_heads(model).get(head, NO_NOTES)
    contrasts = contrast_links.of_head(gallery.contrasts, model, head)
    return Commentary(notes.of_model_head(model, *head), mentions, contrasts)


CAPTURE_COMMENTARY = of_gallery("commentary", _of_capture)
HEAD_COMMENTARY = of_gallery("commentary", _of_head)
MODEL_COMMENTARY = of_gallery("commentary", _of_model)
MODEL_HEAD_COMMENTARY = of_gallery("commentary", _of_model_head)

# One model over all sentences


def _random_tokens(gallery: Gallery, page: Any) -> Subject | None:
    key = gallery.repeats.get(page.model.spec.slug)
    return None if key is None else Subject.from_key(key)


def _read_repeats(reader: InputReader, page: Any) -> RepeatScores | None:
    subject = _random_tokens(reader.gallery, page)
    return None if subject is None else reader.gallery.data.result(REPEATED_TOKENS, subject)


def _identify_repeats(reader: InputReader, page: Any) -> str | None:
    subject = _random_tokens(reader.gallery, page)
    return None if subject is None else reader.gallery.data.key(REPEATED_TOKENS, subject)


def _read_model(reader: InputReader, page: Any) -> ModelReader:
    gallery, repeats = reader.gallery, reader.value(REPEATS, page)
    return ModelReader(gallery.site, gallery.data, page.model, gallery.of_model(page.model), repeats)


def _identify_model(reader: InputReader, page: Any) -> Any:
    data, captures = reader.gallery.data, reader.gallery.of_model(page.model)
    measured = [[capture.digest, data.measured_key(capture.key)] for capture in captures]
    return [measured, reader.identity(REPEATS, page)]


def _read_probe(reader: InputReader, page: Any) -> ModelProbe | None:
    probe = reader.gallery.probes.get(page.model.spec.slug)
    if probe is not None:
        reader.gallery.data.sides.once(f"probe {page.model.spec.slug}", probe.run)
    return probe


def _flows(gallery: Gallery, page: Any) -> list[Subject]:
    """The captures of a model, those once that are the same."""
    return [Subject.from_key(key) for key in dict.fromkeys(each.key for each in gallery.of_model(page.model))]


def _read_model_sinks(reader: InputReader, page: Any) -> tuple[Float32, Float32] | None:
    data = reader.gallery.data
    return sinks_across(data.result(FLOW_VIEWS, flow) for flow in _flows(reader.gallery, page))


def _sweep(gallery: Gallery, page: Any) -> PrefixSweep:
    return gallery.sweeps[page.model.spec.slug]


def _readings(reader: InputReader, page: Any) -> Iterator[LengthReading]:
    """Read one after the other: what fails, fails while it is read."""
    data = reader.gallery.data
    return (data.result(PREFIX_READING, Subject.from_key(key)) for key in _sweep(reader.gallery, page).keys)


def _swept_sentence(gallery: Gallery, page: Any) -> dict[str, str | None] | None:
    sweep = _sweep(gallery, page)
    sentence = next((spec for spec in gallery.sentences if spec.slug == sweep.sentence), None)
    return None if sentence is None else sentence.model_dump(include={"slug", "title", "language"})


def _side(name: str) -> Callable[[Any], tuple[str, str]]:
    return lambda page: (name, page.model.spec.title)


REPEATS = PageInput(
    "scores on random tokens",
    _read_repeats,
    _identify_repeats,
    shared=True,
    side=_side("scores on random tokens"),
)
# Whether any model is asked to read random tokens, and whether this one reads them.
RANDOM_TOKENS = of_gallery(
    "random tokens",
    lambda gallery, page: (
        gallery.settings.analysis.repeated_tokens,
        page.model.spec.slug in gallery.repeats,
    ),
)
MODEL = PageInput("model", _read_model, _identify_model, shared=True)
DISTRIBUTIONS = PageInput(
    "distributions",
    lambda reader, page: Distributions(reader.value(MODEL, page)),
    lambda reader, page: reader.identity(MODEL, page),
    shared=True,
)
MODEL_PROBE = PageInput(
    "probe",
    _read_probe,
    lambda reader, page: (probe := reader.gallery.probes.get(page.model.spec.slug)) and probe.digest,
    shared=True,
    side=_side("probes of relations"),
)
MAP_OF_HEADS: PageInput[HeadMap | None] = of_result(
    HEAD_MAP,
    lambda gallery, page: Subject(tuple(sorted({each.key for each in gallery.of_model(page.model)}))),
    shared=True,
    side=_side("the map and the distances of heads"),
)
MODEL_SINKS = PageInput(
    "sinks",
    _read_model_sinks,
    lambda reader, page: [reader.gallery.data.key(FLOW_VIEWS, flow) for flow in _flows(reader.gallery, page)],
    shared=True,
    side=_side("the lengths of what heads take"),
)
FAMILY = of_gallery(
    "models of the family",
    lambda gallery, page: gallery.models_of_family(page.model),
    lambda gallery, page: [model.kind for model in gallery.models_of_family(page.model)],
)
HAS_SWEEP = of_gallery("has a prefix sweep", lambda gallery, page: page.model.spec.slug in gallery.sweeps)
SWEEP = of_gallery("prefix sweep", _sweep, lambda gallery, page: _sweep(gallery, page).texts)
PREFIX_READINGS = PageInput(
    "prefix readings",
    _readings,
    lambda reader, page: [
        reader.gallery.data.key(PREFIX_READING, Subject.from_key(key))
        for key in _sweep(reader.gallery, page).keys
    ],
)
SWEPT_SENTENCE = of_gallery("swept sentence", _swept_sentence)
