"""Files of the cache know their names: one in the place of another is noticed and made anew."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from attention_gallery.analysis.codec import is_named, named, pack, unpack
from attention_gallery.build.execute.result_files import cached_result, result_path
from attention_gallery.errors import DamagedEntry
from sample_gallery import Sample

MAGIC = b"a test 1\n"
TEXT = " ".join(f"word{number}" for number in range(20))


def packed(number: int) -> bytes:
    return pack(MAGIC, {"number": number}, {"values": np.arange(3, dtype="<f4")})


def number_in(data: bytes) -> int:
    found: int = unpack(MAGIC, data, {"values": "<f4"})[0]["number"]
    return found


def kept(cache: Path, name: str, number: int, *, keep: bool = True) -> int:
    return cached_result(result_path(cache, name), number_in, packed, lambda: number, keep)


def test_a_kept_file_is_what_was_packed_with_its_name() -> None:
    data = named(packed(7), "ab12")
    assert number_in(data) == 7
    assert is_named(data, "ab12")
    assert not is_named(data, "ab13")
    assert not is_named(packed(7), "ab12")
    for other in (data.replace(b"ab12", b"ab13"), data[:-1], data + b"x"):
        with pytest.raises(DamagedEntry):
            number_in(other)


def test_a_file_in_the_place_of_another_is_made_anew(tmp_path: Path) -> None:
    assert kept(tmp_path, "ab12", 1) == kept(tmp_path, "ab12", 9) == 1
    assert kept(tmp_path, "cd34", 2) == 2
    first, second = result_path(tmp_path, "ab12"), result_path(tmp_path, "cd34")
    before = first.read_bytes()
    first.write_bytes(second.read_bytes())
    assert kept(tmp_path, "ab12", 9, keep=False) == 9
    assert kept(tmp_path, "ab12", 1) == 1
    assert first.read_bytes() == before


def test_a_file_that_was_made_from_something_else_is_made_anew(tmp_path: Path) -> None:
    def of(source: str, number: int) -> int:
        return cached_result(result_path(tmp_path, "ab12"), number_in, packed, lambda: number, source=source)

    assert of("first", 1) == of("first", 2) == 1
    assert of("second", 3) == of("second", 4) == 3


def test_a_file_without_a_name_is_made_anew(tmp_path: Path) -> None:
    path = result_path(tmp_path, "ab12")
    path.parent.mkdir()
    path.write_bytes(packed(9))
    assert kept(tmp_path, "ab12", 1) == 1


def rotate(files: list[Path]) -> None:
    """Put every file into the place of the one before."""
    contents = [path.read_bytes() for path in files]
    for path, data in zip(files, [*contents[1:], contents[0]], strict=True):
        path.write_bytes(data)


@pytest.mark.parametrize("folder", ["analysis", "templates"])
def test_no_build_takes_one_kept_file_for_another(sample: Sample, folder: str) -> None:
    sample.settings["lengths"] = {"text": TEXT, "words": [4, 8, 16]}
    sample.settings["contrasts"] = [
        {"slug": "one", "title": "One", "model": "dec", "sentences": ["cat", "river"]},
        {"slug": "two", "title": "Two", "model": "dec", "sentences": ["cat", "short"]},
        {"slug": "three", "title": "Three", "models": ["enc", "dec"], "sentence": "cat"},
        {"slug": "four", "title": "Four", "models": ["enc", "dec"], "sentence": "river"},
    ]
    sample.sentence("cat")["relations"] = [{"from": "it", "to": "cat"}]
    sample.build()
    site, cache = sample.tree(), sample.cache / folder
    before = {path: path.read_bytes() for path in sorted(cache.rglob("*")) if path.is_file()}
    kinds: dict[bytes, list[Path]] = defaultdict(list)
    for path, data in before.items():
        kinds[data.split(b"\n")[0] if folder == "analysis" else b""].append(path)
    assert len(kinds) >= (8 if folder == "analysis" else 1)
    for files in kinds.values():
        rotate(files)
    sample.build(force=True)
    assert sample.tree() == site
    after = {path: path.read_bytes() for path in sorted(cache.rglob("*")) if path.is_file()}
    if folder == "analysis":
        assert after == before
    else:
        assert after.keys() == before.keys()
