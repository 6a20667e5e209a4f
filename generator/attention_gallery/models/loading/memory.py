"""Whether what a library raised means that the machine lacks something, and tells nothing about a model."""

from __future__ import annotations

import torch

from attention_gallery.files import is_system_trouble

# What allocators say of the processor's memory on Linux and macOS, on Windows, and of that of other devices.
# Not all of them have an error class of their own.
_SIGNS = ("can't allocate memory", "not enough memory", "CUDA out of memory")


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out, and nothing else is wrong."""
    named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return named or any(sign in str(error) for sign in _SIGNS)


def raise_trouble(error: BaseException) -> None:
    """Raise `MemoryError` where that is what `error` means, and a full disk or missing permission as it is.

    On another machine the same model may do without.
    """
    if lacks_memory(error):
        raise MemoryError(str(error)) from error
    if is_system_trouble(error):
        raise error
