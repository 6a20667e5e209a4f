"""Where the heads of a model lie to each other: a map in two dimensions, groups, and the nearest of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.analysis.similarity.distances import DISTANCES, HeadDistances, MeanDistances, mean_of
from attention_gallery.records import Float32, Int32

MAGIC = b"attention-gallery head map 2\n"
NEAREST = 5
FEWEST_HEADS = 3
FEWEST_GROUPS, MOST_GROUPS = 4, 8
DTYPES = {"positions": "<f4", "groups": "<i4", "nearest": "<i4", "nearest_distance": "<f4"}
DTYPES |= {"nearest_error": "<f4"}
FACTS = ("shown", "typical", "typical_error", "sentences", "estimated")
# Eigenvalues this small beside the largest are rounding: distances are kept in single precision.
ROUNDING = 1e-5

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeadMap:
    """The heads of one model, of all layers in one count, by their mean distance over sentences.

    positions: float32[head, 2], the two directions in which they differ most; the distance of two heads on
    the map is at most the root of their divergence. shown: the share of all differences that lies in these
    two. groups: int32[head], numbered from 0 in the order of their first heads. nearest: int32[head, n] and
    nearest_distance: float32[head, n], the heads most like each and their divergence in bits, 0 to 1.
    nearest_error: float32[head, n], the standard errors of these, 0 where nothing was estimated. typical: the
    mean divergence of two heads, typical_error: its standard error. sentences: over how many the distances
    are averaged, estimated: on how many of these some rows stood for all.
    """

    positions: Float32
    shown: float
    groups: Int32
    nearest: Int32
    nearest_distance: Float32
    nearest_error: Float32
    typical: float
    typical_error: float = 0.0
    sentences: int = 1
    estimated: int = 0


def map_heads(distance: Float64, measured: MeanDistances | None = None) -> HeadMap | None:
    """The map of heads that are `distance` apart: divergences float64[head, head].

    The root of the Jensen-Shannon divergence is a Euclidean distance, so that classical scaling (Torgerson
    1952) places the heads exactly, and Ward's method may group them in all their dimensions. There are four
    to eight groups, as many as set them apart best by their silhouette (Rousseeuw 1987). `measured` tells how
    exact the distances are, None that they are. None where there are fewer than three heads, or all do the
    same.
    """
    heads = len(distance)
    if heads < FEWEST_HEADS or distance.max() < 1e-6:
        return None
    places, shares = _scaled(distance)
    positions = np.zeros((heads, 2), dtype=np.float32)
    positions[:, : places.shape[1]] = places[:, :2]
    order = np.argsort(distance + 2 * np.eye(heads), axis=1, kind="stable")[:, : min(NEAREST, heads - 1)]
    error = np.zeros_like(distance) if measured is None else measured.error
    return HeadMap(
        positions=positions,
        shown=float(shares[:2].sum()),
        groups=_groups(places, np.sqrt(distance)),
        nearest=order.astype(np.int32),
        nearest_distance=np.take_along_axis(distance, order, axis=1).astype(np.float32),
        nearest_error=np.take_along_axis(error, order, axis=1).astype(np.float32),
        typical=float(distance.sum() / (heads * (heads - 1))),
        typical_error=0.0 if measured is None else measured.typical_error,
        sentences=1 if measured is None else measured.sentences,
        estimated=0 if measured is None else measured.estimated,
    )


def _scaled(distance: Float64) -> tuple[Float64, Float64]:
    """Classical scaling of squared distances: places float64[head, n], and the share of each direction [n].

    Directions stand in order, the one in which heads differ most first. Those that are nothing but rounding,
    of which heads that are nearly alike have many, are left out.
    """
    centred = distance - distance.mean(axis=0)
    values, vectors = np.linalg.eigh(-(centred - centred.mean(axis=1, keepdims=True)) / 2)
    real = values[::-1] > max(ROUNDING * values[-1], 0)
    values, vectors = values[::-1][real], vectors[:, ::-1][:, real]
    # Eigenvectors have no sign of their own.
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(len(values))])
    return vectors * signs * np.sqrt(values), values / values.sum()


def _groups(places: Float64, apart: Float64) -> Int32:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    heads = len(places)
    counts = range(min(FEWEST_GROUPS, heads - 1), min(MOST_GROUPS, heads - 1) + 1)
    found = [AgglomerativeClustering(count, linkage="ward").fit_predict(places) for count in counts]
    best = max(found, key=lambda groups: round(silhouette_score(apart, groups, metric="precomputed"), 6))
    order = {group: number for number, group in enumerate(dict.fromkeys(best.tolist()))}
    return np.array([order[group] for group in best.tolist()], dtype=np.int32)


def save_map(found: HeadMap | None) -> bytes:
    """A map, or that there is none, as bytes."""
    if found is None:
        return pack(MAGIC, {"none": True}, {})
    facts = {name: getattr(found, name) for name in FACTS}
    return pack(MAGIC, facts, {name: getattr(found, name).astype(kind) for name, kind in DTYPES.items()})


def load_map(data: bytes) -> HeadMap | None:
    """What `save_map` was given. Raises `DamagedEntry` for any other bytes."""
    if data == save_map(None):
        return None
    facts, arrays = unpack(MAGIC, data, DTYPES)
    fields: dict[str, Any] = {**{name: facts[name] for name in FACTS}, **arrays}
    return HeadMap(**fields)


def _subjects(inventory: Inventory) -> Iterator[Subject]:
    """The sentences of each model, with drafts and without, each text once."""
    for model in sorted({model for model, _ in inventory.captures}):
        keys = {sentence: key for (reader, sentence), key in inventory.captures.items() if reader == model}
        yield Subject(tuple(sorted(set(keys.values()))))
        yield Subject(tuple(sorted({keys[sentence] for sentence in keys.keys() - inventory.drafts})))


def _mapped(distances: Iterator[HeadDistances]) -> HeadMap | None:
    mean = mean_of(distances)
    return None if mean is None else map_heads(mean.distance, mean)


HEAD_MAP = Result(
    name="head map",
    needs=(DISTANCES,),
    compute=lambda distances, settings, about: _mapped(distances),
    dump=save_map,
    load=lambda data, about: load_map(data),
    subjects=_subjects,
    libraries=("scikit-learn",),
)
