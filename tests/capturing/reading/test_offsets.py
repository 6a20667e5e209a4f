"""Offsets are those of what each token says, also where a tokenizer's own are a character off."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_kinds import LEARNT, TEXTS
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from attention_gallery.capturing import tokenise
from attention_gallery.records import TextInput, Tokens

MARKERS = ["<e1>", "</e1>", AddedToken("[M]", lstrip=True, rstrip=True, special=True)]


def byte_level(
    *,
    prefix: bool = True,
    trim: bool = True,
    normalizer: Any = None,
    roberta: bool = False,
    regex: bool = True,
) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=prefix, trim_offsets=trim, use_regex=regex
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LEARNT, trainer)
    tokenizer.post_processor = (
        processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=trim, add_prefix_space=prefix)
        if roberta
        else processors.ByteLevel(trim_offsets=trim, add_prefix_space=prefix)
    )
    return _marked(PreTrainedTokenizerFast(tokenizer_object=tokenizer))


def metaspace(
    *, scheme: str = "always", split: bool = True, normalizer: Any = None, unigram: bool = False
) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram() if unigram else models.BPE(unk_token="<unk>"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    options: dict[str, Any] = {"special_tokens": ["<unk>"], "show_progress": False}
    trainer = (
        trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", **options)
        if unigram
        else trainers.BpeTrainer(vocab_size=400, **options)
    )
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _marked(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"))


def prepended() -> PreTrainedTokenizerFast:
    """As Llama 2: the blank before a text comes from the normalizer, before every added token again."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _marked(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"))


def _marked(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    tokenizer.add_special_tokens({"additional_special_tokens": MARKERS})
    return tokenizer


_COLLAPSED = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
_PLAIN = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    name: functools.cache(make)
    for name, make in {
        "prefix": byte_level,
        "prefix-whole": functools.partial(byte_level, trim=False),
        "no-prefix": functools.partial(byte_level, prefix=False),
        "no-regex": functools.partial(byte_level, regex=False),
        "roberta": functools.partial(byte_level, roberta=True),
        "lower": functools.partial(byte_level, normalizer=normalizers.Lowercase()),
        "nfkc": functools.partial(byte_level, normalizer=normalizers.NFKC()),
        "no-accents": functools.partial(byte_level, normalizer=_PLAIN),
        "metaspace": metaspace,
        "metaspace-first": functools.partial(metaspace, scheme="first", split=False),
        "unigram": functools.partial(metaspace, unigram=True),
        "collapsed": functools.partial(metaspace, normalizer=_COLLAPSED, unigram=True),
        "prepended": prepended,
    }.items()
}


def said(tokens: Tokens, text: str) -> list[str]:
    """What the offsets cover of the text, token by token, without blanks at the ends."""
    assert tokens.offsets is not None
    return [text[start:end].strip() for start, end in tokens.offsets.tolist()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["The <e1>trophy</e1> does", "<e1>trophy</e1> it", "x<e1> t</e1>"])
def test_no_letter_after_an_added_token_is_lost(kind: str, text: str) -> None:
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert "".join(said(tokens, text)) == text.replace(" ", "")
    labels = [
        label for label, special in zip(tokens.texts, tokens.special.tolist(), strict=True) if not special
    ]
    assert "".join(labels).replace("␣", "").replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("kind", ["prefix", "prefix-whole", "roberta", "no-prefix", "lower"])
def test_no_byte_after_an_added_token_is_lost(kind: str) -> None:
    text = "<e1>é🙂</e1>"
    tokens = tokenise(KINDS[kind](), TextInput(text))
    pieces = [piece for piece in said(tokens, text) if piece]
    assert list(dict.fromkeys(pieces)) == ["<e1>", "é", "🙂", "</e1>"]
    assert [label for label in tokens.texts if label.startswith("é")] == ["é₁", "é₂"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_added_token_is_shown_without_the_blanks_that_it_swallows(kind: str) -> None:
    tokens = tokenise(KINDS[kind](), TextInput("The [M] fits   [M]   big"))
    assert [label for label in tokens.texts if "M" in label] == ["[M]", "[M]"]


@pytest.mark.parametrize("kind", KINDS)
def test_normalizers_that_change_a_length_keep_the_places(kind: str) -> None:
    text = "ﬁt İt CAFÉ cafe\u0301 ½"
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert tokens.offsets is not None
    assert tokens.words is not None
    words: dict[int, list[int]] = {}
    for word, (start, end) in zip(tokens.words.tolist(), tokens.offsets.tolist(), strict=True):
        if word >= 0:
            low, high = words.get(word, [start, end])
            words[word] = [min(low, start), max(high, end)]
    read = [text[low:high].strip() for low, high in words.values()]
    assert [word.rstrip("\u0301") for word in read] == ["ﬁt", "İt", "CAFÉ", "cafe", "½"]


@pytest.mark.parametrize("kind", ["prefix", "prefix-whole", "no-prefix", "metaspace-first", "prepended"])
@pytest.mark.parametrize("blanks", [2, 3, 5])
def test_as_many_blanks_are_shown_as_are_read(kind: str, blanks: int) -> None:
    text = "it" + " " * blanks
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert "".join(label for label in tokens.texts if not label.strip("␣")).count("␣") >= blanks
    assert "".join(tokens.texts).rstrip("␣").endswith("t")
    assert "".join(tokens.texts).endswith("t" + "␣" * blanks)


def test_several_blanks_that_are_read_as_one_are_shown_as_one() -> None:
    tokens = tokenise(KINDS["collapsed"](), TextInput("it   fits   "))
    assert "".join(tokens.texts) in ("␣itfits␣", "itfits␣")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(
    text=st.lists(TEXTS | st.sampled_from(["<e1>", "</e1>", " [M] "]), min_size=1, max_size=5).map("".join)
)
def test_every_token_stands_for_what_it_says(kind: str, text: str) -> None:
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert tokens.offsets is not None
    starts = [start for start, _ in tokens.offsets.tolist()]
    assert starts == sorted(starts)
    markers = [n for n, label in enumerate(tokens.texts) if label in ("<e1>", "</e1>", "[M]")]
    for n in markers:
        start, end = tokens.offsets[n].tolist()
        assert text[start:end].strip() == tokens.texts[n] or tokens.texts[n] not in text
    if "unk" not in "".join(tokens.texts):
        covered = {place for start, end in tokens.offsets.tolist() for place in range(start, end)}
        missing = [sign for place, sign in enumerate(text) if place not in covered]
        assert not any(sign.isalnum() for sign in missing)
