"""What is wrong with the values of a manifest, each finding with the keys that lead to its place.

Values of a wrong type are passed over wherever findings are made: validation tells of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attention_gallery.errors import Problem
from attention_gallery.manifest.yaml.document import Document, KeyPath

__all__ = ["Finding", "KeyPath", "entries", "placed"]

Finding = tuple[str, str, KeyPath]
"""Reason, mend and place."""


def placed(findings: Iterable[Finding], document: Document) -> list[Problem]:
    """The findings as problems at their places in the document, without a file."""
    return [document.position(*keys).problem(reason, mend) for reason, mend, keys in findings]


def entries(values: Any) -> tuple[Any, ...]:
    """The entries of a list of the manifest; none where something else stands in its place."""
    return values if isinstance(values, tuple) else ()
