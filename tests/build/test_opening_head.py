"""An explorer opens on the head that notes speak of, and follows them in incremental builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sample_gallery import Sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    sample = Sample.make(tmp_path / "project")
    sample.note("gallery.md", "# Welcome\n\nNo head is spoken of.\n")
    return sample


def opening(sample: Sample) -> str:
    """The head that the explorer of one model on one sentence opens on."""
    sample.build()
    html = (sample.site / "enc/cat/index.html").read_text(encoding="utf-8")
    (name,) = re.findall(r'data-figure="heatmap"[^>]* data-name="(L\d+H\d+)"', html)
    return str(name)


def test_without_notes_it_is_the_head_that_tells_most_of_the_focus(sample: Sample) -> None:
    before = opening(sample)
    sample.note("about.md", "No head is spoken of, and [[enc/river/L1H0]] is on another sentence.\n")
    assert opening(sample) == before


@pytest.mark.parametrize(
    "body",
    [
        "See [[enc/cat/{head}]].\n",
        "See [[enc/cat#head={head}|this head]].\n",
        'It is {{{{ weight("enc/cat/{head}", "#1", "#0") }}}}.\n',
    ],
)
def test_a_head_that_any_note_speaks_of(sample: Sample, body: str) -> None:
    for head in ("L0H1", "L1H0"):
        sample.note("about.md", body.format(head=head))
        assert opening(sample) == head


def test_a_note_on_the_page_of_a_head_speaks_of_it(sample: Sample) -> None:
    sample.note("enc/cat/L1H1.md", "# A head\n\nOne head.\n")
    assert opening(sample) == "L1H1"


def test_the_notes_of_the_page_itself_come_first(sample: Sample) -> None:
    sample.note("enc/cat/L1H1.md", "# A head\n\nOne head.\n")
    sample.note("about.md", "See [[enc/cat/L1H1]].\n")
    assert opening(sample) == "L1H1"
    sample.note("enc/cat.md", "# A pair\n\nSee [[enc/cat/L0H0]].\n")
    assert opening(sample) == "L0H0"


def test_of_heads_spoken_of_as_often_the_first(sample: Sample) -> None:
    sample.note("about.md", "See [[enc/cat/L1H0]] and [[enc/cat/L0H1]].\n")
    assert opening(sample) == "L0H1"
