"""`/models/<model>/heads.csv` and `heads.json`: all heads of a model, measured, for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from attention_gallery.addresses import routes
from attention_gallery.analysis import RelationScore
from attention_gallery.analysis.experiments.repeated_tokens import REPEATS
from attention_gallery.analysis.measures.metrics import metric_named
from attention_gallery.analysis.measures.permutation import DRAWS
from attention_gallery.analysis.probing.probe import BestHead
from attention_gallery.pages.capture_inputs import MODEL, MODEL_PROBE
from attention_gallery.pages.downloads.download import Download
from attention_gallery.pages.frame import provenance
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.measured import Measured
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.records import Float32, HeadMetric, HeadType, head_name

# A spreadsheet takes a cell that begins like this for a formula; the last four are wide forms of the first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DIRECTIONS = ("from-to", "to-from")
HEAD_COLUMNS = ("model", "head", "layer", "index", "type", "family", "evidence", "also", "sentence", "page")
_RELATION_FACTS = ("direction", "right", "examples", "share", "baseline", "best", "adjusted")
RELATION_COLUMNS = ("relation", *(f"relation_{name}" for name in _RELATION_FACTS))
# After the name of a measure: its mean over the sentences, the ends, and the two baselines.
MEASURE_COLUMNS = ("", "_lowest", "_highest", "_even", "_shuffled", "_shuffled_deviation")


def heads_csv(reader: ModelReader, probe: ModelProbe | None) -> bytes:
    """A row for every head: UTF-8, with a line of column names; undefined values are empty."""
    out = io.StringIO()
    # The same bytes on every system.
    writer = csv.writer(out, lineterminator="\n")
    names = [measured.metric.name + ending for measured in reader.measured for ending in MEASURE_COLUMNS]
    writer.writerow([_safe(name) for name in (*HEAD_COLUMNS, *RELATION_COLUMNS, *names)])
    columns = [column for measured in reader.measured for column in _columns(measured)]
    for row, head in enumerate(reader.model.heads):
        cells = (column[row] for column in columns)
        writer.writerow([*_head_cells(reader, head), *_relation_cells(probe, head), *cells])
    return out.getvalue().encode("utf-8")


def heads_json(reader: ModelReader, probe: ModelProbe | None, left_out: Sequence[str] = ()) -> bytes:
    """The same with definitions of the measures and all relations; undefined values are null."""
    across = reader.across
    value = {
        "model": {
            "slug": reader.model.spec.slug,
            "title": reader.model.spec.title,
            "layers": across.layers,
            "heads": across.heads,
            "kind": across.kind,
            "provenance": dict(provenance(reader.model.provenance)),
        },
        "sentences": [capture.sentence.slug for capture in reader.captures],
        "axes": ["layer", "head"],
        "measures": [_measure(measured) for measured in reader.measured],
        "relations": [] if probe is None else [_score(score) for score in probe.scores],
        "heads": [_head(reader, probe, head) for head in reader.model.heads],
    }
    # Only in a file that lacks something.
    if left_out:
        value["left_out"] = left_out
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, whoever wrote it."""
    return "'" + text if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _head_cells(reader: ModelReader, head: HeadIndex) -> Iterator[str]:
    kind = reader.across.head_type(*head)
    slug = reader.model.spec.slug
    yield _safe(slug)
    yield head_name(*head)
    yield from map(str, head)
    yield _safe(kind.name)
    yield _safe(kind.family)
    yield _safe(kind.evidence)
    yield _safe("" if kind.also is None else kind.also.name)
    yield _safe(_sentences(reader, head)[0])
    yield routes.model_head(slug, reader.model.routes.slug(*head))


def _relation_cells(probe: ModelProbe | None, head: HeadIndex) -> list[str]:
    facts = _relation(probe, head)
    return [""] * len(RELATION_COLUMNS) if facts is None else [_cell(fact) for fact in facts.values()]


def _cell(fact: str | int | float) -> str:
    """A fact as programs read it: `true` as in JSON, numbers with all their digits."""
    return _safe(fact) if isinstance(fact, str) else json.dumps(fact)


def _columns(measured: Measured) -> Iterator[list[str]]:
    """The columns of one measure, in the order of `MEASURE_COLUMNS`, with a cell for every head."""
    even = measured.even.repeat(measured.metric.values.shape[1])
    ends, shuffled = (measured.lowest, measured.highest), (measured.shuffled, measured.shuffled_deviation)
    return map(_texts, (measured.metric.values, *ends, even, *shuffled))


def _texts(values: Float32) -> list[str]:
    return ["" if value != value else str(value) for value in values.ravel()]


def _measure(measured: Measured) -> dict[str, Any]:
    metric = measured.metric
    described = ("name", "title", "unit", "range", "definition", "caveat", "source")
    return {
        **{name: getattr(metric, name) for name in described},
        "queries": measured.queries.tolist(),
        "even": _row(measured.even),
        "mean": _rows(metric.values),
        **{name: _rows(getattr(measured, name)) for name in ("lowest", "highest")},
        **{name: _rows(getattr(measured, name)) for name in ("shuffled", "shuffled_deviation")},
        "shuffled_draws": _draws(metric),
    }


def _draws(metric: HeadMetric) -> int | None:
    """From how many permutations chance is estimated: 0 for a closed form, None for own measures."""
    if not metric.ordered or metric.name in {score.name for score in REPEATS}:
        return 0
    try:
        built_in = metric_named(metric.name)
    except KeyError:
        return None
    return DRAWS if built_in.from_column_mass is not None else 0


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


def _head(reader: ModelReader, probe: ModelProbe | None, head: HeadIndex) -> dict[str, Any]:
    kind = reader.across.head_type(*head)
    return {
        "head": head_name(*head),
        "layer": head[0],
        "index": head[1],
        **_type(kind),
        "also": None if kind.also is None else _type(kind.also),
        "sentences": _sentences(reader, head),
        "relation": _relation(probe, head),
        "page": routes.model_head(reader.model.spec.slug, reader.model.routes.slug(*head)),
    }


def _type(kind: HeadType) -> dict[str, str]:
    return {"type": kind.name, "title": kind.title, "family": kind.family, "evidence": kind.evidence}


def _relation(probe: ModelProbe | None, head: HeadIndex) -> dict[str, Any] | None:
    relation = None if probe is None else probe.by_head.get(head)
    if relation is None:
        return None
    facts = {name: getattr(relation, name) for name in ("kind", *_RELATION_FACTS)}
    return {**facts, "direction": _DIRECTIONS[relation.direction]}


def _sentences(reader: ModelReader, head: HeadIndex) -> list[str]:
    """The three sentences that show a head best, or fewer, by their slugs."""
    return [reader.captures[index].sentence.slug for index in reader.clearest[head[0]][head[1]][:3]]


HEADS_CSV = Download(
    "heads.csv",
    text="heads.csv",
    about="a row for every head, for spreadsheets and data frames",
    scope="model",
    content=lambda inputs: heads_csv(inputs[MODEL], inputs[MODEL_PROBE]),
    needs=(MODEL, MODEL_PROBE),
)
HEADS_JSON = Download(
    "heads.json",
    text="heads.json",
    about="the same with definitions and relations, for programs",
    scope="model",
    content=lambda inputs: heads_json(inputs[MODEL], inputs[MODEL_PROBE], inputs.left_out),
    needs=(MODEL, MODEL_PROBE),
)
