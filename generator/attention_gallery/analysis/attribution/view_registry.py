"""The views of where a token's information comes from: what each tells, and what it does not."""

from __future__ import annotations

from attention_gallery.analysis.attribution.maximum_flow import attention_flow, flows_needed
from attention_gallery.analysis.attribution.norm_weighted import norm_weighted_layers
from attention_gallery.analysis.attribution.rollout import rollout
from attention_gallery.analysis.attribution.view import View
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import StoredAttention


def _crossing(attention: StoredAttention, settings: AnalysisSettings) -> str:
    if attention.facts.kind != "cross":
        return ""
    return "not defined for cross attention by itself: what reaches a token comes through the encoder"


def _too_many_flows(attention: StoredAttention, settings: AnalysisSettings) -> str:
    if crossing := _crossing(attention, settings):
        return crossing
    limit, layers = settings.flow_limit, attention.facts.layers
    # Told by itself: how many flows there would be counts for nothing then.
    if not limit:
        return "not computed: analysis.flow_limit is 0"
    needed = flows_needed(layout_of(attention, 1), layers)
    if needed <= limit:
        return ""
    return (
        f"not computed: {len(attention.tokens)} tokens and {layers} layers would take {needed:,} maximum "
        f"flows, more than {limit:,} (analysis.flow_limit)"
    )


def _without_lengths(attention: StoredAttention, settings: AnalysisSettings) -> str:
    if attention.beside.norms is not None:
        return ""
    reason = attention.beside.no_norms
    return f"not known for this model: {reason}" if reason else "not known for this model"


VIEWS: tuple[View, ...] = (
    View(
        name="raw",
        title="Raw attention",
        definition="The weights of the layer, its heads averaged.",
        caveat="Says how much of a vector is taken, not how long that vector is, nor what it holds after "
        "earlier layers have mixed it.",
        source="Bahdanau, Cho & Bengio 2015, Neural Machine Translation by Jointly Learning to Align and "
        "Translate.",
    ),
    View(
        name="rollout",
        title="Rollout",
        definition="How much of each input token has reached this one after the layer: heads averaged, the "
        "residual added as a half, and the layers multiplied.",
        caveat="Takes mixing for all that layers do: vectors that cancel each other, their lengths and the "
        "feed-forward parts do not count, and every residual counts as a half. After many layers nearly all "
        "of it leads back to the tokens that heads rest on.",
        source="Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers.",
        layers=rollout,
        absent=_crossing,
    ),
    View(
        name="flow",
        title="Attention flow",
        definition="How much could reach this token from each input token if weights were the widths of "
        "pipes, residuals among them: the maximum flow, divided by the sum over all input tokens.",
        caveat="An upper bound, and a generous one: each pipe is measured as if all flowed from one token. "
        "After many layers nearly every token could send nearly everything, so that the shares are almost "
        "even.",
        source="Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers.",
        layers=attention_flow,
        absent=_too_many_flows,
    ),
    View(
        name="norm",
        title="Norm-weighted",
        definition="The weights of the layer times the length of what the head takes from each token, its "
        "value put through the output projection: ‖α f(x)‖, averaged over heads and divided by the sum of "
        "the row.",
        caveat="Lengths of one layer only: vectors of different heads may cancel each other, and the "
        "residual is left out.",
        source="Kobayashi, Kuribayashi, Yokoi & Inui 2020, Attention is Not Only a Weight: Analyzing "
        "Transformers with Vector Norms.",
        layers=norm_weighted_layers,
        absent=_without_lengths,
    ),
)
