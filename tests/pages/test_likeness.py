"""The map of a model's heads, the same in words, and the heads most like each."""

from __future__ import annotations

import re
import shutil

import numpy as np

from attention_gallery.figures.head_map_figure import Dot, head_map_fragment
from sample_gallery import Sample

DOTS = re.compile(
    r'<a href="([^"]+)" tabindex="-1" class="f-\w+"><title>(L\d+H\d+), [\w ]+, group ([A-H])</title>'
)
CENTRES = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)"')


def test_every_head_is_on_the_map_and_in_the_group_that_its_letter_names(sample: Sample) -> None:
    sample.settings["theme"] = "default"
    sample.build()
    html = sample.page("models/enc/")
    dots = DOTS.findall(html)
    assert sorted(name for _, name, _ in dots) == ["L0H0", "L0H1", "L1H0", "L1H1"]
    groups = html[html.index('class="head-groups"') :]
    groups = groups[: groups.index("</ul>")]
    listed = {
        (href, name, letter)
        for letter, rest in re.findall(r'group-letter">([A-H])</span>(.*?)</details>', groups, re.DOTALL)
        for href, name in re.findall(r'href="([^"]+)" title="[^"]+">(L\d+H\d+)</a>', rest)
    }
    assert listed == set(dots)
    assert len({letter for _, _, letter in dots}) == 3


def test_a_head_names_those_most_like_it_nearest_first(sample: Sample) -> None:
    sample.settings["theme"] = "default"
    sample.build()
    html = sample.page("models/enc/l00h01/")
    table = html[html.index('<table class="similar">') :]
    table = table[: table.index("</table>")]
    heads = re.findall(r'<a href="\.\./(l\d\dh\d\d)/">', table)
    distances = [float(text) for text in re.findall(r'class="numeric">(\d\.\d\d)<', table)]
    assert sorted(heads) == ["l00h00", "l01h00", "l01h01"]
    assert distances == sorted(distances)
    assert len(distances) == 3


def test_a_change_of_one_sentence_changes_the_map_as_in_a_clean_build(sample: Sample) -> None:
    sample.build()
    sample.settings["sentences"] = sample.settings["sentences"][:2]
    sample.build()
    changed = sample.tree()
    again = sample.copy(sample.root.parent / "clean", clean=True)
    again.build()
    assert again.tree() == changed


def test_damaged_results_are_made_again(sample: Sample) -> None:
    sample.build()
    before = sample.tree()
    again = sample.copy(sample.root.parent / "again", clean=True)
    kept = [path for path in (sample.cache / "analysis").rglob("*") if path.is_file()]
    for path in kept:
        path.write_bytes(path.read_bytes()[:-1])
    shutil.copytree(sample.cache / "analysis", again.cache / "analysis")
    again.build()
    assert again.tree() == before
    assert all(path.stat().st_size > 100 for path in (again.cache / "analysis").glob("??/*"))


def test_the_picture_holds_all_dots_to_one_scale_and_is_left_to_eyes() -> None:
    positions = np.array([[-3, 0], [5, 1], [1, -1]], dtype=np.float32)
    dot = Dot('l00h00/"', "mixed", "A", "L0H0 <b>")
    html = head_map_fragment(positions, [dot] * 3, "close & alike").html
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', html)
    assert size
    places = np.array([[float(x), float(y)] for x, y in CENTRES.findall(html)])
    assert places.min() >= 9
    assert (places <= np.array([int(size[1]) - 9, int(size[2]) - 9])).all()
    np.testing.assert_allclose((places[1] - places[0]) / (positions[1] - positions[0]), [86, -86], atol=0.2)
    assert "L0H0 &lt;b&gt;" in html
    assert "l00h00/&quot;" in html
    assert "close &amp; alike" in html
    assert 'aria-hidden="true"' in html


def test_one_place_for_all_is_drawn_too() -> None:
    html = head_map_fragment(np.zeros((2, 2), np.float32), [Dot("a/", "mixed", "A", "a")] * 2, "").html
    assert CENTRES.findall(html) == [("360.0", "16.0"), ("360.0", "16.0")]
