"""`/models/<model>/heads.csv` and `heads.json`: all heads of a model, measured, for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from attention_gallery.addresses import routes
from attention_gallery.analysis import HeadRelation, RelationScore, metric_named
from attention_gallery.analysis.experiments.repeated_tokens import REPEATS
from attention_gallery.analysis.probing.probe import BestHead
from attention_gallery.pages.frame import provenance
from attention_gallery.pages.readers.measured import Measured
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import Float32, HeadMetric, HeadType, head_name

# A spreadsheet takes a cell that begins like this for a formula; the last four are wide forms of the first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DIRECTIONS = ("from-to", "to-from")
HEAD_COLUMNS = ("model", "head", "layer", "index", "type", "family", "evidence", "also", "sentence", "page")
RELATION_COLUMNS = (
    "relation",
    "relation_direction",
    "relation_right",
    "relation_examples",
    "relation_share",
    "relation_baseline",
    "relation_best",
    "relation_adjusted",
)
# After the name of a measure: its mean over the sentences, the ends, and the two baselines.
MEASURE_COLUMNS = ("", "_lowest", "_highest", "_even", "_shuffled", "_shuffled_deviation")


def heads_csv(view: ModelView) -> bytes:
    """A row for every head: UTF-8, with a line of column names; undefined values are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    measured = [one.metric.name + ending for one in view.measured for ending in MEASURE_COLUMNS]
    writer.writerow([_safe(name) for name in (*HEAD_COLUMNS, *RELATION_COLUMNS, *measured)])
    columns = [column for one in view.measured for column in _columns(one)]
    for number, place in enumerate(view.model.places):
        writer.writerow(
            [*_head_cells(view, place), *_relation_cells(view, place), *(c[number] for c in columns)]
        )
    return out.getvalue().encode("utf-8")


def heads_json(view: ModelView) -> bytes:
    """The same with definitions of the measures and all relations; undefined values are null."""
    across = view.across
    value = {
        "model": {
            "slug": view.model.spec.slug,
            "title": view.model.spec.title,
            "layers": across.layers,
            "heads": across.heads,
            "kind": across.kind,
            "provenance": dict(provenance(view.model.provenance)),
        },
        "sentences": [pair.sentence.slug for pair in view.pairs],
        "axes": ["layer", "head"],
        "measures": [_measure(one) for one in view.measured],
        "relations": [] if view.probe is None else [_score(score) for score in view.probe.scores],
        "heads": [_head(view, place) for place in view.model.places],
    }
    if lacking := view.gallery.data.sides.of_page:
        value["left_out"] = [one.sentence for one in lacking]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, whoever wrote it."""
    return "'" + text if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _head_cells(view: ModelView, place: Place) -> Iterator[str]:
    kind = view.across.head_type(*place)
    slug = view.model.spec.slug
    yield _safe(slug)
    yield head_name(*place)
    yield from map(str, place)
    yield _safe(kind.name)
    yield _safe(kind.family)
    yield _safe(kind.evidence)
    yield _safe("" if kind.also is None else kind.also.name)
    yield _safe(_sentences(view, place)[0])
    yield routes.model_head(slug, view.model.routes.slug(*place))


def _relation_cells(view: ModelView, place: Place) -> Iterator[str]:
    found = _relation(view, place)
    if found is None:
        yield from ("" for _ in RELATION_COLUMNS)
        return
    yield _safe(found.kind)
    yield _DIRECTIONS[found.direction]
    yield str(found.right)
    yield str(found.examples)
    yield repr(found.share)
    yield repr(found.baseline)
    yield "true" if found.best else "false"
    yield repr(found.adjusted)


def _columns(one: Measured) -> Iterator[list[str]]:
    """The columns of one measure, in the order of `MEASURE_COLUMNS`, with a cell for every head."""
    yield _texts(one.metric.values)
    yield _texts(one.lowest)
    yield _texts(one.highest)
    yield _texts(one.even.repeat(one.metric.values.shape[1]))
    yield _texts(one.shuffled)
    yield _texts(one.shuffled_deviation)


def _texts(values: Float32) -> list[str]:
    return ["" if value != value else str(value) for value in values.ravel()]


def _measure(one: Measured) -> dict[str, Any]:
    metric = one.metric
    return {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "range": list(metric.range),
        "definition": metric.definition,
        "caveat": metric.caveat,
        "source": metric.source,
        "queries": one.queries.tolist(),
        "even": _row(one.even),
        "mean": _rows(metric.values),
        "lowest": _rows(one.lowest),
        "highest": _rows(one.highest),
        "shuffled": _rows(one.shuffled),
        "shuffled_deviation": _rows(one.shuffled_deviation),
        "shuffled_draws": _draws(metric),
    }


def _draws(metric: HeadMetric) -> int | None:
    """From at most how many random orders chance is estimated: 0 for a closed form, None for own measures."""
    if not metric.ordered or metric.name in {one.name for one in REPEATS}:
        return 0
    try:
        built_in = metric_named(metric.name)
    except KeyError:
        return None
    return 0 if built_in.compute is None else built_in.draws.most


def _rows(values: Float32) -> list[list[float | None]]:
    """Values [layer][head] with as many digits as tell them apart from any other float32."""
    return [_row(row) for row in values]


def _row(values: Float32) -> list[float | None]:
    return [None if value != value else float(str(value)) for value in values]


def _score(score: RelationScore) -> dict[str, Any]:
    best = score.best
    return {
        "kind": score.kind,
        "title": score.title,
        "group": score.group,
        "examples": score.examples,
        "sentences": score.sentences,
        "chosen_on": score.chosen_on,
        "scored_on": score.scored_on,
        "seen": dict(zip(_DIRECTIONS, score.seen, strict=True)),
        "best": None if best is None or not best.stands_out else _chosen(best),
        "nearest": None if best is None or best.stands_out else _chosen(best),
    }


def _chosen(best: BestHead) -> dict[str, Any]:
    return {
        "head": head_name(best.layer, best.head),
        "direction": _DIRECTIONS[best.direction],
        "offset": best.offset,
        "baseline": best.baseline,
        "chance": best.chance,
        **asdict(best.accuracy),
        "lead": None if best.lead is None else asdict(best.lead),
        "adjusted": best.adjusted,
    }


def _head(view: ModelView, place: Place) -> dict[str, Any]:
    kind = view.across.head_type(*place)
    found = _relation(view, place)
    return {
        "head": head_name(*place),
        "layer": place[0],
        "index": place[1],
        **_type(kind),
        "also": None if kind.also is None else _type(kind.also),
        "sentences": _sentences(view, place),
        "relation": None
        if found is None
        else {
            "kind": found.kind,
            "direction": _DIRECTIONS[found.direction],
            "right": found.right,
            "examples": found.examples,
            "share": found.share,
            "baseline": found.baseline,
            "best": found.best,
            "adjusted": found.adjusted,
        },
        "page": routes.model_head(view.model.spec.slug, view.model.routes.slug(*place)),
    }


def _type(kind: HeadType) -> dict[str, str]:
    return {"type": kind.name, "title": kind.title, "family": kind.family, "evidence": kind.evidence}


def _relation(view: ModelView, place: Place) -> HeadRelation | None:
    return None if view.probe is None else view.probe.by_head.get(place)


def _sentences(view: ModelView, place: Place) -> list[str]:
    """The three sentences that show a head best, or fewer, by their slugs."""
    return [view.pairs[index].sentence.slug for index in view.clearest[place[0]][place[1]][:3]]
