"""The stories that the home page opens with: a sentence, and a head that tells something about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from attention_gallery.addresses import routes
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import isolated
from attention_gallery.pages.capture_inputs import CapturePage, noted_head, of_gallery
from attention_gallery.pages.contexts.page_contexts import Story
from attention_gallery.pages.gallery import Capture, Gallery
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import PageInput
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.records import head_name

MOST_STORIES = 3
# A longer text is no picture that is read at a glance.
MOST_TOKENS = 32


class StorySource(NamedTuple):
    """What a story is told of. `title` is that of the note about the head, or of the sentence."""

    reader: CaptureReader
    head: HeadIndex
    title: str


def story(source: StorySource, route: str) -> Story:
    """A story as the page at `route` shows it."""
    reader, head, title = source
    capture, (layer, index) = reader.capture, head
    name, query = head_name(layer, index), reader.focus
    row = reader.layer(layer).weights[index, query]
    key = int(row.argmax())
    texts = f"“{isolated(reader.tokens.texts[query])}” looks most at “{isolated(reader.keys.texts[key])}”"
    caption = escape(f"{name} of {capture.model.spec.title} on “{reader.short_title}”.")
    figure = reader.heatmap.embedded(name, reader.weights(*head), reader.describer.head(*head), caption)
    return Story(
        title=title,
        href=f"{routes.href(route, capture.route)}#head={name}&token={query}",
        place=f"{capture.model.spec.title} · layer {layer}, head {index}",
        tokens=reader.token_views,
        language=reader.language,
        focus=query,
        figure=Markup(figure.html),
        sentence=texts,
        weight=wording.share(float(row[key])),
    )


def _sources(gallery: Gallery) -> list[StorySource]:
    """At most three, of heads that notes speak of; where there are none, of those that pages open on."""
    return _varied(_candidates(gallery, noted=True)) or _varied(_candidates(gallery, noted=False))


def _candidates(gallery: Gallery, *, noted: bool) -> Iterable[StorySource]:
    for sentence in gallery.sentences:
        for capture in gallery.of_sentence(sentence.slug):
            head = noted_head(gallery, CapturePage(capture))
            if capture.model.facts.cross or (head is None) == noted:
                continue
            reader = CaptureReader(gallery.site, gallery.data, capture)
            if reader.analysis.tokens > MOST_TOKENS:
                continue
            yield StorySource(reader, reader.opening_head(head), _title(gallery, capture, head))


def _title(gallery: Gallery, capture: Capture, head: HeadIndex | None) -> str:
    if head is not None:
        names = capture.model.spec.slug, capture.sentence.slug
        for block in gallery.notes.of_head(*names, *head).blocks(routes.HOME):
            if block.title:
                return block.title
    return capture.sentence.title


def _varied(candidates: Iterable[StorySource]) -> list[StorySource]:
    """The first ones, of as many models as there are, each of another sentence."""
    waiting, chosen = list(candidates), list[StorySource]()
    while waiting and len(chosen) < MOST_STORIES:
        models = {source.reader.capture.model.spec.slug for source in chosen}
        of_others = (source for source in waiting if source.reader.capture.model.spec.slug not in models)
        source = next(of_others, waiting[0])
        chosen.append(source)
        waiting = [each for each in waiting if _sentence(each) != _sentence(source)]
    return chosen


def _sentence(source: StorySource) -> str:
    return source.reader.capture.sentence.slug


def _identify(sources: Sequence[StorySource], gallery: Gallery) -> list[object]:
    return [
        [reader.capture.digest, gallery.data.measured_key(reader.capture.key), list(head), title]
        for reader, head, title in sources
    ]


STORIES: PageInput[list[StorySource]] = of_gallery(
    "stories",
    lambda gallery, page: _sources(gallery),
    lambda gallery, page: _identify(_sources(gallery), gallery),
)
