"""Measures of the author's own, through whole builds: from the project folder, checked, shown, cached."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import pytest

from attention_gallery.errors import ManifestError, UserError
from attention_gallery.progress import SilentReporter
from attention_gallery.serve import Preview
from sample_gallery import Sample

MODULE = '''"""Measures of this gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis import LayerView, Layout, Metric, Pattern


@dataclass(frozen=True)
class Step:
    """Dataclasses look their module up."""

    back: int


def last_key(view: LayerView):
    """The mean weight that a token gives to the last token it can see.

    A second paragraph that readers do not see.
    """
    last = view.layout.visible.astype(int) - 1
    return view.weights[:, np.arange(view.layout.queries), last].mean(axis=1)


def _two_back(layout: Layout) -> Pattern:
    return Pattern.where_any(layout.seen() & np.eye(layout.queries, layout.keys, -Step(2).back, dtype=bool))


two_back = Metric(
    name="two-back",
    title="Two back",
    unit="share",
    range=(0.0, 1.0),
    definition="The mean weight on the token two before.",
    source="Nobody 2026",
    caveat="Made for a test.",
    pattern=_two_back,
)
'''


def with_measures(root: Path, source: str = MODULE, *names: str) -> Sample:
    sample = Sample.make(root, analysis={"measures": list(names or ("mine:last_key", "mine:two_back"))})
    sample.write("mine.py", source)
    return sample


def test_measures_of_the_project_are_shown_like_any_other(tmp_path: Path) -> None:
    sample = with_measures(tmp_path)
    tables = list(sys.path), set(sys.modules)
    sample.build()
    assert list(sys.path) == tables[0]
    assert not [name for name in set(sys.modules) - tables[1] if "mine" in name.split(".")]
    assert not (sample.root / "__pycache__").exists()
    page = sample.page("models/enc/l00h01")
    assert "Last key" in page
    assert "Two back" in page
    assert "Last key" in sample.page("enc/cat/l01h01")
    told = json.loads((sample.site / "enc/cat/attention.json").read_text(encoding="utf-8"))
    last, back = told["metrics"][-2:]
    assert last["name"] == "last_key"
    assert last["definition"] == "The mean weight that a token gives to the last token it can see."
    assert (back["name"], back["definition"]) == ("two-back", "The mean weight on the token two before.")
    assert sample.build().written == 0


def test_a_measure_can_be_claimed_and_quoted(tmp_path: Path) -> None:
    sample = with_measures(tmp_path)
    sample.note(
        "notes/first.md",
        "---\nclaims:\n  - {head: enc/cat/L0H1, measure: two-back, between: [0, 1]}\n---\n# First\n\n"
        'It is {{ measure("enc/cat/L0H1", "last_key") }}.\n',
    )
    sample.build(strict=True)
    page = sample.page("notes/first")
    assert "two back of L0H1" in page
    assert "last key of L0H1" in page


def test_an_edit_measures_and_renders_again_and_only_then(tmp_path: Path) -> None:
    sample = with_measures(tmp_path)
    sample.build()
    before = sample.tree()
    sample.write("mine.py", MODULE.replace("the last token it can see", "the last key in view"))
    assert sample.build().written > 0
    assert "the last key in view" in (sample.site / "enc/cat/attention.json").read_text(encoding="utf-8")
    sample.write("mine.py", MODULE)
    sample.build()
    assert sample.tree() == before


def test_a_module_is_never_taken_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(elsewhere))
    sample = with_measures(tmp_path / "project", MODULE, "other:last_key")
    with pytest.raises(ManifestError, match=r'no file "other\.py" in the project'):
        sample.build()
    # A module of the project wins over an installed one of the same name, which stays what it is.
    sample.write("json.py", MODULE)
    sample.settings["analysis"] = {"measures": ["json:last_key"]}
    sample.build()
    assert json.loads("1") == 1
    (sample.root / "led.py").symlink_to(elsewhere / "other.py")
    sample.settings["analysis"] = {"measures": ["led:last_key"]}
    with pytest.raises(ManifestError, match="leaves the project through a symbolic link"):
        sample.build()


BROKEN = {
    "shape": ("def m(view):\n    '''All.'''\n    return view.weights.mean()\n", "one number for each of"),
    "range": (
        "def m(view):\n    '''All.'''\n    return view.row_sums.sum(axis=1)\n",
        "outside its range 0 to 1",
    ),
    "infinite": (
        "import numpy as np\ndef m(view):\n    '''All.'''\n    return np.full(view.heads, np.inf)\n",
        "gave inf, outside its range",
    ),
    "text": ("def m(view):\n    '''All.'''\n    return ['a'] * view.heads\n", "gave an array of <U1"),
    "undocumented": ("def m(view):\n    return view.absent()\n", "does not say what it measures"),
    "number": ("m = 3\n", "is no measure but int"),
    "missing": ("def other(view):\n    '''All.'''\n", 'has no "m"'),
    "taken": (
        "def entropy(view):\n    '''All.'''\n    return view.absent()\nm = entropy\n",
        'a measure "entropy" already',
    ),
    "mutating": ("def m(view):\n    '''All.'''\n    view.weights[:] = 0\n", "read-only"),
    "spoiling": (
        "def m(view):\n    '''All.'''\n    view.layout.visible[0] = 9\n    return view.absent()\n",
        "read-only",
    ),
    "pattern": (
        "from attention_gallery.analysis import Metric, Pattern\n"
        "def p(layout):\n    return Pattern(layout.distance, layout.choosing)\n"
        "m = Metric('far', 'Far', 'share', (0.0, 1.0), 'Far.', 'x', 'y.', pattern=p)\n",
        "has worths from 0 to",
    ),
    "neither": (
        "from attention_gallery.analysis import Metric\n"
        "m = Metric('far', 'Far', 'share', (0.0, 1.0), 'Far.', 'x', 'y.')\n",
        "needs either `pattern` or `compute`",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_measure_is_one_clear_message(tmp_path: Path, case: str) -> None:
    source, expected = BROKEN[case]
    sample = with_measures(tmp_path, source, "mine:m")
    with pytest.raises(UserError) as caught:
        sample.build()
    (problem,) = caught.value.problems
    assert expected in problem.reason + problem.mend
    told = problem.render(tmp_path)
    assert told.startswith("mine.py:3" if "read-only" in expected else "gallery.yaml:")
    assert not sample.site.exists()


def test_an_exception_is_told_with_the_line_of_the_author(tmp_path: Path) -> None:
    source = (
        "def help(view):\n    return view.weigths\n\ndef m(view):\n    '''All.'''\n    return help(view)\n"
    )
    sample = with_measures(tmp_path, source, "mine:m")
    with pytest.raises(UserError) as caught:
        sample.build()
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (sample.root / "mine.py", 2)
    assert 'the measure "m" failed: AttributeError' in problem.reason
    assert 'remove "mine:m" from line' in problem.mend


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("x = 1\ny = (\n", 2, "SyntaxError"),
        ("import no_such_module_anywhere\n", 1, "ModuleNotFoundError"),
        ("x = 1\nraise SystemExit(3)\n", 2, "SystemExit: 3"),
        ("import helper\n", 1, "it stands alone"),
    ],
)
def test_a_module_that_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, source: str, line: int, reason: str
) -> None:
    sample = with_measures(tmp_path, source, "mine:m")
    sample.write("helper.py", "")
    with pytest.raises(UserError) as caught:
        sample.build()
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (sample.root / "mine.py", line)
    assert reason in problem.reason


def test_measures_of_installed_packages_go_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages"
    info = package / "gauges-1.5.dist-info"
    info.mkdir(parents=True)
    (package / "gauges.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gauges\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[attention_gallery.measures]\ntwo-back = gauges:two_back\n")
    monkeypatch.syspath_prepend(str(package))
    sample = Sample.make(tmp_path / "project", analysis={"measures": ["two-back"]})
    sample.build()
    assert "Two back" in sample.page("models/enc/l00h01")
    sample.settings["analysis"] = {"measures": ["two-bakc"]}
    with pytest.raises(ManifestError, match="no installed package offers") as caught:
        sample.build()
    assert 'did you mean "two-back"?' in str(caught.value)


def test_another_version_of_their_package_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module may stay the same while what it calls does not."""
    package = tmp_path / "packages"
    info = package / "sights-1.5.dist-info"
    info.mkdir(parents=True)
    (package / "sights.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sights\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[attention_gallery.measures]\ntwo-back = sights:two_back\n")
    monkeypatch.syspath_prepend(str(package))
    sample = Sample.make(tmp_path / "project", analysis={"measures": ["two-back"]})
    time.sleep(0.05)  # until the tick of the clock in which all this was written has passed
    sample.build()
    assert list(sample.build().seconds) == ["look"]
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sights\nVersion: 1.6\n")
    info.rename(package / "sights-1.6.dist-info")
    importlib.invalidate_caches()
    assert list(sample.build().seconds) != ["look"]


def test_a_preview_follows_the_file_of_a_measure(tmp_path: Path) -> None:
    sample = with_measures(tmp_path, MODULE, "mine:last_key", "more.of_mine:other", "far-sight")
    preview = Preview(sample.manifest, SilentReporter(), port=0)
    preview._find_places()
    assert preview._watched().concerns(sample.root / "mine.py")
    assert preview._watched().concerns(sample.root / "more" / "of_mine.py")
    assert not preview._watched().concerns(sample.root / "other.py")
