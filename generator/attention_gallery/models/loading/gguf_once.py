"""Read a GGUF file once, although the libraries ask for all of it three times.

transformers parses the whole file, its vocabulary included, for the configuration, again for the weights and
again for the tokenizer, and works out the names of all layers anew for every module.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

# A class whose objects only read a mapped file, and a function of its arguments alone.
_REPEATED = ("GGUFReader", "get_tensor_name_map")


@contextmanager
def gguf_read_once() -> Iterator[None]:
    """Let the GGUF library remember for a while what it has read; afterwards it is as it was."""
    gguf = importlib.import_module("gguf")
    before = {name: getattr(gguf, name) for name in _REPEATED if hasattr(gguf, name)}
    for name, original in before.items():
        setattr(gguf, name, functools.cache(original))
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(gguf, name, original)
