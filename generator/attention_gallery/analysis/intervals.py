"""95 % intervals of shares and of leads, for examples of which those of one text hang together.

Texts are taken as independent of each other; nothing is taken for granted of the examples of one text. Where
the texts do not tell how much these hang together, there is no interval. `benchmarks/intervals.py` measures
how often the intervals hold, and how wide they are.
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
_NEARLY_ONE = 1.4
# How many texts must speak on either side to tell how much the examples of a text hang together.
_LEAST_EITHER_WAY = 5.0
# In how many texts one must be ahead of the other, and not all in the same way.
_LEAST_DIFFERING = 10.0
_TAIL = (1 - CONFIDENCE) / 2
_NORMAL = NormalDist().inv_cdf(1 - _TAIL)


def share_interval(right: Int64, examples: Int64) -> tuple[Float64, Float64]:
    """The ends of an interval of the share that is right, `right` of `examples`: float64[…] each, 0 to 1.

    right: int64[…, text], examples: int64[text], all above 0. Both ends are NaN where there are fewer than
    `LEAST_TEXTS` texts, or too few with right and with wrong answers to see how examples of a text hang
    together. Clopper & Pearson 1934 on the effective number of examples of Korn & Graubard 1998, Confidence
    Intervals for Proportions With Small Expected Number of Positive Counts Estimated From Survey Data, with
    its correction for few texts. Where nearly every text has one example, a text counts as one.
    """
    texts, total = len(examples), int(examples.sum())
    share = right.sum(axis=-1) / total
    if texts < LEAST_TEXTS:
        return _nothing(share)
    units = effective_texts(examples)
    if total <= _NEARLY_ONE * units:
        return _exact(share, np.full_like(share, units))
    rarer = units * np.minimum(share, 1 - share)
    known = rarer >= _LEAST_EITHER_WAY
    # A variance that rests on few rare answers is known less well than the number of texts says.
    freedom = np.clip(2 * rarer, 1, texts - 1)
    variance = _variance(right - share[..., None] * examples, total)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = share * (1 - share) / variance * (_NORMAL / _quantile(freedom)) ** 2
    # Without a variance the answers of all texts are alike: then a text may be no more than one example.
    effective = np.where(variance > 0, np.minimum(effective, total), units)
    low, high = _exact(share, effective)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def lead_interval(ahead: Int64, examples: Int64) -> tuple[Float64, Float64]:
    """The ends of an interval of a lead per example: float64[…] each, -1 to 1.

    ahead: int64[…, text], in each text how many more examples one guess gets right than the other; examples:
    int64[text]. Both ends are NaN where the two differ in too few texts, or in nearly all in the same way.
    Student's t over texts as of Cochran 1977, Sampling Techniques, section 6.4 (a ratio of two sums), with no
    more degrees of freedom than there are texts that tell the two apart.
    """
    texts, total = len(examples), int(examples.sum())
    lead = ahead.sum(axis=-1) / total
    if texts < LEAST_TEXTS:
        return _nothing(lead)
    differing = np.abs(ahead).sum(axis=-1) / total
    telling = effective_texts(examples) * np.minimum(differing, 1 - np.abs(lead))
    variance = _variance(ahead - lead[..., None] * examples, total)
    known = (telling >= _LEAST_DIFFERING) & (variance > 0)
    half = _quantile(np.clip(telling - 2, 1, texts - 1)) * np.sqrt(variance)
    low, high = np.maximum(lead - half, -1), np.minimum(lead + half, 1)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def effective_texts(examples: Int64) -> float:
    """How many texts of equal size say as much as these, if each is of one mind: Kish 1965, Survey
    Sampling."""
    return float(examples.sum()) ** 2 / float((examples.astype(np.float64) ** 2).sum())


def _variance(residuals: Float64, total: int) -> Float64:
    """The variance of a mean over examples, from what each text departs from it: float64[…]."""
    texts = residuals.shape[-1]
    found: Float64 = texts / (texts - 1) * (residuals**2).sum(axis=-1) / total**2
    return found


def _quantile(freedom: Float64) -> Float64:
    """The upper end of a central interval of Student's t with so many degrees of freedom."""
    from scipy.special import stdtrit

    found: Float64 = stdtrit(freedom, 1 - _TAIL)
    return found


def _exact(share: Float64, examples: Float64) -> tuple[Float64, Float64]:
    """The interval of Clopper & Pearson 1934 for shares of so many examples, which need not be whole."""
    from scipy.special import betaincinv

    right = share * examples
    wrong = examples - right
    none, every = share <= 0, share >= 1
    low = betaincinv(np.where(none, 1, right), wrong + 1, _TAIL)
    high = betaincinv(right + 1, np.where(every, 1, wrong), 1 - _TAIL)
    return np.where(none, 0, low), np.where(every, 1, high)


def _nothing(like: Float64) -> tuple[Float64, Float64]:
    return np.full_like(like, np.nan), np.full_like(like, np.nan)
