"""A warning is told once: as a warning or, where the run is strict, as an error."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from attention_gallery.build import BuildOptions, check
from attention_gallery.build.plan.lockfile_update import update_lock
from attention_gallery.cli.main import gallery
from attention_gallery.errors import UserError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample

FAILING = """---
claims:
  - {head: models/enc/L0H0, measure: self, at_least: 1}
---
Held.
"""


@pytest.fixture
def failing(sample: Sample) -> Sample:
    """A gallery that was built, with a claim that does not hold."""
    sample.note("enc/cat/L1H0.md", FAILING)
    sample.build()
    return sample


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(("options", "word"), [([], "warning: "), (["--strict"], "error: ")])
def test_a_claim_that_fails_is_told_once(
    failing: Sample, command: str, options: list[str], word: str
) -> None:
    result = CliRunner().invoke(gallery, [command, "--manifest", str(failing.manifest), *options])
    assert result.exit_code == (2 if options else 0)
    assert result.stderr.count("the claim does not hold") == 1
    assert f"{word}content/enc/cat/L1H0.md:3:54: the claim does not hold" in result.stderr


def test_a_strict_run_that_something_else_ends_tells_its_warnings_too(failing: Sample) -> None:
    update_lock(failing.manifest, SilentReporter())
    failing.settings["models"] = failing.settings["models"][:1]
    for name in ("notes/first.md", "about.md"):
        failing.note(name, "# Short\n")
    failing.note("notes/broken.md", "# Broken\n\n[[nowhere]]\n")
    failing.save()
    heard = SilentReporter()
    with pytest.raises(UserError, match="nowhere"):
        check(failing.manifest, BuildOptions(strict=True), heard)
    [warning] = heard.warnings
    assert warning.startswith('gallery.lock has a model "dec" that the manifest does not')
