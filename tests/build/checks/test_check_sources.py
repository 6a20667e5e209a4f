"""`check` finds what a build would stumble over, without a model and without writing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, check
from attention_gallery.errors import UserError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample


def problems(sample: Sample) -> list[str]:
    sample.save()
    with pytest.raises(UserError) as caught:
        check(sample.manifest, BuildOptions(), SilentReporter())
    return [problem.reason for problem in caught.value.problems]


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample.make(tmp_path)


def test_mistakes_in_models_notes_and_templates_are_told_together(sample: Sample) -> None:
    sample.settings["models"][1]["source"] = "./models/gone"
    sample.note("sentences/river.md", "[[enc/rivr]] and $\\nosuch$\n")
    sample.write("themes/tiny/templates/home.html", "{% if %}")
    told = problems(sample)
    for part in ("./models/gone", "rivr", "nosuch", "Expected an expression"):
        assert sum(part in reason for reason in told) == 1, part
    assert not sample.cache.exists()


def test_heads_are_checked_once_a_model_was_captured(sample: Sample) -> None:
    sample.note("sentences/river.md", "[[enc/river/L5H0]]\n")
    assert check(sample.manifest, BuildOptions(), SilentReporter()).pages == 0
    sample.note("sentences/river.md", "")
    sample.build()
    sample.note("sentences/river.md", "[[enc/river/L5H0]]\n")
    sample.note("models/dec/L0H9.md", "Nothing.\n")
    told = problems(sample)
    assert any('"enc" has no head L5H0' in reason for reason in told)
    assert any("dec has no head L0H9" in reason for reason in told)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("num_hidden_layers", "1e20"),
        ("num_hidden_layers", "1e999"),
        ("num_hidden_layers", "1" + "0" * 15),
        ("num_attention_heads", "1" + "0" * 9),
        ("head_ratio", "0.5"),
    ],
)
def test_counts_that_no_model_has_are_passed_over(sample: Sample, name: str, count: str) -> None:
    path = sample.root / "models" / "enc" / "config.json"
    settings = {"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 2}
    path.write_text(json.dumps(settings), encoding="utf-8")
    sample.note("sentences/river.md", "[[enc/river/L5H0]]\n")
    assert any("L5H0" in reason for reason in problems(sample)), "the configuration tells of its heads"
    path.write_text(json.dumps({**settings, name: "COUNT"}).replace('"COUNT"', count), encoding="utf-8")
    assert check(sample.manifest, BuildOptions(), SilentReporter()).pages == 0


def test_a_model_of_the_hub_is_not_looked_for(sample: Sample) -> None:
    sample.settings["models"][0]["source"] = "org/name"
    sample.save()
    check(sample.manifest, BuildOptions(), SilentReporter())
