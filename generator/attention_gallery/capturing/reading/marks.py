"""What people read for the name of a token in its vocabulary: no marks of the tokenizer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from attention_gallery.texts.readable import readable

# How vocabularies of SentencePiece name a byte.
NAMED_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def is_bytewise(tokenizer: Any) -> bool:
    """Whether the names of a tokenizer's vocabulary are written in the byte alphabet, as GPT-2's are."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is not None and any(
        "ByteLevel" in str(step) for step in (backend.pre_tokenizer, backend.normalizer, backend.decoder)
    )


def own_bytes(name: str, *, bytewise: bool) -> bytes:
    """What a token stands for by itself, by its name in the vocabulary: UTF-8, maybe a part of a character.

    Blanks are kept; marks that tell how a token goes on with a word are taken off.
    """
    if named := NAMED_BYTE.fullmatch(name):
        return bytes([int(named[1], 16)])
    alphabet = _byte_alphabet()
    if bytewise and all(sign in alphabet for sign in name):
        return bytes(alphabet[sign] for sign in name)
    plain = name.removeprefix("##").removesuffix("</w>").replace("▁", " ").replace("Ġ", " ")
    return plain.encode("utf-8", "replace")


def plain_vocabulary(name: str) -> str:
    """A token's name in the vocabulary without the marks of its tokenizer, for when offsets are missing."""
    decoded = _from_bytes(name)
    decoded = decoded.removeprefix("##").removesuffix("</w>").replace("▁", " ").replace("Ġ", " ")
    if decoded.strip() and decoded.startswith(" "):
        decoded = decoded[1:]
    return readable(decoded) or "␣"


def _from_bytes(name: str) -> str:
    """Undo the byte alphabet of byte-level tokenizers; other names come back as they are."""
    alphabet = _byte_alphabet()
    if not name or any(mark not in alphabet for mark in name) or name.isascii():
        return name
    try:
        return bytes(alphabet[mark] for mark in name).decode("utf-8")
    except UnicodeDecodeError:
        return name


@lru_cache(maxsize=1)
def _byte_alphabet() -> dict[str, int]:
    """How byte-level tokenizers write bytes: printable ones as themselves, others moved up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(moved)}
