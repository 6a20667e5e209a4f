"""`/<model>/<sentence>/`: all heads of one model on one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence import wording
from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.figures.grid import grid_fragment
from attention_gallery.figures.thumbnail import thumbnail
from attention_gallery.figures.traces import traces_html
from attention_gallery.pages.contexts.page_contexts import ExplorerContext
from attention_gallery.pages.downloads.attention_json import download
from attention_gallery.pages.frame import model_card, page_info, provenance, render
from attention_gallery.pages.gallery import Gallery, Pair, PlannedPage
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.sections.capture_relations import relations_of
from attention_gallery.pages.sections.contrast_links import of_pair
from attention_gallery.pages.sections.head_tables import head_table, notable_heads, type_legend
from attention_gallery.pages.sections.layer_averages import layer_average
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.pages.sections.predictions import prediction_table
from attention_gallery.pages.sections.token_sources import source_table
from attention_gallery.pages.sections.traces import token_trace_of
from attention_gallery.records import Provenance, head_name

_Beside = tuple[Pair | None, Pair | None]


def explorer_pages(gallery: Gallery, view: PairView, beside: _Beside) -> Iterator[PlannedPage]:
    """The explorer, its thumbnail, and its data when the gallery offers downloads.

    `beside` are the pairs of the sentences that the model reads before and after this one.
    """
    pair = view.pair
    model, sentence = pair.model.spec.slug, pair.sentence.slug
    others = [(one.model.spec.slug, one.model.spec.title) for one in gallery.of_sentence(pair.sentence)]
    said = [
        gallery.notes.of_pair(model, sentence).digest,
        gallery.notes.mentions.of_pair(model, sentence).digest,
        of_pair(gallery, model, sentence).digest,
    ]
    inputs = gallery.inputs(
        "explorer",
        pair.inputs,
        pair.heads,
        others,
        *map(_said, beside),
        *said,
        gallery.related(pair.sentence),
        gallery.probed(pair),
        gallery.settings.analysis.flow_limit,
    )
    yield PlannedPage(pair.route, inputs, lambda: _explorer(gallery, view, beside))
    yield PlannedPage(
        routes.thumbnail(model, sentence),
        gallery.inputs("thumbnail", pair.inputs),
        lambda: thumbnail(view.analysis.overall_average)[0],
    )
    if gallery.settings.pages.downloads:
        yield PlannedPage(
            routes.download(model, sentence),
            gallery.inputs("download", pair.inputs),
            lambda: download(view),
        )


def _said(pair: Pair | None) -> list[str] | None:
    return None if pair is None else [pair.sentence.title, pair.sentence.slug]


def _explorer(gallery: Gallery, view: PairView, beside: _Beside) -> bytes:
    pair, analysis = view.pair, view.analysis
    model, sentence, route = pair.model, pair.sentence, pair.route
    href = _head_links(pair)
    pictures = gallery.data.pictures(pair)
    grid = pictures.grid
    first = analysis.opening_head(view.focus)
    before, after = (_link(route, one) for one in beside)
    summary = view.describer.grid()
    context = ExplorerContext(
        model=model_card(model, route),
        sentence=Link(sentence.title, routes.href(route, routes.sentence(sentence.slug))),
        text=sentence.joined,
        texts=view.texts,
        language=view.language,
        tokens=view.token_views,
        tokens_title=view.tokens_title,
        keys=view.key_views,
        focus=view.focus,
        heads=head_table(analysis, href),
        types=type_legend(analysis),
        grid=Markup(grid_fragment(model.facts, (len(view.tokens), len(view.keys)), grid, summary).html),
        figure=Markup(view.heatmap.selected(head_name(*first), view.describer.head(*first)).html),
        traces=_traces(analysis),
        trace=token_trace_of(view, view.focus),
        predictions=prediction_table(view),
        sources=source_table(view, view.focus, href),
        notable=notable_heads(analysis, view.tokens, view.keys, analysis.notable(), href),
        averages=tuple(
            layer_average(layer, picture, view.keys.texts) for layer, picture in enumerate(pictures.averages)
        ),
        notes=gallery.notes.of_pair(model.spec.slug, sentence.slug).blocks(route),
        mentions=gallery.notes.mentions.of_pair(model.spec.slug, sentence.slug).links(route),
        other_models=_other_models(gallery, pair),
        previous=before,
        next=after,
        download="attention.json" if gallery.settings.pages.downloads else "",
        precision=_precision(grid, pair.provenance),
        normalisation=_normalisation(pair.provenance.row_sum_error),
        summary=summary,
        left_out=view.reading_gaps,
        relations=relations_of(gallery, pair, href),
        contrasts=of_pair(gallery, model.spec.slug, sentence.slug).links(route),
    )
    title = f"“{wording.shortened(sentence.title, 60)}” in {model.spec.title}"
    crumbs = ((model.spec.title, routes.model(model.spec.slug)),)
    info = page_info(gallery, "explorer", route, title, summary, crumbs, provenance(pair.provenance))
    return render(gallery, "explorer.html", info, context)


def _link(route: str, pair: Pair | None) -> Link | None:
    return None if pair is None else Link(pair.sentence.title, routes.href(route, pair.route))


def _head_links(pair: Pair) -> Callable[[Place], str]:
    paged = frozenset(pair.heads)
    return lambda place: routes.href(pair.route, pair.head_route(*place)) if place in paged else ""


def _traces(found: SentenceAnalysis) -> Markup:
    html = traces_html(found.top_keys, found.top_weights, found.top_content_keys, found.top_content_weights)
    return Markup(html)


def _other_models(gallery: Gallery, pair: Pair) -> tuple[Link, ...]:
    return tuple(
        Link(other.model.spec.title, routes.href(pair.route, other.route))
        for other in gallery.of_sentence(pair.sentence)
        if other is not pair
    )


def _precision(grid: EncodedWeights, origin: Provenance) -> str:
    size = "one byte" if grid.codec == "sqrt8" else "two bytes"
    return (
        f"Every number that this page arrives with comes from {wording.stored_weights(origin)}. Its "
        "pictures, and what is read off them by pointing at a cell, choosing a head or opening the table, "
        f"hold each weight in {size}: the largest error is {grid.error + origin.storage_error:.4f}. "
        "The page of a single head rounds less."
    )


def _normalisation(error: float) -> str:
    return (
        f"Each row summed to 1 when it was captured; the largest difference was {error:.1e}."
        if error > 0
        else "Each row summed to 1 when it was captured."
    )
