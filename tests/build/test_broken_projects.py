"""Whatever `build` refuses before it captures, `check` tells too, in the same words, and all of it at once.

`BROKEN` is a corpus of projects with one mistake each. They are built where a capture would fail the test, so
that everything that can be known before one is known before it.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.errors import Problem, UserError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample

Break = Callable[[Sample], object]


def note(text: str, name: str = "sentences/river.md") -> Break:
    return lambda sample: sample.note(name, text)


def write(name: str, text: str | bytes) -> Break:
    def apply(sample: Sample) -> None:
        path = sample.write(name, "")
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    return apply


def manifest(**settings: object) -> Break:
    return lambda sample: sample.settings.update(settings)


def model(**settings: object) -> Break:
    return lambda sample: sample.settings["models"][0].update(settings)


def sentence(**settings: object) -> Break:
    return lambda sample: sample.settings["sentences"][0].update(settings)


def lengths_of(sample: Sample) -> None:
    path = sample.root / "models" / "dec" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-3])


def both(*breaks: Break) -> Break:
    return lambda sample: [one(sample) for one in breaks]


TINY = "themes/tiny/templates"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
TREE = "1\tIt\t_\t_\t_\t_\t0\troot\t_\t_\n"
MINE = manifest(analysis={"measures": ["mine:far"]})
PART = "x-00002-of-00003.gguf"
COLUMNS = "# global.columns = ID FORM\n1\tIt\n"

# The mistake, and a part of what is told of it.
BROKEN: dict[str, tuple[Break, str]] = {
    # the manifest and treebanks
    "slug": (sentence(slug="A slug"), "A slug"),
    "same slug": (sentence(slug="river"), 'the slug "river" is already that of line'),
    "unknown key": (model(revison="x"), "revison"),
    "focus": (sentence(focus="dog"), '"dog" does not stand in the text'),
    "contrast of no model": (
        manifest(contrasts=[{"models": ["enc", "dce"], "sentence": "cat"}]), 'no model "dce"'
    ),
    "contrast of no head": (
        manifest(contrasts=[{"model": "dec", "heads": ["L0H0", "L0H3"], "sentence": "cat"}]), "no head L0H3"
    ),
    "treebank gone": (manifest(sentences=[{"conllu": "gone.conllu"}]), 'no file "gone.conllu"'),
    "treebank": (
        both(write("t.conllu", TREE.replace("root", "_")), manifest(sentences=[{"conllu": "t.conllu"}])),
        "no relation to its head",
    ),
    "treebank columns": (
        both(write("t.conllu", COLUMNS), manifest(sentences=[{"conllu": "t.conllu"}])), "no HEAD"
    ),
    "treebank in Latin-1": (
        both(write("t.conllu", b"# caf\xe9\n"), manifest(sentences=[{"conllu": "t.conllu"}])), "not UTF-8"
    ),
    "measure gone": (MINE, 'no file "mine.py"'),
    "measure": (
        both(write("mine.py", "def far(view):\n    return 1\n"), MINE),
        "does not say what it measures",
    ),
    "measure in Latin-1": (
        both(write("mine.py", b"# caf\xe9\n"), MINE), "not UTF-8"
    ),
    "parser": (manifest(annotate={"spacy": "no_such_pipeline"}), "no_such_pipeline"),
    # models
    "model gone": (model(source="./models/ecn"), "does not exist"),
    "weights cut off": (lengths_of, "cut off"),
    "pointer": (write("models/enc/model.safetensors", LFS), "pointer of Git LFS"),
    "pointer as tokenizer": (write("models/enc/tokenizer.json", LFS), "pointer of Git LFS"),
    "part of a GGUF": (
        both(write(f"models/{PART}", b"GGUF"), model(source=f"./models/{PART}")), PART
    ),
    "config": (write("models/enc/config.json", "[]"), "config.json"),
    "kinds": (model(attention=["decoder"]), "no encoder, decoder and cross attention"),
    "lock": (write("gallery.lock", "x: [\n"), "gallery.lock"),
    "not locked": (write("gallery.lock", "version: 1\nmodels: {}\n"), "gallery.lock"),
    # where notes lie
    "note of no model": (note("x", "models/ecn.md"), 'no model "ecn"'),
    "note of no sentence": (note("x", "sentences/rivr.md"), 'no sentence "rivr"'),
    "note of no head": (note("x", "enc/river/L2H0.md"), "enc has no head L2H0"),
    "note twice": (both(note("x", "enc/river/l0h0.md"), note("x", "enc/river/L0H0.md")), "same page as"),
    "note in Latin-1": (write("content/about.md", b"caf\xe9"), "not UTF-8"),
    "note with controls": (note("a\x07b"), "control character"),
    "front matter": (note("---\ntitel: x\n---\n", "sentences/cat.md"), "titel"),
    "asset": (write("content/a.svg", "<svg/>"), "can carry scripts"),
    # what notes say
    "link to no model": (note("[[models/ecn]]"), 'no model "ecn"'),
    "link to no sentence": (note("[[enc/rivr]]"), 'no sentence "rivr"'),
    "link to no head": (note("[[enc/river/L2H0]]"), 'the model "enc" has no head L2H0'),
    "link to no head of a model": (note("[[models/dec/L0H3]]"), 'the model "dec" has no head L0H3'),
    "link to no note": (note("[[notes/frist]]"), 'no note "frist"'),
    "link to no contrast": (note("[[contrasts/x]]"), 'no contrast "x"'),
    "link to no length": (note("[[models/enc/length]]"), "at several lengths"),
    "link of no form": (note("[[a b]]"), "no known form"),
    "Markdown link": (note("[x](../notes/gone.md)"), "gone.md"),
    "picture": (note("![x](gone.png)"), "gone.png"),
    "formula": (note("$\\frac{a}$"), "cannot be drawn"),
    "live value": (note("{{ wieght() }}"), 'no live value "wieght"'),
    "live value not closed": (note("{{ type("), "not closed"),
    "live value of no head": (note('{{ type("enc/river/L9H0") }}'), "no head L9H0"),
    "live value of no layer": (note('{{ weight("enc/river/L9", "A", "river") }}'), "no layer 9"),
    "live value of no sentence": (note('{{ type("enc/rivr/L0H0") }}'), 'no sentence "rivr"'),
    "live value of no measure": (note('{{ measure("enc/river/L0H0", "entrpy") }}'), 'no measure "entrpy"'),
    "live value of no type": (note('{{ count("enc/river", "prevoius") }}'), 'no type of head "prevoius"'),
    "live value of no relation": (note('{{ accuracy("models/enc", "nsubj") }}'), 'no relation "nsubj"'),
    "figure of no head": (note('{{ figure("enc/river") }}'), "a figure is that of a head"),
    "table without a sentence": (note('{{ keys("models/enc", "it") }}'), "none is named"),
    "pairs of no head": (note('{{ pairs("enc/river/L1") }}'), "pairs are those of a head"),
    "claim": (note("---\nclaims:\n  - {head: enc/river/L0H0, type: prevoius}\n---\n"), "prevoius"),
    "claim of no head": (
        note("---\nclaims:\n  - {head: enc/river/L5H0, measure: entropy, at_least: 1}\n---\n"), "no head L5H0"
    ),
    "claim of no measure": (
        note("---\nclaims:\n  - {head: enc/river/L0H0, measure: entrpy, at_least: 1}\n---\n"), "entrpy"
    ),
    "claim without a limit": (
        note("---\nclaims:\n  - {head: enc/river/L0H0, measure: entropy}\n---\n"), "no limit"
    ),
    # the theme
    "no theme": (manifest(theme="defualt"), 'no theme "defualt"'),
    "theme option": (manifest(theme_options={"acent": "red"}), "acent"),
    "theme setting": (write("themes/tiny/theme.yaml", "styels: []\n"), "styels"),
    "theme in Latin-1": (write("themes/tiny/theme.yaml", b"name: caf\xe9\n"), "not UTF-8"),
    "parent": (write("themes/tiny/theme.yaml", "name: x\nextends: defualt\n"), 'no theme "defualt"'),
    "style": (write("themes/tiny/theme.yaml", "name: tiny\nstyles: [x.css]\n"), '"x.css" does not exist'),
    "style in Latin-1": (write("themes/tiny/assets/tiny.css", b"/* \xe9 */"), "not UTF-8"),
    "address in a style": (write("themes/tiny/assets/tiny.css", "a{background:url(x.png)}"), "x.png"),
    "template that extends nothing": (write(f"{TINY}/home.html", '{% extends "bsae.html" %}'), "bsae.html"),
    "template that includes nothing": (write(f"{TINY}/head.html", '{% include "x.html" %}'), "x.html"),
    "template": (write(f"{TINY}/home.html", "{% if %}"), "Expected an expression"),
    "template that nothing uses": (write(f"{TINY}/own.html", "{% if %}"), "Expected an expression"),
    "filter": (write(f"{TINY}/home.html", "{{ 1|nosuch }}"), 'no filter "nosuch"'),
    "test": (write(f"{TINY}/home.html", "{{ 1 is nosuch }}"), 'no test "nosuch"'),
    "template in Latin-1": (write(f"{TINY}/home.html", b"caf\xe9"), "not UTF-8"),
    "template gone": (lambda sample: (sample.root / TINY / "home.html").unlink(), 'no template "home.html"'),
    "other host": (write(f"{TINY}/home.html", '<img src="https://e.org/x.png">'), "another host"),
    # the output
    "foreign output": (write("site/mine.txt", "x"), "did not write"),
    "output is a file": (lambda sample: sample.write("site", "x"), "is a file"),
}  # fmt: skip


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """A project whose models declare their layers and heads, and of which nothing may be captured."""
    sample = Sample.make(tmp_path / "project")
    for name, layers, heads in (("enc", 2, 2), ("dec", 1, 3)):
        path = sample.root / "models" / name / "config.json"
        config = json.loads(path.read_bytes()) | {"num_hidden_layers": layers, "num_attention_heads": heads}
        path.write_text(json.dumps(config), encoding="utf-8")

    def captured(*arguments: object) -> int:
        raise AssertionError("the build captures although something is wrong")

    monkeypatch.setattr("attention_gallery.build.plan.captures.capture_all", captured)
    return sample


def refused(act: Callable[..., object], sample: Sample) -> list[Problem]:
    with pytest.raises(UserError) as caught:
        act(sample.manifest, BuildOptions(), SilentReporter())
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def test_nothing_is_wrong_with_the_sample(sample: Sample) -> None:
    check(sample.manifest, BuildOptions(), SilentReporter())
    with pytest.raises(AssertionError, match="captures"):
        build(sample.manifest, BuildOptions(), SilentReporter())


@pytest.mark.parametrize("name", BROKEN)
def test_a_build_refuses_before_it_captures_what_check_tells(sample: Sample, name: str) -> None:
    mistake, told = BROKEN[name]
    mistake(sample)
    sample.save()
    problems = refused(check, sample)
    assert not sample.cache.exists()
    assert [one for one in problems if told in one.reason or told in str(one.file)], problems
    assert all(one.file is not None for one in problems if name != "template gone"), problems
    assert refused(build, sample) == problems


TOGETHER = (
    "unknown key", "weights cut off", "note of no sentence", "front matter", "note in Latin-1", "asset",
    "live value of no measure", "theme option", "filter", "style in Latin-1", "measure gone",
    "foreign output",
)  # fmt: skip


def test_mistakes_of_all_stages_are_told_at_once(sample: Sample) -> None:
    for name in TOGETHER:
        BROKEN[name][0](sample)
    sample.note(
        "notes/second.md", "[[enc/rivr]] [[notes/third]] [[enc/cat/L7H0]] ![x](a.png) [[enc/cat/L1H0]]"
    )
    sample.save()
    problems = refused(check, sample)
    said = "\n".join(problem.render() for problem in problems)
    for name in TOGETHER:
        assert BROKEN[name][1] in said, name
    reasons = "\n".join(problem.reason for problem in problems)
    assert '"rivr"' in reasons
    assert "L7H0" in reasons
    assert "L1H0" not in reasons
    assert refused(build, sample) == problems


def test_a_mistake_in_front_matter_hides_none_in_the_note(sample: Sample) -> None:
    claim = "claims:\n  - {head: enc/river/L5H0, measure: entropy, at_least: 1}\n"
    links = "[[notes/frist]] [[enc/rivr]] ![x](gone.png) {{ wieght() }}"
    sample.note("sentences/river.md", f"---\ntitel: x\n{claim}---\n{links}\n")
    sample.save()
    reasons = "\n".join(problem.reason for problem in refused(check, sample))
    for told in ("titel", "no head L5H0", 'no note "frist"', '"rivr"', "gone.png", '"wieght"'):
        assert told in reasons


def test_what_cannot_be_known_is_not_held_against_the_rest(sample: Sample) -> None:
    """Names of items that are wrong are known, and those of a manifest that cannot be read may be any."""
    sample.settings["models"][0]["dtype"] = "float13"
    sample.settings["sentences"][1]["focus"] = "dog"
    sample.note("enc/river.md", '[[enc/river/L1H1]] [[river]] {{ type("L0H1") }} [[contrasts/x]]')
    sample.save()
    assert sorted(str(one.file and one.file.name) for one in refused(check, sample)) == [
        "gallery.yaml", "gallery.yaml", "river.md",
    ]  # fmt: skip
    sample.manifest.write_text("title: [\ncontent: content\ntheme: tiny\n", encoding="utf-8")
    sample.note("enc/river.md", "---\ntitel: x\n---\n[[whatever/cat]]")
    BROKEN["theme setting"][0](sample)
    names = [str(one.file and one.file.name) for one in refused(check, sample)]
    assert names == ["gallery.yaml", "river.md", "theme.yaml"]


# For each list a slug of another item, and what notes mean by the slug that the first item should have.
NAMES = {
    "models": ("dec", ("models/enc", "models/enc-cross", "enc/cat/L0H0", "enc-decoder/cat")),
    "sentences": ("river", ("sentences/cat", "dec/cat")),
    "contrasts": ("other", ("contrasts/pair",)),
}


@pytest.mark.parametrize("slug", ["A slug", "models", "l0h0", "docs", "s" * 81, "", 3, None, "twice"])
@pytest.mark.parametrize("kind", NAMES)
def test_nothing_follows_from_a_slug_that_is_refused(sample: Sample, kind: str, slug: object) -> None:
    """The names by which notes and the manifest call an item may be what its slug is mended to."""
    contrast = {"slug": "pair", "title": "Pair", "models": ["enc", "dec"], "sentence": "cat"}
    sample.settings["contrasts"] = [contrast, {**contrast, "slug": "other"}]
    sample.settings["lengths"] = {"words": [2, 4], "sentence": "cat"}
    for number, sentence in enumerate(sample.settings["sentences"]):
        sentence["models"] = ["enc", "dec"] if number == 0 else ["dec"]
    taken, names = NAMES[kind]
    for name in names:
        sample.note(f"{name}.md", " ".join(f"[[{link}]]" for link in names))
    sample.settings[kind][0] = {**sample.settings[kind][0], "slug": taken if slug == "twice" else slug}
    sample.save()
    [problem] = refused(check, sample)
    assert problem.file == sample.manifest


@pytest.mark.parametrize(
    "settings",
    [
        {"models": []},
        {"sentences": [], "lengths": {"words": [2, 4]}},
        {"sentences": None, "lengths": {"sentence": "cat"}},
        {"models": [{"slug": "enc", "source": "./models/enc"}, {"slug": "enc", "source": "./models/dec"}]},
        {"models": [{"slug": "enc", "source": ""}, {"source": "./models/dec", "attention": 3}]},
        {"models": [{"slug": "enc", "source": "./models/enc"}, "dec"], "contrasts": "x"},
        {"contrasts": [{"models": ["enc", "dec"], "sentence": 3}, {"model": "enc", "heads": ["L0H0"]}]},
        {"content": "..", "theme_options": None},
        {"content": 3, "theme": None, "output": "content"},
        {"analysis": {"measures": 3}, "pages": "x", "annotate": 3, "language": 3},
        {"title": None, "titel": "x"},
    ],
)
def test_no_manifest_with_mistakes_ends_in_anything_else(sample: Sample, settings: dict[str, object]) -> None:
    values = '{{ measure("models/enc/L0H1", "entropy") }} {{ weight("enc/cat/L0H1", "it", "cat") }}'
    sample.note("enc/cat.md", f"---\nclaims:\n  - {{type: broad, head: L0H0}}\n---\n[[L0H1]] {values}\n")
    sample.settings.update(settings)
    sample.save()
    problems = refused(check, sample)
    assert any(one.file == sample.manifest for one in problems)
    assert refused(build, sample) == problems


def test_a_broken_project_is_refused_without_torch(sample: Sample, tmp_path: Path) -> None:
    import subprocess

    sample.note("sentences/river.md", "[[enc/rivr]]")
    code = (
        "import sys\n"
        "from attention_gallery.cli.main import run\n"
        "sys.argv = ['attention-gallery', *sys.argv[1:]]\n"
        "try:\n    run()\nexcept SystemExit as end:\n    print(end.code)\n"
        "print(sorted({'torch', 'transformers', 'plotly', 'sklearn'} & {*sys.modules}))\n"
    )
    for command in ("check", "build"):
        done = subprocess.run(
            [sys.executable, "-c", code, "-m", str(sample.manifest), command],
            capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
        assert 'no sentence "rivr"' in done.stderr
        assert done.stdout.splitlines()[-2:] == ["2", "[]"]
    shutil.rmtree(sample.cache)
