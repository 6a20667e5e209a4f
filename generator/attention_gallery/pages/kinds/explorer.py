"""`/<model>/<sentence>/`: all heads of one model on one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis.capture_pictures import CapturePictures
from attention_gallery.evidence import wording
from attention_gallery.figures.encode import head_of_layer
from attention_gallery.figures.grid import GridWeights, grid_fragment
from attention_gallery.figures.head_measures import measures_html
from attention_gallery.figures.thumbnail import thumbnail
from attention_gallery.figures.tiles import tile_script, whole_layer
from attention_gallery.figures.token_data import token_data_html, token_data_script
from attention_gallery.pages.capture_inputs import (
    CAPTURE,
    CAPTURE_COMMENTARY,
    CAPTURE_PICTURES,
    FLOW,
    FLOW_SETTINGS,
    NOTED_HEAD,
    OTHER_MODELS,
    PROBE,
    SIBLINGS,
    CapturePage,
    TilePage,
)
from attention_gallery.pages.contexts.page_contexts import ExplorerContext
from attention_gallery.pages.downloads import registry
from attention_gallery.pages.downloads.attention_json import ATTENTION_JSON
from attention_gallery.pages.downloads.download import Download, download_links
from attention_gallery.pages.frame import model_card, page_info, provenance
from attention_gallery.pages.gallery import Capture
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.sections.capture_relations import relation_rows
from attention_gallery.pages.sections.head_tables import (
    head_table,
    notable_heads,
    pictured_heads,
    type_legend,
)
from attention_gallery.pages.sections.layer_averages import layer_average
from attention_gallery.pages.sections.measure_rows import measure_columns, rows_of_heads
from attention_gallery.pages.sections.predictions import prediction_table
from attention_gallery.pages.sections.relation_arcs import relation_arcs
from attention_gallery.pages.sections.token_sources import source_table
from attention_gallery.pages.sections.token_traces import token_trace_of
from attention_gallery.records import Provenance, head_name

WORTH_A_LOOK = 6


def _explorer(page: CapturePage, inputs: PageInputs) -> Page:
    capture, context = page.capture, _context(page, inputs)
    model, route = capture.model.spec, capture.route
    title = f"“{wording.shortened(capture.sentence.title, 60)}” in {model.title}"
    crumbs, origin = ((model.title, routes.model(model.slug)),), provenance(capture.provenance)
    return Page(page_info(inputs.site, "explorer", route, title, context.summary, crumbs, origin), context)


def _context(page: CapturePage, inputs: PageInputs) -> ExplorerContext:
    capture, reader, commentary = page.capture, inputs[CAPTURE], inputs[CAPTURE_COMMENTARY]
    analysis, sentence, route = reader.analysis, capture.sentence, capture.route
    href = head_links(capture, route)
    previous, following = inputs[SIBLINGS].links(route)
    return ExplorerContext(
        model=model_card(capture.model, route),
        sentence=Link(sentence.title, routes.href(route, routes.sentence(sentence.slug))),
        text=sentence.joined,
        texts=reader.texts,
        language=reader.language,
        tokens=reader.token_views,
        tokens_title=reader.tokens_title,
        keys=reader.key_views,
        focus=reader.focus,
        heads=head_table(analysis, href),
        types=type_legend(analysis),
        # The cached pictures save most of the time of a page whose titles or notes changed.
        **_pictures(reader, inputs[CAPTURE_PICTURES], inputs[NOTED_HEAD], href),
        trace=token_trace_of(reader, reader.focus),
        predictions=prediction_table(reader, inputs),
        sources=source_table(reader, inputs, reader.focus, href),
        notes=commentary.notes.blocks(route),
        mentions=commentary.mentions.links(route),
        other_models=tuple(
            Link(other.model.spec.title, routes.href(route, other.route)) for other in inputs[OTHER_MODELS]
        ),
        previous=previous,
        next=following,
        download=ATTENTION_JSON.name if inputs.site.downloads else "",
        other_downloads=download_links(_other_downloads(), "capture", inputs, route),
        normalisation=_normalisation(capture.provenance.row_sum_error),
        left_out=reader.reading_gaps,
        relations=relation_rows(inputs, inputs[PROBE], capture, href),
        arcs=relation_arcs(inputs, inputs[PROBE], capture, reader),
        contrasts=commentary.contrasts.links(route),
    )


def _pictures(
    reader: CaptureReader,
    pictures: CapturePictures,
    noted: HeadIndex | None,
    href: Callable[[HeadIndex], str],
) -> dict[str, Any]:
    """Grid, panel and averages, the data of traces, and how exact all of it is."""
    analysis, facts, origin = reader.analysis, reader.capture.model.facts, reader.capture.provenance
    opening = reader.opening_head(noted)
    size = (len(reader.tokens), len(reader.keys))
    weights = GridWeights(pictures.thumbnails, size, pictures.version, pictures.error)
    head = head_of_layer(pictures.layers[opening[0]], opening[1], facts.heads)
    summary = reader.describer.grid()
    grid = grid_fragment(facts, weights, summary)
    averages = enumerate(pictures.averages)
    return {
        "grid": Markup(grid.html),
        "summary": summary,
        "figure": Markup(
            reader.heatmap.selected(head_name(*opening), head, reader.describer.head(*opening)).html
        ),
        "traces": Markup(token_data_html(_version(reader.capture))),
        "opening": head_name(*opening),
        "why": rows_of_heads(analysis)[opening[0] * facts.heads + opening[1]],
        "measures": Markup(measures_html(measure_columns(analysis))),
        "notable": pictured_heads(
            notable_heads(analysis, reader.tokens, reader.keys, analysis.ranked_heads(WORTH_A_LOOK), href),
            pictures.thumbnails.weights(facts.layers, facts.heads),
        ),
        "averages": tuple(layer_average(layer, picture, reader.keys.texts) for layer, picture in averages),
        "precision": _precision(pictures, origin),
    }


def head_links(capture: Capture, route: str) -> Callable[[HeadIndex], str]:
    """Links from the page at `route` to the heads of a capture; "" for heads without a page."""
    # Asked for every head, in each table of the page.
    paged = frozenset(capture.heads)
    return lambda head: routes.href(route, capture.head_route(*head)) if head in paged else ""


def _other_downloads() -> list[Download]:
    # Read from its module when a page is made, so that a download that was added later is linked.
    return [download for download in registry.DOWNLOADS if download is not ATTENTION_JSON]


def _precision(pictures: CapturePictures, origin: Provenance) -> str:
    size = "one byte" if all(layer.codec == "sqrt8" for layer in pictures.layers) else "one byte or two"
    return (
        f"Every number that this page arrives with comes from {wording.stored_weights(origin)}. Its "
        "pictures, and what is read off them by pointing at a cell, choosing a head or opening the table, "
        # In the worst case what was lost in the store and what is lost here add up.
        f"hold each weight in {size}: the largest error is {pictures.error + origin.storage_error:.4f}. "
        "The page of a single head rounds less."
    )


def _normalisation(error: float) -> str:
    return (
        f"Each row summed to 1 when it was captured; the largest difference was {error:.1e}."
        if error > 0
        else "Each row summed to 1 when it was captured."
    )


EXPLORER = PageKind(
    "explorer",
    template="explorer.html",
    scope="capture",
    subjects=lambda gallery, capture: [CapturePage(capture)],
    route=lambda page: page.capture.route,
    make=_explorer,
    needs=(
        CAPTURE,
        CAPTURE_COMMENTARY,
        FLOW,
        FLOW_SETTINGS,
        OTHER_MODELS,
        CAPTURE_PICTURES,
        NOTED_HEAD,
        PROBE,
        SIBLINGS,
    ),
)


def _version(capture: Capture) -> str:
    # Other texts or weights have another key.
    return capture.key[:12]


def _thumbnail(page: CapturePage, inputs: PageInputs) -> bytes:
    """The head that the page opens on: the mean of all heads looks the same for every text."""
    reader = inputs[CAPTURE]
    layer, head = reader.opening_head(inputs[NOTED_HEAD])
    return thumbnail(reader.layer(layer).weights[head])[0]


def _token_data(page: CapturePage, inputs: PageInputs) -> bytes:
    flow = inputs[FLOW]
    flows = flow.top_keys if flow else {}
    return token_data_script(_version(page.capture), inputs[CAPTURE].analysis, flows)


TOKEN_DATA = PageKind(
    "token data",
    scope="capture",
    subjects=lambda gallery, capture: [CapturePage(capture)],
    route=lambda page: routes.token_data(page.capture.model.spec.slug, page.capture.sentence.slug),
    make=_token_data,
    needs=(CAPTURE, FLOW),
)


def _tile(page: TilePage, inputs: PageInputs) -> bytes:
    pictures = inputs[CAPTURE_PICTURES]
    return tile_script(whole_layer(page.layer), pictures.version, pictures.layers[page.layer])


def _tile_route(page: TilePage) -> str:
    capture = page.capture
    return routes.tile(capture.model.spec.slug, capture.sentence.slug, whole_layer(page.layer).name)


TILE = PageKind(
    "tile",
    scope="capture",
    subjects=lambda gallery, capture: [
        TilePage(capture, layer) for layer in range(capture.model.facts.layers)
    ],
    route=_tile_route,
    make=_tile,
    needs=(CAPTURE_PICTURES,),
)
THUMBNAIL = PageKind(
    "thumbnail",
    scope="capture",
    subjects=lambda gallery, capture: [CapturePage(capture)],
    route=lambda page: routes.thumbnail(page.capture.model.spec.slug, page.capture.sentence.slug),
    make=_thumbnail,
    needs=(CAPTURE, NOTED_HEAD),
)
