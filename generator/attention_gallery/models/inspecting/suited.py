"""Whether a model reads texts, and attends to them in a way that can be shown; if not, what it does instead.

What a model reads is what transformers says of its class: `input_modalities` and `main_input_name`.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import transformers
from transformers import MODEL_MAPPING, AutoConfig

from attention_gallery.errors import ModelError
from attention_gallery.models.loading.convert import conversion
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.sources.resolved import ProblemMaker, ResolvedModel

CHOOSE = (
    "choose a model that reads texts and attends to all of them, such as one of the families bert, roberta, "
    "gpt2, llama or t5; docs/architectures.md in the project's repository lists those that were tried"
)
_MODALITIES = {"image": "images", "video": "videos", "audio": "sound", "time": "series of numbers"}
# How the classes call the first of what they are given, where that is no text.
_INPUTS = {
    "pixel_values": "images",
    "pixel_values_videos": "videos",
    "flattened_patches": "images",
    "input_features": "sound",
    "input_values": "sound",
    "audio_mel": "sound",
    "past_values": "series of numbers",
    "states": "states of a game",
    "state": "states of a robot",
}
_TOKENS = ("input_ids", "inputs_embeds")


def check_reads_texts(config: Any, source: str, problem: ProblemMaker) -> None:
    """Raise `ModelError` for a model that reads something else; `config` is its loaded configuration."""
    model = main_class(config)
    if model is not None and (read := _read_instead(config, model)):
        reason = f'"{source}" ({model.__name__}) reads {read}, not texts'
        raise ModelError(problem(reason, CHOOSE))


def check_folder_reads_texts(folder: Path, source: str, problem: ProblemMaker) -> None:
    """The same for a folder with a config.json, of which nothing is known where it cannot be read."""
    with quiet_libraries():
        try:
            config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        except MODEL_FAULTS:
            return
    check_reads_texts(config, source, problem)


def main_class(config: Any) -> type[Any] | None:
    """The class with which transformers reads what such a model was made for, None where it has none."""
    for mapping in (MODEL_MAPPING, *_task_mappings()):
        if type(config) in mapping:
            try:
                loader = mapping[type(config)]
            except (ImportError, ValueError):  # of a library that is not installed, or an error of its table
                continue
            return loader[0] if isinstance(loader, list | tuple) else loader  # type: ignore[no-any-return]
    return None


def reads_more(model: Any) -> str:
    """What a model reads that gave nothing for a text, "" for one that reads tokens alone."""
    others = _modalities(type(model)) - {"text"}
    if others and "text" in _modalities(type(model)):
        return f"it reads {_words(others)} together with texts, and gave nothing for a text alone"
    if (name := str(model.main_input_name)) not in _TOKENS:
        return f"it reads `{name}`, not the tokens of a text"
    if any(type(model.config) in _mapping(f"TEXT_TO_{sound}") for sound in ("WAVEFORM", "SPECTROGRAM")):
        return "it makes sound of texts, and does not only read them"
    if "bbox" in inspect.signature(model.forward).parameters:
        return "it reads the places of words on a page (`bbox`) together with texts"
    return ""


def no_attention(model: Any) -> str:
    """That no part of a model attends, "" where one does."""
    if any("attention" in type(module).__name__.lower() for module in model.modules()):
        return ""
    return "it has no attention: no part of it attends"


def mend(model: Any, resolved: ResolvedModel) -> str:
    """What to do about a loaded model that cannot be captured."""
    languages = getattr(model.config, "languages", None)
    if isinstance(languages, list | tuple) and getattr(model.config, "default_language", "") is None:
        known = ", ".join(map(str, languages[:12]))
        return f'say which language it is to read, `"default_language": …` in its config.json; known: {known}'
    if getattr(model.config, "attention_type", None) == "block_sparse":
        return 'write `"attention_type": "original_full"` in its config.json: then it weighs every token'
    text_class = _text_part(model, resolved)
    if text_class is None:
        return CHOOSE
    command = conversion(resolved.source, resolved.folder, (text_class.__name__,))
    return f"its part that reads texts may do: {command}"


def _read_instead(config: Any, model: type[Any]) -> str:
    name, modalities = str(model.main_input_name), _modalities(model)
    if type(config) in _mapping("VIDEO_CLASSIFICATION"):
        modalities = modalities - {"image"} | {"video"}
    if name in _INPUTS:
        return _words(modalities) or _INPUTS[name]
    if "text" in modalities or name not in _TOKENS:
        return ""
    return _words(modalities)


def _modalities(model: type[Any]) -> set[str]:
    named = getattr(model, "input_modalities", "text")
    return {named} if isinstance(named, str) else set(named)


def _words(modalities: set[str]) -> str:
    return " and ".join(words for name, words in _MODALITIES.items() if name in modalities)


def _mapping(task: str) -> Any:
    """The classes that transformers has for a task, by type of configuration."""
    return getattr(transformers, f"MODEL_FOR_{task}_MAPPING", {})


@cache
def _task_mappings() -> tuple[Any, ...]:
    names = sorted(name for name in dir(transformers) if re.fullmatch("MODEL_.*_MAPPING", name))
    return tuple(getattr(transformers, name) for name in names)


def _text_part(model: Any, resolved: ResolvedModel) -> type[Any] | None:
    """The class of the part of a model that reads texts, where its weights can be loaded by themselves."""
    config = model.config.get_text_config()
    if type(config) is type(model.config) or type(config) not in MODEL_MAPPING:
        return None
    text_class = main_class(config)
    if text_class is None or text_class.__module__ != type(model).__module__:
        return None
    try:
        with quiet_libraries():
            _, report = text_class.from_pretrained(
                str(resolved.folder), config=config, local_files_only=True, output_loading_info=True
            )
    except MODEL_FAULTS:
        return None
    return text_class if not report["missing_keys"] else None
