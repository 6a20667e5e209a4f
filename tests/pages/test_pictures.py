"""Pictures of a capture are drawn once: kept as they are, found again, and made anew when damaged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_gallery.analysis import capture_pictures as pictures
from attention_gallery.analysis.capture_pictures import (
    PICTURES,
    AveragePicture,
    CapturePictures,
    draw_pictures,
    load_pictures,
    save_pictures,
)
from attention_gallery.analysis.result import Subject
from attention_gallery.errors import DamagedEntry
from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.figures.grid import HeadThumbnails
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.store import AttentionStore
from sample_gallery import Sample, analyses_of

AVERAGES = st.builds(
    AveragePicture,
    st.binary(min_size=1, max_size=40),
    st.tuples(st.integers(1, 64), st.integers(1, 64)),
    st.integers(0, 500),
    st.floats(0, 1, width=32),
)
ENCODED = st.builds(
    EncodedWeights,
    st.sampled_from(["sqrt8", "linear16"]),
    st.text("ABab01+/=", max_size=60),
    st.floats(0, 0.01),
    st.booleans(),
)
THUMBNAILS = st.builds(HeadThumbnails, ENCODED, st.tuples(st.integers(1, 32), st.integers(1, 32)))


@given(st.lists(ENCODED, min_size=1, max_size=4), THUMBNAILS, st.lists(AVERAGES, min_size=1, max_size=5))
def test_what_is_kept_is_what_was_drawn(
    layers: list[EncodedWeights], thumbnails: HeadThumbnails, averages: list[AveragePicture]
) -> None:
    drawn = CapturePictures(tuple(layers), thumbnails, tuple(averages))
    assert load_pictures(save_pictures(drawn)) == drawn


@settings(max_examples=40)
@given(st.data())
def test_no_damage_goes_unseen(data: st.DataObject) -> None:
    layer = EncodedWeights("sqrt8", "AAAA", 0.001, False)
    average = AveragePicture(b"png", (1, 1), 0, 0.5)
    kept = bytearray(save_pictures(CapturePictures((layer,), HeadThumbnails(layer, (2, 1)), (average,))))
    # The line feed after the checksum says nothing.
    between = len(pictures.MAGIC) + 64
    place = data.draw(st.integers(0, len(kept) - 1).filter(lambda place: place != between))
    kept[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedEntry):
        load_pictures(bytes(kept))


def test_a_change_of_the_theme_draws_nothing_anew(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.build()
    before = sample.page("enc/cat")
    monkeypatch.setattr(pictures, "encode_layer", lambda *_: pytest.fail("drawn again"))
    sample.settings["description"] = "Another description."
    report = sample.build()
    assert report.written > 0
    assert figure_of(sample.page("enc/cat")) == figure_of(before)


def figure_of(page: str) -> str:
    """The weights of the explorer's grid."""
    return page.split('class="figure-weights">')[1].split("<")[0]


def test_what_is_kept_has_a_name_that_cleaning_knows(sample: Sample) -> None:
    sample.build()
    for found in analyses_of(sample, "enc"):
        name = PICTURES.key(Subject.from_key(found.key), AnalysisSettings())
        kept = sample.cache / "analysis" / name[:2] / name
        attention = AttentionStore(sample.cache / "store").open(found.key)
        assert load_pictures(kept.read_bytes()) == draw_pictures(attention)
