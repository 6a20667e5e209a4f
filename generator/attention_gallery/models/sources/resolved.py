"""A model that was found: which files matter, before any of them is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from attention_gallery.errors import ModelError, Problem
from attention_gallery.models.on_disk.inside import json_object
from attention_gallery.records import ATTENTION_KINDS

WeightsFormat = Literal["safetensors", "gguf"]

# Makes a problem at the place where the user named the model: (reason, mend) -> Problem.
ProblemMaker = Callable[[str, str], Problem]


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The files of one model.

    `source` is the source as the manifest writes it, `revision` the commit of a hub snapshot or the version
    of an installed package, None where neither is known. `weights` are the files with the parameters; for
    GGUF the one file that holds configuration and tokenizer too, and `config` and `tokenizer` are then empty.
    `other_files` are further ones that can change the numbers: how the model continues a text, and its own
    code, which is among them only when `trusted` says that it may run.
    """

    source: str
    folder: Path
    weights_format: WeightsFormat
    weights: tuple[Path, ...]
    config: Path | None
    tokenizer: tuple[Path, ...]
    revision: str | None
    problem: ProblemMaker = field(default=Problem, compare=False)
    other_files: tuple[Path, ...] = ()
    trusted: bool = False

    @property
    def gguf_file(self) -> str | None:
        """The name of the GGUF file inside `folder`, or None."""
        return self.weights[0].name if self.weights_format == "gguf" else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of attention that one reading gives, as `config.json` tells; ("self",) when in doubt."""
        # Whoever loads the model says what is wrong with a file that cannot be read.
        described = {} if self.config is None else json_object(self.config)
        return ATTENTION_KINDS if described.get("is_encoder_decoder") is True else ("self",)

    def error(self, reason: str, mend: str) -> ModelError:
        """What is wrong with it, at the place where the user named it."""
        return ModelError(self.problem(reason, mend))


def files(model: ResolvedModel) -> tuple[Path, ...]:
    """All files that can change the numbers, sorted."""
    config = () if model.config is None else (model.config,)
    return tuple(sorted({*model.weights, *config, *model.tokenizer, *model.other_files}))
