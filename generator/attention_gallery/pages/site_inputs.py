"""What pages of sentences, contrasts, notes and the whole gallery can be made from; see `page_kind.py`."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence.mentions import NO_NOTES
from attention_gallery.evidence.published_notes import NoteSet
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.capture_inputs import Commentary, of_gallery, probe_digest
from attention_gallery.pages.gallery import Capture, Contrast, Gallery, GalleryModel
from attention_gallery.pages.neighbours import Siblings
from attention_gallery.pages.page_kind import PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.contrast_links import all_contrasts, contrasts_of


class SentencePage(NamedTuple):
    """A page about a sentence, which is without its relations."""

    sentence: SentenceSpec
    siblings: Siblings


class ContrastPage(NamedTuple):
    """A page about a contrast."""

    contrast: Contrast
    siblings: Siblings


class NotePage(NamedTuple):
    """The page of a note that stands by itself."""

    notes: NoteSet
    siblings: Siblings


class SitePage(NamedTuple):
    """A page of the whole site."""

    route: str


class LiteralFile(NamedTuple):
    """A file as it is; `digest` is of its bytes, or the name that hangs on them."""

    route: str
    digest: str
    content: bytes


class SentenceCapture(NamedTuple):
    """One model on a sentence, as the page of the sentence shows it."""

    reader: CaptureReader
    probe: ModelProbe | None
    notes: NoteSet


def _sentence_captures(gallery: Gallery, page: SentencePage) -> list[SentenceCapture]:
    return [
        SentenceCapture(
            CaptureReader(gallery.site, gallery.data, capture),
            gallery.probes.get(capture.model.spec.slug),
            gallery.notes.of_pair(capture.model.spec.slug, page.sentence.slug),
        )
        for capture in gallery.of_sentence(page.sentence.slug)
    ]


def _identify_captures(gallery: Gallery, page: SentencePage) -> list[Any]:
    return [
        (
            reader.capture.digest,
            gallery.data.measured_key(reader.capture.key),
            # The measures stand for the weights, and the probe counts only where there are relations to tell
            # of.
            probe_digest(probe, page.sentence.slug),
            notes.digest,
        )
        for reader, probe, notes in _sentence_captures(gallery, page)
    ]


def _measures(
    gallery: Gallery, model: GalleryModel, sentence: SentenceSpec
) -> tuple[Capture, SentenceAnalysis] | None:
    capture = gallery.captures.get((model.spec.slug, sentence.slug))
    return None if capture is None else (capture, gallery.data.measured(capture.key))


SENTENCE_CAPTURES = of_gallery("captures", _sentence_captures, _identify_captures)
# The sentence of a page is without them, so that its other pages need not be made anew.
GOLD_RELATIONS = of_gallery("relations", lambda gallery, page: gallery.relations[page.sentence.slug])
PARSE = of_gallery("parse", lambda gallery, page: gallery.parses.get(page.sentence.slug))
# As in the manifest, where the three models of an encoder-decoder are one.
MODEL_TITLES = of_gallery(
    "titles of models",
    lambda gallery, page: [
        model.title for model in gallery.settings.models if page.sentence.read_by(model.slug)
    ],
)
SENTENCE_COMMENTARY = of_gallery(
    "commentary",
    lambda gallery, page: Commentary(
        gallery.notes.of_sentence(page.sentence.slug),
        NO_NOTES,
        contrasts_of(gallery.contrasts, sentence=page.sentence.slug),
    ),
)
CONTRAST_NOTES = of_gallery("notes", lambda gallery, page: gallery.notes.of_contrast(page.contrast.spec.slug))
CONTRASTS = of_gallery("contrasts", lambda gallery, page: all_contrasts(gallery.contrasts))
# The page itself hangs on the digest of its note.
NOTE_WRITER = of_gallery("writer", lambda gallery, page: gallery.notes.writer, lambda gallery, page: "")
NOTE_LINKS = of_gallery("links to notes", lambda gallery, page: gallery.notes.links(page.route))
MODELS = of_gallery(
    "models",
    lambda gallery, page: gallery.models,
    # Only the first of a family brings its description.
    lambda gallery, page: [(model.digest, model.family) for model in gallery.models],
)
SENTENCES = of_gallery("sentences", lambda gallery, page: gallery.sentences)
MEASURES = of_gallery(
    "measures",
    # A function, so that one capture is read after the other: there may be many.
    lambda gallery, page: partial(_measures, gallery),
    lambda gallery, page: [
        (capture.digest, gallery.data.measured_key(capture.key)) for capture in gallery.captures.values()
    ],
)
GALLERY_NOTES = of_gallery("notes", lambda gallery, page: gallery.notes.of_gallery())
PAGE_ROUTES = PageInput("page routes", lambda reader, page: reader.page_routes())
