"""Whatever lies where a build reads a file: it is told by name, and nothing hangs or fills memory."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.execute.ownership import MARKER
from attention_gallery.build.plan.custom_measures import custom_measures
from attention_gallery.cli.summary import how_to_view
from attention_gallery.errors import UserError
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.models.on_disk.license import license_of
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.progress import SilentReporter
from attention_gallery.user_files import MB
from hostile_files import ENDLESS, LARGE, SPECIAL, Maker, huge, pipe, put, unix_socket
from sample_gallery import Sample
from siblings import siblings

TREE = "1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n2\tnow\tnow\tADV\t_\t_\t1\tadvmod\t_\t_\n"
# Every place from which a build reads what an author or somebody else wrote.
READ = (
    "gallery.yaml",
    "gallery.lock",
    "content/gallery.md",
    "content/notes/picture.png",
    "trees.conllu",
    "mine.py",
    "themes/tiny/theme.yaml",
    "themes/tiny/templates/home.html",
    "themes/tiny/assets/unused.bin",
    "models/enc/config.json",
    "models/enc/tokenizer.json",
    "models/enc/tokenizer_config.json",
    "models/enc/special_tokens_map.json",
    "models/enc/chat_template.jinja",
    "models/enc/generation_config.json",
    "models/enc/additional_chat_templates/rag.jinja",
    "models/enc/README.md",
)
WEIGHTS = ("models/enc/model.safetensors", "models/one.gguf")


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    sample = Sample.make(tmp_path)
    sample.write("trees.conllu", TREE)
    sample.write("mine.py", "def mine(view):\n    'The first.'\n    return view.weights[..., 0].mean(-1)\n")
    sample.settings["sentences"].append({"conllu": "trees.conllu"})
    sample.settings["analysis"] = {"measures": ["mine:mine"]}
    sample.save()
    return sample


def told(sample: Sample) -> UserError:
    with pytest.raises(UserError) as caught:
        check(sample.manifest, BuildOptions(), SilentReporter())
    return caught.value


@pytest.mark.parametrize("name", siblings(READ, 3))
@pytest.mark.parametrize(("make", "words"), [*SPECIAL.items(), *ENDLESS.items(), *LARGE.items()])
def test_what_cannot_be_read_is_told_by_name(sample: Sample, name: str, make: Maker, words: str) -> None:
    if make is unix_socket and os.sep in name and not (sample.root / name).parent.exists():
        pytest.skip("a socket needs its folder")
    put(sample.root / name, make)
    error = told(sample)
    reasons = [problem.render() for problem in error.problems]
    named = [reason for reason in reasons if Path(name).name in reason]
    assert len(named) == 1, reasons
    assert any(reason in named[0] for reason in (words, "leads out", "leaves the project"))
    assert error.exit_code == 2
    with pytest.raises(UserError):
        build(sample.manifest, BuildOptions(), SilentReporter())


def just_too_large(limit: int) -> Maker:
    """Makes a file of one byte more than is read of its kind."""

    def make(path: Path) -> None:
        with path.open("wb") as stream:
            stream.truncate(limit + 1)

    return make


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("gallery.yaml", 32),
        ("gallery.lock", 8),
        ("content/gallery.md", 1),
        ("trees.conllu", 256),
        ("mine.py", 64),
        ("themes/tiny/theme.yaml", 2),
    ],
)
@pytest.mark.parametrize("kind", ["too large", "a pipe"])
def test_what_is_refused_is_for_its_author_to_mend(sample: Sample, name: str, limit: int, kind: str) -> None:
    put(sample.root / name, pipe if kind == "a pipe" else just_too_large(limit * MB))
    (problem,) = told(sample).problems
    assert not problem.trouble, "nothing is wrong with the disk"
    if kind == "a pipe":
        assert "a named pipe" in problem.reason
        assert problem.mend == "put a plain file in its place, or remove it"
    else:
        assert re.search(rf"(larger than|at most) {limit} MB", problem.reason), problem.reason
        assert problem.mend == "divide it, or remove it"
    with pytest.raises(UserError) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize(("make", "words"), [*SPECIAL.items(), *ENDLESS.items()])
def test_weights_must_be_plain_files(sample: Sample, name: str, make: Maker, words: str) -> None:
    put(sample.root / name, make)
    if name.endswith(".gguf"):
        sample.settings["models"][0]["source"] = f"./{name}"
        sample.save()
    source = sample.settings["models"][0]["source"]
    line = sample.manifest.read_text().split("\n").index(f"  source: {source}") + 1
    (problem,) = told(sample).problems
    assert Path(name).name in problem.reason
    assert words in problem.reason
    assert (problem.file, problem.line) == (sample.manifest, line)


@pytest.mark.parametrize("make", [pipe, huge])
def test_a_lock_and_a_manifest_are_read_up_to_their_limit(sample: Sample, make: Maker) -> None:
    for path, read in ((sample.manifest, load_manifest), (sample.root / "gallery.lock", read_lock)):
        with pytest.raises(UserError, match="cannot be read"):
            read(put(path, make))  # type: ignore[operator]


def test_measures_are_read_up_to_their_limit(sample: Sample) -> None:
    manifest = load_manifest(sample.manifest)
    put(sample.root / "mine.py", huge)
    with pytest.raises(UserError, match=r"mine\.py.*larger than 64 MB"):
        custom_measures(manifest)


def test_a_folder_in_the_place_of_a_file_is_told(sample: Sample) -> None:
    for name in ("gallery.lock", "trees.conllu", "themes/tiny/theme.yaml"):
        path = sample.root / name
        before = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        path.mkdir()
        assert "errno" not in str(told(sample)).lower()
        path.rmdir()
        if before is not None:
            path.write_bytes(before)


@pytest.mark.parametrize("make", [pipe, huge])
def test_what_somebody_put_into_the_site_neither_hangs_nor_goes(sample: Sample, make: Maker) -> None:
    sample.build()
    put(sample.site / "mine.html", make)
    sample.settings["title"] = "Again"
    sample.build()
    assert (sample.site / "mine.html").exists()
    check(sample.manifest, BuildOptions(), SilentReporter())


def test_a_list_of_our_files_that_is_a_pipe_is_no_list(sample: Sample) -> None:
    sample.build()
    put(sample.site / MARKER, pipe)
    sample.settings["title"] = "Again"
    sample.save()
    with pytest.raises(UserError, match="did not write"):
        build(sample.manifest, BuildOptions(), SilentReporter())


def test_a_page_of_the_site_that_became_a_pipe_is_made_again(sample: Sample) -> None:
    sample.build()
    put(sample.site / "index.html", pipe)
    with pytest.raises(UserError, match="a named pipe"):
        check(sample.manifest, BuildOptions(), SilentReporter())
    sample.build()
    assert (sample.site / "index.html").is_file()


def test_a_makefile_that_is_a_pipe_is_none(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample.root)
    put(sample.root / "Makefile", pipe)
    assert how_to_view(sample.root) == "attention-gallery serve"


def test_a_model_card_that_is_a_pipe_tells_no_license(tmp_path: Path) -> None:
    put(tmp_path / "README.md", pipe)
    model = ResolvedModel("m", tmp_path, "safetensors", (), None, (), None)
    assert license_of(model) is None
