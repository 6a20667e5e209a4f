"""What an entry may hold beside the weights: lengths of vectors and predictions, in arrays of their own.

Whether a model tells them is known before it runs, so their room in the file is set apart before the layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from attention_gallery.records import Predictions, SideOutputs

Arrays = Mapping[str, NDArray[Any]]
_NORMS = "norms"
_PREDICTED = "predicted."


@dataclass(frozen=True, slots=True)
class SideOutputShape:
    """What will be there: norms or not, and predictions at so many positions, each of so many tokens."""

    norms: bool = False
    predicted: tuple[int, int] | None = None

    @classmethod
    def of(cls, side_outputs: SideOutputs) -> SideOutputShape:
        """What is there."""
        predictions = side_outputs.predictions
        return cls(side_outputs.norms is not None, None if predictions is None else predictions.shape)

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


NO_ROOM = SideOutputShape()


@dataclass(frozen=True, slots=True)
class SideOutputNotes:
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
    def of(cls, side_outputs: SideOutputs, crc32: int) -> SideOutputNotes:
        """The notes on side outputs whose arrays have this checksum."""
        shape = SideOutputShape.of(side_outputs)
        texts = () if side_outputs.predictions is None else side_outputs.predictions.texts
        return cls(
            shape.norms, shape.predicted, texts, side_outputs.no_norms, side_outputs.no_predictions, crc32
        )

    @property
    def shape(self) -> SideOutputShape:
        """Which arrays there are."""
        return SideOutputShape(self.norms, self.predicted)

    def side_outputs(self, arrays: Arrays) -> SideOutputs:
        """The notes and their arrays put together."""
        for array in arrays.values():
            array.flags.writeable = False
        prefix = len(_PREDICTED)
        named = {name[prefix:]: array for name, array in arrays.items() if name.startswith(_PREDICTED)}
        predictions = Predictions(texts=self.texts, **named) if self.predicted is not None else None
        return SideOutputs(arrays.get(_NORMS), predictions, self.no_norms, self.no_predictions)


def is_side_output(name: str) -> bool:
    """Whether an array of an entry is one of these."""
    return name == _NORMS or name.startswith(_PREDICTED)


def side_output_arrays(side_outputs: SideOutputs) -> dict[str, NDArray[Any]]:
    """The arrays under the names of their slots."""
    arrays: dict[str, NDArray[Any]] = {} if side_outputs.norms is None else {_NORMS: side_outputs.norms}
    if side_outputs.predictions is not None:
        for name in ("positions", "ids", "probabilities", "actual"):
            arrays[_PREDICTED + name] = getattr(side_outputs.predictions, name)
    return arrays
