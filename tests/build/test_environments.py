"""Captures of another numeric environment are used and told, or refused where that was asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import sample_gallery
from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.plan import captures, environments
from attention_gallery.build.plan.auxiliary_inputs import RANDOM_TOKENS
from attention_gallery.build.plan.captures import needed_captures
from attention_gallery.build.plan.environments import Environments, survey
from attention_gallery.build.plan.lockfile_update import update_lock
from attention_gallery.build.project import read_project
from attention_gallery.errors import LockError, OutputError, UserError
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.models import FingerprintMemory
from attention_gallery.progress import SilentReporter
from attention_gallery.records import Float32, NumericEnvironment
from attention_gallery.store import AttentionStore
from sample_environment import sample_environment
from sample_gallery import Sample, fill_store

ELSEWHERE = sample_environment(torch="2.12.0")
CAPTURES = 8  # two models, three sentences and random tokens each


def of_another(sample: Sample) -> Sample:
    """The same project, whose captures all come from another environment."""
    sample.save()
    fill_store(sample.manifest, ELSEWHERE)
    return sample


def of_both(sample: Sample) -> Sample:
    """The same project; only the newest sentence comes from here."""
    newest = sample.settings["sentences"].pop()
    of_another(sample)
    sample.settings["sentences"].append(newest)
    sample.save()
    sample.fill()
    return sample


def rebuilt(sample: Sample, **options: Any) -> tuple[str, ...]:
    return build(sample.manifest, BuildOptions(**options), SilentReporter()).warnings


def refusal(run: Callable[..., Any], sample: Sample, **options: Any) -> list[tuple[str, str]]:
    """What a build or check refuses, as reason and mend."""
    with pytest.raises(UserError) as caught:
        run(sample.manifest, BuildOptions(**options), SilentReporter())
    return [(problem.reason, problem.mend) for problem in caught.value.problems]


def lock_of(sample: Sample) -> Path:
    return sample.root / "gallery.lock"


def test_captures_of_this_environment_are_no_matter(sample: Sample) -> None:
    assert sample.build(strict=True).warnings == ()
    assert "Another environment" not in sample.page("enc/cat")
    assert "Captured on: cpu, 4 threads, interface, equal lengths" in sample.page("enc/cat")


def test_one_line_tells_how_many_and_what(sample: Sample) -> None:
    [warning] = rebuilt(of_another(sample))
    here = sample_environment().torch
    assert warning.startswith(
        f"{CAPTURES} of {CAPTURES} captures come from another numeric environment than this one: "
        f"torch 2.12.0 instead of {here}"
    )
    assert rebuilt(sample) == (warning,), "a build with nothing to do says it, too"
    [warning] = rebuilt(of_both(sample))
    assert warning.startswith(f"{CAPTURES} of {CAPTURES}"), "all were there by then"


def test_pages_say_it_of_their_own_captures(sample: Sample) -> None:
    [warning] = rebuilt(of_both(sample))
    assert warning.startswith("6 of 8 captures")
    differs = f"Another environment: torch 2.12.0 instead of {sample_environment().torch}"
    for route in ("enc/cat", "enc/cat/l00h00", "dec/river"):
        assert differs in sample.page(route)
    assert "Another environment" not in sample.page("enc/short")
    assert "Another environment: 2 of 3 captures: torch 2.12.0" in sample.page("models/enc")
    assert f"Captured with: torch {sample_environment().torch}," in sample.page("models/enc")


def test_the_pages_are_the_same_however_the_captures_came_about(sample: Sample, tmp_path: Path) -> None:
    of_both(sample)
    other = sample.copy(tmp_path / "other")
    build(sample.manifest, BuildOptions(), SilentReporter())
    other.settings["sentences"].pop()
    other.save()
    build(other.manifest, BuildOptions(), SilentReporter())
    other.settings = sample.settings
    other.save()
    build(other.manifest, BuildOptions(), SilentReporter())
    assert other.tree() == sample.tree()


def test_what_is_kept_of_other_numbers_under_the_same_keys_is_made_anew(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results are kept under the keys of captures, which are the same wherever a capture is made."""
    sample.settings["contrasts"] = [{"slug": "two", "model": "enc", "sentences": ["cat", "river"]}]
    sample.settings["lengths"] = {"words": [2, 4, 8], "sentence": "cat"}
    sample.sentence("cat")["relations"] = [{"from": "it", "to": "cat"}]
    sample.build()
    before = sample.page("models/enc")
    monkeypatch.setattr(sample_gallery, "random_attention", _reversed(sample_gallery.random_attention))
    shutil.rmtree(sample.cache / "store")
    sample.settings["title"] = "Something to do"
    of_another(sample)
    build(sample.manifest, BuildOptions(), SilentReporter())
    assert sample.page("models/enc").replace("Something to do", "A sample") != before
    clean = sample.copy(tmp_path / "clean", clean=True)
    build(clean.manifest, BuildOptions(), SilentReporter())
    assert sample.tree() == clean.tree()


def _reversed(attention: Callable[..., Float32]) -> Callable[..., Float32]:
    """The same heads in another order."""
    return lambda *args, **options: attention(*args, **options)[::-1].copy()


@pytest.mark.parametrize("built", [False, True])
def test_a_strict_build_refuses_them(sample: Sample, built: bool) -> None:
    if built:
        rebuilt(of_another(sample))
    before = sample.tree() if built else {}
    with pytest.raises(OutputError) as caught:
        rebuilt(of_another(sample), strict=True)
    [problem] = caught.value.problems
    assert "torch 2.12.0 instead of" in problem.reason
    assert "clean --all" in problem.mend
    assert caught.value.exit_code == 2
    assert (sample.tree() if built else {}) == before
    shutil.rmtree(sample.cache / "store")
    sample.fill()
    assert rebuilt(sample, strict=True) == ()


@pytest.mark.parametrize("name", ["transformers", "device", "strategy", "batch"])
def test_every_part_counts(sample: Sample, name: str) -> None:
    newest = sample.settings["sentences"].pop()
    sample.save()
    sample.fill()
    sample.settings["sentences"].append(newest)
    sample.save()
    fill_store(sample.manifest, sample_environment(**{name: "another"}))
    [warning] = rebuilt(sample)
    assert warning.startswith("2 of 8 captures")
    assert f"{name} another instead of" in warning


def test_the_number_of_threads_is_a_part_and_no_part_of_the_key(sample: Sample) -> None:
    sample.build()
    before = AttentionStore(sample.cache / "store").keys()
    sample.settings["capture"] = {"threads": 2}
    sample.save()
    [warning] = rebuilt(sample)
    assert "threads 4 instead of 2" in warning
    assert AttentionStore(sample.cache / "store").keys() == before


def test_a_lock_names_the_environment_of_the_captures(sample: Sample) -> None:
    update_lock(of_another(sample).manifest, SilentReporter())
    lock = read_lock(lock_of(sample))
    assert lock is not None
    assert lock.models["enc"].environment == {
        "torch": "2.12.0",
        "transformers": ELSEWHERE.transformers,
        "device": "cpu",
        "dtype": "float32",
        "strategy": "interface",
        "batch": "equal lengths",
        "threads": 4,
    }
    assert not lock.exact
    assert rebuilt(sample, strict=True) == (), "this is the gallery's environment"
    sample.settings["sentences"].append({"slug": "new", "text": "A new one"})
    sample.save()
    sample.fill()
    [warning] = rebuilt(sample)
    assert warning.startswith(
        "2 of 10 captures come from another numeric environment than gallery.lock names"
    )
    assert f"torch {sample_environment().torch} instead of 2.12.0" in warning


def test_before_anything_is_captured_a_lock_names_what_is_known(sample: Sample) -> None:
    update_lock(sample.manifest, SilentReporter())
    lock = read_lock(lock_of(sample))
    assert lock is not None
    assert set(lock.models["enc"].environment) == {"torch", "transformers", "dtype", "threads"}
    sample.fill()
    assert rebuilt(sample, strict=True) == ()


def test_an_exact_lock_refuses_captures_of_another_environment(sample: Sample) -> None:
    of_another(sample)
    with pytest.raises(LockError) as caught:
        update_lock(sample.manifest, SilentReporter(), exact=True)
    assert caught.value.exit_code == 2
    assert not lock_of(sample).exists()
    assert "torch 2.12.0 instead of" in caught.value.problems[0].reason
    shutil.rmtree(sample.cache / "store")
    sample.fill()
    update_lock(sample.manifest, SilentReporter(), exact=True)
    assert "\nexact: true\n" in lock_of(sample).read_text()
    assert rebuilt(sample) == ()
    shutil.rmtree(sample.cache / "store")
    before = sample.tree()
    with pytest.raises(LockError) as caught:
        rebuilt(of_another(sample), force=True)
    assert "--no-exact" in caught.value.problems[0].mend
    assert sample.tree() == before
    with pytest.raises(LockError):
        update_lock(sample.manifest, SilentReporter()), "it stays exact until somebody says otherwise"
    update_lock(sample.manifest, SilentReporter(), exact=False)
    assert rebuilt(sample) == ()


@pytest.mark.parametrize(
    ("named", "other"), [('dtype: "float32"', 'dtype: "bfloat16"'), ("threads: 4", "threads: 2")]
)
def test_an_exact_lock_binds_what_the_manifest_asks_for(sample: Sample, named: str, other: str) -> None:
    sample.build()
    update_lock(sample.manifest, SilentReporter(), exact=True)
    assert rebuilt(sample) == ()
    lock_of(sample).write_text(lock_of(sample).read_text().replace(named, other))
    with pytest.raises(LockError) as caught:
        rebuilt(sample)
    part, here = named.replace('"', "").split(": ")
    said = f"{part} {here} instead of {other.split()[1]}".replace('"', "")
    assert [problem.reason.endswith(said) for problem in caught.value.problems] == [True, True]
    with pytest.raises(LockError):
        check(sample.manifest, BuildOptions(), SilentReporter())


def lock_to_another(sample: Sample, exact: bool) -> None:
    """Lock a gallery to another torch, and take its captures away."""
    sample.fill()
    update_lock(sample.manifest, SilentReporter(), exact=exact)
    text = lock_of(sample).read_text()
    lock_of(sample).write_text(text.replace(f'torch: "{sample_environment().torch}"', 'torch: "2.12.0"'))
    shutil.rmtree(sample.cache / "store")


@pytest.mark.parametrize("options", [{"exact": True}, {"strict": True}])
def test_nothing_is_captured_that_would_be_refused(sample: Sample, options: dict[str, bool]) -> None:
    exact = options.get("exact", False)
    lock_to_another(sample, exact)
    with pytest.raises(LockError) as caught:  # the models here cannot be loaded: it stops before that
        rebuilt(sample, strict=not exact)
    assert len(caught.value.problems) == 2
    assert '"enc" would be captured in another environment' in caught.value.problems[0].reason


def test_captures_of_the_version_before_are_told_in_one_line(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    reporter = SilentReporter()
    monkeypatch.setattr(reporter, "info", told.append)
    with monkeypatch.context() as patch:
        patch.setattr(captures, "capture_key", captures.former_key)
        sample.build()
    before = AttentionStore(sample.cache / "store").keys()
    assert len(before) == CAPTURES
    from attention_gallery.errors import ModelError

    sample.note("about.md", "# About\n\nEdited.\n")
    with pytest.raises(ModelError):  # these models cannot be loaded
        build(sample.manifest, BuildOptions(), reporter)
    [line] = [one for one in told if "earlier version" in one]
    assert line.startswith(f"{CAPTURES} captures are of an earlier version")
    assert "captured again" in line
    assert set(before) <= set(AttentionStore(sample.cache / "store").keys()), "until they are cleaned"


def test_a_warm_build_knows_without_torch(sample: Sample) -> None:
    rebuilt(of_another(sample))
    sample.note("about.md", "# About\n\nEdited.\n")
    program = f"""
import sys
from pathlib import Path
from attention_gallery.build import BuildOptions, build, check
from attention_gallery.progress import SilentReporter
report = build(Path({str(sample.manifest)!r}), BuildOptions(), SilentReporter())
assert len(report.warnings) == 1, report.warnings
assert not {{"torch", "transformers"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def surveys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many captures each survey of a build saw, from now on."""
    seen: list[int] = []

    def counted(*given: Any) -> Environments:
        found = survey(*given)
        seen.append(len(found.differs))
        return found

    monkeypatch.setattr(environments, "survey", counted)
    return seen


def test_what_is_there_is_looked_at_once(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    of_another(sample)
    seen = surveys(monkeypatch)
    assert len(rebuilt(sample)) == 1
    assert seen == [CAPTURES]


@pytest.mark.parametrize("removed", ["cat", RANDOM_TOKENS])
def test_what_was_captured_is_looked_at_too(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, removed: str
) -> None:
    """The count of what was captured is of sentences alone."""
    sample.fill()
    store = AttentionStore(sample.cache / "store")
    found = needed_captures(read_project(sample.manifest, False), FingerprintMemory(sample.cache / "x.json"))
    store.remove(found.every["enc", removed])

    def capture(*_: Any) -> int:
        fill_store(sample.manifest, ELSEWHERE)
        return 0

    monkeypatch.setattr(captures, "capture_all", capture)
    seen = surveys(monkeypatch)
    [warning] = rebuilt(sample)
    assert warning.startswith(f"1 of {CAPTURES} captures come from another numeric environment")
    assert seen == [CAPTURES - 1, CAPTURES]


def test_what_was_damaged_is_looked_at_again(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.fill()
    store = AttentionStore(sample.cache / "store")
    found = needed_captures(read_project(sample.manifest, False), FingerprintMemory(sample.cache / "x.json"))
    path = sample.cache / "store" / found.keys["enc", "cat"][:2] / f"{found.keys['enc', 'cat']}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    def capture(*_: Any) -> int:
        fill_store(sample.manifest, ELSEWHERE)
        return 0

    monkeypatch.setattr(captures, "capture_all", capture)
    [warning] = rebuilt(sample)
    assert warning.startswith(f"1 of {CAPTURES} captures come from another numeric environment")
    assert store.has(found.keys["enc", "cat"])


def test_a_check_warns_of_them_as_a_build_does(sample: Sample) -> None:
    warnings = rebuilt(of_another(sample))
    assert check(sample.manifest, BuildOptions(), SilentReporter()).warnings == warnings
    assert len(warnings) == 1
    shutil.rmtree(sample.cache / "store")
    sample.fill()
    assert check(sample.manifest, BuildOptions(), SilentReporter()).warnings == ()


@pytest.mark.parametrize("options", [{"exact": True}, {"strict": True}])
def test_a_check_refuses_captures_of_another_environment_as_a_build_does(
    sample: Sample, options: dict[str, bool]
) -> None:
    sample.fill()
    rebuilt(sample)
    exact = options.get("exact", False)
    if exact:
        update_lock(sample.manifest, SilentReporter(), exact=True)
    shutil.rmtree(sample.cache / "store")
    of_another(sample)
    told = refusal(check, sample, strict=not exact)
    assert "torch 2.12.0 instead of" in told[0][0]
    assert told == refusal(build, sample, strict=not exact, force=True)


@pytest.mark.parametrize("options", [{"exact": True}, {"strict": True}])
def test_a_check_refuses_what_a_build_would_not_capture(sample: Sample, options: dict[str, bool]) -> None:
    exact = options.get("exact", False)
    lock_to_another(sample, exact)
    told = refusal(check, sample, strict=not exact)
    assert '"enc" would be captured in another environment' in told[0][0]
    assert told == refusal(build, sample, strict=not exact)


def test_a_device_has_no_say_where_a_model_is_divided(sample: Sample) -> None:
    sample.settings["models"][0].update(device="cuda", device_map="auto")
    sample.save()
    sample.fill()
    assert rebuilt(sample) == ()


def test_the_docs_name_every_part_of_an_environment() -> None:
    told = (Path(__file__).parents[2] / "docs" / "capture.md").read_text(encoding="utf-8")
    promise = told[told.index("## The same bytes") : told.index("## Pinned")]
    assert [one.name for one in fields(NumericEnvironment) if f"`{one.name}`" not in promise] == []
    assert "**Across machines.**" in promise
