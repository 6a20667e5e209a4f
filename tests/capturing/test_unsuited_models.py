"""What a model reads, or how it attends, is said where it cannot be captured; the advice leads on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_families import FAMILIES, TYPES
from tiny_models import resolved_tiny
from transformers import AutoConfig
from unsuited_models import READS_OTHER, TRIED, save_unsuited

from attention_gallery.capturing import capture_one
from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
from attention_gallery.models.inspecting.suited import check_reads_texts
from attention_gallery.models.loading.load_model import load


def refusal(folder: Path) -> Problem:
    with pytest.raises(ModelError) as caught:
        capture_one(load(resolved_tiny(folder)), "The trophy does not fit.")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", sorted(READS_OTHER))
@pytest.mark.parametrize("tokenizer", [True, False])
def test_what_a_model_reads_instead_of_texts_is_said(tmp_path: Path, name: str, tokenizer: bool) -> None:
    problem = refusal(save_unsuited(tmp_path / "model", name, tokenizer))
    assert f"reads {READS_OTHER[name]}, not texts" in problem.reason
    assert '"./model"' in problem.reason
    assert "bert" in problem.mend


@pytest.mark.parametrize("name", sorted(TRIED))
def test_why_the_attention_of_a_model_cannot_be_captured_is_said(tmp_path: Path, name: str) -> None:
    problem = refusal(save_unsuited(tmp_path / "model", name))
    assert TRIED[name] in problem.reason
    assert "report" not in problem.mend, "it is no fault of anybody"


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_no_family_that_reads_texts_is_refused_for_what_it_reads(name: str) -> None:
    config = AutoConfig.for_model(TYPES.get(name, name), **FAMILIES[name])
    check_reads_texts(config, "./model", Problem)


def follow(mend: str, folder: Path) -> str:
    """Run the command of a mend as it is written; the source that it says to write then."""
    command, source = re.search(r"run `(.*)` beside", mend), re.search(r"write `source: (.*)`", mend)
    assert command is not None
    assert source is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command[1]],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return source[1]


def test_the_part_of_clip_that_reads_texts_can_be_captured(tmp_path: Path) -> None:
    mend = refusal(save_unsuited(tmp_path / "clip", "clip")).mend
    saved = resolve(ModelSpec(slug="m", title="M", source=follow(mend, tmp_path)), tmp_path)
    captured = capture_one(load(saved), "The trophy does not fit.")
    assert (captured.facts.layers, captured.facts.heads) == (2, 4)


@pytest.mark.parametrize(
    ("name", "said", "key", "value"),
    [
        (
            "xmod",
            '`"default_language": …` in its config.json; known: en_XX, de_DE',
            "default_language",
            "en_XX",
        ),
        ("big_bird", '`"attention_type": "original_full"`', "attention_type", "original_full"),
    ],
)
def test_what_a_configuration_must_say_is_told(
    tmp_path: Path, name: str, said: str, key: str, value: str
) -> None:
    folder = save_unsuited(tmp_path / "model", name)
    assert said in refusal(folder).mend
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), key: value}))
    assert capture_one(load(resolved_tiny(folder)), "The trophy does not fit.").facts.layers == 2
