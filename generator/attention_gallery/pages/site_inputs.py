"""What pages about sentences, contrasts, notes and the whole gallery can be made from; see `page_kind.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from attention_gallery.addresses.link import Link
from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence.published_notes import NoteSet, NoteWriter
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import RelationSpec, SentenceSpec
from attention_gallery.notes import Note
from attention_gallery.pages.gallery import Capture, Contrast, Gallery, GalleryModel, sentence_digest
from attention_gallery.pages.inputs import digested, plain
from attention_gallery.pages.page_kind import InputReader, PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.contrast_links import all_contrasts, of_sentence
from attention_gallery.pages.sections.parse_view import SentenceParse


class SentencePage(NamedTuple):
    """A page about a sentence, which is without its relations, between its siblings."""

    sentence: SentenceSpec
    previous: SentenceSpec | None
    next: SentenceSpec | None

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        siblings = [each and [each.slug, each.title] for each in (self.previous, self.next)]
        return digest([sentence_digest(self.sentence), siblings])


class ContrastPage(NamedTuple):
    """A page about a contrast, between its siblings."""

    contrast: Contrast
    previous: Contrast | None
    next: Contrast | None

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        contrast = self.contrast
        siblings = [each and [each.spec.title, each.route] for each in (self.previous, self.next)]
        sides = [contrast.left.digest, contrast.right.digest]
        return digest([contrast.spec.model_dump(mode="json"), sides, siblings])


class NotePage(NamedTuple):
    """The page of a note that stands by itself, between its siblings; the about page has none."""

    notes: NoteSet
    previous: Note | None = None
    next: Note | None = None

    @property
    def note(self) -> Note:
        """The note."""
        return self.notes.notes[0]

    @property
    def digest(self) -> str:
        """See `PageSubject`."""
        siblings = [each and [each.title, each.target.slug] for each in (self.previous, self.next)]
        return digest([self.notes.digest, siblings])


class SiteFile(NamedTuple):
    """A page, or a file, of the whole site, or one that is known by its name and its bytes."""

    route: str
    digest: str = ""
    content: bytes = b""


# One sentence


class SentenceCapture(NamedTuple):
    """One model on a sentence, as the page of the sentence shows it."""

    reader: CaptureReader
    probe: ModelProbe | None
    notes: NoteSet


def _read_captures(reader: InputReader, about: SentencePage) -> list[SentenceCapture]:
    gallery, slug = reader.gallery, about.sentence.slug
    return [
        SentenceCapture(
            CaptureReader(gallery.site, gallery.data, capture),
            gallery.probes.get(capture.model.spec.slug),
            gallery.notes.of_pair(capture.model.spec.slug, slug),
        )
        for capture in gallery.of_sentence(slug)
    ]


def _identify_captures(reader: InputReader, about: SentencePage) -> list[Any]:
    gallery, slug = reader.gallery, about.sentence.slug
    return [
        [
            capture.digest,
            gallery.data.measured_key(capture.key),
            probe.inputs if probe is not None and probe.has_relations(slug) else "",
            gallery.notes.of_pair(capture.model.spec.slug, slug).digest,
        ]
        for capture in gallery.of_sentence(slug)
        for probe in (gallery.probes.get(capture.model.spec.slug),)
    ]


SENTENCE_CAPTURES: PageInput[SentencePage, list[SentenceCapture]] = PageInput(
    "captures", _read_captures, _identify_captures
)


GOLD_RELATIONS: PageInput[SentencePage, tuple[RelationSpec, ...]] = PageInput(
    "relations",
    lambda reader, about: reader.gallery.relations[about.sentence.slug],
    lambda reader, about: [
        edge.model_dump(mode="json") for edge in reader.gallery.relations[about.sentence.slug]
    ],
)


def _identify_parse(reader: InputReader, about: SentencePage) -> str:
    parse = reader.gallery.parses.get(about.sentence.slug)
    return "" if parse is None else parse.inputs


PARSE: PageInput[SentencePage, SentenceParse | None] = PageInput(
    "parse", lambda reader, about: reader.gallery.parses.get(about.sentence.slug), _identify_parse
)
MODEL_TITLES: PageInput[SentencePage, list[str]] = plain(
    "titles of models",
    lambda gallery, about: [
        model.title for model in gallery.settings.models if about.sentence.read_by(model.slug)
    ],
)
SENTENCE_NOTES = digested("notes", lambda gallery, about: gallery.notes.of_sentence(about.sentence.slug))
SENTENCE_CONTRASTS = digested(
    "contrasts", lambda gallery, about: of_sentence(gallery.contrasts, about.sentence.slug)
)

# Contrasts, and notes

CONTRAST_NOTES = digested("notes", lambda gallery, about: gallery.notes.of_contrast(about.contrast.spec.slug))
CONTRASTS = digested("contrasts", lambda gallery, about: all_contrasts(gallery.contrasts))
NOTE_WRITER: PageInput[NotePage, NoteWriter] = PageInput(
    "writer", lambda reader, about: reader.gallery.notes.writer, lambda reader, about: about.notes.digest
)


def _note_links(gallery: Gallery, about: SiteFile) -> tuple[Link, ...]:
    return gallery.notes.links(about.route)


NOTE_LINKS: PageInput[SiteFile, tuple[Link, ...]] = plain("links to notes", _note_links)

# The whole gallery


def _identify_models(reader: InputReader, about: Any) -> list[list[str]]:
    return [[model.digest, model.kind, model.family] for model in reader.gallery.models]


MODELS: PageInput[Any, Sequence[GalleryModel]] = PageInput(
    "models", lambda reader, about: reader.gallery.models, _identify_models
)
SENTENCES: PageInput[Any, Sequence[SentenceSpec]] = PageInput(
    "sentences",
    lambda reader, about: reader.gallery.sentences,
    lambda reader, about: [sentence_digest(sentence) for sentence in reader.gallery.sentences],
)


Measured = Callable[[GalleryModel, SentenceSpec], "tuple[Capture, SentenceAnalysis] | None"]


def _read_measured(reader: InputReader, about: Any) -> Measured:
    """Gives the measures of one capture after the other, since there may be many."""
    gallery = reader.gallery

    def measured(model: GalleryModel, sentence: SentenceSpec) -> tuple[Capture, SentenceAnalysis] | None:
        capture = gallery.captures.get((model.spec.slug, sentence.slug))
        return None if capture is None else (capture, gallery.data.measured(capture.key))

    return measured


MEASURED_CAPTURES: PageInput[Any, Measured] = PageInput(
    "captures",
    _read_measured,
    lambda reader, about: [
        [capture.digest, reader.gallery.data.measured_key(capture.key)]
        for capture in reader.gallery.captures.values()
    ],
)
GALLERY_NOTES = digested("notes", lambda gallery, about: gallery.notes.of_gallery())
PAGE_ROUTES: PageInput[Any, Sequence[str]] = PageInput(
    "page routes",
    lambda reader, about: reader.page_routes(),
    lambda reader, about: digest(list(reader.page_routes())),
)
