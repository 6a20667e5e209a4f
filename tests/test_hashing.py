"""Equal values have equal digests, in every process; other values have others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.hashing import canonical_json, digest, digest_bytes, digest_file

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def mixed_up(value: Any) -> Any:
    """The same value with its keys in the opposite order, tuples for lists."""
    if isinstance(value, dict):
        return {key: mixed_up(value[key]) for key in reversed(value)}
    return tuple(mixed_up(one) for one in value) if isinstance(value, list) else value


@given(VALUES)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    assert digest(mixed_up(value)) == digest(value)


@given(VALUES, VALUES)
def test_other_values_have_other_digests(one: Any, other: Any) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (digest(one) == digest(other))
    if type(one) is type(other) and one != other:
        assert digest(one) != digest(other)


def test_digests_are_these_for_ever() -> None:
    """Stores and records of older versions are found by them."""
    assert canonical_json({"b": [1, None, "é"], "a": 0.5}) == '{"a":0.5,"b":[1,null,"é"]}'.encode()
    assert digest({}) == hashlib.sha256(b"{}").hexdigest()
    assert digest_bytes(b"x") == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": [float("-inf")]}])
def test_what_json_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), Path()])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        digest(value)


def test_half_a_surrogate_pair_can_be_digested() -> None:
    assert digest("\ud800") != digest("\ud801")


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(data)
    assert digest_file(tmp_path / "file") == digest_bytes(data)
