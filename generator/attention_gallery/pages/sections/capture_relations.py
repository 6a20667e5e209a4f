"""The relations of the sentence of a pair, as far as the probe of its model tells of them."""

from __future__ import annotations

from collections.abc import Callable

from attention_gallery.pages.contexts.shared import GoldRow
from attention_gallery.pages.gallery import Gallery, Pair
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.pages.sections.relation_tables import gold_rows


def relations_of(gallery: Gallery, pair: Pair, href: Callable[[Place], str]) -> tuple[GoldRow, ...]:
    """The relations of the sentence of a pair; nothing where the probe of the model failed."""
    spec, sides = pair.model.spec, gallery.data.sides
    probe = gallery.probes.get(spec.slug)
    return sides.take("probes of relations", spec.title, lambda: gold_rows(pair.sentence, probe, href), ())
