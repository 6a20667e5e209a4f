"""Treebanks and relations through a build: what is captured, probed, shown, and when it is made anew."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_gallery.analysis import GoldSentence
from attention_gallery.analysis.measures import analysis_codec
from attention_gallery.analysis.probing import argmax_targets
from attention_gallery.build import BuildOptions, check
from attention_gallery.build.execute import cached_data
from attention_gallery.build.execute.record import Record
from attention_gallery.errors import NoteError
from attention_gallery.files import walk_files
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.progress import SilentReporter
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore
from sample_gallery import Sample

RELATION = {"from": "it", "to": "cat", "kind": "coreference"}


def tree(number: int, relation: str = "nsubj", after: int = 0) -> str:
    """A sentence whose subject stands one to three words before its verb; up to `after` words follow."""
    words = ["A", f"cat{number}", *["very", "much"][: number % 3], "sat"]
    verb = len(words)
    words += ["here", "and", "now"][: number // 3 % (after + 1)]
    lines = [f"# sent_id = t{number}", f"# text = {' '.join(words)}"]
    heads = {0: (2, "det"), 1: (verb, relation), verb - 1: (0, "root")}
    for index, form in enumerate(words):
        head, kind = heads.get(index, (verb, "advmod"))
        lines.append("\t".join([str(index + 1), form, *"____", str(head), kind, "_", "_"]))
    return "\n".join(lines) + "\n\n"


def with_treebank(root: Path, count: int = 40, after: int = 0, **collection: object) -> Sample:
    sample = Sample.make(root)
    sample.write("data/trees.conllu", "".join(tree(number, after=after) for number in range(count)))
    sample.settings["sentences"].append({"conllu": "data/trees.conllu", "pages": False, **collection})
    sample.sentence("cat")["relations"] = [RELATION]
    return sample


def test_sentences_without_pages_are_captured_and_probed_and_nothing_else(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    report = sample.build()
    names = set(walk_files(sample.site))
    assert not [name for name in names if "/t1/" in name or name.startswith("t1/")]
    page = sample.page("models/enc")
    assert "nsubj (40 in 40 sentences):" in page
    assert "previous word" in page
    assert "A cat1" not in sample.page("")
    assert "2 sentences" not in page  # the means are over the three sentences that have pages
    assert "means over 3 sentences" in page
    assert report.pages == len([name for name in names if name.endswith(".html")])


def test_one_reading_finds_measures_and_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, list[tuple[str, object]]] = {
        "analyse": [],
        "find_argmax_targets": [],
        "analyse_with_targets": [],
    }

    homes = {
        "analyse": analysis_codec,
        "find_argmax_targets": argmax_targets,
        "analyse_with_targets": cached_data,
    }

    def counted(name: str) -> Callable[..., object]:
        plain = getattr(homes[name], name)

        def work(attention: StoredAttention, *given: object, **options: object) -> object:
            read[name].append((attention.key, given[-1]))
            return plain(attention, *given, **options)

        return work

    for name, home in homes.items():
        monkeypatch.setattr(home, name, counted(name))
    sample = with_treebank(tmp_path, 3)
    sample.build()
    both, looks, measures = (
        [key for key, _ in read[name]] for name in ("analyse_with_targets", "find_argmax_targets", "analyse")
    )
    assert len(set(both)) == len(both) > 0
    assert len(set(looks)) == len(looks) > 0  # sentences without pages, which nobody measures
    assert not set(both) & {*looks, *measures}
    key, gold = read["analyse_with_targets"][0]
    assert isinstance(gold, GoldSentence)
    store = AttentionStore(sample.cache / "store")
    kept = []
    for order, expected in (("argmax_targets", False), ("argmax_targets", True), ("measured", True)):
        cache = tmp_path / f"{order}-{expected}"
        one = cached_data.CachedData(store, cache, AnalysisSettings())
        if expected:
            one.expect(key, gold)
        asks = [lambda one=one: one.argmax_targets(key, gold), lambda one=one: one.measured(key)]
        for ask in asks if order == "argmax_targets" else reversed(asks):
            ask()
        kept.append({path.name: path.read_bytes() for path in cache.rglob("*") if path.is_file()})
    assert len(kept[0]) == 2
    assert kept[0] == kept[1] == kept[2]


def test_sentences_with_pages_are_sentences_like_any_other(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path, 2, pages=True, slug="ud")
    sample.build()
    page = sample.page("enc/ud-t1")
    assert "nsubj: cat1 → sat" in page
    assert "A cat1" in sample.page("")
    assert "nsubj: cat1 → sat" in sample.page("sentences/ud-t1")


def test_what_a_causal_model_cannot_see_is_called_impossible(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.build()
    page = sample.page("models/dec")
    line = next(line for line in page.splitlines() if "next word (" in line)
    assert "Impossible" in line
    assert "%" not in line
    subject = next(line for line in page.splitlines() if "nsubj (" in line)
    assert "to → from" in subject  # the verb comes later, and looks back


def test_too_few_examples_are_said(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path, 4)
    sample.build()
    line = next(line for line in sample.page("models/enc").splitlines() if "nsubj (" in line)
    assert "Too few to score" in line
    assert "%" not in line
    told = next(line for line in sample.page("enc/cat").splitlines() if "coreference: it → cat" in line)
    assert "of 4 heads the first looks most at the second" in told


def test_random_heads_are_the_best_at_nothing_and_pages_say_so(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.build()
    found = json.loads((sample.site / "models/enc/heads.json").read_bytes())
    (score,) = (one for one in found["relations"] if one["kind"] == "nsubj")
    assert score["best"] is None
    assert score["nearest"]["adjusted"] > 0.05
    assert [one["relation"] for one in found["heads"]] == [None] * 4
    table = list(
        csv.DictReader(io.StringIO((sample.site / "models/enc/heads.csv").read_text(encoding="utf-8")))
    )
    assert {row["relation"] + row["relation_adjusted"] for row in table} == {""}
    assert "None. At none of the" in sample.page("models/enc/l00h00")


def let_one_head_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first head of the last layer looks at the right word of every relation."""
    plain = cached_data.CachedData.argmax_targets

    def looks_of_one_that_knows(self: cached_data.CachedData, key: str, gold: GoldSentence) -> object:
        looks = plain(self, key, gold)
        if looks is None:
            return None
        looks = looks.copy()
        for relation in gold.relations:
            looks[0, -1, 0, relation.source] = relation.target
        return looks

    monkeypatch.setattr(cached_data.CachedData, "argmax_targets", looks_of_one_that_knows)


def test_the_best_head_is_linked_and_says_so_on_its_own_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_one_head_know(monkeypatch)
    sample = with_treebank(tmp_path, after=3)
    sample.build()
    line = next(line for line in sample.page("models/enc").splitlines() if "nsubj (" in line)
    layer, head = line.split("../../models/enc/l")[1][:5].split("h")
    assert (layer, head) == ("01", "00")
    found = json.loads((sample.site / "models/enc/heads.json").read_bytes())
    (score,) = (one for one in found["relations"] if one["kind"] == "nsubj")
    assert score["nearest"] is None
    assert score["best"]["head"] == "L1H0"
    assert score["best"]["adjusted"] <= 0.05
    assert score["best"]["lead"]["ahead"] > score["best"]["lead"]["behind"] == 0
    assert "nsubj (40 in 40 sentences):" in sample.page(f"models/enc/l{layer}h{head}")
    others = [
        (f"{n:02d}", f"{m:02d}")
        for n in range(2)
        for m in range(2)
        if (f"{n:02d}", f"{m:02d}") != (layer, head)
    ]
    assert all("nsubj (" not in sample.page(f"models/enc/l{one}h{other}") for one, other in others)


def test_few_sentences_have_no_interval_without_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that is right about all of a few sentences: neither they nor its lead tell it for certain."""
    let_one_head_know(monkeypatch)
    sample = with_treebank(tmp_path, 30, after=3)
    sample.build()
    (score,) = (
        one
        for one in json.loads((sample.site / "models/enc/heads.json").read_bytes())["relations"]
        if one["kind"] == "nsubj"
    )
    best = score["best"]
    assert (best["head"], best["right"]) == ("L1H0", best["examples"])
    line = next(line for line in sample.page("models/enc").splitlines() if "nsubj (" in line)
    assert "100.0\u00a0% to 100.0\u00a0%" not in line
    assert best["low"] is None or best["low"] < 0.9
    lead = best["lead"]
    assert (lead["ahead"], lead["behind"]) == (round(lead["value"] * best["examples"]), 0)
    assert lead["low"] is None or lead["low"] < lead["value"] < lead["high"]


HELD = """---
claims:
  - {of: models/enc, relation: nsubj, %s}
  - {head: models/enc/L0H1, relation: nsubj, at_least: 0}
---
It is {{ accuracy("models/enc", "nsubj", decimals=4) }}.
"""


def accuracy(sample: Sample) -> str:
    found = re.search(r'It is <data class="live" value="[^"]+" title="[^"]+">([^<]+)</data>', sample.page(""))
    assert found is not None
    return found[1]


def test_notes_are_held_to_what_the_probe_finds(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.note("gallery.md", HELD % "at_least: 0")
    sample.build(strict=True)
    line = next(line for line in sample.page("models/enc").splitlines() if "nsubj (" in line)
    assert f"{float(accuracy(sample)):.1%}".replace("%", "\u00a0%") in line
    said = "how often the chosen head of Encoder is right about nsubj (models/enc/)"
    assert said in sample.page("")
    sample.note("gallery.md", HELD % "at_least: 1.5")
    (warning,) = sample.build().warnings
    assert "is right about nsubj is 0." in warning
    assert "content/gallery.md:3:49: the claim does not hold" in warning


def test_a_note_that_quotes_the_probe_follows_the_treebank(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.note("gallery.md", HELD % "at_least: 0")
    sample.build()
    before = accuracy(sample)
    sample.write("data/trees.conllu", "".join(map(tree, range(55))))
    sample.build()
    assert accuracy(sample) != before
    clean = sample.copy(tmp_path.parent / f"{tmp_path.name}-clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_pages_of_a_sentence_follow_what_others_make_of_the_probe(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path / "project", 1)  # too few to score
    sample.sentence("cat")["relations"] = [{**RELATION, "kind": "nsubj"}]
    sample.build()
    before = sample.tree()
    sample.write("data/trees.conllu", "".join(map(tree, range(40))))
    sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    expected, found = clean.tree(), sample.tree()
    for page in ("enc/cat/index.html", "sentences/cat/index.html"):
        assert before[page] != expected[page], "what the probe finds is not shown here"
        assert found[page] == expected[page]


def test_check_waits_for_all_sentences_before_it_scores(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.build()
    sample.note("gallery.md", HELD % "at_least: 1.5")
    (warning,) = check(sample.manifest, BuildOptions(), SilentReporter()).warnings
    assert "the claim does not hold" in warning
    sample.write("data/trees.conllu", "".join(map(tree, range(41))))
    assert check(sample.manifest, BuildOptions(), SilentReporter()).warnings == ()


def test_nothing_is_done_again_and_a_changed_treebank_is_noticed(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path)
    sample.build()
    kept = {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    assert sample.build().written == 0
    trees = sample.root / "data" / "trees.conllu"
    trees.write_text(trees.read_text().replace("nsubj", "obj"), encoding="utf-8")
    report = sample.build()
    assert report.written > 0
    assert "obj (40 in 40 sentences):" in sample.page("models/enc")
    # Which relation holds changes nothing that heads look at: only pages were made.
    assert {path for path in (sample.cache / "analysis").rglob("*") if path.is_file()} == kept


def test_an_unchanged_build_reads_no_treebank(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path, 3)
    sample.build()
    sample.build()  # what was written just before the first is not trusted until the second
    code = (
        "import sys; from pathlib import Path; from attention_gallery.build import BuildOptions, build; "
        "from attention_gallery.progress import SilentReporter; "
        "build(Path(sys.argv[1]), BuildOptions(), SilentReporter()); "
        "sys.exit(bool({'conllu', 'numpy', 'yaml'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(sample.manifest)]
    assert subprocess.run(command, check=False).returncode == 0
    record = Record(sample.cache / "build.sqlite")
    assert str(sample.root / "data" / "trees.conllu") in record.fact("inputs")["files"]
    record.close()


def test_a_note_about_a_sentence_without_pages_is_a_mistake(tmp_path: Path) -> None:
    sample = with_treebank(tmp_path, 3)
    sample.note("sentences/t1.md", "# A tree\n\nText.\n")
    with pytest.raises(NoteError, match="t1"):
        sample.build()
