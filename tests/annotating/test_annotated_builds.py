"""Automatic parses through a build, with a small pipeline of rules."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_pipeline import install

from attention_gallery.build import BuildOptions, check
from attention_gallery.cli.cleaning import remove_unused
from attention_gallery.errors import ManifestError, UserError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample

TITLE = "tiny_rules 1.2.3"


@pytest.fixture
def sample(tmp_path: Path, pipelines: Path) -> Sample:
    made = Sample.make(tmp_path / "project", annotate={"spacy": "tiny_rules"})
    made.sentence("cat")["text"] = "The cat saw Marie Curie"
    made.sentence("cat").pop("focus")
    return made


def test_parsed_relations_are_shown_with_their_source_and_probed(sample: Sample) -> None:
    sample.build()
    page = sample.page("sentences/cat")
    (line,) = [line for line in page.splitlines() if line.startswith("<p>Parsed by")]
    assert (
        f"Parsed by {TITLE} (5 relations, 1 entity): det The → cat; nsubj cat → saw; nsubj saw → Marie;"
        in line
    )
    assert "entity/person Marie → Curie; Marie Curie PERSON;" in line
    assert "det: The → cat" not in page  # which is where gold relations stand
    assert "det: The" not in sample.page("enc/cat")
    model = sample.page("models/enc")
    assert f"Parsed: {TITLE}" in model
    assert "nsubj (8 in 2 sentences, parsed):" in model
    assert "entity/person" not in model
    assert "person (1 in 1 sentence, parsed):" in model


def test_gold_relations_win_over_parsed_ones(sample: Sample) -> None:
    sample.sentence("cat")["relations"] = [
        {"from": "saw", "to": "cat", "kind": "nsubj"},
        {"from": "Marie", "to": "Curie", "kind": "flat"},
    ]
    sample.build()
    page = sample.page("sentences/cat")
    assert "nsubj: saw → cat" in page
    assert "nsubj cat → saw" not in page
    assert "entity/person" not in page
    assert "nsubj saw → Marie" in page
    assert "nsubj (7 in 2 sentences, 6 of them parsed):" in sample.page("models/enc")


def test_a_sentence_may_have_another_pipeline_or_none(sample: Sample, pipelines: Path) -> None:
    install(pipelines, "other_rules", "7.0")
    sample.sentence("cat")["annotate"] = {"spacy": "other_rules"}
    sample.sentence("river")["annotate"] = {"spacy": "none"}
    sample.sentence("short")["language"] = "de"
    sample.build()
    assert "Parsed by other_rules 7.0" in sample.page("sentences/cat")
    assert "Parsed" not in sample.page("sentences/river")
    assert "Parsed" not in sample.page("sentences/short")  # in another language than the gallery


def test_chats_and_pairs_are_parsed_text_by_text(sample: Sample) -> None:
    sample.sentence("cat")["pair"] = "Go now"
    sample.build()
    page = sample.page("sentences/cat")
    assert "Curie → Go" not in page
    assert "det Go → now" in page


def test_a_warm_build_imports_no_spacy_and_writes_nothing(sample: Sample, pipelines: Path) -> None:
    sample.build()
    assert sample.build().written == 0
    sample.settings["title"] = "Another title"  # every page is made anew, from what was kept
    sample.save()
    sample.fill()
    code = (
        "import sys; from pathlib import Path; from attention_gallery.build import BuildOptions, build; "
        "from attention_gallery.progress import SilentReporter; "
        "report = build(Path(sys.argv[1]), BuildOptions(), SilentReporter()); "
        "sys.exit(bool({'spacy', 'torch', 'tiny_rules'} & set(sys.modules)) or not report.written)"
    )
    paths = os.pathsep.join([str(pipelines), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", code, str(sample.manifest)]
    environment = {**os.environ, "PYTHONPATH": paths}
    assert subprocess.run(command, check=False, env=environment).returncode == 0


def test_a_new_version_is_noticed_where_the_module_is_the_same(sample: Sample, pipelines: Path) -> None:
    sample.save()
    sample.fill()
    time.sleep(0.05)  # until the tick of the clock in which all was written has passed
    sample.build()
    assert list(sample.build().seconds) == ["look"]
    module = pipelines / "tiny_rules" / "__init__.py"
    before, status = module.read_bytes(), module.stat()
    install(pipelines, version="1.2.4")
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert module.read_bytes() == before
    assert list(sample.build().seconds) != ["look"]
    assert "tiny_rules 1.2.4" in sample.page("sentences/cat")


def test_a_new_version_of_the_pipeline_parses_again(sample: Sample, pipelines: Path) -> None:
    sample.build()
    module = install(pipelines, version="1.2.4")
    os.utime(module, (1_900_000_000, 1_900_000_000))
    sample.build()
    assert "Parsed by tiny_rules 1.2.4" in sample.page("sentences/cat")


def test_only_pages_that_show_relations_are_made_again(sample: Sample) -> None:
    del sample.settings["annotate"]
    sample.build()
    before = sample.stamps()
    sample.settings["annotate"] = {"spacy": "tiny_rules"}
    sample.build()
    after = sample.stamps()
    changed = {name for name, stamp in after.items() if before.get(name) != stamp}
    assert not [name for name in changed if name.count("/l0") and not name.startswith("models/")]
    assert "sentences/cat/index.html" in changed
    clean = sample.copy(sample.root.parent / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_a_missing_pipeline_stops_build_and_check_at_the_line_that_names_it(sample: Sample) -> None:
    sample.settings["annotate"] = {"spacy": "tiny_rulez"}
    for run in (lambda: sample.build(), lambda: check(sample.manifest, BuildOptions(), SilentReporter())):
        with pytest.raises(UserError) as caught:
            run()
        (problem,) = caught.value.problems
        assert problem.reason == 'the spaCy pipeline "tiny_rulez" is not installed'
        assert problem.mend == "python -m spacy download tiny_rulez"
        assert problem.quote is not None
        assert "tiny_rulez" in problem.quote


def test_a_pipeline_that_cannot_be_loaded_is_one_message(sample: Sample, pipelines: Path) -> None:
    module = install(pipelines, "broken_rules")
    module.write_text("raise ImportError('no such thing')\n", encoding="utf-8")
    sample.settings["annotate"] = {"spacy": "broken_rules"}
    with pytest.raises(ManifestError) as caught:
        sample.build()
    assert "cannot be loaded: no such thing" in caught.value.problems[0].reason


def test_check_parses_nothing_and_leaves_what_waits_for_parses_to_the_build(sample: Sample) -> None:
    sample.note("gallery.md", "---\nclaims:\n  - {of: models/enc, relation: nsubj, at_least: 2}\n---\n")
    sample.save()
    sample.fill()
    check(sample.manifest, BuildOptions(), SilentReporter())
    assert not (sample.cache / "analysis").exists()
    with pytest.raises(UserError, match='"nsubj" has no score'):
        sample.build()


@pytest.mark.parametrize("name", ["../evil", "en-core", "", "a b"])
def test_a_name_that_is_no_package_is_refused(sample: Sample, name: str) -> None:
    sample.settings["annotate"] = {"spacy": name}
    with pytest.raises(ManifestError, match="is not the name of a spaCy pipeline"):
        sample.build()


def test_cleaning_keeps_parses_that_are_in_use(sample: Sample) -> None:
    sample.build()
    kept = {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    remove_unused(sample.manifest)
    assert {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()} == kept
    del sample.settings["annotate"]
    sample.save()
    remove_unused(sample.manifest)
    assert {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()} < kept
