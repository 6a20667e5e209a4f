"""The key of a capture: a digest of all that can change its numbers, and of nothing else."""

from __future__ import annotations

from dataclasses import asdict

from attention_gallery.hashing import digest
from attention_gallery.records import Given, Precision, RepeatedTokens

# Raised whenever the meaning of the stored numbers or the layout of an entry changes. Up to 3, numbers hung
# on what was captured together.
SCHEMA = 4


def capture_key(
    *,
    weights: str,
    tokenizer: str,
    given: Given,
    dtype: str,
    precision: Precision,
    kind: str = "self",
    predictions: int = 0,
) -> str:
    """The key of what one model is given to read: SHA-256, 64 hexadecimal digits.

    `weights` and `tokenizer` are fingerprints, `dtype` is the number format the model runs in, `precision`
    the one in the store, `kind` the attention that is captured ("self" where a model has only one),
    `predictions` how many likely tokens are kept. Library versions are left out: they are provenance, kept
    beside the numbers, and an upgrade must not throw a store away.
    """
    return digest(
        {
            "schema": SCHEMA,
            "weights": weights,
            "tokenizer": tokenizer,
            "given": asdict(given),
            "dtype": dtype,
            "precision": precision,
            "kind": kind,
            "predictions": predictions,
        }
    )


def former_key(*, given: Given, **rest: str | int) -> str:
    """The key that the same had under the schema before: tells why it must be captured again.

    It is asked for with all that `capture_key` can be asked for with.
    """
    names = _FORMER_REPEATED if isinstance(given, RepeatedTokens) else _FORMER_TEXT
    return digest({"schema": SCHEMA - 1, "given": {name: getattr(given, name) for name in names}, **rest})


# What the schema before knew of; whoever raises the schema writes down what it knew until then.
_FORMER_TEXT = ("text", "pair", "chat", "target", "generate", "truncate")
_FORMER_REPEATED = ("count", "seed", "purpose")
