"""Code that came with a model, or reads its files: it may raise anything, and even end the program.

The libraries raise bare exceptions, their Rust parts such that are no `Exception` at all, and code that a
model brings may call `sys.exit`. What is raised by our own code is a bug, and stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import walk_tb

from attention_gallery.errors import GalleryError, ModelError
from attention_gallery.files import is_system_trouble

# What code of others may raise while it runs a model; interrupts are no fault of it.
MODEL_FAULTS: tuple[type[BaseException], ...] = (Exception, SystemExit)
_OWN = __name__.partition(".")[0]


@contextmanager
def foreign_code(explain: Callable[[BaseException], ModelError]) -> Iterator[None]:
    """Turn what code of others raises into the `ModelError` that `explain` makes of it.

    Errors of ours, interrupts, lack of memory, and trouble with the disk or its permissions pass as they are.
    """
    try:
        yield
    except (GalleryError, KeyboardInterrupt, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        ours = not isinstance(error, SystemExit) and not raised_by_others(error)
        if ours or is_system_trouble(error):
            raise
        raise explain(error) from error


def raised_by_others(error: BaseException) -> bool:
    """Whether the innermost Python code that an exception came from is not ours."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    name = frames[-1].f_globals.get("__name__", "") if frames else ""
    return str(name).partition(".")[0] != _OWN


def fault_in_words(error: BaseException) -> str:
    """What was raised, in one line of at most 300 characters."""
    if isinstance(error, SystemExit):
        return f"its code ended the program, sys.exit({error.code!r})"[:300]
    message = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
