"""How to turn a model into one that can be used: a command that keeps its head and tokenizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from attention_gallery.models.on_disk import file_names
from attention_gallery.models.on_disk.inside import json_object

# Of these transformers before version 5 could make weights of PyTorch.
_OTHER_FRAMEWORKS = {
    ".h5": ("TensorFlow", "from_tf", "tensorflow"),
    ".msgpack": ("Flax", "from_flax", "flax"),
}
# Pickles that training leaves behind, which are no weights.
_OF_TRAINING = ("training_args", "optimizer", "scheduler", "rng_")
_PICKLED_NAME = "pytorch_model.bin"
_CLASS = re.compile(r"[A-Za-z]\w{0,99}")
_WHY = "pickled weights can run code when they are loaded"


def conversion(source: str, folder: Path, architectures: Sequence[str] = (), options: str = "") -> str:
    """A command that saves a model anew as safetensors, and the `source` to write then.

    `architectures` are the names of the classes that it was saved with, by default those in its config.json:
    with any other class the head would be lost.
    """
    model = next(iter(architectures or _architectures(folder)), "AutoModel")
    origin = source if _is_hub_id(source) else str(folder)
    target = f"{Path(origin).name or 'model'}-safetensors"
    program = (
        f"from transformers import AutoTokenizer, {model}; "
        f"{model}.from_pretrained({origin!r}{options}).save_pretrained({target!r}); "
        f"AutoTokenizer.from_pretrained({origin!r}).save_pretrained({target!r})"
    )
    return f'run `python -c "{program}"` beside the manifest and write `source: ./{target}`'


def pickled_mend(source: str, folder: Path, name: str) -> str:
    """What to do about weights in the file `name` that are not safetensors."""
    framework, option, package = _OTHER_FRAMEWORKS.get(Path(name).suffix, ("", "", ""))
    if framework:
        with_old = f"in an environment with `pip install 'transformers<5' {package} torch`"
        how = conversion(source, folder, options=f", {option}=True")
        return f"they are of {framework}; {with_old}, {how}"
    if not re.fullmatch(r"pytorch_model(-\d+-of-\d+)?\.bin", name):
        return (
            f"{_WHY}, and transformers looks for {_PICKLED_NAME} only: if {name} is such a file, rename it, "
            f"and {conversion(source, folder)}"
        )
    return f"{_WHY}; if you trust their authors, convert them once: {conversion(source, folder)}"


def pickled_weights(entries: frozenset[str], endings: frozenset[str]) -> str | None:
    """The file that most likely holds the pickled weights of a folder with these entries."""
    files = sorted(name for name in entries if Path(name).suffix in endings)
    usual = [name for name in files if name.startswith("pytorch_model")]
    others = [name for name in files if not name.startswith(_OF_TRAINING)]
    return next(iter(usual or others or files), None)


def _architectures(folder: Path) -> list[str]:
    named = json_object(folder / file_names.CONFIG).get("architectures")
    named = named if isinstance(named, list) else []
    return [name for name in named if isinstance(name, str) and _CLASS.fullmatch(name)]


def _is_hub_id(source: str) -> bool:
    return not source.startswith((".", "/", "~", "package:")) and ":" not in source and "\\" not in source
