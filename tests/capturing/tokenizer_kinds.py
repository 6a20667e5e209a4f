"""Small tokenizers of every kind, trained on the spot in many scripts, and texts that are hard to read."""

from __future__ import annotations

import functools
from collections.abc import Callable

from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

LEARNT = [
    "The trophy does not fit in the brown suitcase because it is too big.",
    "def f(x):\n    return x",
    "مرحبا بالعالم، القط على السجادة",
    "שלום עולם, החתול ישב",
    "नमस्ते दुनिया, बिल्ली चटाई पर बैठी",
    "สวัสดีชาวโลก แมวนั่งบนเสื่อ",
    "今天天气很好。",
    "👩\u200d👩\u200d👧 🐈\u200d⬛ ❤️ 🇳🇴",
]
_SPECIAL = ["<pad>", "<unk>", "[CLS]", "[SEP]", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]


def _wrapped(tokenizer: Tokenizer, *, pairs: bool = True, **options: object) -> PreTrainedTokenizerFast:
    if pairs:
        ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ends
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", model_max_length=4096, **options
    )


def byte_level() -> PreTrainedTokenizerFast:
    """Byte-level BPE without special tokens around a text, as GPT-2 and Llama 3."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _wrapped(tokenizer, pairs=False)


def word_piece(*, lower: bool = True) -> PreTrainedTokenizerFast:
    """WordPiece as BERT has it, with accents and case taken off or left."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=420, special_tokens=_SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _wrapped(tokenizer)


def unigram() -> PreTrainedTokenizerFast:
    """Unigram with ▁ for blanks, as T5 and XLNet."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=_SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _wrapped(tokenizer)


def sentence_piece() -> PreTrainedTokenizerFast:
    """Blanks become ▁, nothing is split beforehand, unknown characters become bytes: as Llama 2 does it."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained = [*_SPECIAL, *(f"<0x{number:02X}>" for number in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=len(trained) + 5, special_tokens=trained, show_progress=False)
    tokenizer.train_from_iterator(["it fits"], trainer)
    return _wrapped(tokenizer, pairs=False)


def word_level() -> PreTrainedTokenizerFast:
    """One token for each known word."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=60, special_tokens=_SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(LEARNT, trainer)
    return _wrapped(tokenizer)


KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "byte-level": functools.cache(byte_level),
    "word-piece": functools.cache(word_piece),
    "word-piece-cased": functools.cache(functools.partial(word_piece, lower=False)),
    "unigram": functools.cache(unigram),
    "sentence-piece": functools.cache(sentence_piece),
    "word-level": functools.cache(word_level),
}

_PHRASES = st.sampled_from([word for line in LEARNT for word in line.split(" ")])
_MARKS = st.sampled_from(list(" \u00a0\n\t'’.,!?-_#▁Ġ\u0301\u0651\u05b8\u093f\u0e31\u200d\u200f\ufe0f🙂"))
_ANY = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"])
TEXTS = st.lists(_PHRASES | st.just(" ") | _MARKS | _ANY, min_size=1, max_size=14).map("".join)
