"""Why the libraries cannot load a model, and what to do about it."""

from __future__ import annotations

import json
import re
from typing import Any

import transformers
from huggingface_hub.errors import StrictDataclassFieldValidationError

from attention_gallery.errors import ModelError, first_words
from attention_gallery.models.loading.foreign import fault_in_words
from attention_gallery.models.loading.memory import lacks_memory
from attention_gallery.models.on_disk.inside import json_object
from attention_gallery.models.sources.resolved import ResolvedModel

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
# How a configuration says which value it refuses, and what it should be.
_FIELD = re.compile(r"field '(\w+)'")
_EXPECTED = re.compile(r"expected (?:an? )?(\w+), got")
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a block of names and values",
    "NoneType": "null",
}
_VALUES = "correct it there, or take config.json anew from where the model comes from"
_LONGEST = 300
_LONGEST_VALUE = 60


def cannot_load(resolved: ResolvedModel, error: BaseException) -> ModelError:
    """The error for a model whose loading raised `error`."""
    reason, mend = _explained(resolved, error)
    return resolved.error(f'the model "{resolved.source}" cannot be loaded: {reason}', mend)


def _explained(resolved: ResolvedModel, error: BaseException) -> tuple[str, str]:
    message = str(error)
    quantised = _quantisation(resolved)
    if lacks_memory(error):
        mend = "choose a smaller model, or store it in half precision: `dtype: bfloat16`"
        return "there is not enough memory", mend
    if quantised and _GPU.search(message):
        reader = f", or `pip install {_PACKAGES[quantised]}`" if quantised in _PACKAGES else ""
        mend = f"build on a machine with one{reader}, or choose weights that are not quantised"
        return f"its weights are quantised ({quantised}): {_first_line(error)}", mend
    if isinstance(error, ImportError):
        what = f"its weights are quantised ({quantised}), and " if quantised else ""
        return f"{what}a package that it needs is not installed: {_first_line(error)}", _install(
            error, quantised
        )
    if quantised and "quantiz" in message.lower():
        mend = "choose weights that are not quantised, or quantised in a way that transformers knows"
        return f"its weights are quantised ({quantised}): {_first_line(error)}", mend
    if "does not recognize this architecture" in message or "Unrecognized model" in message:
        mend = "check `model_type` in its config.json; newer models need `pip install -U transformers`"
        return f"transformers {transformers.__version__} does not know what it is: {_first_line(error)}", mend
    if isinstance(error, SystemExit):
        return fault_in_words(error), "mend the code that came with it, or choose another model"
    if isinstance(error, StrictDataclassFieldValidationError):
        return _wrong_value(resolved, error)
    config = ", that the values in its config.json are right," if resolved.config is not None else ""
    mend = f"check that its files are complete{config} and that this version of transformers knows it"
    return _first_line(error), mend


def _quantisation(resolved: ResolvedModel) -> str:
    """How the weights are quantised, as config.json names it; "" where they are not."""
    described = _config(resolved).get("quantization_config")
    return str(described.get("quant_method", ""))[:40] if isinstance(described, dict) else ""


def _install(error: ImportError, quantised: str) -> str:
    """How to install what is missing, in the library's own words where it says so."""
    named = _PIP.search(str(error))
    if named and not named[1].endswith(" ."):
        words = (word.strip("\"'") for word in named[1].split())
        requirement = " ".join(f"'{word}'" if _QUOTED.search(word) else word for word in words)
        return f"install it: `pip install {requirement}`"
    if quantised in _PACKAGES:
        return f"install it: `pip install {_PACKAGES[quantised]}`"
    if error.name:
        return f"install it: `pip install {error.name.partition('.')[0].replace('_', '-')}`"
    return "install what it names into the environment that runs attention-gallery"


def _first_line(error: BaseException) -> str:
    message = first_words(str(error), _LONGEST)
    # What Python itself says against a value, such as the key of a `KeyError`, tells little alone.
    bare = isinstance(error, LookupError | AttributeError | TypeError | ArithmeticError)
    name = type(error).__name__
    return f"{name}: {message}" if bare and message else message or name


def _config(resolved: ResolvedModel) -> dict[str, Any]:
    """What its config.json says, nothing where that cannot be read."""
    return json_object(resolved.config) if resolved.config else {}


def _wrong_value(resolved: ResolvedModel, error: StrictDataclassFieldValidationError) -> tuple[str, str]:
    """The reason and the mend for a value that is of another type than the configuration asks for."""
    field = _FIELD.search(str(error))
    name = field[1] if field else ""
    kinds = dict.fromkeys(_TYPES.get(kind, kind) for kind in _EXPECTED.findall(str(error)))
    config = _config(resolved)
    if not kinds or name not in config:
        return _first_line(error), _VALUES
    value = json.dumps(config[name], ensure_ascii=False)
    written = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
    return f"`{name}` in its config.json is {written}, and should be {' or '.join(kinds)}", _VALUES
