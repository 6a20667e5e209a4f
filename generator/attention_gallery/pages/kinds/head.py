"""`/<model>/<sentence>/l03h07/`: one head on one sentence, the page people share."""

from __future__ import annotations

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.pages.capture_inputs import CAPTURE, HEAD_COMMENTARY, HEAD_NEIGHBOURS, SINKS, HeadPage
from attention_gallery.pages.contexts.page_contexts import HeadContext
from attention_gallery.pages.frame import sibling
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.records import head_name


def _head(page: HeadPage, inputs: PageInputs) -> Page:
    capture, layer, head = page
    reader, sinks, commentary = inputs[CAPTURE], inputs[SINKS], inputs[HEAD_COMMENTARY]
    model = capture.model
    route = capture.head_route(layer, head)
    name = head_name(layer, head)
    kind = reader.analysis.head_type(layer, head)
    summary = reader.describer.head(layer, head, kind)
    figure = reader.heatmap.head(name, reader.weights(layer, head), summary)
    across = routes.model_head(model.spec.slug, model.routes.slug(layer, head))
    context = HeadContext(
        shared=reader.shared_context,
        name=name,
        layer=layer,
        head=head,
        type_title=kind.titles,
        family=kind.family,
        evidence=kind.evidences,
        figure=Markup(figure.html),
        summary=summary,
        pairs=reader.top_pairs[layer, head],
        metrics=reader.metric_rows[layer, head],
        neighbours=inputs[HEAD_NEIGHBOURS][layer, head],
        across=routes.href(route, across),
        notes=commentary.notes.blocks(route),
        mentions=commentary.mentions.links(route),
        sinks=sinks[layer][head] if sinks else "",
        contrasts=commentary.contrasts.links(route),
    )
    title = f"{name} on “{reader.short_title}”, {model.spec.title}"
    return Page(sibling(reader.head_frame, inputs.site, route, title, summary), context)


HEAD = PageKind(
    "head",
    template="head.html",
    scope="capture",
    applies=lambda settings, notes: settings.pages.heads != "none",
    subjects=lambda gallery, capture: (HeadPage(capture, *head) for head in capture.heads),
    route=lambda page: page.capture.head_route(page.layer, page.head),
    make=_head,
    needs=(CAPTURE, HEAD_COMMENTARY, HEAD_NEIGHBOURS, SINKS),
)
