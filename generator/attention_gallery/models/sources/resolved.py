"""A model that was found: which files matter, before any of them is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from attention_gallery.errors import Problem
from attention_gallery.files import parse_json
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

WeightsFormat = Literal["safetensors", "gguf"]

# Makes a problem at the place where the user named the model: (reason, mend) -> Problem.
ProblemMaker = Callable[[str, str], Problem]


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The files of one model.

    `source` is the source as the manifest writes it, `revision` the commit of a hub snapshot or the version
    of an installed package, None where neither is known. `weights` are the files with the parameters; for
    GGUF the one file that holds configuration and tokenizer too, and `config` and `tokenizer` are then empty.
    `beside` are further files that can change the numbers: how the model continues a text, and its own code,
    which is among them only when `trusted` says that it may run.
    """

    source: str
    folder: Path
    weights_format: WeightsFormat
    weights: tuple[Path, ...]
    config: Path | None
    tokenizer: tuple[Path, ...]
    revision: str | None
    problem: ProblemMaker = field(default=Problem, compare=False)
    beside: tuple[Path, ...] = ()
    trusted: bool = False

    @property
    def gguf_file(self) -> str | None:
        """The name of the GGUF file inside `folder`, or None."""
        return self.weights[0].name if self.weights_format == "gguf" else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of attention that one reading gives, as `config.json` tells; ("self",) when in doubt."""
        if self.config is None:
            return ("self",)
        try:
            described = parse_json(read_user_file(self.config, LARGEST_SETTINGS))
        except (OSError, ValueError):
            return ("self",)  # whoever loads the model says what is wrong with the file
        both = isinstance(described, dict) and described.get("is_encoder_decoder") is True
        return ("encoder", "decoder", "cross") if both else ("self",)


def files(model: ResolvedModel) -> tuple[Path, ...]:
    """All files that can change the numbers, sorted."""
    config = () if model.config is None else (model.config,)
    return tuple(sorted({*model.weights, *config, *model.tokenizer, *model.beside}))
