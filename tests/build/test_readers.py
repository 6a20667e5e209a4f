"""A sentence may be read by some of the models alone: there is no page, link or capture for the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.errors import LinkError, ManifestError, NoteError
from attention_gallery.progress import SilentReporter
from attention_gallery.store import AttentionStore
from sample_gallery import Sample, fill_store


@pytest.fixture
def partly(sample: Sample) -> Sample:
    """The encoder does not read the second of three sentences, the decoder not the first."""
    sample.sentence("river")["models"] = ["dec"]
    sample.sentence("cat")["models"] = ["enc"]
    return sample


def pager(sample: Sample, route: str) -> list[str]:
    """Where one can go from an explorer to another sentence."""
    links: list[str] = re.findall(r'href="([^"]+)">(?:previous|next): ', sample.page(route))
    return links


def test_pages_are_made_for_those_who_read(partly: Sample) -> None:
    partly.build()
    folders = sorted(
        path.parent.relative_to(partly.site).as_posix() for path in partly.site.glob("*/*/attention.json")
    )
    assert folders == ["dec/river", "dec/short", "enc/cat", "enc/short"]
    assert len(AttentionStore(partly.cache / "store").keys()) == 6  # both models read random tokens, too
    home = partly.page("")
    assert "dec/river/" in home
    assert "enc/river" not in home
    assert "dec/cat" not in home
    sentence = partly.page("sentences/river")
    assert "dec/river/" in sentence
    assert "enc/" not in sentence
    assert "as Decoder read it" in sentence
    for model, unread in (("enc", "river"), ("dec", "cat")):
        for route in (f"models/{model}", f"models/{model}/l00h00", f"{model}/short"):
            assert f"{unread}/" not in partly.page(route).replace(f"sentences/{unread}/", "")
    check(partly.manifest, BuildOptions(), SilentReporter())


def test_the_way_to_the_next_sentence_passes_over_those_that_are_not_read(partly: Sample) -> None:
    partly.build()
    assert pager(partly, "enc/cat") == ["../../enc/short/"]
    assert pager(partly, "enc/short") == ["../../enc/cat/"]
    assert pager(partly, "dec/short") == ["../../dec/river/"]


def test_who_reads_a_sentence_may_change(partly: Sample, tmp_path: Path) -> None:
    partly.build()
    del partly.sentence("river")["models"]
    partly.build()
    assert (partly.site / "enc/river/index.html").is_file()
    clean = partly.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert clean.tree() == partly.tree()
    partly.sentence("river")["models"] = ["enc"]
    partly.build()
    assert not (partly.site / "dec/river").exists()


def test_a_link_to_what_is_not_read_is_broken(partly: Sample) -> None:
    partly.note("sentences/short.md", "See [[enc/river/L0H1]].\n")
    partly.save()
    fill_store(partly.manifest)
    for run in (build, check):
        with pytest.raises((LinkError, NoteError)) as caught:
            run(partly.manifest, BuildOptions(), SilentReporter())
        (problem,) = caught.value.problems
        assert problem.reason.endswith('the model "enc" does not read the sentence "river"')
        assert "`models`" in problem.mend
        assert problem.line == 1


def test_a_note_about_what_is_not_read_is_told(partly: Sample) -> None:
    partly.note("dec/cat/L0H1.md", "Nobody will see this.\n")
    partly.save()
    fill_store(partly.manifest)
    for run in (build, check):
        with pytest.raises(NoteError) as caught:
            run(partly.manifest, BuildOptions(), SilentReporter())
        (problem,) = caught.value.problems
        assert problem.reason == 'the model "dec" does not read the sentence "cat"'
        assert problem.file == partly.root / "content/dec/cat/L0H1.md"


def test_a_model_that_reads_only_drafts_is_told(partly: Sample) -> None:
    for slug in ("short", "river"):
        partly.sentence(slug)["draft"] = True
    partly.save()
    with pytest.raises(ManifestError) as caught:
        build(partly.manifest, BuildOptions(), SilentReporter())
    (problem,) = caught.value.problems
    assert problem.reason == 'all sentences that the model "dec" reads are drafts'
    assert problem.line is not None
    partly.build(drafts=True)


def test_a_sentence_that_only_drafts_read_is_a_draft(partly: Sample) -> None:
    partly.settings["models"][1]["draft"] = True
    partly.note("notes/first.md", "# First\n\nA note.\n")
    partly.build()
    assert not (partly.site / "sentences/river").exists()
    assert (partly.site / "enc/short/index.html").is_file()
