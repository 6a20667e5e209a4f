"""Keep the libraries' own messages and progress bars off the terminal while they load a model."""

from __future__ import annotations

import functools
import importlib
import logging as python_logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Quantisers that log advice in every pass; they are not imported for this.
_QUANTISERS = ("bitsandbytes", "compressed_tensors", "gptqmodel", "optimum", "torchao")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence transformers for a while and put everything back as it was.

    What matters to a reader is told by `ModelError`; the rest is advice to people who write model code.
    """
    logging = importlib.import_module("transformers.utils.logging")
    bars = logging.is_progress_bar_enabled()
    # Their handlers are made deaf, since changing a logger's level empties what all loggers remember of their
    # own, hundreds of them, which takes as long as a tenth of a short sentence.
    root = logging.get_logger()
    propagates, levels = root.propagate, [(handler, handler.level) for handler in root.handlers]
    root.propagate = False
    for handler, level in levels:
        handler.setLevel(max(level, logging.CRITICAL))
    deaf = python_logging.NullHandler()
    others = [(logger, logger.propagate) for logger in map(python_logging.getLogger, _QUANTISERS)]
    for logger, _ in others:
        logger.addHandler(deaf)
        logger.propagate = False
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(), _without_gguf_bar():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.propagate = propagates
        for handler, level in levels:
            handler.setLevel(level)
        for logger, propagated in others:
            logger.removeHandler(deaf)
            logger.propagate = propagated
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _without_gguf_bar() -> Iterator[None]:
    """Take the bar from the GGUF reader: it is that of tqdm, which the switch of transformers does not reach.

    Where a version of transformers has it elsewhere, it is seen.
    """
    try:
        reader: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
        bar = reader.tqdm
    except (ImportError, AttributeError):
        yield
        return
    reader.tqdm = functools.partial(bar, disable=True)
    try:
        yield
    finally:
        reader.tqdm = bar
