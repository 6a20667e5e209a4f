"""Whether what a library raised means that there is not enough memory."""

from __future__ import annotations

import torch

# What allocators say of the processor's memory on Linux and macOS, on Windows, and of that of other devices.
# Not all of them have an error class of their own.
_SIGNS = ("can't allocate memory", "not enough memory", "CUDA out of memory")


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out, and nothing else is wrong."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in _SIGNS)


def raise_lack_of_memory(error: BaseException) -> None:
    """Raise `MemoryError` where that is what `error` means: it tells nothing about a model."""
    if lacks_memory(error):
        raise MemoryError(str(error)) from error
