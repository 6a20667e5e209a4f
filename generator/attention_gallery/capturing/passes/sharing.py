"""Whether sentences of one length may share a pass: only where that changes no bit of what is kept.

It is tried on tokens that mean nothing, never on the sentences themselves, so that the answer does not depend
on what a gallery holds. A sentence that runs alone, filled up to `fewest_rows` with copies of itself, sets
the bits; a larger batch is used only where every row of a trial has those bits. So which batches are tried,
and in which order, changes how long it takes and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from attention_gallery.capturing.passes.batches import Shape, fewest_rows
from attention_gallery.capturing.passes.pass_inputs import trial_inputs
from attention_gallery.capturing.strategies import OutputsStrategy
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.memory import raise_trouble
from attention_gallery.models.loading.placement import running_on
from attention_gallery.models.loading.quiet import quiet_libraries

if TYPE_CHECKING:
    from attention_gallery.capturing.passes.prepare import PreparedModel

EQUAL_LENGTHS, ONE_BY_ONE = "equal lengths", "one by one"
# How far a copy beside it may change a weight; other formats than float32 round differently with every shape.
BATCH_TOLERANCE = 1e-5
_ROUNDED = 0.05
_LENGTH = 11  # hardly the size of anything else
_TRIAL = (_LENGTH, _LENGTH)  # what a model reads, and its decoder, where it has one
# Multiplies groups of rows whose sizes depend on what is read, although all shapes are the same.
_GROUPED = "grouped_mm"
# The name of an operation, and the shapes of what it made.
Operation = tuple[str, tuple[tuple[int, ...], ...]]
# Pointwise operations that processors compute for so many numbers at once, and the few that are left over at
# the end of each thread's share in another way, with other last bits.
_ROUNDED_APART = frozenset(
    (
        *("celu", "cos", "elu", "erf", "erfc", "exp", "exp2", "expm1", "gelu", "log", "log10", "log1p"),
        *("log2", "log_sigmoid", "logaddexp", "mish", "pow", "selu", "sigmoid", "silu", "sin", "softplus"),
        *("tan", "tanh"),
    )
)
_AT_ONCE = 32  # of float32 under AVX-512, the most that there are
_SHARE = 32768  # at::internal::GRAIN_SIZE: fewer numbers are no share for a thread


def can_share(prepared: PreparedModel) -> bool:
    """Whether the sentences of a model may ever share a pass.

    They may not where how much is computed depends on what is read, as for mixtures of experts: which experts
    run on how many tokens together is then a matter of the whole batch. Nor where two texts are computed by
    other operations than one, or where a row depends on the others beside it, found by trying two texts
    together and each alone. Raises `MemoryError`, and `OSError` for
    trouble of the system.
    """
    trials = BatchTrials(prepared)
    try:
        ours, other, pair = (trials.traced(texts) for texts in ([0], [1], [0, 1]))
        names = [name for name, _ in ours]
        if ours != other or names != [name for name, _ in pair] or any(_GROUPED in name for name in names):
            return False
        alone = [trials.layers(_TRIAL, [text]) for text in (0, 1)]
        together = trials.layers(_TRIAL, [0, 1])
    except MODEL_FAULTS as error:
        raise_trouble(error)  # else a machine with more room would capture in another way
        return False  # whoever captures the sentences one by one is told if that fails, too
    tolerance = BATCH_TOLERANCE if prepared.loaded.dtype == "float32" else _ROUNDED
    return all(
        len(own) == len(together)
        and all(_near(tensor[0], batch[row], tolerance) for tensor, batch in zip(own, together, strict=True))
        for row, own in enumerate(alone)
    )


def _no_rest(numbers: int, threads: int) -> bool:
    """Whether so many numbers leave none over in any thread's share, as torch divides them."""
    shares = max(1, min(threads, -(-numbers // _SHARE)))
    return numbers % _AT_ONCE == 0 and -(-numbers // shares) % _AT_ONCE == 0


def _near(first: torch.Tensor, second: torch.Tensor, tolerance: float) -> bool:
    if first.shape != second.shape:
        return False
    return float((first - second).abs().max()) <= tolerance * max(1.0, float(first.abs().max()))


class BatchTrials:
    """Tries how many rows of a length may share a pass of one model, each only once."""

    def __init__(self, prepared: PreparedModel) -> None:
        self._prepared = prepared
        self._depth = _depth(prepared)
        self._alone: dict[Shape, list[list[torch.Tensor]]] = {}
        self._found: dict[tuple[Shape, int], bool] = {}

    def may_share(self, shape: Shape, rows: int) -> bool:
        """Whether every row of a pass over so many sentences has the bits that it has alone."""
        if not self._prepared.shares:
            return False
        if (shape, rows) not in self._found:
            self._found[shape, rows] = self._try(shape, rows)
        return self._found[shape, rows]

    def _try(self, shape: Shape, rows: int) -> bool:
        try:
            return self._leaves_none_over(shape, rows) and self._keeps_every_bit(shape, rows)
        except MODEL_FAULTS:  # too little memory among them
            return False  # whoever captures the sentences one by one is told if that fails, too

    def _leaves_none_over(self, shape: Shape, rows: int) -> bool:
        """Whether all numbers of pointwise operations are computed in the same way, wherever their row lies.

        A trial would not see it every time, since what is left over is little and often rounded alike.
        """
        loaded = self._prepared.loaded
        if loaded.model.device.type != "cpu":
            return True
        pairs = [(numbers, length**power) for numbers, power in self._pointwise for length in shape]
        totals = {rows * numbers * each for numbers, each in pairs}
        return all(_no_rest(total, loaded.threads) for total in totals)

    @cached_property
    def _pointwise(self) -> frozenset[tuple[int, int]]:
        """Of each pointwise operation that is not exact, how many numbers a row has: n times length to the p.

        Those of which a batch has no more than a row are left out.
        """
        with running_on(self._prepared.loaded.threads):
            single, double = self.traced([0]), self.traced([0, 1])
        row_sizes: set[tuple[int, int]] = set()
        for (name, alone), (_, both) in zip(single, double, strict=True):
            if name.removeprefix("aten.").partition(".")[0].rstrip("_") not in _ROUNDED_APART:
                continue
            for of_single, of_double in zip(alone, both, strict=True):
                if math.prod(of_double) > math.prod(of_single):
                    power = min(2, of_single.count(_LENGTH))
                    row_sizes.add((math.prod(of_single) // _LENGTH**power, power))
        return frozenset(row_sizes)

    def _keeps_every_bit(self, shape: Shape, rows: int) -> bool:
        copies = fewest_rows(shape)
        if shape not in self._alone:
            self._alone = {}  # those of one length at a time are enough, as lengths come in order
            self._alone[shape] = [self.layers(shape, [text] * copies) for text in (0, 1)]
        together = self.layers(shape, [row % 2 for row in range(rows)])
        alone = self._alone[shape]
        return all(_same(alone[row % 2], together, row) for row in range(rows))

    def layers(self, shape: Shape, texts: Sequence[int]) -> list[torch.Tensor]:
        """All that a pass over two texts without meaning, in this order, gives: [batch, …] each.

        Weights of every layer that is looked at, lengths of what heads take, and final states where the pass
        comes to its end.
        """
        tensors: list[torch.Tensor] = []
        loaded = self._prepared.loaded
        sinks = {kind: _TrialSink(facts.heads, self._depth, tensors) for kind, facts in loaded.parts.items()}
        to_end = self._depth is None
        with running_on(loaded.threads), quiet_libraries():
            norms, states = self._prepared.capture(trial_inputs(loaded, shape, texts), sinks, to_end)
        for layers in norms.values():
            tensors.extend(layers[: self._depth])
        return [*tensors, states] if to_end and states is not None else tensors

    def traced(self, texts: Sequence[int]) -> list[Operation]:
        """Every operation of a pass over these texts, with how many numbers it made, in what shapes."""
        trace = _Trace()
        with quiet_libraries(), torch.inference_mode(), trace:
            self._prepared.loaded.model(**trial_inputs(self._prepared.loaded, _TRIAL, texts))
        return trace.operations


def _same(alone: list[torch.Tensor], together: list[torch.Tensor], row: int) -> bool:
    pairs = zip(alone, together, strict=True)
    return len(alone) == len(together) and all(torch.equal(own[0], both[row]) for own, both in pairs)


class _TrialSink:
    """Puts the heads of each layer together and keeps the first layers."""

    def __init__(self, heads: int, depth: int | None, tensors: list[torch.Tensor]) -> None:
        self._heads, self._depth, self._kept = heads, depth, tensors
        self._parts: list[torch.Tensor] = []
        self._count = 0

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        self._parts.append(weights.clone())
        if first + weights.shape[1] < self._heads:
            return
        if not self.full:
            self._kept.append(torch.cat(self._parts, dim=1))
        self._count += 1
        self._parts = []

    @property
    def full(self) -> bool:
        return self._depth is not None and self._count >= self._depth

    def finish(self) -> None:
        """What is missing shows when rows are compared."""


class _Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down what is computed, as far as that could depend on what is read."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        several = made if isinstance(made, tuple | list) else (made,)
        shapes = tuple(tuple(tensor.shape) for tensor in several if isinstance(tensor, torch.Tensor))
        self.operations.append((str(func), shapes))
        return made


def _depth(prepared: PreparedModel) -> int | None:
    """How many layers must be looked at to have seen every kind of block at work; None for all.

    The weights of a layer show what the blocks before it computed. Blocks of the same modules and shapes
    compute alike, so that a trial can end with the layer after the last block that is unlike those before it.
    """
    loaded, names = prepared.loaded, list(prepared.kinds)
    facts = loaded.facts
    if loaded.is_encoder_decoder or facts.skipped or isinstance(prepared.strategy, OutputsStrategy):
        return None
    blocks = [match.group() for name in names if (match := re.match(r"(.*?\.)?\d+(?=\.|$)", name))]
    if len(blocks) != facts.layers or len(set(blocks)) != facts.layers:
        return None
    made_of = [_made_of(loaded.model.get_submodule(block)) for block in blocks]
    newest = max(made_of.index(kind_of_block) for kind_of_block in made_of)
    return newest + 2 if newest + 2 < facts.layers else None


def _made_of(block: torch.nn.Module) -> tuple[Any, ...]:
    modules = tuple((name, type(module)) for name, module in block.named_modules())
    return modules, tuple((name, tuple(value.shape)) for name, value in block.named_parameters())
