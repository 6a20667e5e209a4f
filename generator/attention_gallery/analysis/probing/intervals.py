"""95 % intervals of shares and of leads, for examples of which those of one text hang together.

Texts are taken as independent of each other; nothing is taken for granted of the examples of one text.
Whether there is an interval depends on the number of texts and of examples in them alone, never on the
answers: one that stood only where the answers are of a certain kind would hold less often than it says, since
the luck that brings it about has also moved the share. `benchmarks/intervals.py` measures how often the
intervals hold, and how wide they are.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Int64

Float64 = NDArray[np.float64]

CONFIDENCE = 0.95
LEAST_TEXTS = 5
# Up to this many examples a text (weighted by themselves), a text may count as a single example: that makes
# an interval at most so many times too wide.
NEARLY_ONE = 1.4
# From so many even texts on, the answers tell how much examples of a text hang together even where one in a
# hundred is right: with fewer, an interval that holds is more than 1.5 times as wide as it need be.
LEAST_EVEN_TEXTS = 300
# The same for a lead where nearly every text has one example.
LEAST_EVEN_TEXTS_FOR_A_LEAD = 200
# Degrees of freedom of a variance for each text's worth of rare answers, by simulation at 300 texts of eight:
# with 2 one interval in twelve is wrong in the worst case, with 1 it is 1.7 times as wide as it need be.
_FREEDOM_PER_RARE_TEXT = 4 / 3
_TAIL = (1 - CONFIDENCE) / 2
_NORMAL = NormalDist().inv_cdf(1 - _TAIL)


def share_interval(right: Int64, examples: Int64) -> tuple[Float64, Float64]:
    """The ends of an interval of the share that is right, `right` of `examples`: float64[…] each, 0 to 1.

    right: int64[…, text], examples: int64[text], all above 0. Both ends are NaN where there are fewer than
    `LEAST_TEXTS` texts or, unless nearly every text has one example, `LEAST_EVEN_TEXTS`. Clopper & Pearson
    1934 on the effective number of examples of Korn & Graubard 1998, Confidence Intervals for Proportions
    With Small Expected Number of Positive Counts Estimated From Survey Data, with its correction for few
    texts. Where nearly every text has one example, a text counts as one.
    """
    share = right.sum(axis=-1) / examples.sum()
    alone = _nearly_alone(examples)
    if len(examples) < LEAST_TEXTS or (not alone and even_texts(examples) < LEAST_EVEN_TEXTS):
        return _nothing(share)
    if alone:
        return _exact(share, np.full_like(share, effective_texts(examples)))
    return _exact(share, _effective_examples(right, examples, share))


def lead_interval(ahead: Int64, examples: Int64) -> tuple[Float64, Float64]:
    """The ends of an interval of a lead per example: float64[…] each, -1 to 1.

    ahead: int64[…, text], in each text how many more examples one guess gets right than the other; examples:
    int64[text], all above 0. Both ends are NaN where there are too few texts: `LEAST_EVEN_TEXTS`, and
    `LEAST_EVEN_TEXTS_FOR_A_LEAD` where nearly every text has one example. The narrower on each side of two:
    Student's t over texts as of Cochran 1977, Sampling Techniques, section 6.4 (a ratio of two sums), and the
    difference of two shares as if every text were of one mind, which is safe where the two rarely differ.
    """
    total = int(examples.sum())
    lead = ahead.sum(axis=-1) / total
    least = LEAST_EVEN_TEXTS_FOR_A_LEAD if _nearly_alone(examples) else LEAST_EVEN_TEXTS
    if even_texts(examples) < least:
        return _nothing(lead)
    differing = np.abs(ahead).sum(axis=-1) / total
    telling = effective_texts(examples) * np.minimum(differing, 1 - np.abs(lead))
    variance = _variance(ahead - lead[..., None] * examples, total)
    half = _quantile(np.clip(telling - 1, 1, len(examples) - 1)) * np.sqrt(variance)
    # Without a variance all texts are alike, which says nothing of how much they might differ.
    half = np.where(variance > 0, half, np.inf)
    below, above = _difference_of_minds(ahead, examples)
    return np.maximum(lead - np.minimum(half, below), -1), np.minimum(lead + np.minimum(half, above), 1)


def effective_texts(examples: Int64) -> float:
    """How many texts of equal size say as much as these, if each is of one mind: Kish 1965, Survey
    Sampling."""
    return float(examples.sum()) ** 2 / float((examples.astype(np.float64) ** 2).sum())


def even_texts(examples: Int64) -> float:
    """How many texts of equal size have a sum that is as skewed as that of these, if each is of one mind.

    From the ratio of moments of Lyapunov's theorem: where a few long texts hold most of the examples, these
    few are what counts.
    """
    sizes = examples.astype(np.float64)
    return float((sizes**2).sum() ** 3 / (sizes**3).sum() ** 2)


def _nearly_alone(examples: Int64) -> bool:
    """Whether nearly every text has one example."""
    return int(examples.sum()) <= NEARLY_ONE * effective_texts(examples)


def _effective_examples(right: Int64, examples: Int64, share: Float64) -> Float64:
    """How many independent examples say as much as these: float64[…], from the number of texts to that of
    examples, since a text says no less than one example and no more than it has."""
    texts, total, units = len(examples), int(examples.sum()), effective_texts(examples)
    # A variance that rests on few rare answers is known less well than the number of texts says.
    rare = units * np.minimum(share, 1 - share)
    freedom = np.clip(_FREEDOM_PER_RARE_TEXT * rare, 1, texts - 1)
    variance = _variance(right - share[..., None] * examples, total)
    # A variance of 0 is told apart below.
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = share * (1 - share) / variance * (_NORMAL / _quantile(freedom)) ** 2
    # Without a variance the answers of all texts are alike: then a text may be no more than one example.
    return np.where(variance > 0, np.clip(effective, units, total), units)


def _difference_of_minds(ahead: Int64, examples: Int64) -> tuple[Float64, Float64]:
    """How far an interval of a lead reaches down and up, if every text is of one mind: float64[…] each.

    The intervals of the shares in which one guess is ahead and behind, put together as by Zou & Donner 2008,
    Construction of Confidence Limits About Effect Measures, with the correlation of two shares of one whole.
    """
    total, units = int(examples.sum()), effective_texts(examples)
    front = np.maximum(ahead, 0).sum(axis=-1) / total
    back = np.maximum(-ahead, 0).sum(axis=-1) / total
    count = np.full_like(front, units)
    (front_low, front_high), (back_low, back_high) = _exact(front, count), _exact(back, count)
    odds = front * back / np.maximum((1 - front) * (1 - back), np.finfo(np.float64).tiny)
    correlation = -np.sqrt(np.minimum(odds, 1))
    return (
        _together(front - front_low, back_high - back, correlation),
        _together(front_high - front, back - back_low, correlation),
    )


def _together(first: Float64, second: Float64, correlation: Float64) -> Float64:
    """The reach of a difference whose two parts reach so far and are correlated."""
    reach: Float64 = np.sqrt(first**2 + second**2 - 2 * correlation * first * second)
    return reach


def _variance(residuals: Float64, total: int) -> Float64:
    """The variance of a mean over examples, from what each text departs from it: float64[…]."""
    texts = residuals.shape[-1]
    variance: Float64 = texts / (texts - 1) * (residuals**2).sum(axis=-1) / total**2
    return variance


def _quantile(freedom: Float64) -> Float64:
    """The upper end of a central interval of Student's t with so many degrees of freedom."""
    # Imported here, as below, so that a build that works nothing out does without scipy.
    from scipy.special import stdtrit

    quantile: Float64 = stdtrit(freedom, 1 - _TAIL)
    return quantile


def _exact(share: Float64, examples: Float64) -> tuple[Float64, Float64]:
    """The interval of Clopper & Pearson 1934 for shares of so many examples, which need not be whole."""
    from scipy.special import betaincinv

    right = share * examples
    wrong = examples - right
    # At the ends the beta distribution is not defined; there the interval ends where the share does.
    none, every = share <= 0, share >= 1
    low = betaincinv(np.where(none, 1, right), wrong + 1, _TAIL)
    high = betaincinv(right + 1, np.where(every, 1, wrong), 1 - _TAIL)
    return np.where(none, 0, low), np.where(every, 1, high)


def _nothing(like: Float64) -> tuple[Float64, Float64]:
    return np.full_like(like, np.nan), np.full_like(like, np.nan)
