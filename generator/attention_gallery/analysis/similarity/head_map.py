"""Where the heads of a model lie to each other: a map in two dimensions, groups, and the nearest of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, pack_fields, unpack_fields
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.analysis.similarity.distances import DISTANCES, HeadDistances, MeanDistances, mean_of
from attention_gallery.records import Float32, Int32

MAGIC = b"attention-gallery head map 2\n"
NEAREST = 5
FEWEST_HEADS = 3
FEWEST_GROUPS, MOST_GROUPS = 4, 8
# Eigenvalues this small beside the largest are rounding: distances are kept in single precision.
ROUNDING = 1e-5

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeadMap:
    """The heads of one model, of all layers in one count, by their mean distance over sentences.

    positions: float32[head, 2], the two directions in which they differ most; the distance of two heads on
    the map is at most the root of their divergence. explained: the share of all differences that lies in
    these two. groups: int32[head], numbered from 0 in the order of their first heads. nearest: int32[head, n]
    and nearest_distance: float32[head, n], the heads most like each and their divergence in bits, 0 to 1.
    nearest_error: float32[head, n], the standard errors of these, 0 where nothing was estimated. typical: the
    mean divergence of two heads, typical_error: its standard error. sentences: over how many the distances
    are averaged, estimated: on how many of these some rows stood for all.
    """

    positions: Float32
    explained: float
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
    # Less is the rounding of single precision, in which distances are cached.
    if heads < FEWEST_HEADS or distance.max() < 1e-6:
        return None
    coordinates, shares = _scaled(distance)
    positions = np.zeros((heads, 2), dtype=np.float32)
    positions[:, : coordinates.shape[1]] = coordinates[:, :2]
    # No distance is above 1, so that no head is among its own nearest.
    nearest = np.argsort(distance + 2 * np.eye(heads), axis=1, kind="stable")[:, : min(NEAREST, heads - 1)]
    measured = measured or MeanDistances(distance, np.zeros_like(distance), 0.0, sentences=1, estimated=0)
    return HeadMap(
        positions=positions,
        explained=float(shares[:2].sum()),
        groups=_groups(coordinates, np.sqrt(distance)),
        nearest=nearest.astype(np.int32),
        nearest_distance=np.take_along_axis(distance, nearest, axis=1).astype(np.float32),
        nearest_error=np.take_along_axis(measured.error, nearest, axis=1).astype(np.float32),
        typical=float(distance.sum() / (heads * (heads - 1))),
        typical_error=measured.typical_error,
        sentences=measured.sentences,
        estimated=measured.estimated,
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


def _groups(coordinates: Float64, apart: Float64) -> Int32:
    # Imported here, so that a build whose map is cached does without scikit-learn.
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    heads = len(coordinates)
    counts = range(min(FEWEST_GROUPS, heads - 1), min(MOST_GROUPS, heads - 1) + 1)
    groupings = [AgglomerativeClustering(count, linkage="ward").fit_predict(coordinates) for count in counts]
    # Rounded, as the last bits differ between machines; of equally good ones the first has fewest groups.
    best = max(groupings, key=lambda groups: round(silhouette_score(apart, groups, metric="precomputed"), 6))
    numbers = {group: number for number, group in enumerate(dict.fromkeys(best.tolist()))}
    return np.array([numbers[group] for group in best.tolist()], dtype=np.int32)


def save_map(head_map: HeadMap | None) -> bytes:
    """A map, or that there is none, as bytes."""
    return pack(MAGIC, {"none": True}, {}) if head_map is None else pack_fields(MAGIC, head_map)


def load_map(data: bytes) -> HeadMap | None:
    """What `save_map` was given. Raises `DamagedEntry` for any other bytes."""
    return None if data == save_map(None) else unpack_fields(MAGIC, HeadMap, data)


def _subjects(inventory: Inventory) -> Iterator[Subject]:
    """The sentences of each model, with drafts and without, each text once."""
    for model in sorted({model for model, _ in inventory.captures}):
        keys = {sentence: key for (reader, sentence), key in inventory.captures.items() if reader == model}
        # Cleaning must leave both: which one a build asks for depends on --drafts.
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
