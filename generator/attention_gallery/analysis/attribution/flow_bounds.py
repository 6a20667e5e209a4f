"""Largest flows that need no search: a bound that is quick to find, and the proof of a flow of that size.

R_l[query, key] are the widths of layer l. F_l(q) is the largest flow from an input token s to token q after l
layers, F_l(Q) that to a set of tokens together. All are whole numbers, which float64 adds without error.

The bound. Token t takes at most R_l[t, q] from token q, and no more than F_(l-1)(q) gets there: F_l(t) is at
most the sum over q of the smaller of both. Nor is it more than what leaves s in the first layer. After two
layers this is the flow itself.

The proof. What t should get is divided among the tokens before it as the edges to t allow. All of them can
have their amounts at once if no set Q of them should get more than F_(l-1)(Q): Ford & Fulkerson 1956, Maximal
Flow through a Network. F(Q) is at least the largest F of a token in Q. It is enough, then, that all tokens q
with F(q) <= f together should get no more than f, for each flow f. Where that does not hold, each amount is
divided among the tokens of one more layer before, down to the first layer, where amounts need only fit the
edges from s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.attribution.rollout import Float64
from attention_gallery.records import Bool, Int64

# Amounts that were divided are not whole, but flows are: what lacks a small part of 1 is there all the same.
SLACK = 2.0**-14


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """The flows from each input token to the tokens after a layer, which are ranked from the least flow up.

    order: int64[input token, rank], the token of a rank. flow: float64[input token, rank]. room:
    float64[input token, rank], how much the token could take, and share: float64[input token, rank, rank
    before], from which tokens in equal measure; rows sum to 1, or to 0 where there is no room.
    """

    order: Int64
    flow: Float64
    room: Float64
    share: Float64

    @classmethod
    def from_flows(cls, flow: Float64, takes: Float64) -> Reached:
        """From flows float64[input token, token] and what `most_taken` gives for the layer."""
        order = np.argsort(flow, axis=1, kind="stable")
        takes = np.take_along_axis(takes, order[:, :, None], axis=1)
        room = takes.sum(axis=2)
        share = takes / np.where(room > 0, room, 1)[:, :, None]
        return cls(order, np.take_along_axis(flow, order, axis=1), room, share)


def most_taken(widths: Float64, before: Reached) -> Float64:
    """What a token can take at most from each token before it: float64[input token, token, rank before]."""
    edges = widths[:, before.order].transpose(1, 0, 2)
    taken: Float64 = np.minimum(edges, before.flow[:, None, :])
    return taken


def proven(takes: Float64, goal: Float64, reached: Sequence[Reached]) -> Bool:
    """Whether flows of these sizes are shown to exist: bool[input token, token], false where it is unknown.

    takes: as `most_taken` gives it for the last layer. goal: float64[input token, token], whole numbers, no
    more than the sum of what the token takes. reached: the layers before the last, from the first.
    """
    # Tokens with more flow give first, so that little is asked of the others.
    spare = takes.sum(axis=2) - goal
    amounts = np.diff(np.maximum(takes.cumsum(axis=2) - spare[:, :, None], 0), axis=2, prepend=0)
    exists = np.zeros(goal.shape, dtype=bool)
    possible = ~exists
    for layer in reversed(reached[1:]):
        fits = (amounts.cumsum(axis=2) <= layer.flow[:, None, :] + SLACK).all(axis=2)
        exists |= possible & fits
        possible &= ~fits & (amounts <= layer.room[:, None, :] + SLACK).all(axis=2)
        if not possible.any():
            return exists
        amounts = amounts @ layer.share
    exists |= possible & (amounts <= reached[0].flow[:, None, :] + SLACK).all(axis=2)
    return exists
