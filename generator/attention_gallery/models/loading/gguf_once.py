"""Read a GGUF file once, although the libraries ask for all of it three times.

transformers parses the whole file, its vocabulary included, for the configuration, again for the weights and
again for the tokenizer, and works out the names of all layers anew for every module.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attention_gallery.models.loading.quiet import changed

# A class whose objects only read a mapped file, and a function of its arguments alone.
_REPEATED = ("GGUFReader", "get_tensor_name_map")


@contextmanager
def gguf_read_once() -> Iterator[None]:
    """Let the GGUF library remember for a while what it has read; afterwards it is as it was."""
    gguf = importlib.import_module("gguf")
    with ExitStack() as stack:
        for name in _REPEATED:
            if hasattr(gguf, name):
                stack.enter_context(changed(gguf, name, functools.cache(getattr(gguf, name))))
        yield
