"""docs/architectures.md, written from what the tests find."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from parity import Measured

PAGE = Path(__file__).parents[2] / "docs" / "architectures.md"

_HEAD = """# Which architectures can be captured

Written by the tests: `python -m pytest tests/capturing --update-architectures`. Do not edit it by hand.

For each family a tiny random model is built from its configuration, saved, loaded, captured, and compared
with what the same files give with `output_attentions=True` under eager attention, loaded separately. Every
number of every layer counts. “Batched” tells whether sentences of equal length may share a pass, in which
each has the very bits that it has alone; mixtures of experts run one by one.

The strategy is chosen by trying (see [capture.md](capture.md)): `interface` computes a few heads at a
time, `hooks` holds about one layer, `outputs` all layers of a sentence. A family that is not listed here is
tried in the same way, and refused with the reason if none of the three gives exact attention. What reads
images, sound or anything else but texts is refused before its weights are loaded, by what transformers says
of its class.
"""
_REFUSED = """
## Not captured

Reasons as the command prints them.

| family | reason |
|---|---|
"""


def page(rows: Mapping[str, Measured]) -> str:
    """The whole page."""
    captured = {name: row for name, row in rows.items() if row.facts is not None}
    refused = {name: row for name, row in rows.items() if row.facts is None}
    lines = [
        _HEAD,
        f"## Captured: {len(captured)} families\n",
        "| family | attention | strategy | largest difference | batched | remarks |",
        "|---|---|---|---|---|---|",
        *(_captured(name, captured[name]) for name in sorted(captured)),
    ]
    refusals = [f"| {name} | {refused[name].reason} |" for name in sorted(refused)]
    return "\n".join(lines) + "\n" + _REFUSED + "\n".join(refusals) + "\n"


def without_digits(text: str) -> str:
    """The page without its numbers, which differ between processors and versions of libraries."""
    return re.sub(r"[\d.]+(e-?\d+)?", "0", text)


def _captured(name: str, row: Measured) -> str:
    assert row.facts is not None
    kinds = ", ".join(facts.kind for facts in row.facts.values())
    batched = "equal lengths" if row.shares else "one by one"
    remarks = ", ".join(_remarks(row))
    return f"| {name} | {kinds} | {row.strategy} | {_magnitude(row.difference)} | {batched} | {remarks} |"


def _magnitude(difference: float) -> str:
    return next(f"< 1e-{power}" for power in (6, 5, 4, 3, 2, 1, 0) if difference < 10.0**-power)


def _remarks(row: Measured) -> list[str]:
    assert row.facts is not None
    facts = next(iter(row.facts.values()))
    return [
        *(["shared keys"] if facts.key_value_heads < facts.heads else []),
        *(["windows"] if facts.windows else []),
        *(["some layers without attention"] if facts.skipped else []),
    ]
