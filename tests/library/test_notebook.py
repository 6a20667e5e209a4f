"""docs/library.md, run as a notebook: what it shows is what a reader of it gets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """What each cell of the page gives, by its code."""
    blocks = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(block) for block in blocks])
    NotebookClient(book, timeout=240, kernel_name="python3").execute()
    return {cell.source: cell.outputs for cell in book.cells}


def cell(outputs: dict[str, list[Any]], part: str) -> Any:
    (found,) = [one for source, one in outputs.items() if part in source]
    return found


@pytest.mark.model
@pytest.mark.filterwarnings("ignore")  # the notebook libraries warn about one another
def test_the_page_runs_as_a_notebook(outputs: dict[str, list[Any]]) -> None:
    shown = cell(outputs, "seen = capture(")[-1]
    assert shown["data"]["text/plain"] == "<encoder attention of BertModel: 6 layers × 12 heads, 14 tokens>"
    assert "<bdi" in shown["data"]["text/html"]
    assert "<script" not in shown["data"]["text/html"]
    (printed,) = cell(outputs, 'top_keys("it", limit=1, sinks=False)')
    assert re.fullmatch(r"(layer \d: it → \w+ 0\.\d\d\n){6}", printed["text"])
    (figure,) = cell(outputs, "seen.figure(")
    spec = figure["data"]["application/vnd.plotly.v1+json"]
    assert (spec["data"][0]["type"], spec["layout"]["title"]["text"]) == ("heatmap", "L3H1")
    (segments,) = cell(outputs, "two = capture(")[-1:]
    assert "'first', 'first'" in segments["data"]["text/plain"].replace("\n", "")
    (words,) = cell(outputs, "to_words()")
    assert "'because',\n 'it'" in words["data"]["text/plain"]
    told, definition = cell(outputs, "head_type(3, 1)")
    assert re.fullmatch(r"[A-Z].+: .*\d.*\n", told["text"])
    assert "entropy" in definition["data"]["text/plain"].lower()
    (table,) = cell(outputs, "to_dataframe()")
    assert "entropy" in table["data"]["text/html"]
    (mistake,) = cell(outputs, "except UserError")
    assert mistake["text"].startswith("one text is captured at a time")
