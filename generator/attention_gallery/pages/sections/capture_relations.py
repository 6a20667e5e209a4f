"""The relations of the sentence of a capture, as far as the probe of its model tells of them."""

from __future__ import annotations

from collections.abc import Callable

from attention_gallery.pages.contexts.shared import GoldRow
from attention_gallery.pages.gallery import Capture
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import PageInputs
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.relation_tables import gold_rows


def relation_rows(
    inputs: PageInputs, probe: ModelProbe | None, capture: Capture, href: Callable[[HeadIndex], str]
) -> tuple[GoldRow, ...]:
    """The relations of the sentence of a capture; nothing where the probe of the model failed."""
    title = capture.model.spec.title
    return inputs.sides.take(
        "probes of relations", title, lambda: gold_rows(capture.sentence, probe, href), ()
    )
