"""The atlas of a model: every head with its type, its best sentence, its best relation and its measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import HeadRelation
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.atlas_context import Atlas, AtlasColumn, AtlasRelation, AtlasRow
from attention_gallery.pages.contexts.shared import Thumbnail
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.head_tables import head_cell
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import HeadMetric, head_name

_HEADS_CSV = "a row for every head, for spreadsheets and data frames"
_HEADS_JSON = "the same with definitions and relations, for programs"


def atlas_of(view: ModelView, route: str, href: Callable[[Place], str]) -> Atlas:
    """The atlas for the model's page, which stands at `route`; `href` leads to the pages of heads."""
    metrics = [one.metric for one in view.measured]
    told = [metric for metric in metrics if not np.isnan(metric.values).all()]
    related = {} if view.probe is None else view.probe.by_head
    return Atlas(
        columns=tuple(AtlasColumn(metric.name, metric.title, metric.unit) for metric in told),
        rows=tuple(_rows(view, route, href, told, related)),
        layers=view.across.layers,
        probed=bool(related),
        tested=0 if view.probe is None else view.probe.tested,
        pairs=wording.far_pairs(view.across.kind),
        absent=tuple(metric.title for metric in metrics if metric not in told),
        downloads=_downloads(view, route),
    )


def _rows(
    view: ModelView,
    route: str,
    href: Callable[[Place], str],
    told: list[HeadMetric],
    related: dict[Place, HeadRelation],
) -> Iterator[AtlasRow]:
    several = len(view.pairs) > 1
    columns = [
        [wording.fine(value, metric.unit) for value in metric.values.ravel().tolist()] for metric in told
    ]
    values = zip(*columns, strict=True)
    for place, row in zip(view.model.places, values, strict=True):
        best = view.clearest[place[0]][place[1]][0]
        title = wording.shortened(view.pairs[best].sentence.title, 40)
        alt = "" if several else f"{head_name(*place)} on “{title}”"
        picture = routes.head_thumbnail(view.model.spec.slug, view.model.routes.slug(*place))
        relation = related.get(place)
        yield AtlasRow(
            cell=head_cell(view.across, place, href),
            thumbnail=Thumbnail(routes.href(route, picture), alt, *view.small_size(best)),
            sentence=Link(title if several else "", routes.href(route, view.target(best, place))),
            relation=None if relation is None else _told(relation),
            values=row,
        )


def _told(relation: HeadRelation) -> AtlasRelation:
    share, offset = wording.hundredths(relation.share), wording.hundredths(relation.baseline)
    ahead = relation.share > relation.baseline
    counts = f"{relation.right:,} of {relation.examples:,}"
    return AtlasRelation(relation.title, share, offset, relation.best, ahead, counts)


def _downloads(view: ModelView, route: str) -> tuple[Link, ...]:
    if not view.gallery.settings.pages.downloads:
        return ()
    slug = view.model.spec.slug
    return tuple(
        Link(f"heads.{ending}", routes.href(route, routes.heads_table(slug, ending)), about)
        for ending, about in (("csv", _HEADS_CSV), ("json", _HEADS_JSON))
    )
