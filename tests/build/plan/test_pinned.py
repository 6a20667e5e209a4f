"""A build is made of the models that `gallery.lock` names, or it stops and says what is different."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.plan.lockfile_update import update_lock
from attention_gallery.errors import LockError, ModelError, OutputError, UserError
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.progress import SilentReporter
from sample_gallery import MODELS, Sample, make_model


class Heard(SilentReporter):
    """Keeps everything that is said."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.details: list[str] = []

    def info(self, text: str) -> None:
        self.told.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)


@pytest.fixture
def locked(sample: Sample) -> Sample:
    """A project that was built and locked."""
    sample.build()
    update_lock(sample.manifest, SilentReporter())
    time.sleep(0.05)  # a build trusts no file that was written in the clock's tick of its own beginning
    sample.build()
    return sample


def lock_of(sample: Sample) -> Path:
    return sample.root / "gallery.lock"


def retrain(sample: Sample, model: str = "enc", name: str = "config.json") -> None:
    """Change a file of a model."""
    path = sample.root / "models" / model / name
    if name.endswith(".safetensors"):
        save_file({"weight": np.ones(9, np.float32)}, path)
    else:
        path.write_bytes(path.read_bytes() + b" ")


def refusal(sample: Sample, **options: Any) -> list[str]:
    before = sample.tree()
    text = lock_of(sample).read_text()
    sample.save()
    with pytest.raises(ModelError) as caught:
        build(sample.manifest, BuildOptions(**options), SilentReporter())
    assert caught.value.exit_code == 2
    assert sample.tree() == before
    assert lock_of(sample).read_text() == text
    for problem in caught.value.problems:
        assert problem.line is not None
        assert "attention-gallery lock" in problem.mend
        assert "--update-lock" in problem.mend
    return [problem.reason for problem in caught.value.problems]


def test_without_a_lock_nothing_is_held_to_anything(sample: Sample) -> None:
    sample.build()
    assert not lock_of(sample).exists()
    retrain(sample)
    sample.build()


def test_a_locked_build_is_the_same_build(locked: Sample) -> None:
    assert locked.build(force=True).warnings == ()
    lock = read_lock(lock_of(locked))
    assert lock is not None
    assert sorted(lock.models) == ["dec", "enc"]
    assert lock.models["enc"].libraries["torch"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("config.json", "weights"), ("model.safetensors", "weights"), ("tokenizer.json", "tokenizer")],
)
def test_another_model_stops_the_build(locked: Sample, name: str, part: str) -> None:
    retrain(locked, "enc", name)
    [reason] = refusal(locked)
    assert reason.startswith(f'the model "enc" is not the one that gallery.lock pins: {part} ')
    assert "→" in reason
    assert len(refusal(locked, force=True)) == 1


def test_all_that_differs_is_told_at_once(locked: Sample) -> None:
    retrain(locked, "enc", "tokenizer.json")
    retrain(locked, "enc", "config.json")
    shutil.move(locked.root / "models/dec", locked.root / "models/moved")
    locked.settings["models"][1]["source"] = "./models/moved"
    make_model(locked.root / "models" / "new", layers=1, heads=1, causal=True)
    locked.settings["models"].append({"slug": "new", "source": "./models/new"})
    first, second, third = refusal(locked)
    assert "weights " in first
    assert "; tokenizer " in first
    assert 'source "./models/dec" → "./models/moved"' in second
    assert third == 'the model "new" is not in gallery.lock'


def test_a_build_may_accept_what_is_there(locked: Sample) -> None:
    kept = read_lock(lock_of(locked))
    assert kept is not None
    text = lock_of(locked).read_text().replace('numpy: "', 'numpy: "0')
    lock_of(locked).write_text(text)
    retrain(locked)
    heard = Heard()
    locked.build(heard, update_lock=True)
    [told] = [one for one in heard.told if "gallery.lock" in one]
    assert told.startswith("gallery.lock: enc: weights ")
    now = read_lock(lock_of(locked))
    assert now is not None
    assert now.models["enc"].weights != kept.models["enc"].weights
    assert now.models["dec"].libraries["numpy"].startswith("0"), "only what differs is touched"
    assert locked.build().written == 0
    assert locked.build().seconds.keys() == {"look"}, "and the next build has nothing to do"


def test_a_first_lock_by_a_build(sample: Sample) -> None:
    sample.build(update_lock=True)
    assert lock_of(sample).is_file()
    text = lock_of(sample).read_text()
    update_lock(sample.manifest, SilentReporter())
    assert lock_of(sample).read_text() == text


def test_locking_says_what_changed(locked: Sample) -> None:
    assert update_lock(locked.manifest, SilentReporter()).changed == {}
    retrain(locked, "dec", "tokenizer.json")
    locked.settings["models"][0]["slug"] = "other"
    locked.save()
    report = update_lock(locked.manifest, SilentReporter())
    assert report.path == lock_of(locked)
    assert {slug: [one.split(" ")[0] for one in what] for slug, what in report.changed.items()} == {
        "dec": ["tokenizer"],
        "enc": ["removed"],
        "other": ["added"],
    }


def test_a_model_that_is_gone_is_a_warning(locked: Sample) -> None:
    del locked.settings["models"][1]
    locked.note("notes/first.md", "# First\n")
    heard = Heard()
    report = locked.build(heard)
    [warning] = heard.warnings
    assert warning.startswith('gallery.lock has a model "dec" that the manifest does not')
    assert report.warnings == (warning,)
    assert check(locked.manifest, BuildOptions(), SilentReporter()).warnings == (warning,)
    with pytest.raises(OutputError, match="warnings are errors"):
        locked.build(strict=True)
    locked.build(update_lock=True)
    assert locked.build(strict=True).warnings == ()


def test_drafts_are_locked_and_kept(sample: Sample) -> None:
    sample.settings["models"] = [dict(MODELS[0]), {**MODELS[1], "draft": True}]
    sample.note("notes/first.md", "# First\n")
    sample.save()
    assert update_lock(sample.manifest, SilentReporter()).models == 2
    assert sample.build(strict=True, update_lock=True).warnings == ()
    lock = read_lock(lock_of(sample))
    assert lock is not None
    assert set(lock.models) == {"enc", "dec"}
    retrain(sample, "dec")
    sample.build()
    assert len(refusal(sample, drafts=True)) == 1


def test_other_libraries_are_a_detail(locked: Sample) -> None:
    text = lock_of(locked).read_text()
    lock_of(locked).write_text(text.replace('numpy: "', 'numpy: "0.'))
    heard = Heard()
    assert locked.build(heard, strict=True).warnings == ()
    assert len(heard.details) == 2
    assert "dec was locked with other libraries: numpy 0." in heard.details[0]
    changed = update_lock(locked.manifest, SilentReporter()).changed
    assert [what[0].split(" 0.")[0] for what in changed.values()] == ["locked with numpy"] * 2
    assert lock_of(locked).read_text() == text


def test_a_damaged_lock_stops_everything_that_reads_it(locked: Sample) -> None:
    text = lock_of(locked).read_text().replace("weights:", "weight:")
    lock_of(locked).write_text(text)
    for attempt in (
        lambda: build(locked.manifest, BuildOptions(), SilentReporter()),
        lambda: build(locked.manifest, BuildOptions(update_lock=True), SilentReporter()),
        lambda: check(locked.manifest, BuildOptions(), SilentReporter()),
        lambda: update_lock(locked.manifest, SilentReporter()),
    ):
        with pytest.raises(LockError) as caught:
            attempt()
        assert caught.value.problems[0].line is not None
        assert "delete it" in caught.value.problems[0].mend
    assert lock_of(locked).read_text() == text


def test_check_holds_models_to_the_lock_and_writes_nothing(locked: Sample) -> None:
    retrain(locked, "dec")
    locked.note("sentences/river.md", "[[enc/rivr]]\n")
    memory = (locked.cache / "fingerprints.json").read_bytes()
    with pytest.raises(UserError) as caught:
        check(locked.manifest, BuildOptions(), SilentReporter())
    reasons = " ".join(problem.reason for problem in caught.value.problems)
    assert 'the model "dec" is not the one that gallery.lock pins: weights ' in reasons
    assert "rivr" in reasons
    assert (locked.cache / "fingerprints.json").read_bytes() == memory


def test_a_model_that_is_not_found_leaves_the_lock(locked: Sample) -> None:
    text = lock_of(locked).read_text()
    shutil.rmtree(locked.root / "models" / "enc")
    with pytest.raises(ModelError, match="does not exist"):
        update_lock(locked.manifest, SilentReporter())
    assert lock_of(locked).read_text() == text


@pytest.mark.parametrize("state", ["unchanged", "lock edited"])
def test_a_warm_build_looks_at_the_lock_and_imports_nothing(locked: Sample, state: str) -> None:
    if state == "lock edited":
        with lock_of(locked).open("a") as stream:
            stream.write("# a word\n")
    program = f"""
import sys
from pathlib import Path
from attention_gallery.build import BuildOptions, build
from attention_gallery.progress import SilentReporter
report = build(Path({str(locked.manifest)!r}), BuildOptions(), SilentReporter())
assert (list(report.seconds) == ["look"]) == ({state!r} == "unchanged"), report.seconds
heavy = {{"torch", "transformers"}} | ({{"numpy", "pydantic", "yaml"}} if {state!r} == "unchanged" else set())
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
