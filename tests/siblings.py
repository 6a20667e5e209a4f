"""Kinds with many members, of which an ordinary run tries a few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def siblings(members: Iterable[Any], every: int) -> list[Any]:
    """Values for `pytest.mark.parametrize`: each `every`-th, and the others for `make test-rest` alone.

    For what is long to try and goes through the same code for every member.
    """
    return [
        member
        if place % every == 0
        else pytest.param(*(member if isinstance(member, tuple) else (member,)), marks=pytest.mark.rest)
        for place, member in enumerate(members)
    ]
