"""Which layers of a model attend, in what way, and how far they look: read from its configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from attention_gallery.records import AttentionKind


@dataclass(frozen=True, slots=True)
class AttendingLayers:
    """The layers of one part of a model that attend.

    `count` of them, with `heads` query heads and `key_value_heads` heads of keys and values each. `windows`
    and `skipped` are those of `records.ModelFacts`.
    """

    count: int
    heads: int
    key_value_heads: int
    windows: tuple[int | None, ...] = ()
    skipped: tuple[int, ...] = ()


def of_model(config: Any, causal: bool) -> AttendingLayers:
    """The layers of a model with one kind of attention.

    Raises `AttributeError`, `TypeError` or `ValueError` when the configuration does not name them.
    """
    total, heads = int(config.num_hidden_layers), int(config.num_attention_heads)
    # ConvBERT gives this share of its heads to convolutions.
    heads = max(1, heads // int(getattr(config, "head_ratio", None) or 1))
    types = _layer_types(config, total)
    attending = [index for index, name in enumerate(types) if _attends(name)]
    windows = tuple(_window(config, types[index], causal) for index in attending)
    return AttendingLayers(
        count=len(attending),
        heads=heads,
        key_value_heads=_key_value_heads(config, heads),
        windows=windows if any(windows) else (),
        skipped=tuple(sorted(set(range(total)) - set(attending))),
    )


def of_part(config: Any, kind: AttentionKind) -> AttendingLayers:
    """The layers of one of the three kinds of attention of an encoder-decoder.

    Raises what `of_model` raises.
    """
    stack = "encoder" if kind == "encoder" else "decoder"
    own = getattr(config, stack, None)
    if hasattr(own, "num_hidden_layers"):
        attending = of_model(own, causal=stack == "decoder")
        return replace(attending, windows=()) if kind == "cross" else attending
    layers = first_number(config, f"{stack}_layers", f"num_{stack}_layers", "num_hidden_layers")
    heads = first_number(
        config, f"{stack}_attention_heads", f"num_{stack}_attention_heads", "num_attention_heads"
    )
    return AttendingLayers(layers, heads, heads)


def first_number(config: Any, *names: str) -> int:
    """The first of these settings that is a number. Raises `ValueError` when none is."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, int):
            return value
    raise ValueError(f"there is no {names[-1]}")


def _key_value_heads(config: Any, heads: int) -> int:
    if getattr(config, "multi_query", False) and not getattr(config, "new_decoder_architecture", False):
        return 1  # the first Falcons and GPT-BigCode
    names = ("num_key_value_heads", "num_kv_heads")
    return next((int(getattr(config, name)) for name in names if getattr(config, name, None)), heads)


def _layer_types(config: Any, total: int) -> list[str]:
    types = getattr(config, "layer_types", None) or getattr(config, "attention_layers", None)
    if isinstance(types, list | tuple) and len(types) >= total:
        return [str(name) for name in types[:total]]
    return ["attention"] * total


def _attends(layer_type: str) -> bool:
    # "hybrid" layers attend and have a recurrent part beside it. What is called linear attention takes no
    # softmax: there are no shares that could be shown.
    if layer_type in ("hybrid", "global", "local"):
        return True
    return "attention" in layer_type and "linear" not in layer_type


def _window(config: Any, layer_type: str, causal: bool) -> int | None:
    if layer_type == "local":  # GPT-Neo
        return first_number(config, "window_size")
    if layer_type == "chunked_attention":
        return first_number(config, "attention_chunk_size")
    window = getattr(config, "sliding_window", None)
    if layer_type not in ("sliding_attention", "attention") or not isinstance(window, int) or window <= 0:
        return None
    # In both directions transformers counts the tokens on each side, otherwise the token itself too.
    return window if causal else window + 1
