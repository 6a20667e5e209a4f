"""`heads.csv` and `heads.json`: every head, every measure, exact, documented, and no formula in any cell."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_gallery.analysis import KINDS, Across, HeadsAcross
from attention_gallery.analysis.experiments.repeated_tokens import REPEATS
from attention_gallery.analysis.measures.head_types import decide_types
from attention_gallery.analysis.measures.permutation import DRAWS
from attention_gallery.analysis.probing.head_relations import HeadRelation
from attention_gallery.pages.downloads.heads_table import (
    HEAD_COLUMNS,
    MEASURE_COLUMNS,
    RELATION_COLUMNS,
    _safe,
)
from attention_gallery.pages.readers.model_probe import ModelProbe
from sample_gallery import Sample, analyses_of

ROOT = Path(__file__).resolve().parents[2]
FORMULA = '=HYPERLINK("http://example.org","x")'


CODES = {kind.name: code for code, kind in enumerate(KINDS)}


def rows(sample: Sample, model: str) -> list[dict[str, str]]:
    text = (sample.site / f"models/{model}/heads.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), strict=True))


def value(sample: Sample, model: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sample.site / f"models/{model}/heads.json").read_bytes())
    return found


def measured(sample: Sample, model: str) -> HeadsAcross:
    """The measures of a model over its sentences, found anew from the store."""
    across = Across()
    for one in analyses_of(sample, model):
        across.add(one)
    return across.result()


@pytest.mark.parametrize("model", ["enc", "dec"])
def test_every_head_has_every_measure_exactly(sample: Sample, model: str) -> None:
    sample.build()
    table, data, found = rows(sample, model), value(sample, model), measured(sample, model)
    places = [(layer, head) for layer in range(found.layers) for head in range(found.heads)]
    assert [(int(row["layer"]), int(row["index"])) for row in table] == places
    names = [one["name"] for one in data["measures"]]
    assert names == [metric.name for metric in (*found.metrics, *REPEATS)]
    for metric, told in zip(found.metrics, data["measures"], strict=False):
        sources = {
            "": ("mean", metric.values),
            "_lowest": ("lowest", found.lowest[metric.name]),
            "_highest": ("highest", found.highest[metric.name]),
            "_shuffled": ("shuffled", found.shuffled_mean[metric.name]),
            "_shuffled_deviation": ("shuffled_deviation", found.shuffled_deviation[metric.name]),
        }
        for ending, (name, wanted) in sources.items():
            # Sums over sentences may come in another order, and rounding with it.
            written = np.array(
                [[np.nan if cell is None else cell for cell in row] for row in told[name]], np.float32
            )
            assert np.allclose(written, wanted, rtol=1e-5, atol=1e-7, equal_nan=True)
            cells = [row[metric.name + ending] for row in table]
            assert [np.float32(cell) if cell else np.float32("nan") for cell in cells] == pytest.approx(
                written.ravel().tolist(), nan_ok=True, abs=0, rel=0
            )
        evens = [told["even"][layer] for layer, _ in places]
        assert [row[metric.name + "_even"] for row in table] == [
            "" if even is None else repr(even) for even in evens
        ]
    for row, told in zip(table, data["heads"], strict=True):
        place = (int(row["layer"]), int(row["index"]))
        kind = found.head_type(*place)
        assert (
            (row["type"], row["evidence"]) == (told["type"], told["evidence"]) == (kind.name, kind.evidence)
        )
        assert row["page"] == told["page"]
        assert (sample.site / row["page"] / "index.html").is_file()
        assert row["sentence"] == told["sentences"][0]


def test_what_is_estimated_says_from_how_many_draws(sample: Sample) -> None:
    sample.build()
    draws = {one["name"]: one["shuffled_draws"] for one in value(sample, "dec")["measures"]}
    assert draws.pop("sink") == DRAWS >= 50
    assert set(draws.values()) == {0}
    assert "random-induction" in draws


def test_a_second_type_is_in_both_files(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*given: object) -> tuple[np.ndarray, np.ndarray]:
        first, second = decide_types(*given)  # type: ignore[arg-type]
        return np.full_like(first, CODES["previous-token"]), np.full_like(second, CODES["first-token"])

    monkeypatch.setattr("attention_gallery.analysis.measures.across.decide_types", both)
    sample.build()
    assert {(row["type"], row["also"]) for row in rows(sample, "dec")} == {("previous-token", "first-token")}
    told = value(sample, "dec")["heads"]
    assert {(one["type"], one["also"]["type"], one["also"]["title"]) for one in told} == {
        ("previous-token", "first-token", "First-token sink")
    }
    page = sample.page("models/dec")
    assert "Previous-token head, also first-token sink" in page


def test_what_spreadsheets_would_run_is_text() -> None:
    for start in ("=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "＝1"):
        assert _safe(start) == f"'{start}"
    for harmless in ("", "nsubj", "0.5 of it", "L3H7", "a=b", "it's -1"):
        assert _safe(harmless) == harmless


def relation_rows(tmp_path: Path) -> tuple[Sample, list[dict[str, str]]]:
    """A gallery whose author calls a relation by a formula, with examples enough to name a best head."""
    sentences = [
        {
            "slug": f"s{number}",
            "title": FORMULA,
            "text": f'One cat{number} saw, "it" {number}',
            "relations": [{"from": "it", "to": f"cat{number}", "kind": FORMULA}],
        }
        for number in range(50)
    ]
    sample = Sample.make(tmp_path / "formulas", sentences=sentences, notes={})
    sample.build()
    return sample, rows(sample, "enc")


def test_a_relation_that_is_a_formula_is_written_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = HeadRelation(FORMULA, FORMULA, 1, 9, 12, 0.25, best=True, adjusted=0.01)
    monkeypatch.setattr(ModelProbe, "by_head", {(1, 1): known})
    sample, table = relation_rows(tmp_path)
    (row,) = (row for row in table if row["relation"])
    assert [row[name] for name in ("head", *RELATION_COLUMNS)] == [
        *("L1H1", f"'{FORMULA}", "to-from", "9", "12", "0.75", "0.25", "true", "0.01")
    ]
    for row in table:
        for name, cell in row.items():
            assert not cell.startswith(("=", "+", "-", "@")), name
    found = value(sample, "enc")
    assert next(one["relation"] for one in found["heads"] if one["relation"])["adjusted"] == 0.01
    assert FORMULA in {one["kind"] for one in found["relations"] if one["nearest"]}


def test_the_files_are_listed_on_the_page_and_left_out_when_not_wanted(sample: Sample) -> None:
    sample.build()
    page = sample.page("models/enc")
    assert re.findall(r'<a href="([^"]*)" download>', page) == [
        "../../models/enc/heads.csv",
        "../../models/enc/heads.json",
    ]
    sample.settings["pages"] = {"downloads": False}
    sample.build()
    assert "download" not in sample.page("models/enc")
    assert not (sample.site / "models/enc/heads.csv").exists()
    assert not (sample.site / "models/enc/heads.json").exists()


def test_the_columns_are_documented(sample: Sample) -> None:
    sample.build()
    text = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
    section = text[text.index("## Downloads") :].split("\n## ", 1)[0]
    documented = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    assert documented == [
        *HEAD_COLUMNS,
        *RELATION_COLUMNS,
        *(f"<measure>{ending}" for ending in MEASURE_COLUMNS),
    ]
    table, names = rows(sample, "enc"), [one["name"] for one in value(sample, "enc")["measures"]]
    assert list(table[0]) == [
        *HEAD_COLUMNS,
        *RELATION_COLUMNS,
        *(name + ending for name in names for ending in MEASURE_COLUMNS),
    ]
