"""The relations of a sentence as arcs over its tokens, and which heads agree with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from markupsafe import Markup

from attention_gallery.analysis import GoldSentence
from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.text.word_attention import tokens_of_words
from attention_gallery.figures.embed import json_for_html
from attention_gallery.pages.gallery import Capture
from attention_gallery.pages.page_kind import PageInputs
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.records import Tokens


def relation_arcs(
    inputs: PageInputs, probe: ModelProbe | None, capture: Capture, reader: CaptureReader
) -> Markup:
    """A data element with the relations of a capture; "" without any, or where the probe failed.

    A list of objects: `kind`, the indices of the tokens of both sides as `source` and `target`, `parser` (""
    for gold), and `heads`, for every head by layer and head in one count: 1 where the source looks most at
    the target, 2 where it is looked at most by it, 3 for both, 0 for neither.
    """
    if reader.keys is not reader.tokens:
        return Markup()  # cross attention: the two sides are not words of one text
    title = capture.model.spec.title
    arcs: list[dict[str, Any]] = inputs.sides.take(
        "probes of relations", title, lambda: list(_arcs(probe, capture.sentence.slug, reader.tokens)), []
    )
    if not arcs:
        return Markup()
    return Markup(f'<script type="application/json" id="relation-arcs">{json_for_html(arcs)}</script>')


def _arcs(probe: ModelProbe | None, slug: str, tokens: Tokens) -> Iterator[dict[str, Any]]:
    if probe is None or not probe.has_relations(slug):
        return
    gold, targets = probe.gold(slug)
    columns = tokens_of_words(tokens, gold.words)
    if targets is None or columns is None:
        return
    for relation in gold.relations:
        sides = [columns[list(gold.units[unit])].any(axis=0) for unit in (relation.source, relation.target)]
        if not all(side.any() for side in sides):
            continue  # a side of it was cut off
        source, target = (np.flatnonzero(side).tolist() for side in sides)
        heads = _agreement(gold, targets, relation.source, relation.target)
        yield {
            "kind": relation.kind,
            "source": source,
            "target": target,
            "parser": relation.parser,
            "heads": heads,
        }


def _agreement(gold: GoldSentence, targets: Int16, source: int, target: int) -> list[int]:
    """Which heads agree with a relation, in either direction: 0 to 3, by layer and head."""
    right = np.isin(targets[:, :, :, source], gold.units[target])
    agreement: list[int] = (right[0] + 2 * right[1]).ravel().tolist()
    return agreement
