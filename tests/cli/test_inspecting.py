"""`inspect`: which model, which token, and what is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from attention_gallery.analysis import find_token
from attention_gallery.cli.inspection import choose_model, describe
from attention_gallery.errors import UserError, width
from attention_gallery.manifest.lockfile.lock_entries import LockedModel, lock_text
from attention_gallery.records import AttentionLayer, ModelFacts, Tokens

TEXT = "the cat, the catfish"


def tokens(offsets: bool = True) -> Tokens:
    texts = ("[CLS]", "the", "cat", ",", "the", "cat", "fish", "[SEP]")
    special = np.array([text.startswith("[") for text in texts])
    continues = np.array([text == "fish" for text in texts])
    ranges = [(0, 0), (0, 3), (4, 7), (7, 8), (9, 12), (13, 16), (16, 20), (0, 0)]
    return Tokens(np.arange(8), texts, special, continues, np.array(ranges, np.int32) if offsets else None)


@dataclass
class Captured:
    """Two layers of two heads; head h of layer l looks from every token at token 2 l + h, with weight 0.9."""

    text: str = TEXT
    tokens: Tokens = None  # type: ignore[assignment]
    facts: ModelFacts = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.tokens = tokens()
        self.facts = ModelFacts("Bert", "bert", 2, 2, 2, False, 8, 4, 10, 10, "safetensors")

    def layer(self, index: int) -> AttentionLayer:
        weights = np.full((2, 8, 8), 0.1 / 7, np.float32)
        for head in range(2):
            weights[head, :, 2 * index + head] = 0.9
        return AttentionLayer(index, "encoder", weights)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("cat", [2]),
        ("the", [1, 4]),
        ("catfish", [5, 6]),
        ("fish", [6]),
        ("#7", [7]),
        ("[SEP]", [7]),
        ("CAT", [2, 5]),
        ("the catfish", [4, 5, 6]),
    ],
)
def test_words_are_found_as_they_stand_in_the_text(wanted, found):
    assert find_token(TEXT, tokens(), wanted) == found


def test_without_offsets_the_tokens_own_texts_are_compared():
    assert find_token(TEXT, tokens(offsets=False), "cat") == [2, 5]


@pytest.mark.parametrize(
    ("wanted", "mend"), [("cats", 'did you mean "cat"?'), ("#8", "#7"), ("", "tokens are")]
)
def test_a_word_that_is_not_there_is_told(wanted, mend):
    with pytest.raises(UserError) as told:
        find_token(TEXT, tokens(), wanted)
    assert mend in told.value.problems[0].mend


def test_a_token_has_a_row_for_each_layer_with_its_heads_averaged():
    lines = list(describe(Captured(), token="fish", layer=None, top=2))  # type: ignore[arg-type]
    assert lines[0] == "2 layers of 2 heads, 8 tokens: [CLS] the cat , the cat fish [SEP]"
    assert "(#6)" in lines[2]
    assert re.fullmatch(r"  layer 0  █{5} +\[CLS\] 0\.457   the 0\.457", lines[3])
    assert re.fullmatch(r"  layer 1  █{5} +cat   0\.457   ,   0\.457", lines[4])


def test_a_layer_has_a_row_for_each_head():
    lines = list(describe(Captured(), token="fish", layer=1, top=1))  # type: ignore[arg-type]
    assert [line.split()[0] for line in lines[3:]] == ["L1H0", "L1H1"]
    assert lines[3].split()[-2:] == ["cat", "0.900"]
    assert lines[4].split()[-2:] == [",", "0.900"]


def test_without_a_token_every_token_has_a_row():
    lines = list(describe(Captured(), token=None, layer=None, top=1))  # type: ignore[arg-type]
    assert len(lines) == 3 + 8
    assert lines[3].split()[-1] == "0.236"  # (0.9 + 3 · 0.1/7) / 4, the first of four equal ones


def test_tokens_of_wide_letters_stand_in_columns():
    captured = Captured()
    texts = ("[CLS]", "猫", "は", "寝た", "🐈", "e\u0301", "fish", "[SEP]")
    captured.tokens = Tokens(np.arange(8), texts, *(np.zeros(8, bool),) * 2, None)
    lines = list(describe(captured, token=None, layer=None, top=1))[3:]  # type: ignore[arg-type]
    assert len({width(line[: line.index("█")]) for line in lines}) == 1


def test_a_layer_that_does_not_exist_is_told():
    with pytest.raises(UserError, match="layers 0 to 1"):
        list(describe(Captured(), token=None, layer=2, top=1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("minlm", 'did you mean "minilm"?'),
        ("./nowhere", "does not exist"),
        ("package:no_such_package/model", "is not installed"),
    ],
)
def test_a_model_that_does_not_exist_is_told(project, invoke, model, said):
    result = invoke("inspect", model, "A text.")
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_empty_text_is_told(project, invoke):
    result = invoke("inspect", "minilm", " ")
    assert result.exit_code == 2
    assert "the text is empty" in result.stderr


@pytest.mark.model
def test_a_real_model_answers_and_writes_nothing(project, command):
    result = command(
        "inspect",
        "minilm",
        "The cat did not cross the street because it was too tired.",
        "--token",
        "it",
        cwd=project,
        environment={"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"},
    )
    assert result.returncode == 0, result.stderr
    assert "6 layers of 12 heads" in result.stdout
    assert len(re.findall(r"^  layer \d", result.stdout, flags=re.M)) == 6
    assert sorted(path.name for path in project.iterdir()) == ["gallery.yaml"]


def test_a_model_of_the_manifest_is_taken_at_its_locked_commit(tmp_path):
    manifest = tmp_path / "gallery.yaml"
    manifest.write_text("title: x\nmodels: [{slug: small, source: org/small}]\nsentences: [{text: a}]\n")
    assert choose_model("small", manifest)[0].revision is None
    locked = LockedModel("org/small", "safetensors", "0" * 64, "0" * 64, commit="a" * 40)
    (tmp_path / "gallery.lock").write_text(lock_text({"small": locked}))
    assert choose_model("small", manifest)[0].revision == "a" * 40


def test_as_many_threads_as_the_manifest_says(tmp_path):
    manifest = tmp_path / "gallery.yaml"
    text = "title: x\nmodels: [{slug: small, source: org/small}]\nsentences: [{text: a}]\n"
    manifest.write_text(text)
    assert choose_model("small", manifest)[2] == 4
    manifest.write_text(f"{text}capture: {{threads: 2}}\n")
    assert choose_model("small", manifest)[2] == 2
    assert choose_model("org/other", manifest)[2] == 4
