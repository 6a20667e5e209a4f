"""The atlas of a model: every head with its type, its best sentence, its best relation and its measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis.probing.head_relations import HeadRelation
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.atlas_context import Atlas, AtlasColumn, AtlasRelation, AtlasRow
from attention_gallery.pages.contexts.shared import Thumbnail
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.head_tables import head_cell
from attention_gallery.records import HeadMetric, head_name


def atlas_of(
    reader: ModelReader,
    probe: ModelProbe | None,
    downloads: tuple[Link, ...],
    route: str,
    href: Callable[[HeadIndex], str],
) -> Atlas:
    """The atlas for the model's page, which stands at `route`; `href` leads to the pages of heads."""
    metrics = [measured.metric for measured in reader.measured]
    # A column of dashes would be no use; the page names what is left out.
    defined = [metric for metric in metrics if not np.isnan(metric.values).all()]
    relations = {} if probe is None else probe.by_head
    return Atlas(
        columns=tuple(AtlasColumn(metric.name, metric.title, metric.unit) for metric in defined),
        rows=tuple(_rows(reader, route, href, defined, relations)),
        layers=reader.across.layers,
        probed=bool(relations),
        tested=0 if probe is None else probe.tested,
        pairs=wording.far_pairs(reader.across.kind),
        absent=tuple(metric.title for metric in metrics if metric not in defined),
        downloads=downloads,
    )


def _rows(
    reader: ModelReader,
    route: str,
    href: Callable[[HeadIndex], str],
    metrics: list[HeadMetric],
    relations: dict[HeadIndex, HeadRelation],
) -> Iterator[AtlasRow]:
    several = len(reader.captures) > 1
    model = reader.model
    columns = [
        [wording.fine(value, metric.unit) for value in metric.values.ravel().tolist()] for metric in metrics
    ]
    for head, values in zip(model.heads, zip(*columns, strict=True), strict=True):
        best = reader.clearest[head[0]][head[1]][0]
        capture = reader.captures[best]
        title = wording.shortened(capture.sentence.title, 40)
        # Where the sentence is named beside the picture, a description would say it twice.
        alt = "" if several else f"{head_name(*head)} on “{title}”"
        picture = routes.head_thumbnail(model.spec.slug, model.routes.slug(*head))
        relation = relations.get(head)
        yield AtlasRow(
            cell=head_cell(reader.across, head, href),
            thumbnail=Thumbnail(routes.href(route, picture), alt, *reader.small_size(best)),
            sentence=Link(title if several else "", routes.href(route, capture.target(head))),
            relation=None if relation is None else _relation(relation),
            values=values,
        )


def _relation(relation: HeadRelation) -> AtlasRelation:
    share, offset = wording.hundredths(relation.share), wording.hundredths(relation.baseline)
    ahead = relation.share > relation.baseline
    counts = f"{relation.right:,} of {relation.examples:,}"
    return AtlasRelation(relation.title, share, offset, relation.best, ahead, counts)
