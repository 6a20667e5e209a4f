"""The key of a capture: a digest of all that can change its numbers, and of nothing else."""

from __future__ import annotations

from attention_gallery.hashing import digest

# Raised whenever the meaning of the stored numbers or the layout of an entry changes.
SCHEMA = 1


def capture_key(
    *,
    weights: str,
    tokenizer: str,
    text: str,
    dtype: str,
    special_tokens: bool = True,
    kind: str = "self",
) -> str:
    """The key of one sentence under one model: SHA-256, 64 hexadecimal digits.

    `weights` and `tokenizer` are fingerprints, `dtype` is the number format the model runs in, `kind` is
    the attention that is captured. Library versions are left out: they are provenance, kept beside the
    numbers, and an upgrade must not throw a store away.
    """
    return digest(
        {
            "schema": SCHEMA,
            "weights": weights,
            "tokenizer": tokenizer,
            "text": text,
            "dtype": dtype,
            "special_tokens": special_tokens,
            "kind": kind,
        }
    )
