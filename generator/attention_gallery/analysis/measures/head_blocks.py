"""The heads of a capture, a few at a time: read and widened once for all that is measured on them.

What is measured on a block of this size stays in the processor's cache from one step to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from attention_gallery.errors import DamagedEntry
from attention_gallery.records import Float32, StoredAttention
from attention_gallery.store.halves import widened

Arrays = TypeVar("Arrays", bound=NamedTuple)
# Weights in a block (1 MiB); a head that has more of them is a block of its own.
BLOCK_WEIGHTS = 2**18


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive heads: whole layers, or a part of one.

    layer, head: where it begins. layers, heads: how many layers it touches, and how many heads of each it
    holds. reach: how far apart query and key may be in these layers, None where every key is near enough.
    weights: float32[layer and head, query, key]; who changes them changes them back.
    """

    layer: int
    head: int
    layers: int
    heads: int
    reach: int | None
    weights: Float32


class BlockConsumer(Protocol):
    """What takes one block after another, in order, and is asked for its result in the end."""

    def take(self, block: Block) -> None:
        """Measure the heads of a block."""


def feed_blocks(attention: StoredAttention, consumers: Iterable[BlockConsumer]) -> None:
    """Give every block to each of the consumers in turn. Raises `DamagedEntry`, and what they raise."""
    consumers = tuple(consumers)
    for block in blocks(attention):
        try:
            for consumer in consumers:
                consumer.take(block)
        except Exception:
            # The bytes of a layer are compared when the last of it is read: damage explains what it led to.
            for layer in range(block.layer, block.layer + block.layers):
                attention.layer(layer)
            raise


def joined(measured: Sequence[Arrays], axis: int = 0) -> Arrays:
    """What was measured on one block after another, array by array: the heads are on `axis`."""
    return measured[0]._make(np.concatenate(arrays, axis) for arrays in zip(*measured, strict=True))


def blocks(attention: StoredAttention) -> Iterator[Block]:
    """The heads of all layers in order. Raises `DamagedEntry` when a layer is not as it should be."""
    facts = attention.facts
    shape = (len(attention.tokens), len(attention.keys))
    weights = max(1, math.prod(shape))
    for first, end, reach in _runs(attention, facts.heads * weights):
        head = 0
        for stored in attention.parts(first, end, max(1, BLOCK_WEIGHTS // weights)):
            if stored.shape[2:] != shape or head + stored.shape[1] > facts.heads:
                raise DamagedEntry(
                    f"layer {first} holds weights of shape {stored.shape[1:]}, not {(facts.heads, *shape)}"
                )
            # Mostly stored in half precision, in which sums would be rounded at every step.
            exact = widened(stored).reshape(-1, *shape)
            yield Block(first, head, end - first, stored.shape[1], reach, exact)
            head += stored.shape[1]
        if head != facts.heads:
            raise DamagedEntry(f"layer {first} holds {head} heads, not {facts.heads}")


def _runs(attention: StoredAttention, weights: int) -> Iterator[tuple[int, int, int | None]]:
    """Layers read together, first and end with their reach; `weights` are those of a layer."""
    layers, reaches = attention.facts.layers, reaches_of(attention)
    start = 0
    while start < layers:
        end = start + 1
        # Small layers together, since every call costs more than measuring a few heads; one reach, one
        # layout.
        while (
            end < layers and reaches[end] == reaches[start] and (end + 1 - start) * weights <= BLOCK_WEIGHTS
        ):
            end += 1
        yield start, end, reaches[start]
        start = end


def reaches_of(attention: StoredAttention) -> list[int | None]:
    """How far apart query and key may be in each layer; None where every key is near enough."""
    facts = attention.facts
    windows = facts.windows or (None,) * facts.layers
    farthest = len(attention.tokens) - 1
    # A window counts the query itself.
    return [None if window is None or window > farthest else window - 1 for window in windows]
