"""What is said of the weights that numbers come from is true, and is said in one way everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_gallery.evidence.wording import stored_weights
from attention_gallery.pages.kinds.explorer import _normalisation
from attention_gallery.records import Precision, Provenance
from sample_environment import sample_environment

ROOT = Path(__file__).parents[2]
# Numbers come from what is stored, which half precision has rounded.
UNTRUE = re.compile(
    r"exact(?:ly)?\s+(?:the\s+)?(?:attention|numbers?|values?|weights?)\b|kept exactly as", re.I
)


def origin(precision: Precision, error: float) -> Provenance:
    return Provenance(
        "w", "t", "./m", None, sample_environment(), 0.0, precision=precision, storage_error=error
    )


def test_what_storing_lost_is_said() -> None:
    said = stored_weights(origin("float16", 0.000122))
    assert said == "the weights as they are stored (float16, within 0.00013 of what the model computed)"
    said = stored_weights(origin("float32", 0.0))
    assert said == "the weights as they are stored, just as the model computed them (float32)"


@pytest.mark.parametrize("error", [2.4e-4, 1.0000001e-5, 1e-5, 3e-8, 1e-12])
def test_an_error_is_never_said_to_be_smaller_than_it_is(error: float) -> None:
    within = re.search(r"within ([\d.]+) of", stored_weights(origin("float16", error)))
    assert within is not None
    assert error <= float(within[1]) * (1 + 1e-9)
    assert float(within[1]) < error + 1.1e-5


def test_rows_that_were_rounded_are_not_said_to_sum_to_one() -> None:
    assert all("when it was captured" in _normalisation(error) for error in (0.0, 1e-7))


def test_nothing_says_that_stored_numbers_are_exact() -> None:
    places = ["README.md", "docs", "content", "themes/default/templates", "generator/attention_gallery/pages"]
    places += ["generator/attention_gallery/library", "generator/attention_gallery/figures"]
    files = [
        path
        for name in places
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.suffix in (".md", ".html", ".py", ".js")
    ]
    assert len(files) > 100
    found = {path.relative_to(ROOT).as_posix(): UNTRUE.findall(path.read_text("utf-8")) for path in files}
    assert {name: said for name, said in found.items() if said} == {
        "docs/architectures.md": ["exact attention"]
    }
