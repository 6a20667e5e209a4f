"""`init`, `schema` and `themes`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from attention_gallery import __version__
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.schema import schema_text
from sample_notes import load_notes

FILES = [
    ".github/workflows/publish.yml",
    ".gitignore",
    "content/about.md",
    "content/gallery.md",
    "content/sentences/tired-cat.md",
    "gallery.schema.json",
    "gallery.yaml",
    "requirements.txt",
]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_new_gallery_is_complete_and_correct(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    result = invoke("init", "mine")
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "mine") == FILES
    assert "cd mine" in result.stdout
    manifest = load_manifest(tmp_path / "mine" / "gallery.yaml")
    settings = manifest.settings
    notes = load_notes(
        manifest.root / settings.content,
        [model.slug for model in settings.models],
        [sentence.slug for sentence in settings.sentences],
    )
    assert len(notes) == 3


def test_editors_can_check_the_new_manifest(tmp_path, invoke):
    invoke("init", str(tmp_path))
    first, _, rest = (tmp_path / "gallery.yaml").read_text("utf-8").partition("\n")
    schema = json.loads((tmp_path / first.partition("$schema=")[2]).read_text("utf-8"))
    jsonschema.validate(yaml.safe_load(rest), schema)


def test_the_workflow_installs_builds_and_publishes(tmp_path, invoke):
    invoke("init", str(tmp_path))
    workflow = yaml.safe_load((tmp_path / ".github" / "workflows" / "publish.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    ran = "\n".join(step.get("run", "") for step in steps)
    assert "pip install -r requirements.txt" in ran
    assert "attention-gallery build --strict" in ran
    assert all("@v" in step["uses"] for step in steps if "uses" in step)
    assert any(step.get("with", {}).get("path") == ".gallery" for step in steps)
    assert workflow["permissions"] == {"contents": "read"}
    requirements = (tmp_path / "requirements.txt").read_text().splitlines()
    assert f"attention-gallery~={__version__}" in requirements


def test_nothing_is_overwritten_and_nothing_written_beside_it(tmp_path, invoke):
    (tmp_path / "gallery.yaml").write_text("mine")
    (tmp_path / "requirements.txt").write_text("mine")
    result = invoke("init", str(tmp_path))
    assert result.exit_code == 2
    assert "gallery.yaml" in result.stderr
    assert "requirements.txt" in result.stderr
    assert "about.md" not in result.stderr
    assert "--force" in result.stderr
    assert files(tmp_path) == ["gallery.yaml", "requirements.txt"]


def test_force_overwrites(tmp_path, invoke):
    (tmp_path / "gallery.yaml").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    assert invoke("init", str(tmp_path), "--force").exit_code == 0
    assert (tmp_path / "gallery.yaml").read_text() != "mine"
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("flags", [[], ["--force"]])
def test_a_folder_that_is_a_file_or_leads_elsewhere_is_refused(tmp_path, invoke, flags):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "content").symlink_to(tmp_path / "elsewhere")
    result = invoke("init", str(tmp_path / "mine"), *flags)
    assert result.exit_code == 2
    assert "leads out of" in result.stderr
    assert files(tmp_path) == []
    (tmp_path / "file").write_text("")
    assert invoke("init", str(tmp_path / "file"), *flags).exit_code == 2
    result = invoke("init", str(tmp_path / "file" / "deeper"), *flags)
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr


def test_the_schema_is_printed_as_it_is(invoke):
    assert invoke("schema").stdout == schema_text()
    assert invoke("schema", "--quiet").stdout == schema_text()


def test_themes_are_listed_with_options_and_the_chosen_one_is_marked(project, invoke):
    own = project / "themes" / "paper"
    own.mkdir(parents=True)
    (own / "theme.yaml").write_text(
        "name: paper\nextends: default\ndescription: For print\n"
        'options: {ink: {default: "#111", description: Colour of text, css: "--ink"},\n'
        "          size: {default: 1, choices: [1, 2]}}\n"
    )
    (project / "gallery.yaml").write_text((project / "gallery.yaml").read_text() + "theme: paper\n")
    result = invoke("themes")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "default  (of the package)" in lines
    assert "paper  (of the project, chosen)" in lines
    assert '  ink: "#111"' in lines
    assert "      Colour of text" in lines
    assert lines[lines.index("  size: 1") + 1] == "      one of: 1, 2"


def test_themes_need_no_manifest(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    assert "default  (of the package)" in invoke("themes").stdout
