"""Two models that are built differently, on one sentence: which head of one is most like which other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.analysis.contrast.counterparts import Counterparts
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import (
    ContrastContext,
    ContrastFigure,
    ContrastRow,
    ContrastTable,
)
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastReader
from attention_gallery.pages.kinds.contrast.same_heads import (
    PICTURED,
    RANKED,
    base_context,
    precision,
    strip,
    unit,
)
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.records import head_name

ALONE = 5
_SIDES = ("left", "right")
_NUMBERS = ("distance", "error", "chance", "chance_error")
# Standard errors between a distance and what chance gives for one to be clearly nearer.
CLEAR = 2


def models_context(reader: ContrastReader, counterparts: Counterparts) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    left, right = reader.side_titles
    strips = (
        strip(
            f"From each head of {left} to the nearest of {right}",
            counterparts.left_distance,
            _href(reader, 0),
        ),
        strip(
            f"From each head of {right} to the nearest of {left}",
            counterparts.right_distance,
            _href(reader, 1),
        ),
    )
    return base_context(
        reader,
        kind="models",
        summary=_summary(reader, counterparts),
        strips=strips if len(reader.frame.compared) else (),
        tables=tuple(table for table in _tables(reader, counterparts) if table.rows),
        figures=tuple(_figures(reader, counterparts)),
        method=_method(reader, counterparts),
    )


def _href(reader: ContrastReader, side: int) -> Callable[[HeadIndex], str]:
    capture = (reader.left, reader.right)[side]
    return lambda head: reader.href(capture, head)


def _summary(reader: ContrastReader, counterparts: Counterparts) -> tuple[str, ...]:
    left, right = reader.side_titles
    mutual = counterparts.mutual()
    if not mutual:
        return ("No row of the one can be compared with one of the other.",)
    head, other, distance = mutual[0]
    distances = counterparts.left_distance
    near = int((distances + CLEAR * counterparts.left_chance_error < counterparts.left_chance).sum())
    many = wording.count(len(mutual), "pair")
    return (
        f"The two models are built differently, so that no head stands for another; but in {many} each "
        f"head is the nearest of the other. The closest are {head_name(*head)} of {left} and "
        f"{head_name(*other)} of {right}: their rows are "
        f"{wording.estimate(distance, float(counterparts.left_error[head]))} apart. Half of all pairs of a "
        "head here and one there are "
        f"{wording.estimate(counterparts.typical, counterparts.typical_error)} apart "
        "or less.",
        f"For {near} of {wording.count(distances.size, 'head')} of {left} something in {right} is "
        "nearer than anything there comes to the same weights in random order, by more than two standard "
        "errors.",
    )


def _tables(reader: ContrastReader, counterparts: Counterparts) -> Iterator[ContrastTable]:
    left, right = reader.side_titles
    mutual = counterparts.mutual()
    about = (
        "Heads that are each other’s nearest. Beside their distance: how near any head comes to the same "
        "weights in random order."
    )
    rows = tuple(_row(reader, counterparts, 0, head, other) for head, other, _ in mutual[:RANKED])
    yield ContrastTable("Counterparts", about, left, right, rows)
    about = "None is each other’s nearest, and their nearest is further away than that of the others."
    for side, (title, columns) in enumerate(
        (
            (f"Heads of {left} that have no like in {right}", (left, f"Nearest in {right}")),
            (f"Heads of {right} that have no like in {left}", (f"Nearest in {left}", right)),
        )
    ):
        # In the table of counterparts already.
        paired = {pair[side] for pair in mutual}
        alone = [pair for pair in _nearest(counterparts, side) if pair[0] not in paired][:ALONE]
        rows = tuple(_row(reader, counterparts, side, *pair) for pair in alone)
        yield ContrastTable(title, about, *columns, rows)


def _nearest(counterparts: Counterparts, side: int) -> Iterator[tuple[HeadIndex, HeadIndex]]:
    """Each head of one side with its nearest of the other, the furthest first."""
    nearest = (counterparts.left_nearest, counterparts.right_nearest)
    distances = (counterparts.left_distance, counterparts.right_distance)[side]
    # NaN comes last, since distances are 0 or more; of equal ones the first head stays first.
    for index in np.argsort(-np.nan_to_num(distances.ravel(), nan=-1), kind="stable").tolist():
        head = divmod(index, distances.shape[1])
        if nearest[side][head] >= 0:
            yield head, divmod(int(nearest[side][head]), nearest[1 - side].shape[1])


def _row(
    reader: ContrastReader, counterparts: Counterparts, side: int, head: HeadIndex, other: HeadIndex
) -> ContrastRow:
    """A head of one side and its nearest of the other, with the numbers of the first."""
    name = _SIDES[side]
    distance, error, chance, chance_error = (
        float(getattr(counterparts, f"{name}_{number}")[head]) for number in _NUMBERS
    )
    left, right = (head, other) if side == 0 else (other, head)
    return ContrastRow(
        reader.cell(reader.left, left),
        reader.cell(reader.right, right),
        wording.estimate(distance, error),
        round(100 * distance),
        wording.estimate(chance, chance_error),
        "",
    )


def _figures(reader: ContrastReader, counterparts: Counterparts) -> Iterator[ContrastFigure]:
    for head, other, _ in counterparts.mutual()[:PICTURED]:
        yield reader.figure_of(head, other, f"{head_name(*head)} and {head_name(*other)}")
    if len(reader.frame.compared):
        left, right = counterparts.average
        yield reader.figure("All heads averaged", (left, right), ("All heads", "All heads"))


def _some_rows(counterparts: Counterparts) -> tuple[str, ...]:
    """That distances are estimated, where the text is that long."""
    some, every = counterparts.rows
    if some == every:
        return ()
    return (
        f"Heads are compared on {some:,} of {every:,} rows, at even distances: distances are estimated, with "
        "their standard errors after ±.",
    )


def _method(reader: ContrastReader, counterparts: Counterparts) -> tuple[str, ...]:
    models = (reader.left.model, reader.right.model)
    causal = [model.spec.title for model in models if model.causal]
    ahead = (
        (f"{causal[0]} cannot look ahead, so that a head that does has no like there.",)
        if len(causal) == 1
        else ()
    )
    return (
        "A distance is the Jensen-Shannon divergence in bits of what a word gives to all others in both "
        "models, averaged over the words that both have and that can look at more than one: 0 for heads "
        "that do the same, 1 for heads that never look at the same word. Special tokens that one model "
        "alone has count as not looked at in the other, so that heads that rest on different sinks are "
        "far apart.",
        unit(reader),
        *_some_rows(counterparts),
        "In random order: the weights of each row are shuffled once among all that it can see, and compared "
        "with every head of the other model. That is estimated; after ± stands its standard error.",
        *ahead,
        precision(reader),
    )
