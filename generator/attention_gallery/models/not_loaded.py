"""Why the libraries cannot load a model, and what to do about it."""

from __future__ import annotations

import re
from typing import Any

import transformers

from attention_gallery.errors import ModelError
from attention_gallery.files import parse_json
from attention_gallery.models.foreign import fault_in_words
from attention_gallery.models.memory import lacks_memory
from attention_gallery.models.resolved import ResolvedModel
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

# How the libraries write down a command: in backquotes, in parentheses, or up to the end of the sentence.
_PIP = re.compile(r"pip3? install ([^`()\n]+?)(?=[`)\n]|\.(?:\s|$)|$)")
_QUOTED = re.compile(r"[<>\[\]~!]")
_GPU = re.compile(r"\b(no )?GPU (is|or|found)", re.IGNORECASE)
# What reads weights that are quantised in these ways, of which the libraries do not say how to install it.
_PACKAGES = {
    "fbgemm_fp8": "fbgemm-gpu",
    "fp_quant": "fp_quant",
    "gptq": "gptqmodel optimum",
    "hqq": "hqq",
    "quark": "amd-quark",
}
_LONGEST = 300


def cannot_load(resolved: ResolvedModel, error: BaseException) -> ModelError:
    """The error for a model whose loading raised `error`."""
    reason, mend = _explained(resolved, error)
    return ModelError(resolved.problem(f'the model "{resolved.source}" cannot be loaded: {reason}', mend))


def _explained(resolved: ResolvedModel, error: BaseException) -> tuple[str, str]:
    said = str(error)
    quantised = _quantisation(resolved)
    if lacks_memory(error):
        mend = "choose a smaller model, or store it in half precision: `dtype: bfloat16`"
        return "there is not enough memory", mend
    if quantised and _GPU.search(said):
        reader = f", or `pip install {_PACKAGES[quantised]}`" if quantised in _PACKAGES else ""
        mend = f"build on a machine with one{reader}, or choose weights that are not quantised"
        return f"its weights are quantised ({quantised}): {_first_line(error)}", mend
    if isinstance(error, ImportError):
        what = f"its weights are quantised ({quantised}), and " if quantised else ""
        return f"{what}a package that it needs is not installed: {_first_line(error)}", _install(
            error, quantised
        )
    if quantised and "quantiz" in said.lower():
        mend = "choose weights that are not quantised, or quantised in a way that transformers knows"
        return f"its weights are quantised ({quantised}): {_first_line(error)}", mend
    if "does not recognize this architecture" in said or "Unrecognized model" in said:
        mend = "check `model_type` in its config.json; newer models need `pip install -U transformers`"
        return f"transformers {transformers.__version__} does not know what it is: {_first_line(error)}", mend
    if isinstance(error, SystemExit):
        return fault_in_words(error), "mend the code that came with it, or choose another model"
    mend = "check that its files are complete and that this version of transformers knows it"
    return _first_line(error), mend


def _quantisation(resolved: ResolvedModel) -> str:
    """How the weights are quantised, as config.json names it; "" where they are not."""
    try:
        config: Any = (
            parse_json(read_user_file(resolved.config, LARGEST_SETTINGS))
            if resolved.config is not None
            else {}
        )
        return str(config["quantization_config"]["quant_method"])[:40]
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _install(error: ImportError, quantised: str) -> str:
    """How to install what is missing, in the library's own words where it says so."""
    named = _PIP.search(str(error))
    if named and not named[1].endswith(" ."):
        words = (word.strip("\"'") for word in named[1].split())
        wanted = " ".join(f"'{word}'" if _QUOTED.search(word) else word for word in words)
        return f"install it: `pip install {wanted}`"
    if quantised in _PACKAGES:
        return f"install it: `pip install {_PACKAGES[quantised]}`"
    if error.name:
        return f"install it: `pip install {error.name.partition('.')[0].replace('_', '-')}`"
    return "install what it names into the environment that runs attention-gallery"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return (lines[0][:_LONGEST] if lines else "") or type(error).__name__
