"""Mistakes in the choice of a theme are told at the line that makes it."""

from __future__ import annotations

from typing import Any

import pytest

from attention_gallery.build.project import read_project
from attention_gallery.errors import Problem, ThemeError
from sample_gallery import Sample


def problems(sample: Sample, **settings: Any) -> list[Problem]:
    sample.settings.update(settings)
    sample.save()
    with pytest.raises(ThemeError) as caught:
        read_project(sample.manifest, drafts=False)
    return list(caught.value.problems)


@pytest.mark.parametrize("name", ["nowhere", "no-option-theme"])
def test_an_unknown_theme_is_told_where_it_is_named(sample: Sample, name: str) -> None:
    (told,) = problems(sample, theme=name, theme_options={"accent": "red"})
    assert name in told.reason
    assert (told.file, told.quote) == (sample.manifest, f"theme: {name}")


@pytest.mark.parametrize(("name", "value"), [("acent", "red"), ("accent", 7), ("accent", "red;x")])
def test_a_wrong_choice_is_told_where_it_is_made(sample: Sample, name: str, value: object) -> None:
    (told,) = problems(sample, theme_options={name: value})
    assert name in told.reason
    assert told.file == sample.manifest
    assert told.quote is not None
    assert told.quote.strip().startswith(f"{name}: ")


def test_a_mistake_in_the_theme_itself_is_told_there(sample: Sample) -> None:
    file = sample.write("themes/tiny/theme.yaml", "name: tiny\noptions: {accent: {defalt: red}}\n")
    (told,) = problems(sample)
    assert told.file == file
