"""One file and one entry in a registry put a measure, view or theme on the pages, a command into the help.

Each is added to a copy of the package, in which nothing else is touched. An entry that is a value comes with
its import.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import attention_gallery
from sample_gallery import Sample

PACKAGE = Path(attention_gallery.__file__).parent
THEMES = PACKAGE.parents[1] / "themes"

MEASURE = """
from attention_gallery.analysis.measures.attention_layout import LayerView
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.records import Float32


def _last_key(view: LayerView) -> Float32:
    return view.weights[:, :, -1].mean(axis=1)


TOY = Metric(
    name="toy",
    title="Toy mass",
    unit="share",
    range=(0.0, 1.0),
    definition="The mean weight of the last key.",
    source="A test.",
    caveat="Says little.",
    compute=_last_key,
)
"""

VIEW = """
from collections.abc import Iterator

import numpy as np

from attention_gallery.analysis.attribution.view import View
from attention_gallery.records import StoredAttention


def _to_itself(attention: StoredAttention) -> Iterator[np.ndarray]:
    for index in range(attention.facts.layers):
        yield np.eye(*attention.layer(index).weights.shape[1:])


TOY = View("toy", "Toy view", "Each token draws from itself.", "Says little.", "A test.", _to_itself)
"""

COMMAND = '''
from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session


@gallery_command("toy", "attention-gallery toy")
def command(session: Session) -> None:
    """Say a word."""
    print("A word.")
'''


@dataclass(frozen=True)
class Copy:
    """A copy of the package, to be added to and run."""

    root: Path

    def write(self, name: str, text: str) -> None:
        """The one file."""
        path = self.root / name
        assert not path.exists()
        path.write_text(text.lstrip("\n"), encoding="utf-8")

    def register(self, name: str, last: str, entry: str, toy: str = "") -> None:
        """The one entry, behind the `last` one, with the import of `TOY` from the module `toy`, if any."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(last) == 1
        text = text.replace(last, last + entry)
        if toy:
            first = "from attention_gallery."
            text = text.replace(first, f"from {toy} import TOY\n{first}", 1)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, at: Path) -> str:
        """What a command prints."""
        command = [sys.executable, "-m", "attention_gallery", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(self.root.parent)}
        ran = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    root = tmp_path / "generator" / "attention_gallery"
    shutil.copytree(PACKAGE, root)
    shutil.copytree(THEMES, tmp_path / "themes")
    return Copy(root)


@pytest.fixture
def built(sample: Sample, copy: Copy) -> Callable[[], Sample]:
    """Builds a small gallery with the copy."""

    def build() -> Sample:
        sample.save()
        sample.fill()
        copy.run("build", at=sample.root)
        return sample

    return build


def test_a_measure(copy: Copy, built: Callable[[], Sample]) -> None:
    copy.write("analysis/measures/toy.py", MEASURE)
    last = '        pattern=patterns.induction,\n        kinds=("decoder",),\n    ),\n'
    copy.register(
        "analysis/measures/metrics.py", last, "    TOY,\n", "attention_gallery.analysis.measures.toy"
    )
    sample = built()
    assert "Toy mass" in sample.page("enc/cat/l00h00")
    assert "Toy mass" in sample.page("models/dec")
    heads = (sample.site / "models/dec/heads.csv").read_text(encoding="utf-8")
    assert "toy" in heads.splitlines()[0]


def test_a_view(copy: Copy, built: Callable[[], Sample]) -> None:
    copy.write("analysis/attribution/toy.py", VIEW)
    last = "        layers=norm_weighted_layers,\n        absent=_without_lengths,\n    ),\n"
    registry = "analysis/attribution/view_registry.py"
    copy.register(registry, last, "    TOY,\n", "attention_gallery.analysis.attribution.toy")
    sample = built()
    assert "Toy view" in sample.page("enc/cat")
    assert '"toy":' in (sample.site / "enc/cat/tiles/tokens.js").read_text(encoding="utf-8")


def test_a_command(copy: Copy, tmp_path: Path) -> None:
    copy.write("cli/commands/toy.py", COMMAND)
    copy.register("cli/main.py", '"publish"', ', "toy"')
    assert "Say a word." in copy.run("--help", at=tmp_path)
    assert copy.run("toy", at=tmp_path) == "A word.\n"


def test_a_theme(copy: Copy, built: Callable[[], Sample], sample: Sample, tmp_path: Path) -> None:
    templates = copy.root.parents[1] / "themes" / "toy" / "templates"
    templates.mkdir(parents=True)
    templates.with_name("theme.yaml").write_text("name: toy\ntitle: Toy theme\nextends: default\n")
    (templates / "note.html").write_text("<p>A toy: {{ page.title }}</p>")
    assert "Toy theme" in copy.run("themes", at=tmp_path)
    sample.settings["theme"] = "toy"
    assert built().page("about") == "<p>A toy: About</p>"
