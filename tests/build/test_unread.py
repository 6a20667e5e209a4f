"""What a model did not read is marked and told, and nothing may point there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModel, LlamaConfig, PreTrainedTokenizerFast

from attention_gallery.build import BuildOptions, BuildReport, build, check
from attention_gallery.errors import ManifestError, ModelError, OutputError
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.progress import SilentReporter

THOUGHT = "<think>a secret plan</think>"
CHAT = [
    {"role": "user", "content": "Who is it?"},
    {"role": "assistant", "content": f"{THOUGHT}\n\nIt is the cat."},
    {"role": "user", "content": "Why?"},
]
FORGETFUL = (
    "{% for m in messages %}<s>{% if m.role == 'assistant' %}{{ m.content.split('</think>')[-1] }}"
    "{% else %}{{ m.content }}{% endif %}</s>{% if loud %}!{% endif %}{% endfor %}"
)
FAITHFUL = "{% for m in messages %}<s>{{ m.content }}</s>{% if loud %}!{% endif %}{% endfor %}"


def save_model(folder: Path, template: str, *, whole: bool = True) -> None:
    """A tiny Llama; its tokenizer reads any character, or without `whole` letters of English alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=alphabet if whole else [sign for sign in alphabet if sign.isascii()] + ["Ġ"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(["It is the cat."], trainer)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=16,
        max_position_embeddings=128,
    )
    with quiet_libraries():
        AutoModel.from_config(config).save_pretrained(folder)
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128)
        fast.chat_template = template
        fast.save_pretrained(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unread")
    save_model(root / "models" / "forgetful", FORGETFUL)
    save_model(root / "models" / "faithful", FAITHFUL)
    save_model(root / "models" / "english", FAITHFUL, whole=False)
    return root


def built(project: Path, sentence: dict[str, Any], *names: str, **options: Any) -> BuildReport:
    return build(saved(project, sentence, *names), BuildOptions(**options), SilentReporter())


def saved(project: Path, sentence: dict[str, Any], *names: str) -> Path:
    """The manifest of a gallery in which these models read one sentence."""
    contrasts = [{"title": "Both", "models": list(names), "sentence": "talk"}] if len(names) == 2 else []
    settings = {
        "title": "Unread",
        "models": [{"slug": name, "source": f"./models/{name}"} for name in names or ("forgetful",)],
        "sentences": [{"slug": "talk", "title": "A talk", **sentence}],
        "analysis": {"repeated_tokens": False},
        "contrasts": contrasts,
    }
    manifest = project / "gallery.yaml"
    manifest.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return manifest


def page(project: Path, route: str) -> str:
    return (project / "site" / route / "index.html").read_text(encoding="utf-8")


MARKED = '<span class="hidden">[not read: </span>&lt;think&gt;a secret plan&lt;/think&gt;'
SAID = "Not read: “&lt;think&gt;a secret plan&lt;/think&gt;”. The model&#39;s chat template leaves it out"


def test_what_a_template_drops_is_marked_and_told_at_every_build(project: Path) -> None:
    told = (
        'the model "forgetful" does not read all of "talk": '
        f"its chat template leaves out or changes “{THOUGHT}”"
    )
    report = built(project, {"chat": CHAT, "focus": "cat"})
    assert told in report.warnings
    assert MARKED in page(project, "forgetful/talk")
    assert MARKED in page(project, "sentences/talk")
    for route in ("forgetful/talk", "forgetful/talk/l00h00", "sentences/talk"):
        assert SAID in page(project, route)
    for tags in ([], ["again"]):  # nothing to do, and something that needs no capture
        assert told in built(project, {"chat": CHAT, "focus": "cat", "tags": tags}).warnings
    with pytest.raises(OutputError, match="leaves out or changes"):
        built(project, {"chat": CHAT, "focus": "cat", "tags": ["strict"]}, strict=True)


def test_a_page_for_several_models_marks_what_none_of_them_read(project: Path) -> None:
    report = built(project, {"chat": CHAT}, "forgetful", "faithful")
    assert sum("does not read all" in warning for warning in report.warnings) == 1
    assert MARKED not in page(project, "sentences/talk")
    assert page(project, "sentences/talk").count(SAID) == 1
    assert MARKED in page(project, "forgetful/talk")
    assert "Not read" not in page(project, "faithful/talk")
    assert page(project, "contrasts/both").count(SAID) == 1


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ({"focus": "secret"}, "focus: secret", 'the focus "secret"'),
        ({"relations": [{"from": "plan", "to": "cat"}]}, "from: plan", '"plan"'),
        ({"relations": [{"from": "cat", "to": "plan"}]}, "to: plan", '"plan"'),
        ({"relations": [{"from": "cat", "to": [18, 24]}]}, "to:", '"a secr"'),
    ],
)
@pytest.mark.parametrize("captured", [False, True])
def test_nothing_may_point_at_what_is_not_read(
    project: Path, more: dict[str, Any], line: str, said: str, captured: bool
) -> None:
    if captured:
        built(project, {"chat": CHAT})
    with pytest.raises(ManifestError) as caught:
        built(project, {"chat": CHAT, **more})
    (problem,) = caught.value.problems
    why = "its chat template leaves out or changes it"
    assert problem.reason == f'{said} is not read by the model "forgetful": {why}'
    text = (project / "gallery.yaml").read_text(encoding="utf-8").splitlines()
    assert problem.line is not None
    assert line in "".join(text[problem.line - 2 : problem.line])
    assert "models: […]" in problem.mend


def test_a_check_tells_what_was_captured_in_the_same_words(project: Path) -> None:
    told = built(project, {"chat": CHAT}).warnings
    manifest = saved(project, {"chat": CHAT, "relations": [{"from": "plan", "to": "cat"}]})
    refused = []
    for command in (check, build):
        with pytest.raises(ManifestError) as caught:
            command(manifest, BuildOptions(), SilentReporter())
        refused.append(caught.value.problems)
    assert refused[0] == refused[1]
    assert [problem.line for problem in refused[0]] == [problem.line for problem in refused[1]] != [None]
    manifest = saved(project, {"chat": CHAT})
    assert check(manifest, BuildOptions(), SilentReporter()).warnings == told
    assert len(told) == 1


def test_a_check_knows_nothing_of_what_was_not_captured(project: Path) -> None:
    chat = [*CHAT, {"role": "user", "content": "Say so again."}]
    manifest = saved(project, {"chat": chat, "focus": "secret"})
    assert check(manifest, BuildOptions(), SilentReporter()).warnings == ()


def test_a_focus_that_is_read_elsewhere_is_taken_there(project: Path) -> None:
    chat = [CHAT[0], {"role": "assistant", "content": "<think>the cat</think>the cat"}, CHAT[2]]
    built(project, {"chat": chat, "focus": "cat"})
    html = page(project, "forgetful/talk")
    focus = re.search(r'data-focus="(\d+)"', html)
    assert focus is not None
    tokens = re.findall(r'<span class="token[^"]*"[^>]*>(.*?)</span>', html)
    chosen = int(focus[1])
    assert "".join(tokens[chosen:]).startswith("cat")
    assert "think" not in "".join(tokens)


def test_what_a_tokenizer_drops_is_told_too(project: Path) -> None:
    report = built(project, {"text": "It is the été cat."}, "english")
    assert any("its tokenizer has no token for" in warning for warning in report.warnings)
    assert 'class="unread"' in page(project, "english/talk")


def test_what_is_cut_off_is_marked_and_a_focus_there_is_told(project: Path) -> None:
    text = "It is the cat. " * 60 + "Where is the secret?"
    report = built(project, {"text": text, "truncate": True, "focus": "secret"})
    (warning,) = (warning for warning in report.warnings if "cut off" in warning)
    assert 'does not read the focus "secret" of "talk"' in warning
    assert 'class="unread"' in page(project, "sentences/talk")


def test_options_of_a_chat_are_part_of_its_capture(project: Path) -> None:
    quiet = built(project, {"chat": CHAT[:1]}, "faithful")
    loud = built(project, {"chat": CHAT[:1], "chat_options": {"loud": True}}, "faithful")
    assert (quiet.captured, loud.captured) == (1, 1)
    assert built(project, {"chat": CHAT[:1], "chat_options": {"loud": True}}, "faithful").captured == 0
    with pytest.raises(ModelError, match='no option "louder"'):
        built(project, {"chat": CHAT[:1], "chat_options": {"louder": True}}, "faithful")
