"""Keep the libraries' own messages and progress bars off the terminal while they load a model."""

from __future__ import annotations

import functools
import importlib
import logging as python_logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

# Quantisers that log advice in every pass; they are not imported for this.
_QUANTISERS = ("bitsandbytes", "compressed_tensors", "gptqmodel", "optimum", "torchao")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence transformers for a while and put everything back as it was.

    What matters to a reader is told by `ModelError`; the rest is advice to people who write model code.
    """
    logging = importlib.import_module("transformers.utils.logging")
    deaf = python_logging.NullHandler()
    with ExitStack() as stack:
        # Their handlers are made deaf, since changing a logger's level empties what all loggers remember of
        # their own, hundreds of them, which takes as long as a tenth of a short sentence.
        root = logging.get_logger()
        stack.enter_context(changed(root, "propagate", False))
        for handler in root.handlers:
            stack.enter_context(changed(handler, "level", max(handler.level, logging.CRITICAL)))
        for logger in map(python_logging.getLogger, _QUANTISERS):
            stack.enter_context(changed(logger, "propagate", False))
            logger.addHandler(deaf)
            stack.callback(logger.removeHandler, deaf)
        if logging.is_progress_bar_enabled():
            logging.disable_progress_bar()
            stack.callback(logging.enable_progress_bar)
        # The bar of the GGUF reader is that of tqdm, which the switch of transformers does not reach. Where a
        # version of transformers has it elsewhere, it is seen.
        with suppress(ImportError, AttributeError):
            reader: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
            stack.enter_context(changed(reader, "tqdm", functools.partial(reader.tqdm, disable=True)))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


@contextmanager
def changed(holder: Any, name: str, value: Any) -> Iterator[None]:
    """Let an attribute have another value for a while, and then the one that it had."""
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)
