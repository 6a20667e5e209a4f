"""How many layers and heads the files of a model declare, read without transformers or torch.

What transformers makes of a configuration is only known once it is loaded. What is said here is used to tell
early of heads that there cannot be: where a configuration is not plain, nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attention_gallery.models.inspecting.layers import of_model, of_part
from attention_gallery.models.on_disk.gguf_header import model_entries
from attention_gallery.models.on_disk.inside import json_object
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.records import ATTENTION_KINDS

# Names that configurations have for the same, the one that transformers gives them all first.
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads")
_DEEPEST = 5
# More layers or heads than any model has: a configuration is untrusted, and lists are made of its counts.
_MOST = 10_000

Shape = tuple[int, int]


def declared_shapes(model: ResolvedModel) -> dict[str, Shape]:
    """(layers, heads) by kind of attention: as many as there are, or more where some layers do not attend.

    Empty where the files do not tell, or tell of none or of more than 10,000 of either. Reads the
    configuration or the head of a GGUF file; raises nothing.
    """
    try:
        if model.weights_format == "gguf":
            shapes = _of_gguf(model.weights[0])
        elif model.config is not None:
            shapes = _of_config(_settings(json_object(model.config), _DEEPEST))
        else:
            return {}
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, ArithmeticError):
        return {}
    return shapes if all(1 <= count <= _MOST for shape in shapes.values() for count in shape) else {}


def _of_config(config: SimpleNamespace) -> dict[str, Shape]:
    if getattr(config, "is_encoder_decoder", False):
        layers_of_kind = {kind: of_part(config, kind) for kind in ATTENTION_KINDS}
        return {kind: (layers.count, layers.heads) for kind, layers in layers_of_kind.items()}
    text = getattr(config, "text_config", None)
    if isinstance(text, SimpleNamespace):
        if hasattr(config, _LAYERS[0]):
            return {}
        config = text
    layers = of_model(config, causal=True)
    return {"self": (layers.count, layers.heads)} if layers.count > 0 else {}


def _settings(config: Mapping[str, Any], deepest: int) -> SimpleNamespace:
    """A configuration with attributes, as transformers has them.

    Raises `ValueError` where names disagree or a count is out of bounds, `OverflowError` for an infinite one.
    """
    if deepest == 0:
        raise ValueError("it nests too deeply")
    settings = SimpleNamespace()
    for name, value in config.items():
        setattr(settings, str(name), _settings(value, deepest - 1) if isinstance(value, dict) else value)
    for names in (_LAYERS, _HEADS):
        # As `of_model` reads them, which takes fractions and digits in quotes, too.
        for count in (int(config[name]) for name in names if isinstance(config.get(name), int | float | str)):
            if not 1 <= count <= _MOST:
                raise ValueError(f"it has {count} {names[0]}")
        values = {config[name] for name in names if isinstance(config.get(name), int)}
        if len(values) > 1:
            raise ValueError(f"it has several {names[0]}")
        for value in values:
            setattr(settings, names[0], value)
    return settings


def _of_gguf(path: Path) -> dict[str, Shape]:
    numbers: dict[str, int] = {}
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        for name, value in model_entries(data):
            key = name.partition(".")[2]
            if key in ("block_count", "attention.head_count") and isinstance(value, int):
                numbers[key] = value
    if len(numbers) < 2 or min(numbers.values()) < 1:
        return {}
    return {"self": (numbers["block_count"], numbers["attention.head_count"])}
