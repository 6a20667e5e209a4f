"""What an entry may hold beside the weights: lengths of vectors and predictions, in arrays of their own.

Whether a model tells them is known before it runs, so their room in the file is set apart before the layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from attention_gallery.records import Beside, Predictions

Arrays = Mapping[str, NDArray[Any]]
_NORMS = "norms"
_PREDICTED = "predicted."


@dataclass(frozen=True, slots=True)
class BesideShape:
    """What will be there: norms or not, and predictions at so many positions, each of so many tokens."""

    norms: bool = False
    predicted: tuple[int, int] | None = None

    @classmethod
    def of(cls, beside: Beside) -> BesideShape:
        """What is there."""
        predictions = beside.predictions
        return cls(beside.norms is not None, None if predictions is None else predictions.shape)

    def slots(self, layers: int, heads: int, keys: int) -> list[tuple[str, str, tuple[int, ...]]]:
        """Name, safetensors type and shape of each array."""
        slots: list[tuple[str, str, tuple[int, ...]]] = []
        if self.norms:
            slots.append((_NORMS, "F32", (layers, heads, keys)))
        if self.predicted is not None:
            positions, ranks = self.predicted
            slots += [
                (f"{_PREDICTED}positions", "I32", (positions,)),
                (f"{_PREDICTED}ids", "I32", (positions, ranks)),
                (f"{_PREDICTED}probabilities", "F32", (positions, ranks)),
                (f"{_PREDICTED}actual", "F32", (positions,)),
            ]
        return slots


NO_ROOM = BesideShape()


@dataclass(frozen=True, slots=True)
class BesideNotes:
    """What is not an array: which arrays there are, the texts of what is predicted, and why others are not.

    `crc32` is the checksum of the arrays, in the order in which they lie in the file.
    """

    norms: bool
    predicted: tuple[int, int] | None
    texts: tuple[tuple[str, ...], ...]
    no_norms: str
    no_predictions: str
    crc32: int

    @classmethod
    def of(cls, beside: Beside, crc32: int) -> BesideNotes:
        """The notes on `beside`."""
        shape = BesideShape.of(beside)
        texts = () if beside.predictions is None else beside.predictions.texts
        return cls(shape.norms, shape.predicted, texts, beside.no_norms, beside.no_predictions, crc32)

    @property
    def shape(self) -> BesideShape:
        """Which arrays there are."""
        return BesideShape(self.norms, self.predicted)

    def beside(self, arrays: Arrays) -> Beside:
        """The notes and their arrays put together."""
        for array in arrays.values():
            array.flags.writeable = False
        prefix = len(_PREDICTED)
        named = {name[prefix:]: array for name, array in arrays.items() if name.startswith(_PREDICTED)}
        predictions = Predictions(texts=self.texts, **named) if self.predicted is not None else None
        return Beside(arrays.get(_NORMS), predictions, self.no_norms, self.no_predictions)


def is_beside(name: str) -> bool:
    """Whether an array of an entry is one of these."""
    return name == _NORMS or name.startswith(_PREDICTED)


def beside_arrays(beside: Beside) -> dict[str, NDArray[Any]]:
    """The arrays under the names of their slots."""
    arrays: dict[str, NDArray[Any]] = {} if beside.norms is None else {_NORMS: beside.norms}
    if beside.predictions is not None:
        for name in ("positions", "ids", "probabilities", "actual"):
            arrays[_PREDICTED + name] = getattr(beside.predictions, name)
    return arrays
