"""How much rests on tokens that say nothing of the text, in raw attention and weighted by vector lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from attention_gallery.analysis.attribution.views import FlowViews
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.flow_context import SinkRow, SinkTable
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.records import AttentionKind, Float32, head_name

SHOWN = 5
# A smaller change is nothing to tell of.
_LEAST = 0.05


def sink_table(flow: FlowViews, kind: AttentionKind, href: Callable[[HeadIndex], str]) -> SinkTable | None:
    """The heads of a pair whose rest changes most when vectors are counted by their length.

    None where lengths are not known, or where there is no such token.
    """
    if not flow.raw_sinks.size or np.isnan(flow.raw_sinks).all():
        return None
    change = flow.raw_sinks - flow.norm_sinks
    # Stable, so that of equal changes the earlier head is named on every machine.
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:SHOWN].tolist()
    heads = [divmod(index, change.shape[1]) for index in order]
    rows = tuple(_row(flow, head, href) for head in heads if abs(change[head]) >= _LEAST)
    raw, norm = float(flow.raw_sinks.mean()), float(flow.norm_sinks.mean())
    return SinkTable(_on_average(raw, norm, kind), rows)


def sinks_across(flows: Iterable[FlowViews]) -> tuple[Float32, Float32] | None:
    """The means over sentences of raw and norm-weighted mass on the sinks: float32[layer, head] each."""
    # Texts without such tokens say nothing of how much rests on them, nor do unknown lengths.
    known = [flow for flow in flows if flow.raw_sinks.size and not np.isnan(flow.raw_sinks).all()]
    if not known:
        return None
    return (
        np.mean([flow.raw_sinks for flow in known], axis=0, dtype=np.float32),
        np.mean([flow.norm_sinks for flow in known], axis=0, dtype=np.float32),
    )


def head_sentences(flow: FlowViews, kind: AttentionKind) -> list[list[str]]:
    """One sentence about each head of a pair, [layer][head]; no lists where nothing is known."""
    if not flow.raw_sinks.size or np.isnan(flow.raw_sinks).all():
        return []
    where = _where(kind)
    layers = zip(flow.raw_sinks.tolist(), flow.norm_sinks.tolist(), strict=True)
    return [[_of_head(*masses, where) for masses in zip(*layer, strict=True)] for layer in layers]


def head_sentence(across: tuple[Float32, Float32] | None, head: HeadIndex, kind: AttentionKind) -> str:
    """One sentence about one head over all sentences; "" where nothing is known."""
    if across is None:
        return ""
    return _of_head(float(across[0][head]), float(across[1][head]), _where(kind))


def _of_head(raw: float, norm: float, where: str) -> str:
    return (
        f"{wording.share(raw)} of its attention rests on {where}; weighted by the length of the vectors that "
        f"it takes, {wording.share(norm)}."
    )


def _on_average(raw: float, norm: float, kind: AttentionKind) -> str:
    return (
        f"On average {wording.share(raw)} of a head’s attention rests on {_where(kind)}. Weighted by the "
        f"length of the vectors that heads take, it is {wording.share(norm)}."
    )


def _where(kind: AttentionKind) -> str:
    return "the first token and special tokens" if kind == "decoder" else "special tokens"


def _row(flow: FlowViews, head: HeadIndex, href: Callable[[HeadIndex], str]) -> SinkRow:
    raw, norm = float(flow.raw_sinks[head]), float(flow.norm_sinks[head])
    return SinkRow(
        head_name(*head),
        href(head),
        wording.share(raw),
        round(100 * raw),
        wording.share(norm),
        round(100 * norm),
    )
