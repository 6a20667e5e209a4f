"""Tiny models saved as quantisers save them, and the same unquantised, with what their codes stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_tokenizer, save_tiny
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from attention_gallery.models.loading.quiet import quiet_libraries

WIDTH = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 4}
BYTES = {"load_in_8bit": True}
NF4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
_LARGEST = 448  # of a float8_e4m3fn
_BLOCK = 32


def save_bitsandbytes(folder: Path, options: dict[str, Any]) -> tuple[Path, Path]:
    """A quantised Llama, and an unquantised one with the weights that its codes stand for."""
    import bitsandbytes

    plain, packed = save_tiny(folder / "plain", "llama", head=True, **WIDTH), folder / "packed"
    with quiet_libraries():
        settings = BitsAndBytesConfig(**options)
        model = AutoModelForCausalLM.from_pretrained(
            plain, quantization_config=settings, device_map="cpu", dtype=torch.float32
        )
        model.save_pretrained(packed)
        make_tokenizer().save_pretrained(packed)
    weights = load_file(plain / "model.safetensors")
    for name, module in model.named_modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(module.weight.data, module.weight.quant_state)
        elif isinstance(module, bitsandbytes.nn.Linear8bitLt):
            weight = module.weight.data.float() * module.weight.SCB[:, None] / 127
        else:
            continue
        weights[f"{name}.weight"] = weight.float().contiguous()
    save_file(weights, plain / "model.safetensors", {"format": "pt"})
    return packed, plain


def save_fp8(folder: Path) -> tuple[Path, Path]:
    """The same with blocks of eight-bit floating numbers, as DeepSeek's models are saved."""
    plain, packed = (save_tiny(folder / name, "llama", head=True, **WIDTH) for name in ("plain", "packed"))
    weights = load_file(plain / "model.safetensors")
    codes = dict(weights)
    for name in [name for name in weights if name.endswith("proj.weight")]:
        out, width = (size // _BLOCK for size in weights[name].shape)
        blocks = weights[name].view(out, _BLOCK, width, _BLOCK)
        # Powers of two, so that unpacking to any format is exact.
        scale = 2.0 ** (blocks.abs().amax(dim=(1, 3), keepdim=True) / _LARGEST).log2().ceil()
        code = (blocks / scale).to(torch.float8_e4m3fn)
        codes[name] = code.view(weights[name].shape)
        codes[f"{name}_scale_inv"] = scale[:, 0, :, 0].contiguous()
        weights[name] = (code.float() * scale).view(weights[name].shape)
    save_file(weights, plain / "model.safetensors", {"format": "pt"})
    save_file(codes, packed / "model.safetensors", {"format": "pt"})
    config = json.loads((packed / "config.json").read_text())
    size = [_BLOCK, _BLOCK]
    config["quantization_config"] = {"quant_method": "fp8", "weight_block_size": size}
    (packed / "config.json").write_text(json.dumps(config))
    return packed, plain
