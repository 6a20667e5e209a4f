"""One rule of words for measures, look-ups, probes, notes and labels."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import find_token, find_word, gold_of, to_words, word_groups, words_of
from attention_gallery.errors import UserError
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.manifest.settings import CollectedSentence, RelationSpec, SentenceSpec
from attention_gallery.records import Tokens

TEXT = "It's the cat's well-known  toy, isn't it?"
PIECES = [
    "It",
    "'s",
    " the",
    " cat",
    "'",
    "s",
    " well",
    "-",
    "known",
    " ",
    " toy",
    ",",
    " isn",
    "'t",
    " it",
    "?",
]


def read(text: str = TEXT, pieces: list[str] = PIECES) -> Tokens:
    """The text in these pieces."""
    ends = np.cumsum([len(piece) for piece in pieces])
    offsets = np.stack([np.append(0, ends[:-1]), ends], axis=1).astype(np.int32)
    nothing = np.zeros(len(pieces), bool)
    labels = tuple(piece.strip() or "␣" for piece in pieces)
    return Tokens(np.arange(len(pieces)), labels, nothing, nothing, offsets).worded(text)


WORDS = ("It's", "the", "cat's", "well", "-", "known", "␣", "toy", ",", "isn't", "it", "?")


def test_words_of_tokens_are_those_of_the_text() -> None:
    tokens = read()
    words = words_of(tokens, TEXT)
    assert words.texts == WORDS
    assert words.words is not None
    assert [text for text, word in zip(words.texts, words.words.tolist(), strict=True) if word < 0] == ["␣"]
    assert tokens.continues.tolist() == [piece in ("'s", "'", "s", "'t") for piece in PIECES]
    groups = word_groups(tokens)
    assert groups is not None
    weights = np.full((1, len(PIECES), len(PIECES)), 1 / len(PIECES), np.float32)
    between = to_words(weights, groups, groups)
    np.testing.assert_allclose(between.sum(axis=-1), 1, rtol=1e-6)
    assert between[0, 0, 2] == pytest.approx(3 / len(PIECES))  # "cat's" is three tokens


def test_labels_of_words_have_the_form_of_labels_of_tokens() -> None:
    text = "a\u200db x\u202ey"
    tokens = read(text, ["a", "\u200d", "b", " x", "\u202ey"])
    words = words_of(tokens, text)
    assert all(label.replace("\u200d", "").isprintable() for label in words.texts)
    assert words.texts == ("a\u200db", "x‹U+202E›y")


def test_a_word_is_whole_where_the_text_has_it_whole() -> None:
    assert [TEXT[slice(*span)] for span in occurrences(TEXT, "it")] == ["it"]
    assert occurrences(TEXT, "It") == ((0, 2),)  # nowhere whole, so anywhere
    assert occurrences("cafe\u0301 or cafe", "cafe") == ((9, 13),)
    assert len(occurrences("हिन्दी में हिन्", "हिन्")) == 1


def test_words_are_found_in_notes_by_the_same_rule() -> None:
    tokens = read()
    assert find_word(TEXT, tokens, "cat's") == [3, 4, 5]
    assert find_word(TEXT, tokens, "isn't") == [12, 13]
    assert find_word(TEXT, tokens, "it") == [14]
    assert find_word(TEXT, tokens, "well-known") == [6, 7, 8]


def test_a_word_that_no_token_holds_is_not_found() -> None:
    tokens = Tokens(
        np.arange(1), ("seen",), np.zeros(1, bool), np.zeros(1, bool), np.array([(0, 4)], np.int32)
    )
    with pytest.raises(UserError, match='"gone" stands in the text, but not in what the model was given'):
        find_token("seen gone", tokens, "gone")


def test_probes_have_the_same_words_and_those_of_a_treebank_win() -> None:
    relation = RelationSpec.model_validate({"from": "it", "to": "cat's", "kind": "coreference"})
    fields = {"slug": "s", "title": "S", "text": TEXT, "relations": (relation,)}
    gold = gold_of(SentenceSpec(**fields))
    assert tuple(TEXT[slice(*span)] for span in gold.words) == tuple(word for word in WORDS if word != "␣")
    (relation,) = gold.relations
    assert [TEXT[slice(*gold.words[gold.units[side][0]])] for side in (relation.source, relation.target)] == [
        "it",
        "cat's",
    ]
    treebank = ((0, 2), (2, 4), (5, 8))
    assert gold_of(CollectedSentence(**fields | {"relations": ()}, words=treebank)).words == treebank
