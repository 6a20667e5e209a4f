"""Notes, themes, models, captures and libraries: an edit makes the site that a build from nothing makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from edits_of_settings import FIELDS, TREES, Edit, same_as_clean

from attention_gallery.build.look import libraries
from attention_gallery.build.plan import gather
from attention_gallery.records import Provenance
from attention_gallery.store import folder
from sample_gallery import Sample, make_model
from siblings import siblings


def edit_note(sample: Sample) -> None:
    sample.note("enc/cat/L0H1.md", "# A head\n\nSaid anew.\n")


def describe_note(sample: Sample) -> None:
    sample.note("notes/first.md", "---\ndescription: Another.\n---\n# First\n\n![a dot](dot.gif)\n")


def retitle_note(sample: Sample) -> None:
    sample.note("notes/first.md", "---\ndescription: The first.\n---\n# Renamed\n\n![a dot](dot.gif)\n")


def edit_asset(sample: Sample) -> None:
    (sample.root / "content" / "notes" / "dot.gif").write_bytes(b"GIF89b")


def edit_template(sample: Sample) -> None:
    sample.write(
        "themes/tiny/templates/partials/token_strip.html", "<p>{{ tokens|length }} in {{ lang }}</p>"
    )


def edit_style(sample: Sample) -> None:
    sample.write("themes/tiny/assets/tiny.css", "a{color:red}")


def edit_tree(sample: Sample) -> None:
    sample.write("trees.conllu", TREES.replace("nsubj", "obj"))


def edit_measure(sample: Sample) -> None:
    FIELDS["analysis.measures"](sample)
    sample.build()
    sample.write(
        "own.py", 'def far(layer):\n    """Not far."""\n    return layer.weights[:, :, 1].mean(axis=1)\n'
    )


def edit_weights(sample: Sample) -> None:
    make_model(sample.root / "models" / "dec", layers=2, heads=3, causal=True)


def edit_tokenizer(sample: Sample) -> None:
    sample.write("models/enc/tokenizer.json", '{"changed": true}')


def add_license(sample: Sample) -> None:
    sample.write("models/enc/README.md", "---\nlicense: mit\n---\n")


def write_lock(sample: Sample) -> None:
    sample.build(update_lock=True)


OTHERS: tuple[Edit, ...] = (
    edit_note, describe_note, retitle_note, edit_asset, edit_template, edit_style, edit_tree, edit_measure,
    edit_weights, edit_tokenizer, add_license, write_lock,
)  # fmt: skip


@pytest.mark.parametrize("edit", siblings(OTHERS, 3), ids=lambda edit: edit.__name__)
def test_an_edit_of_any_other_kind_is_built(gallery_of_all: Sample, tmp_path: Path, edit: Edit) -> None:
    sample = gallery_of_all.copy(tmp_path / "edited")
    edit(sample)
    sample.build()
    same_as_clean(sample, tmp_path)
    assert (sample.tree() != gallery_of_all.tree()) is (edit is not write_lock)


def told_otherwise(kind: str, origin: Provenance) -> Provenance:
    if kind == "libraries":
        return replace(origin, environment=replace(origin.environment, torch="9.9"))
    if kind == "remote_code":
        return replace(origin, remote_code=True)
    if kind == "storage_error":
        return replace(origin, storage_error=0.00021)
    environment = replace(origin.environment, strategy="hooks")
    return replace(origin, environment=environment, row_sum_error=2e-6)


@pytest.mark.parametrize("kind", siblings(["libraries", "remote_code", "storage_error", "strategy"], 4))
@pytest.mark.parametrize("which", ["all", "first"])
def test_what_captures_tell_of_themselves_is_built(
    gallery_of_all: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, which: str
) -> None:
    """The same weights, captured in another way: their keys stay, what is told of them does not."""
    sample = gallery_of_all.copy(tmp_path / "edited")
    original = folder.load
    with monkeypatch.context() as patch:

        def load(data: bytes, key: str) -> Any:
            found = original(data, key)
            if which == "first" and "did not cross" not in found.text:
                return found
            return replace(found, provenance=told_otherwise(kind, found.provenance))

        patch.setattr(folder, "load", load)
        sample.note("about.md", "Anything, so that the build does more than look.\n")
        sample.build()
        same_as_clean(sample, tmp_path)


@pytest.mark.parametrize("library", ["markupsafe", "plotly", "pydantic-core"])
def test_another_version_of_any_library_is_built(
    gallery_of_all: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    assert library in libraries.LIBRARIES.values()
    sample = gallery_of_all.copy(tmp_path / "copy")
    version = gather.version
    monkeypatch.setattr(gather, "version", lambda name: "99" if name == library else version(name))
    report = sample.build()
    assert report.reused == len(
        [name for name in gallery_of_all.tree() if name.startswith(("assets/", "notes/dot"))]
    )
    assert sample.tree() == gallery_of_all.tree()
