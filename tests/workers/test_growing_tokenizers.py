"""How much longer a tokenizer can make a text is known for those that are in use, and never too little."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from attention_gallery.workers.tokenizers import growth, tryer

NORMALIZERS = (
    normalizers.NFC(),
    normalizers.NFD(),
    normalizers.NFKC(),
    normalizers.NFKD(),
    normalizers.Lowercase(),
    normalizers.BertNormalizer(),
    normalizers.StripAccents(),
    normalizers.Nmt(),
    normalizers.ByteLevel(),
    normalizers.Strip(),
    normalizers.Prepend("▁"),
    normalizers.Prepend("abc"),
    normalizers.Replace("a", "aaaa"),
    normalizers.Replace("", "xy"),
    normalizers.Replace(" ", "▁"),
    normalizers.Replace(Regex("b*"), "cc"),
    normalizers.Replace(Regex(r"\s+"), " "),
)


def tokenizer(**parts: object) -> Tokenizer:
    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    for name, part in parts.items():
        setattr(made, name, part)
    return made


@settings(max_examples=300)
@given(st.lists(st.sampled_from(NORMALIZERS), min_size=1, max_size=3), st.text(max_size=30))
def test_no_text_grows_more_than_is_said(chosen, text):
    sequence = normalizers.Sequence(list(chosen))
    try:
        grown = sequence.normalize_str(text)
    except BaseException as error:  # the library panics at some of its own chains
        assume(type(error).__name__ != "PanicException")
        raise
    assert len(grown) <= growth(tokenizer(normalizer=sequence)) * max(1, len(text))


def test_the_longest_decompositions_are_known():
    for made, text in (
        (normalizers.NFKD(), "\ufdfa"),
        (normalizers.NFD(), "\u1f82"),
        (normalizers.NFC(), "\ufb2c"),
    ):
        assert len(made.normalize_str(text)) <= growth(tokenizer(normalizer=made))


def test_chains_multiply():
    chain = normalizers.Sequence([normalizers.Replace("a", "aa")] * 100)
    assert growth(tokenizer(normalizer=chain)) == 2.0**100
    assert growth(tokenizer(decoder=decoders.Sequence([decoders.Replace("a", "aa")] * 100))) == 2.0**100


@pytest.mark.parametrize(
    ("pattern", "quick"),
    [
        (r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", True),
        (r"\s+", True),
        (r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}", True),
        (r"(?i:'s|'t)", True),
        (r"(a+)+$", False),
        (r"(?:a|b)*c", False),
        (r"a*a*b", False),
        (r"[\s\S]*[\s\S]*x", False),
        (r"(a)\1", False),
        (r"a{1,99999}", False),
        (r"[a[b]]+", False),
        (r"(?<x>a)", False),
    ],
)
def test_regular_expressions_that_can_take_for_ever_are_not_taken_for_quick(pattern, quick):
    splitting = tokenizer(pre_tokenizer=pre_tokenizers.Split(Regex(pattern), "isolated"))
    assert math.isfinite(growth(splitting)) is quick


def test_many_copies_of_a_text_and_endless_words_are_not_taken_for_ordinary():
    copies = processors.TemplateProcessing(single=" ".join(["$A"] * 40), pair="$A $B", special_tokens=[])
    assert growth(tokenizer(post_processor=copies)) == math.inf
    endless = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]", max_input_chars_per_word=10**9))
    assert growth(endless) == math.inf
    assert growth(tokenizer()) == 1.0


def test_a_tokenizer_is_tried_as_it_is():
    attempt = tryer(tokenizer(pre_tokenizer=pre_tokenizers.Whitespace()).to_str())
    assert attempt(text="a b c") == 3
    assert attempt(text="a", pair="b c") == 3
    assert attempt(ids=[0, 0]) == len("[UNK] [UNK]")
