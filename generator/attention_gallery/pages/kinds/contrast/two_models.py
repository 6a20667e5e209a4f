"""Two models that are built differently, on one sentence: which head of one is most like which other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.analysis import Counterparts
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import (
    ContrastContext,
    ContrastFigure,
    ContrastRow,
    ContrastTable,
)
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastView
from attention_gallery.pages.kinds.contrast.same_heads import (
    PICTURED,
    RANKED,
    base_context,
    precision,
    strip,
    unit,
)
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import head_name

ALONE = 5
_NUMBERS = ("error", "chance", "chance_error")
# Standard errors between a distance and what chance gives for one to be clearly nearer.
CLEAR = 2


def models_context(view: ContrastView) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    found = view.counterparts
    left, right = view.side_titles
    strips = (
        strip(f"From each head of {left} to the nearest of {right}", found.left_distance, _href(view, 0)),
        strip(f"From each head of {right} to the nearest of {left}", found.right_distance, _href(view, 1)),
    )
    return base_context(
        view,
        kind="models",
        summary=_summary(view),
        strips=strips if len(view.frame.compared) else (),
        tables=tuple(table for table in _tables(view) if table.rows),
        figures=tuple(_figures(view)),
        method=_method(view),
    )


def _href(view: ContrastView, side: int) -> Callable[[Place], str]:
    pair = (view.left, view.right)[side]
    return lambda place: view.href(pair, place)


def _summary(view: ContrastView) -> tuple[str, ...]:
    found = view.counterparts
    left, right = view.side_titles
    mutual = found.mutual()
    if not mutual:
        return ("No row of the one can be compared with one of the other.",)
    one, other, distance = mutual[0]
    near = int((found.left_distance + CLEAR * found.left_chance_error < found.left_chance).sum())
    many = wording.count(len(mutual), "pair")
    return (
        f"The two models are built differently, so that no head stands for another; but in {many} each "
        f"head is the nearest of the other. The closest are {head_name(*one)} of {left} and "
        f"{head_name(*other)} of {right}: their rows are "
        f"{wording.estimate(distance, float(found.left_error[one]))} apart. Half of all pairs of a head here "
        f"and one there are {wording.estimate(found.typical, found.typical_error)} apart "
        "or less.",
        f"For {near} of {wording.count(found.left_distance.size, 'head')} of {left} something in {right} is "
        "nearer than anything there comes to the same weights in random order, by more than two standard "
        "errors.",
    )


def _tables(view: ContrastView) -> Iterator[ContrastTable]:
    found = view.counterparts
    left, right = view.side_titles
    rows = tuple(
        _row(view, (one, other), one, distance, left_side=True)
        for one, other, distance in found.mutual()[:RANKED]
    )
    about = (
        "Heads that are each other’s nearest. Beside their distance: how near any head comes to the same "
        "weights in random order."
    )
    yield ContrastTable("Counterparts", about, left, right, rows)
    about = "None is each other’s nearest, and their nearest is further away than that of the others."
    yield ContrastTable(
        f"Heads of {left} that have no like in {right}",
        about,
        left,
        f"Nearest in {right}",
        tuple(
            _row(view, (one, other), one, distance, left_side=True)
            for one, other, distance in _alone(found, left_side=True)
        ),
    )
    yield ContrastTable(
        f"Heads of {right} that have no like in {left}",
        about,
        f"Nearest in {left}",
        right,
        tuple(
            _row(view, (other, one), one, distance, left_side=False)
            for one, other, distance in _alone(found, left_side=False)
        ),
    )


def _alone(found: Counterparts, *, left_side: bool) -> Iterator[tuple[Place, Place, float]]:
    """Heads of one side whose nearest is furthest away, with it; those that found each other left out."""
    nearest, distances = (
        (found.left_nearest, found.left_distance)
        if left_side
        else (found.right_nearest, found.right_distance)
    )
    heads = (found.right_nearest if left_side else found.left_nearest).shape[1]
    paired = {one[0] if left_side else one[1] for one in found.mutual()}
    order = np.argsort(-np.nan_to_num(distances.ravel(), nan=-1), kind="stable")
    places = [divmod(index, distances.shape[1]) for index in order.tolist()]
    for place in [one for one in places if one not in paired and nearest[one] >= 0][:ALONE]:
        yield place, divmod(int(nearest[place]), heads), float(distances[place])


def _row(
    view: ContrastView, places: tuple[Place, Place], own: Place, distance: float, *, left_side: bool
) -> ContrastRow:
    """Two heads; the numbers are those of `own`, which is of the one side or of the other."""
    found, side = view.counterparts, "left" if left_side else "right"
    error, chance, off = (float(getattr(found, f"{side}_{name}")[own]) for name in _NUMBERS)
    left, right = view.cell(view.left, places[0]), view.cell(view.right, places[1])
    told, random = wording.estimate(distance, error), wording.estimate(chance, off)
    return ContrastRow(left, right, told, round(100 * distance), random, "")


def _figures(view: ContrastView) -> Iterator[ContrastFigure]:
    for one, other, _ in view.counterparts.mutual()[:PICTURED]:
        yield view.figure_of(one, other, f"{head_name(*one)} and {head_name(*other)}")
    average = view.counterparts.average
    if len(view.frame.compared):
        yield view.figure("All heads averaged", average[0], average[1], ("All heads", "All heads"))


def _some_rows(found: Counterparts) -> tuple[str, ...]:
    """That distances are estimated, where the text is that long."""
    some, every = found.rows
    if some == every:
        return ()
    return (
        f"Heads are compared on {some:,} of {every:,} rows, at even distances: distances are estimated, with "
        "their standard errors after ±.",
    )


def _method(view: ContrastView) -> tuple[str, ...]:
    causal = [pair.model.spec.title for pair in (view.left, view.right) if pair.model.causal]
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
        unit(view),
        *_some_rows(view.counterparts),
        "In random order: the weights of each row are shuffled once among all that it can see, and compared "
        "with every head of the other model. That is estimated; after ± stands its standard error.",
        *ahead,
        precision(view),
    )
