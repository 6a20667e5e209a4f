"""Attention made by hand, so that every answer is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hand_made import HandMade, hand_crossed, hand_made


@pytest.fixture(scope="session")
def stored() -> Callable[..., HandMade]:
    """Makes stored attention from weights[layer, head, query, key]."""
    return hand_made


@pytest.fixture(scope="session")
def crossed() -> Callable[..., HandMade]:
    """Makes stored cross attention from weights[layer, head, query, key]."""
    return hand_crossed


@pytest.fixture(autouse=True)
def numbers_are_checked() -> Iterator[None]:
    """A division by zero or an invalid operation anywhere in the analysis is a failure."""
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        yield
