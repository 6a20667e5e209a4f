"""The length sweep: which prefixes are read, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from attention_gallery.errors import ManifestError
from attention_gallery.manifest.blocks.lengths import LengthSweep, length_sweep_of
from attention_gallery.manifest.load_manifest import load_manifest

LONG = "One, two three four. Five six seven"
SENTENCES = [
    {"slug": "short", "text": "A cat"},
    {"slug": "long", "text": LONG, "truncate": True},
    {"slug": "pair", "text": LONG, "pair": LONG},
    {"slug": "later", "text": LONG + " eight", "draft": True},
    {"slug": "hidden", "text": LONG + " eight nine", "models": ["mine"]},
]
MODELS = [{"slug": "m", "source": "a/b"}, {"slug": "mine", "source": "a/c", "draft": True}]


def sweep(folder: Path, **lengths: object) -> LengthSweep | None:
    path = folder / "gallery.yaml"
    path.write_text(
        yaml.safe_dump({"title": "x", "models": MODELS, "sentences": SENTENCES, "lengths": lengths}),
        encoding="utf-8",
    )
    return length_sweep_of(load_manifest(path).settings)


def test_prefixes_end_with_words_and_the_whole_text_is_the_last(tmp_path: Path) -> None:
    prefixes = sweep(tmp_path, sentence="long", words=[2, 6, 40, 80])
    assert prefixes == LengthSweep(("One,", "One, two three four.", LONG), "long", True)


def test_a_text_that_is_longer_is_not_read_to_its_end(tmp_path: Path) -> None:
    prefixes = sweep(tmp_path, text="a b c d e f", words=[2, 4])
    assert prefixes == LengthSweep(("a b", "a b c d"), None, False)


def test_as_many_words_as_the_text_has_are_all_of_it(tmp_path: Path) -> None:
    prefixes = sweep(tmp_path, text="a b c. ", words=[2, 4, 8])
    assert prefixes is not None
    assert prefixes.prefixes == ("a b", "a b c. ")


def test_the_longest_sentence_is_taken_drafts_and_pairs_aside(tmp_path: Path) -> None:
    prefixes = sweep(tmp_path, words=[2, 4])
    assert prefixes is not None
    assert prefixes.sentence == "long"


def test_nothing_is_read_where_nothing_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "gallery.yaml"
    path.write_text("{title: x, models: [{source: a/b}], sentences: [{text: y}]}", encoding="utf-8")
    assert length_sweep_of(load_manifest(path).settings) is None


@pytest.mark.parametrize(
    ("lengths", "reason", "mend"),
    [
        ({"sentence": "lng"}, 'the manifest has no sentence "lng" of its own', 'did you mean "long"?'),
        ({"sentence": "pair"}, 'the sentence "pair" is more than one text', "write a `text`"),
        ({"sentence": "later"}, 'the sentence "later" is a draft', "published"),
        ({"sentence": "hidden"}, 'the sentence "hidden" is a draft', "published"),
        ({"sentence": "long", "text": "a b"}, "both a sentence and a text", "remove one"),
        ({"words": [4, 2]}, "do not ascend", "ascending"),
        ({"words": [4, 4]}, "do not ascend", "ascending"),
        ({"sentence": "short", "words": [4, 8]}, "the text has 2 words", "smaller numbers"),
        ({"words": [4]}, "`words` has 1 number", "2 to 12"),
        ({"words": list(range(1, 14))}, "`words` has 13 numbers", "2 to 12"),
        ({"words": [0, 4]}, "item 1 of `words` is 0", "at least 1"),
        ({"text": ""}, "`text` is empty", "write a text"),
        ({"words": ["4", "8"]}, "item 1 of `words` must be a whole number", "without quotes"),
        ({"sentense": "long"}, 'unknown key "sentense"', 'did you mean "sentence"?'),
    ],
)
def test_mistakes_are_refused(tmp_path: Path, lengths: dict[str, object], reason: str, mend: str) -> None:
    with pytest.raises(ManifestError) as caught:
        sweep(tmp_path, **lengths)
    problems = caught.value.problems
    assert all(problem.line is not None for problem in problems)
    assert any(reason in problem.reason and mend in problem.mend for problem in problems), problems
