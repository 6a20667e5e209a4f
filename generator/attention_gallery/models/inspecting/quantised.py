"""How the weights of a model are quantised, and what they are when they are not plain numbers."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch

from attention_gallery.models.sources.resolved import ResolvedModel

# Formats of floating numbers that stand for themselves. Those of one byte are codes that want a scale.
_PLAIN = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
# Names under which quantisers keep the number of bits of a weight, in the order in which they are asked.
_BITS = ("bits", "w_bit", "nbits", "num_bits", "weight_bits")
# What quantisers with one format, or with names that say it, have no number for.
_KNOWN_BITS = {
    "fp8": 8,
    "fbgemm_fp8": 8,
    "mxfp4": 4,
    "nvfp4": 4,
    "int8": 8,
    "int4": 4,
    "int2": 2,
    "float8": 8,
}
# How far rounding may move a state, relative to the largest: by the format in which a model runs, and where
# layers round what they are given to a byte, as some do for quantised weights.
_ROUNDING = {"float32": 1e-5, "bfloat16": 0.05, "float16": 0.01}
_PACKED_ROUNDING = 0.05
_UNQUANTISED = ("F64", "F32", "F16", "BF16")  # in GGUF files
# Unit vectors that are sent through a layer together.
_TOGETHER = 1024


def quantisation(config: Any, resolved: ResolvedModel) -> str:
    """The quantiser of a model's files and the bits of a weight; "" for weights that are none of that.

    `config` is the configuration as it was read, before the model was loaded.
    """
    if resolved.gguf_file is not None:
        return _gguf_types(resolved)
    described: Any = getattr(config, "quantization_config", None)
    if described is None:
        described = getattr(config.get_text_config(), "quantization_config", None)
    if hasattr(described, "to_dict"):
        described = described.to_dict()
    return _described(described) if isinstance(described, Mapping) else ""


def _described(settings: Mapping[str, Any]) -> str:
    method = settings.get("quant_method")
    name = str(getattr(method, "value", method) or "an unnamed quantiser")
    if settings.get("load_in_8bit") or settings.get("load_in_4bit"):
        int8 = settings.get("load_in_8bit")
        kind = "8 bits (int8)" if int8 else f"4 bits ({settings.get('bnb_4bit_quant_type', 'fp4')})"
        return f"bitsandbytes, {kind}"
    bits = _bits(name, [*nested_settings(settings)])
    return f"{name}, {bits} bits" if bits else name


def _bits(method: str, blocks: Sequence[Mapping[str, Any]]) -> int | None:
    """The first number of bits that some settings name, else the bits that a method or format is named by."""
    numbers = (block[name] for block in blocks for name in _BITS if isinstance(block.get(name), int))
    if number := next((number for number in numbers if number > 0), 0):
        return int(number)
    texts = [method, *(text for block in blocks for text in block.values() if isinstance(text, str))]
    known = (bits for text in texts for name, bits in _KNOWN_BITS.items() if name in text.lower())
    return next(known, None)


def nested_settings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Some settings, and the settings that they hold, as plain data."""
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value:
        if isinstance(inner, Mapping | list | tuple):
            yield from nested_settings(inner)


def _gguf_types(resolved: ResolvedModel) -> str:
    """The formats of the quantised matrices of a GGUF file, the one with most weights first."""
    gguf = importlib.import_module("gguf")
    counts: Counter[str] = Counter()
    for tensor in gguf.GGUFReader(str(resolved.weights[0])).tensors:
        if len(tensor.shape) > 1:
            counts[tensor.tensor_type.name] += int(tensor.n_elements)
    return ", ".join(name for name, _ in counts.most_common() if name not in _UNQUANTISED)


def rounding(dtype: str, packed: bool) -> float:
    """How far rounding may move a state, relative to the largest."""
    return max(_ROUNDING[dtype], _PACKED_ROUNDING if packed else 0.0)


def is_plain(weight: Any) -> TypeGuard[torch.Tensor]:
    """Whether a tensor holds the numbers that it stands for: no codes, nothing packed."""
    return type(weight) in (torch.Tensor, torch.nn.Parameter) and weight.dtype in _PLAIN


def is_packed(model: torch.nn.Module) -> bool:
    """Whether any linear layer of a loaded model, or any parameter, is not made of plain numbers."""
    linear = (module for module in model.modules() if takes_features(module))
    return not all(is_plain(parameter) for parameter in model.parameters()) or not all(
        is_plain(getattr(module, "weight", None)) for module in linear
    )


def takes_features(module: Any) -> bool:
    """Whether a module is a linear layer, or calls itself one, as those of quantisers do."""
    counts = (getattr(module, name, None) for name in ("in_features", "infeatures"))
    return _is_transposed(module) or any(isinstance(count, int) for count in counts)


def _is_transposed(module: Any) -> bool:
    """Whether a module is a linear layer of GPT-2, whose weights are [in, out]."""
    room, name = type(module).__module__, type(module).__name__
    return name == "Conv1D" and room.startswith("transformers.")


def matrix_of(module: Any, example: torch.Tensor) -> torch.Tensor | None:
    """What a linear layer multiplies with: float32[out, in], without its bias. None where it is not here.

    `example` is something that the layer was given, [..., in]. Plain weights of a plain layer are taken as
    they are. Of any other layer it is found by what it makes of unit vectors, so that whatever its quantiser
    does to unpack its weights is done by the layer itself.
    """
    if any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
        return None  # what accelerate keeps elsewhere has no numbers between two passes
    weight = getattr(module, "weight", None)
    is_transposed = _is_transposed(module)
    if is_plain(weight) and (is_transposed or type(module) is torch.nn.Linear):
        return (weight.T if is_transposed else weight).float()
    width = example.shape[-1]
    with torch.inference_mode():
        nothing = module(example.new_zeros(1, 1, width)).float()
        rows = []
        for first in range(0, width, _TOGETHER):
            count = min(_TOGETHER, width - first)
            unit = example.new_zeros(1, count, width)
            unit[0, range(count), range(first, first + count)] = 1
            rows.append((module(unit).float() - nothing)[0])
    return torch.cat(rows).T


@dataclass(frozen=True, slots=True)
class Weights:
    """What is said of a model's weights as a whole.

    parameters: how many there are without the language-modelling head, unpacked. quantised: as in
    `ModelFacts`. tolerance: how far two passes that should give the same states may be apart, relative to
    the largest.
    """

    parameters: int
    quantised: str
    tolerance: float


def architecture_of(model: Any) -> torch.nn.Module:
    """The same architecture with unquantised weights that take no memory, for counting its parameters."""
    config = deepcopy(model.config)
    for settings in (config, config.get_text_config()):
        if hasattr(settings, "quantization_config"):
            del settings.quantization_config
    with torch.device("meta"):
        bare: torch.nn.Module = type(model)(config)
    return bare
