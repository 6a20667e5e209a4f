"""What processes under limits are asked in the tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def echo(greeting: str) -> Callable[..., object]:
    """What answers with what it is told."""

    def work(text: str = "", do: str = "") -> object:
        if do == "raise":
            raise ValueError("no such thing")
        if do == "spin":
            while True:
                pass
        if do == "hold":
            return len([bytearray(1 << 20) for _ in range(1 << 20)])
        if do == "abort":
            os.abort()
        if do == "exit":
            sys.exit(3)
        if do == "print":
            print("noise")  # noqa: T201
            os.write(1, b"more noise\n")
        if do == "flood":
            return "x" * int(text)
        if do == "pid":
            return os.getpid()
        return greeting + text

    return work


def broken() -> None:
    """A task that cannot be made."""
    raise RuntimeError("not today")
