"""The views of where a token's information comes from: what each tells, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """One way to tell where a token's information comes from, with what it does not tell."""

    name: str
    title: str
    definition: str
    caveat: str
    source: str


VIEWS = (
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
    ),
)
