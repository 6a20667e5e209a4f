"""Find the tokens that a reader means: a word of the text, a token as it is shown, or `#12`."""

from __future__ import annotations

from difflib import get_close_matches

from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.manifest.words import occurrences
from attention_gallery.records import Tokens


def find_token(text: str, tokens: Tokens, wanted: str) -> list[int]:
    """The tokens that a word of `text` consists of, each time it occurs; or the one token `#INDEX`.

    Raises `UserError` when there is none.
    """
    if wanted.startswith("#") and wanted[1:].isdecimal():
        if int(wanted[1:]) >= len(tokens):
            raise UserError(f"there is no token {wanted}", mend=f"the last one is #{len(tokens) - 1}")
        return [int(wanted[1:])]
    found = _overlapping(text, tokens, wanted)
    labels = [label.strip() for label in tokens.texts]
    found = found or [index for index, label in enumerate(labels) if label == wanted.strip()]
    found = found or [index for index, label in enumerate(labels) if label.lower() == wanted.strip().lower()]
    if not found:
        shown = (label or repr(text) for label, text in zip(labels, tokens.texts, strict=True))
        listed = "the tokens are: " + " ".join(shown)
        mend = did_you_mean(wanted, labels) if get_close_matches(wanted, labels) else listed
        raise UserError(f'there is no token "{wanted}" in the text', mend=mend)
    return found


def _overlapping(text: str, tokens: Tokens, wanted: str) -> list[int]:
    """The tokens that cover a place where `wanted` stands in the text."""
    if tokens.offsets is None:
        return []
    places = occurrences(text, wanted)
    return [
        index
        for index, (start, end) in enumerate(tokens.offsets.tolist())
        if not tokens.special[index] and any(start < last and first < end for first, last in places)
    ]
