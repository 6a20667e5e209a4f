"""What a claim expects of a number: bounds, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The closed interval that a number must lie in, and how readers are told of it: `at least 0.3`."""

    least: float
    most: float
    words: str

    def hold(self, value: float) -> bool:
        """Whether a number lies inside; one that is not defined (NaN) does not."""
        return self.least <= value <= self.most


def at_least(limit: float) -> Bounds:
    """From a limit on."""
    return Bounds(limit, float("inf"), f"at least {limit:g}")


def at_most(limit: float) -> Bounds:
    """Up to a limit."""
    return Bounds(float("-inf"), limit, f"at most {limit:g}")


def between(least: float, most: float) -> Bounds:
    """From one limit to another."""
    return Bounds(least, most, f"between {least:g} and {most:g}")


def about(value: float, within: float) -> Bounds:
    """A number, give or take a tolerance."""
    # Half a millionth, so that 0.76 give or take 0.01 reaches 0.77 although 0.76 + 0.01 does not.
    slack = within + 5e-7
    return Bounds(value - slack, value + slack, f"about {value:g}, give or take {within:g}")
