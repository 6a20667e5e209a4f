"""What pages of captures and models can be made from; see `page_kind.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from attention_gallery.analysis.attribution.views import FLOW_VIEWS, FlowViews
from attention_gallery.analysis.capture_pictures import PICTURES, CapturePictures
from attention_gallery.analysis.experiments.prefix_sweep import PREFIX_READING
from attention_gallery.analysis.experiments.repeated_tokens import REPEATED_TOKENS, RepeatScores
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.analysis.similarity.head_map import HEAD_MAP, HeadMap
from attention_gallery.evidence import wording
from attention_gallery.evidence.mentions import NO_NOTES, NoteList
from attention_gallery.evidence.published_notes import NoteSet
from attention_gallery.hashing import digest
from attention_gallery.pages.contexts.shared import Neighbours
from attention_gallery.pages.gallery import Capture, Gallery, GalleryModel, PrefixSweep
from attention_gallery.pages.neighbours import HeadIndex, Siblings, head_neighbours, siblings_of
from attention_gallery.pages.page_kind import InputReader, PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.distributions import Distributions
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.contrast_links import contrasts_of
from attention_gallery.pages.sections.sinks import head_sentences, sinks_across

Value = TypeVar("Value")


class CapturePage(NamedTuple):
    """A page, or a file, about a capture."""

    capture: Capture


class TilePage(NamedTuple):
    """A file with the weights of a layer of a capture."""

    capture: Capture
    layer: int


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

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, "" where there is none, as for most heads."""
        digests = [self.notes.digest, self.mentions.digest, self.contrasts.digest]
        return digest(digests) if any(digests) else ""


def of_gallery(
    name: str,
    read: Callable[[Gallery, Any], Value],
    identify: Callable[[Gallery, Any], Any] | None = None,
    **options: Any,
) -> PageInput[Value]:
    """An input that is read off the gallery."""
    return PageInput(
        name,
        lambda reader, page: read(reader.gallery, page),
        None if identify is None else lambda reader, page: identify(reader.gallery, page),
        **options,
    )


def of_result(
    result: Result[Any], subject: Callable[[Gallery, Any], Subject | None], **options: Any
) -> PageInput[Any]:
    """A result of some captures, None where there are none that it could be of."""
    return of_gallery(
        result.name,
        lambda gallery, page: (about := subject(gallery, page)) and gallery.data.result(result, about),
        lambda gallery, page: (about := subject(gallery, page)) and gallery.data.key(result, about),
        **options,
    )


def of_results(
    name: str,
    result: Result[Any],
    captures: Callable[[Gallery, Any], Iterable[str]],
    read: Callable[[Iterator[Any]], Value],
    **options: Any,
) -> PageInput[Value]:
    """What `read` makes of a result of each of these captures, by their keys."""

    def subjects(gallery: Gallery, page: Any) -> Iterator[Subject]:
        return map(Subject.from_key, captures(gallery, page))

    return of_gallery(
        name,
        # One after the other: a model may have many captures, and what fails, fails while it is read.
        lambda gallery, page: read(gallery.data.result(result, each) for each in subjects(gallery, page)),
        lambda gallery, page: [gallery.data.key(result, each) for each in subjects(gallery, page)],
        **options,
    )


# One model on one sentence


def _names(page: CapturePage | HeadPage) -> tuple[str, str]:
    return page.capture.model.spec.slug, page.capture.sentence.slug


def _by_itself(gallery: Gallery, page: CapturePage | HeadPage) -> Subject:
    return Subject.from_key(page.capture.key)


def _flow_of(page: CapturePage | HeadPage) -> tuple[str, str]:
    title = wording.shortened(page.capture.sentence.title, 60)
    return "other views of the flow", f"“{title}” in {page.capture.model.spec.title}"


def _read_sinks(reader: InputReader, page: CapturePage | HeadPage) -> list[list[str]]:
    flow = reader.value(FLOW, page)
    return [] if flow is None else head_sentences(flow, page.capture.model.facts.kind)


def _read_neighbours(gallery: Gallery, page: HeadPage) -> Mapping[HeadIndex, Neighbours]:
    heads, model = page.capture.heads, page.capture.model
    return model.neighbours if heads is model.heads else head_neighbours(heads, model.routes)


def _sibling_captures(gallery: Gallery, page: CapturePage) -> Siblings:
    captures = gallery.of_model(page.capture.model)
    siblings = siblings_of((capture.sentence.title, capture.route) for capture in captures)
    return next(each for capture, each in zip(captures, siblings, strict=True) if capture is page.capture)


def probe_digest(probe: ModelProbe | None, sentence: str) -> str:
    """What is told of the relations of a sentence hangs on all sentences; of none, on nothing."""
    return "" if probe is None or not probe.has_relations(sentence) else probe.digest


def _of_capture(gallery: Gallery, page: CapturePage) -> Commentary:
    names, notes = _names(page), gallery.notes
    contrasts = contrasts_of(gallery.contrasts, *names)
    return Commentary(notes.of_pair(*names), notes.mentions.of_pair(*names), contrasts)


def noted_head(gallery: Gallery, page: CapturePage) -> HeadIndex | None:
    """The head that a page opens on because notes speak of it: its own notes first, then most of them."""
    names, noted = _names(page), gallery.notes
    spoken = {
        head: (any(route == page.capture.route for _, route, _ in mentions.notes), len(mentions.notes))
        for head, mentions in noted.mentions.of_heads(*names).items()
    }
    # A note on the page of a head speaks of it without a link.
    for target in noted.by_target:
        if target.kind == "head" and (target.model, target.sentence) == names:
            head = target.layer or 0, target.head or 0
            own_page, count = spoken.get(head, (False, 0))
            spoken[head] = own_page, count + 1
    # Of equals the earlier one, as everywhere where heads are ranked.
    return max(sorted(spoken), key=lambda head: spoken[head], default=None)


def _of_head(gallery: Gallery, page: HeadPage) -> Commentary:
    names, head, notes = _names(page), page[1:], gallery.notes
    mentions = notes.mentions.of_heads(*names).get(head, NO_NOTES)
    return Commentary(notes.of_head(*names, *head), mentions, contrasts_of(gallery.contrasts, *names, head))


CAPTURE = of_gallery(
    # The weights need not count: measures are cached under a key that stands for them.
    "capture",
    lambda gallery, page: CaptureReader(gallery.site, gallery.data, page.capture),
    lambda gallery, page: gallery.data.measured_key(page.capture.key),
    shared=True,
)
FLOW: PageInput[FlowViews | None] = of_result(FLOW_VIEWS, _by_itself, shared=True, side=_flow_of)
SINKS = PageInput("sinks", _read_sinks, lambda reader, page: reader.identity(FLOW, page), shared=True)
FLOW_SETTINGS = of_gallery(
    "settings of views", lambda gallery, page: FLOW_VIEWS.narrowed(gallery.settings.analysis)
)
# The tiles of a capture are files of their own, all cut from it.
CAPTURE_PICTURES: PageInput[CapturePictures] = of_result(PICTURES, _by_itself, shared=True)
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
    # A link is all that is shown of them, so that what they read need not count.
    lambda gallery, page: [
        (capture.model.spec.slug, capture.model.spec.title)
        for capture in gallery.of_sentence(_names(page)[1])
    ],
)
SIBLINGS = of_gallery("sibling captures", _sibling_captures)
# Which heads have pages is told by the capture.
HEAD_NEIGHBOURS = of_gallery("neighbours", _read_neighbours, lambda gallery, page: "", shared=True)
CAPTURE_COMMENTARY = of_gallery("commentary", _of_capture)
HEAD_COMMENTARY = of_gallery("commentary", _of_head)
NOTED_HEAD = of_gallery("noted head", noted_head)

# One model over all sentences


def _of_model_head(gallery: Gallery, page: ModelHeadPage) -> Commentary:
    model, head, notes = page.model.spec.slug, page[1:], gallery.notes
    mentions = notes.mentions.of_model_heads(model).get(head, NO_NOTES)
    contrasts = contrasts_of(gallery.contrasts, model, head=head)
    return Commentary(notes.of_model_head(model, *head), mentions, contrasts)


def _random_tokens(gallery: Gallery, page: Any) -> Subject | None:
    key = gallery.repeats.get(page.model.spec.slug)
    return None if key is None else Subject.from_key(key)


def _read_model(reader: InputReader, page: Any) -> ModelReader:
    gallery, repeats = reader.gallery, reader.value(REPEATS, page)
    return ModelReader(gallery.site, gallery.data, page.model, gallery.of_model(page.model), repeats)


def _identify_model(reader: InputReader, page: Any) -> Any:
    data, captures = reader.gallery.data, reader.gallery.of_model(page.model)
    measured = [[capture.digest, data.measured_key(capture.key)] for capture in captures]
    # Types of heads rest on random tokens, too.
    return [measured, reader.identity(REPEATS, page)]


def _read_probe(gallery: Gallery, page: Any) -> ModelProbe | None:
    probe = gallery.probes.get(page.model.spec.slug)
    if probe is not None:
        probe.run()
    return probe


def _captures(gallery: Gallery, page: Any) -> list[str]:
    # Sentences that say the same share a capture, which is no further evidence.
    return list(dict.fromkeys(capture.key for capture in gallery.of_model(page.model)))


def _sweep(gallery: Gallery, page: Any) -> PrefixSweep:
    return gallery.sweeps[page.model.spec.slug]


def _swept_sentence(gallery: Gallery, page: Any) -> dict[str, str | None] | None:
    sweep = _sweep(gallery, page)
    sentence = next((spec for spec in gallery.sentences if spec.slug == sweep.sentence), None)
    # Just what the page shows, so that other edits of the sentence leave it as it is.
    return None if sentence is None else sentence.model_dump(include={"slug", "title", "language"})


def _side(name: str) -> Callable[[Any], tuple[str, str]]:
    return lambda page: (name, page.model.spec.title)


MODEL_COMMENTARY = of_gallery(
    "commentary",
    lambda gallery, page: Commentary(
        gallery.notes.of_model(page.model.spec.slug),
        NO_NOTES,
        contrasts_of(gallery.contrasts, page.model.spec.slug),
    ),
)
MODEL_HEAD_COMMENTARY = of_gallery("commentary", _of_model_head)
REPEATS: PageInput[RepeatScores | None] = of_result(
    REPEATED_TOKENS, _random_tokens, shared=True, side=_side("scores on random tokens")
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
MODEL_PROBE = of_gallery(
    "probe",
    _read_probe,
    lambda gallery, page: (probe := gallery.probes.get(page.model.spec.slug)) and probe.digest,
    shared=True,
    side=_side("probes of relations"),
)
MAP_OF_HEADS: PageInput[HeadMap | None] = of_result(
    HEAD_MAP,
    # In the order of keys, as the cached map of these captures is named, whatever the order of sentences.
    lambda gallery, page: Subject(tuple(sorted(_captures(gallery, page)))),
    shared=True,
    side=_side("the map and the distances of heads"),
)
MODEL_SINKS = of_results(
    "sinks", FLOW_VIEWS, _captures, sinks_across, shared=True, side=_side("the lengths of what heads take")
)
FAMILY = of_gallery(
    "models of the family",
    lambda gallery, page: gallery.models_of_family(page.model),
    # Links that differ in their kind alone.
    lambda gallery, page: [model.kind for model in gallery.models_of_family(page.model)],
)
HAS_SWEEP = of_gallery("has a prefix sweep", lambda gallery, page: page.model.spec.slug in gallery.sweeps)
SWEEP = of_gallery("prefix sweep", _sweep, lambda gallery, page: _sweep(gallery, page).texts)
PREFIX_READINGS = of_results(
    "prefix readings", PREFIX_READING, lambda gallery, page: _sweep(gallery, page).keys, iter
)
SWEPT_SENTENCE = of_gallery("swept sentence", _swept_sentence)
