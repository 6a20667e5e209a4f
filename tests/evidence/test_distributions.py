"""How a measure spreads over sentences, as the page of a head tells it: held to the measures themselves."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np
import pytest

from attention_gallery.evidence import wording
from sample_gallery import Sample, analyses_of

SENTENCES = tuple(
    {
        "slug": f"s{number}",
        "title": f"Sentence {number}",
        "text": " ".join(["one", "two", "three"] * (number + 1)),
    }
    for number in range(7)
)


def told(sample: Sample, route: str) -> dict[str, str]:
    """The lines of the tiny theme about each measure, by its title."""
    lines = [unescape(line) for line in sample.page(route).splitlines() if "; " in line]
    return {line[3:].split(": ")[0]: line for line in lines if line.startswith("<p>")}


@pytest.fixture
def built(sample: Sample) -> Sample:
    sample.settings["sentences"] = [dict(one) for one in SENTENCES]
    for note in ("content/gallery.md", "content/sentences/cat.md"):
        (sample.root / note).unlink()
    sample.build()
    return sample


@pytest.mark.parametrize("model", ["enc", "dec"])
def test_medians_quartiles_and_ends_are_those_of_the_sentences(built: Sample, model: str) -> None:
    found = analyses_of(built, model)
    lines = told(built, f"models/{model}/l00h01")
    checked = 0
    for index, metric in enumerate(found[0].metrics):
        values = np.array([one.metrics[index].values[0, 1] for one in found], np.float64)
        line, unit = lines[metric.title], metric.unit
        defined = values[~np.isnan(values)]
        if not defined.size:
            assert line.startswith(f"<p>{metric.title}: {wording.UNDEFINED} ")
            continue
        checked += 1
        assert f": {wording.measure(float(defined.mean()), unit)} " in line
        first, median, third = (
            wording.measure(float(q), unit) for q in np.quantile(defined, [0.25, 0.5, 0.75])
        )
        if defined.size >= 4:
            assert f"Median {median}" in line
            assert first == third or f"middle half {first} to {third}" in line
        else:
            assert "Median" not in line
        ends: dict[str, Any] = {"most": np.nanargmax(values), "least": np.nanargmin(values)}
        for name, sentence in ends.items():
            target = f"../../../{model}/s{sentence}/l00h01/"
            assert f'<a href="{target}">{name}: Sentence {sentence}</a>' in line
        ticks = re.search(r'class="strip-values" d="([^"]*)"', line)
        assert ticks is not None
        assert 1 <= ticks[1].count("M") <= defined.size
    assert checked > 7


def test_sentences_are_in_the_order_in_which_they_show_the_head(built: Sample) -> None:
    page = unescape(built.page("models/enc/l00h00"))
    found = analyses_of(built, "enc")
    kind = re.search(r"The clearest first[^<]*", page)
    assert kind is not None
    slugs = re.findall(r'<p><a href="\.\./\.\./\.\./enc/(s\d)/l00h00/">Sentence', page)
    assert sorted(slugs) == sorted(one["slug"] for one in SENTENCES)
    if "strongest pair" in kind[0]:
        far = [-float(one.far_pair_weight[0, 0]) for one in found]
        assert slugs == [f"s{index}" for index in np.argsort(far, kind="stable")]
    first = re.search(
        r'<img src="[^"]*models/enc/l00h00/thumbnail.png"[^>]*> <a href="([^"]*)"', built.page("models/enc")
    )
    assert first is not None
    assert first[1].endswith(f"enc/{slugs[0]}/l00h00/")


def test_one_sentence_has_neither_ends_nor_an_order(sample: Sample) -> None:
    sample.settings["sentences"] = [dict(SENTENCES[3])]
    for note in ("content/gallery.md", "content/sentences/cat.md"):
        (sample.root / note).unlink()
    sample.build()
    page = sample.page("models/enc/l00h00")
    for absent in ("Median", "most: ", "least: ", "clearest first"):
        assert absent not in page
    assert "strip-values" in page
