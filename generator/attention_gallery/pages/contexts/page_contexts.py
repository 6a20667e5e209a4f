"""What each kind of page hands to its template: the contract between pages and themes.

Every `href` is relative to the page it stands on and safe to print into an attribute. Every `str`
is plain text, escaped by the theme; only values of type `Markup` are HTML, made or cleaned by the
generator. Numbers arrive as text, already rounded from the stored weights. Pages of contrasts have their
contexts in `contrast_pieces`; `contrasts` are links to those that concern a page.
"""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from attention_gallery.addresses.link import Link
from attention_gallery.evidence.note_blocks import NoteBlock
from attention_gallery.pages.contexts.atlas_context import Atlas, Distribution
from attention_gallery.pages.contexts.flow_context import PredictionTable, SourceTable
from attention_gallery.pages.contexts.length_context import LengthChart
from attention_gallery.pages.contexts.relation_context import RelationGroup, RelationRow, RepeatsView
from attention_gallery.pages.contexts.shared import (
    GoldRow,
    HeadCell,
    HeadExample,
    HeadMapView,
    HeadShared,
    LayerAverage,
    MetricRow,
    ModelCard,
    Neighbours,
    NotableHead,
    Pair,
    SentenceModel,
    SentenceRow,
    SimilarHead,
    TextPart,
    TokenView,
    Trace,
    TypeCount,
)
from attention_gallery.pages.sections.parse_view import ParseView


class Story(NamedTuple):
    """An example on the home page: a head of a model on a sentence, and what the token at `focus` looks at.

    `place` names model, layer and head, `href` leads to the explorer. `sentence` is without its number, which
    is `weight`: 0 to 1, ready to show.
    """

    title: str
    href: str
    place: str
    tokens: tuple[TokenView, ...]
    language: str
    focus: int
    figure: Markup
    sentence: str
    weight: str


class HomeContext(NamedTuple):
    """`home.html`."""

    models: tuple[ModelCard, ...]
    rows: tuple[SentenceRow, ...]
    tags: tuple[str, ...]
    notes: tuple[NoteBlock, ...]
    note_links: tuple[Link, ...]
    pages: int
    contrasts: tuple[Link, ...] = ()
    stories: tuple[Story, ...] = ()


class ModelContext(NamedTuple):
    """`model.html`. `heads[layer][head]`; `definitions` are (title, definition, source) of its measures.

    `kinds` lead to the models of one encoder-decoder, this one with an empty address; none for other models.
    `sentences` come with how many tokens they have, ready to show. `map` shows which heads are alike; None
    for a model with fewer than three heads. `atlas` has a row for each head. `relations` are tables of what
    its heads were probed for; none for a model that reads a target. `repeats` is the test on random tokens,
    None where it is switched off. `length` leads to what the length of a text does to the model, None where
    that was not measured. `parsers` are the names of the parsers that found some of the relations, "" where
    all are gold.
    """

    model: ModelCard
    kinds: tuple[Link, ...]
    heads: tuple[tuple[HeadCell, ...], ...]
    types: tuple[TypeCount, ...]
    map: HeadMapView | None
    definitions: tuple[tuple[str, str, str], ...]
    atlas: Atlas
    sentences: tuple[tuple[Link, str], ...]
    notes: tuple[NoteBlock, ...]
    summary: str
    relations: tuple[RelationGroup, ...]
    contrasts: tuple[Link, ...] = ()
    repeats: RepeatsView | None = None
    length: Link | None = None
    parsers: str = ""


class LengthContext(NamedTuple):
    """`model_length.html`: what the length of a text does to the heads of one model.

    `text` is the longest beginning that was read, of `sentence` where it is one of the gallery with a page.
    `lengths` are numbers of tokens, `read` all of them in words; `causal` tells that only the second half of
    each beginning counts. `left_out` is a sentence about what the model could not read, "" where it read all.
    """

    model: ModelCard
    sentence: Link | None
    text: str
    language: str
    summary: str
    causal: bool
    lengths: tuple[str, ...]
    read: str
    charts: tuple[LengthChart, ...]
    left_out: str = ""


class ModelHeadContext(NamedTuple):
    """`model_head.html`: one head across every sentence.

    `examples` are the sentences, the one that shows the head best first, and `order` says by what; `others`
    are the rest of a long gallery as (link, type, family). `measures` tell how each measure spreads over the
    sentences, `definitions` what it is: (title, definition, source). `follows` is a sentence about the
    relation that it follows best, "" for a head that follows none or is the best of all at some.
    `similar` are the heads most like it, and `typical` how far two heads of the model are apart on average;
    `estimated` says so where distances are, and is "" elsewhere.
    `mentions` are notes of other pages that speak of the head, each with the place where it stands.
    `best_at` are the relations that it is the best head of the model for. `sinks` says what of its attention
    rests on special and first tokens, "" where that is not known.
    """

    model: ModelCard
    name: str
    layer: int
    head: int
    type_title: str
    family: str
    evidence: str
    measures: tuple[Distribution, ...]
    definitions: tuple[tuple[str, str, str], ...]
    order: str
    examples: tuple[HeadExample, ...]
    others: tuple[tuple[Link, str, str], ...]
    similar: tuple[SimilarHead, ...]
    typical: str
    neighbours: Neighbours
    notes: tuple[NoteBlock, ...]
    mentions: tuple[Link, ...]
    best_at: tuple[RelationRow, ...]
    follows: str
    sinks: str = ""
    contrasts: tuple[Link, ...] = ()
    estimated: str = ""


class SentenceContext(NamedTuple):
    """`sentence.html`: one sentence across every model.

    `relations` are (from, to, kind), those that are gold. `parse` is what a parser found, None where none was
    asked.

    `texts` are what the models read: one text, the two of a pair, or the messages of a chat. `text` is all of
    it in one.
    """

    title: str
    text: str
    texts: tuple[TextPart, ...]
    language: str
    tags: tuple[str, ...]
    relations: tuple[tuple[str, str, str], ...]
    models: tuple[SentenceModel, ...]
    notes: tuple[NoteBlock, ...]
    previous: Link | None
    next: Link | None
    contrasts: tuple[Link, ...] = ()
    parse: ParseView | None = None


class ExplorerContext(NamedTuple):
    """`explorer.html`: all heads of one model on one sentence.

    `grid` is the figure of all heads, `figure` the panel of the selected head, both with their text
    alternatives. `keys` are the tokens that are looked at where they are others than `tokens`, which is in
    cross attention, else none. `traces` is an element that tells where the numbers of every token are: see
    `figures/token_data.py`. `precision` and
    `normalisation` are sentences. `heads[layer][head]` as on the model page. `text` and `texts` are as on the
    sentence's page; `left_out` says what the model could not read of them, "" where it read all. `mentions`
    are notes of other pages that speak of this one or of one of its heads. `opening` is the name of the head
    that the page opens with, `why` are its measures, `measures` those of all heads as JSON.
    `relations` are those of the sentence that are gold, with what the model makes of them, `arcs` is JSON of
    all that are known of its tokens: see `pages/sections/relation_arcs.py`. `sources` is where
    the selected token draws from by several views, `predictions` which tokens the model expects.
    `download` is the file of all weights, "" where there is none, `other_downloads` are more files.
    """

    model: ModelCard
    sentence: Link
    text: str
    texts: tuple[TextPart, ...]
    language: str
    tokens: tuple[TokenView, ...]
    tokens_title: str
    keys: tuple[TokenView, ...]
    focus: int
    heads: tuple[tuple[HeadCell, ...], ...]
    types: tuple[TypeCount, ...]
    grid: Markup
    figure: Markup
    traces: Markup
    opening: str
    why: tuple[MetricRow, ...]
    measures: Markup
    trace: Trace
    notable: tuple[NotableHead, ...]
    averages: tuple[LayerAverage, ...]
    notes: tuple[NoteBlock, ...]
    mentions: tuple[Link, ...]
    other_models: tuple[Link, ...]
    previous: Link | None
    next: Link | None
    download: str
    precision: str
    normalisation: str
    summary: str
    sources: SourceTable
    predictions: PredictionTable
    left_out: str = ""
    relations: tuple[GoldRow, ...] = ()
    contrasts: tuple[Link, ...] = ()
    other_downloads: tuple[Link, ...] = ()
    arcs: Markup = Markup()


class HeadContext(NamedTuple):
    """`head.html`: one head on one sentence; the page people share.

    `mentions` and `sinks` are as in `ModelHeadContext`.
    """

    shared: HeadShared
    name: str
    layer: int
    head: int
    type_title: str
    family: str
    evidence: str
    figure: Markup
    summary: str
    pairs: tuple[Pair, ...]
    metrics: tuple[MetricRow, ...]
    neighbours: Neighbours
    across: str
    notes: tuple[NoteBlock, ...]
    mentions: tuple[Link, ...]
    sinks: str = ""
    contrasts: tuple[Link, ...] = ()


class NotePageContext(NamedTuple):
    """`note.html`: one free-standing note, or the about page."""

    note: NoteBlock
    description: str
    headings: tuple[Link, ...]
    previous: Link | None
    next: Link | None


class NotesContext(NamedTuple):
    """`notes.html`: all notes. Each is a link with its description."""

    notes: tuple[Link, ...]


class NotFoundContext(NamedTuple):
    """`404.html`: what to say to a reader who came to an address that is not there."""

    home: str
