"""Lengths through a build: hidden texts are captured like sentences, and shown on one page of each model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, check
from attention_gallery.build.plan.captures import drop_damaged, needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.cli.cleaning import remove_unused
from attention_gallery.errors import LinkError
from attention_gallery.files import walk_files
from attention_gallery.models import FingerprintMemory
from attention_gallery.progress import SilentReporter
from attention_gallery.store import AttentionStore
from sample_gallery import Sample, make_model

TEXT = " ".join(f"word{number}" for number in range(30))


def with_lengths(root: Path, **lengths: object) -> Sample:
    return Sample.make(root, lengths=lengths or {"text": TEXT, "words": [4, 8, 16]})


def test_every_model_has_a_page_and_auxiliary_inputs_have_none(tmp_path: Path) -> None:
    plain = Sample.make(tmp_path / "plain")
    plain.build()
    sample = with_lengths(tmp_path / "lengths")
    sample.build()
    added = set(walk_files(sample.site)) - set(walk_files(plain.site))
    assert added == {"models/enc/length/index.html", "models/dec/length/index.html"}
    page = sample.page("models/enc/length")
    assert "6, 10 and 18 tokens" in page  # with [CLS] and [SEP]
    assert "4, 8 and 16 tokens" in sample.page("models/dec/length")
    assert "second half" in sample.page("models/dec/length")
    assert "second half" not in page
    assert 'href="../../models/enc/length/"' in sample.page("models/enc")
    assert "/length/" not in plain.page("models/enc")
    assert re.search(r"Spread evenly: 2\.58 .* 4\.17", page)  # log2 of 6 and of 18


def test_a_sentence_of_the_gallery_is_named_and_its_own_capture_is_used(tmp_path: Path) -> None:
    sample = with_lengths(tmp_path, sentence="cat", words=[2, 4, 100])
    sample.build()
    project = read_project(sample.manifest, drafts=False)
    found = needed_captures(project, FingerprintMemory(sample.cache / "fingerprints.json"))
    assert found.auxiliary["enc", "length 3"] == found.keys["enc", "cat"]
    assert 'href="../../../sentences/cat/"' in sample.page("models/enc/length")
    assert "2, 4 and 9 tokens" in sample.page("models/dec/length")


def test_only_what_changed_is_made_again_and_equals_a_clean_build(tmp_path: Path) -> None:
    sample = with_lengths(tmp_path / "project")
    sample.build()
    assert sample.build().written == 0
    before = sample.stamps()
    sample.settings["lengths"] = {"text": TEXT, "words": [4, 16]}
    sample.build()
    after = sample.stamps()
    changed = {name for name, stamp in after.items() if before.get(name) != stamp} - {".attention-gallery"}
    assert changed == {"models/enc/length/index.html", "models/dec/length/index.html"}
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_notes_link_to_the_page_where_there_is_one(tmp_path: Path) -> None:
    sample = with_lengths(tmp_path)
    sample.note("gallery.md", "See [[models/enc/length]] and [[models/dec/length|this]].\n")
    sample.build()
    link = '<a href="models/enc/length/">what length does to Encoder</a>'
    assert link in sample.page("")
    assert '<a href="models/dec/length/">this</a>' in sample.page("")
    check(sample.manifest, BuildOptions(), SilentReporter())
    del sample.settings["lengths"]
    for run in (lambda: sample.build(), lambda: check(sample.manifest, BuildOptions(), SilentReporter())):
        with pytest.raises(LinkError, match='does not measure the model "enc" at several lengths'):
            run()


def test_the_encoder_of_an_encoder_decoder_has_a_page_and_its_decoder_none(tmp_path: Path) -> None:
    sample = with_lengths(tmp_path)
    sample.settings["models"] = [{"slug": "both", "title": "T5", "source": "./models/both"}]
    make_model(tmp_path / "models" / "both", layers=2, heads=2, causal=True, crossing=True)
    for name in ("gallery.md", "notes/first.md"):
        (tmp_path / "content" / name).unlink()
    sample.build()
    pages = {path.parent.parent.name for path in sample.site.glob("models/*/length/index.html")}
    assert pages == {"both-encoder"}


def test_cleaning_keeps_what_lengths_need_and_drops_what_they_no_longer_do(tmp_path: Path) -> None:
    sample = with_lengths(tmp_path)
    sample.build()
    assert remove_unused(sample.manifest).files == 0
    kept = {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    del sample.settings["lengths"]
    sample.save()
    assert remove_unused(sample.manifest).files == 6  # three lengths, two models
    left = {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    assert len(kept - left) == 6


@pytest.mark.parametrize("damaged", ["length 1", "length 3"])
def test_a_damaged_hidden_capture_is_captured_again(tmp_path: Path, damaged: str) -> None:
    sample = with_lengths(tmp_path)
    sample.save()
    sample.fill()
    project = read_project(sample.manifest, drafts=False)
    found = needed_captures(project, FingerprintMemory(sample.cache / "fingerprints.json"))
    store = AttentionStore(sample.cache / "store")
    key = found.auxiliary["enc", damaged]
    path = next(path for path in (sample.cache / "store").rglob("*") if key in str(path) and path.is_file())
    assert drop_damaged(found, store, SilentReporter(), ()) == set()
    path.write_bytes(path.read_bytes()[:-9])
    assert drop_damaged(found, store, SilentReporter(), ()) == {key}
