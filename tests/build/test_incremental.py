"""What did not change is not made again, and what comes out is what a clean build makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_gallery.build import project
from attention_gallery.build.plan import gather
from sample_gallery import Sample
from siblings import siblings

Edit = Callable[[Sample], None]

# They depend on their own sentence and another, and on every sentence.
HELD = """---
title: Held
claims:
  - {head: enc/cat/L0H0, from: "#1", to: "#0", at_least: 0}
---
It is {{ weight("#2", "#1") }} here.

{{ keys("enc/river", "#2") }}

{{ figure() }}
"""
ACROSS = """---
title: Across
claims:
  - {head: L0H1, measure: entropy, which: highest, at_most: 1}
---
All sentences: {{ measure("entropy", decimals=4) }}.
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A project that was built once; copy it before changing it."""
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    sample.note("enc/cat/L0H1.md", "# A head\n\nOne head.\n")
    sample.note("enc/cat.md", "# A pair\n\nSee [[enc/cat/L1H1]] and [[enc/river/L1H0]].\n")
    sample.note("models/enc/L0H0.md", ACROSS)
    sample.note("enc/river/L1H1.md", HELD)
    sample.build()
    return sample


def change_text(sample: Sample) -> None:
    sample.sentence("river")["text"] = "A river runs over the new bridge"


def change_title(sample: Sample) -> None:
    sample.sentence("river")["title"] = "The river"


def change_focus(sample: Sample) -> None:
    sample.sentence("cat")["focus"] = "tired"


def add_sentence(sample: Sample) -> None:
    sample.settings["sentences"].append({"slug": "new", "title": "New", "text": "Something new here"})


def remove_sentence(sample: Sample) -> None:
    del sample.settings["sentences"][2]


def rename_sentence(sample: Sample) -> None:
    sample.sentence("short")["slug"] = "brief"


def rename_with_alias(sample: Sample) -> None:
    sample.sentence("short").update(slug="brief", aliases=["short"])


def reorder(sample: Sample) -> None:
    sample.settings["sentences"].reverse()


def swap_models(sample: Sample) -> None:
    sample.settings["models"].reverse()


def remove_model(sample: Sample) -> None:
    del sample.settings["models"][1]
    sample.note("notes/first.md", "# First\n\nNo link.\n")


def rename_model(sample: Sample) -> None:
    sample.settings["models"][0]["title"] = "The encoder"


def change_model_file(sample: Sample) -> None:
    (sample.root / "models" / "enc" / "tokenizer.json").write_text('{"changed": true}', encoding="utf-8")


def add_license(sample: Sample) -> None:
    sample.write("models/enc/README.md", "---\nlicense: mit\n---\n")


def change_site_title(sample: Sample) -> None:
    sample.settings["title"] = "Another title"


def add_note(sample: Sample) -> None:
    sample.note("dec/river/L0H2.md", "# New\n\nA new note.\n")


def change_note(sample: Sample) -> None:
    sample.note("enc/cat.md", "# A pair\n\nChanged.\n")


def remove_note(sample: Sample) -> None:
    (sample.root / "content" / "sentences" / "cat.md").unlink()


def remove_about(sample: Sample) -> None:
    (sample.root / "content" / "about.md").unlink()


def remove_note_page(sample: Sample) -> None:
    (sample.root / "content" / "notes" / "first.md").unlink()


def add_note_page(sample: Sample) -> None:
    sample.note("notes/second.md", "---\ndescription: More.\n---\n# Second\n\nBack to [[notes/first]].\n")


def add_note_asset(sample: Sample) -> None:
    sample.write("content/models/enc/data.csv", "a,b\n")
    sample.note("models/enc/L0H0.md", "# Across\n\n[the data](data.csv)\n")


def override_template(sample: Sample) -> None:
    sample.write("themes/mine/theme.yaml", "name: mine\nextends: tiny\n")
    page = '{% extends "base.html" %}{% block main %}<h1>Gone</h1>{% endblock %}'
    sample.write("themes/mine/templates/404.html", page)
    sample.settings["theme"] = "mine"


def change_template(sample: Sample) -> None:
    sample.write(
        "themes/tiny/templates/partials/token_strip.html", "<p>{{ tokens|length }} in {{ lang }}</p>"
    )


def change_theme(sample: Sample) -> None:
    sample.settings["theme"] = "default"


def override_properties(sample: Sample) -> None:
    sample.write("themes/mine/theme.yaml", "name: mine\nextends: tiny\nstyles: [mine.css]\n")
    sample.write("themes/mine/assets/mine.css", ":root{--accent:#123456}")
    sample.settings["theme"] = "mine"


def choose_option(sample: Sample) -> None:
    sample.settings["theme_options"] = {"accent": "#654321"}


def notable_heads(sample: Sample) -> None:
    sample.settings["pages"] = {"heads": "notable"}


def no_heads(sample: Sample) -> None:
    sample.settings["pages"] = {"heads": "none"}


def no_downloads(sample: Sample) -> None:
    sample.settings["pages"] = {"downloads": False}


def wider_window(sample: Sample) -> None:
    sample.settings["analysis"] = {"window": 1}


def more_keys(sample: Sample) -> None:
    sample.settings["analysis"] = {"top_keys": 1}


def set_base_url(sample: Sample) -> None:
    sample.settings["base_url"] = "https://example.org/deep/gallery/"


def make_draft(sample: Sample) -> None:
    sample.sentence("short")["draft"] = True


def tag_and_relate(sample: Sample) -> None:
    relation = {"from": "it", "to": "cat", "kind": "coreference"}
    sample.sentence("cat").update(tags=["animal"], relations=[relation], language="en-GB")


def tree_of(number: int, relation: str = "nsubj") -> str:
    rows = [("A", 2, "det"), (f"cat{number}", 3, relation), ("sat", 0, "root")]
    lines = [f"# sent_id = t{number}", f"# text = A cat{number} sat"]
    lines += [
        "\t".join([str(n), form, *"____", str(head), kind, "_", "_"])
        for n, (form, head, kind) in enumerate(rows, 1)
    ]
    return "\n".join(lines) + "\n\n"


def add_treebank(sample: Sample) -> None:
    sample.write("trees.conllu", "".join(tree_of(number) for number in range(30)))
    sample.settings["sentences"].append({"conllu": "trees.conllu", "pages": False})


def add_treebank_with_pages(sample: Sample) -> None:
    sample.write("trees.conllu", tree_of(1) + tree_of(2))
    sample.settings["sentences"].append({"conllu": "trees.conllu", "tags": ["tree"]})


def hide_pages(sample: Sample) -> None:
    sample.sentence("short")["pages"] = False


def add_contrasts(sample: Sample) -> None:
    sample.settings["contrasts"] = [
        {"slug": "pair", "title": "A pair", "model": "dec", "sentences": ["cat", "river"]},
        {"title": "Both", "models": ["enc", "dec"], "sentence": "cat"},
        {"title": "Heads", "model": "enc", "heads": ["L0H1", "L1H1"]},
        {"title": "Heads there", "model": "enc", "heads": ["L0H1", "L1H0"], "sentence": "river"},
    ]
    sample.note("contrasts/pair.md", "# Said of it\n\nSee [[contrasts/heads]].\n")


def change_a_contrast(sample: Sample) -> None:
    add_contrasts(sample)
    sample.build()
    sample.settings["contrasts"][0]["title"] = "Another name"
    sample.settings["contrasts"][3]["heads"] = ["L0H0", "L1H0"]
    change_text(sample)


def remove_a_contrast(sample: Sample) -> None:
    add_contrasts(sample)
    sample.build()
    del sample.settings["contrasts"][1]
    remove_sentence(sample)


EDITS: tuple[Edit, ...] = (
    add_contrasts,
    change_a_contrast,
    remove_a_contrast,
    add_treebank,
    add_treebank_with_pages,
    hide_pages,
    change_text,
    change_title,
    change_focus,
    add_sentence,
    remove_sentence,
    rename_sentence,
    rename_with_alias,
    reorder,
    swap_models,
    remove_model,
    rename_model,
    change_model_file,
    add_license,
    change_site_title,
    add_note,
    change_note,
    remove_note,
    remove_about,
    remove_note_page,
    add_note_page,
    add_note_asset,
    override_template,
    change_template,
    change_theme,
    override_properties,
    choose_option,
    notable_heads,
    no_heads,
    no_downloads,
    wider_window,
    more_keys,
    set_base_url,
    make_draft,
    tag_and_relate,
)


@pytest.mark.parametrize("edit", siblings(EDITS, 2), ids=lambda edit: edit.__name__)
def test_an_edited_site_equals_a_clean_one(built: Sample, tmp_path: Path, edit: Edit) -> None:
    sample = built.copy(tmp_path / "edited")
    before = sample.tree()
    edit(sample)
    report = sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    assert clean.build().reused == 0
    assert sample.tree() == clean.tree()
    assert sample.tree() != before, "the edit shows nowhere"
    assert report.reused > 0, "the Plotly script at least never changes"
    assert report.written + report.reused == len(sample.tree()) - 1  # all but the list of our files


def test_a_series_of_edits_and_back_again(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "edited")
    for edit in (change_text, notable_heads, rename_with_alias, override_properties, add_note_page):
        edit(sample)
        sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()
    (sample.root / "content" / "notes" / "second.md").unlink()
    sample.settings = built.settings
    sample.build()
    assert sample.tree() == built.tree()


def rewritten(built: Sample, tmp_path: Path, edit: Edit) -> set[str]:
    """Files of the site that were made anew by a build after the edit."""
    sample = built.copy(tmp_path / "edited")
    before = sample.stamps()
    edit(sample)
    report = sample.build()
    after = sample.stamps()
    made = {name for name, stamp in after.items() if before.get(name) != stamp} - {".attention-gallery"}
    assert report.written == len(made)
    return made


def test_another_license_is_told_without_another_capture(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "edited")
    for name in ("mit", "apache-2.0"):
        sample.write("models/enc/README.md", f"---\nlicense: {name}\n---\n")
        assert sample.build().captured == 0
        assert name in sample.page("models/enc/")
        assert name not in sample.page("models/dec/")


def test_a_head_note_makes_its_head_page_alone(built: Sample, tmp_path: Path) -> None:
    made = rewritten(built, tmp_path, lambda one: one.note("enc/cat/L0H1.md", "# A head\n\nSaid anew.\n"))
    assert made == {"enc/cat/l00h01/index.html"}


def test_a_sentence_note_makes_its_sentence_page_alone(built: Sample, tmp_path: Path) -> None:
    made = rewritten(built, tmp_path, lambda one: one.note("sentences/cat.md", "# Why\n\nAnew.\n"))
    assert made == {"sentences/cat/index.html"}


def test_a_pair_note_is_on_two_pages(built: Sample, tmp_path: Path) -> None:
    text = (built.root / "content" / "enc" / "cat.md").read_text(encoding="utf-8")
    made = rewritten(built, tmp_path, lambda one: one.note("enc/cat.md", text + "\nMore.\n"))
    assert made == {"enc/cat/index.html", "sentences/cat/index.html"}


def test_a_pair_note_that_speaks_of_no_head_any_more_is_gone_from_their_pages(
    built: Sample, tmp_path: Path
) -> None:
    made = rewritten(built, tmp_path, change_note)
    spoken_of = {"enc/cat/l01h01", "enc/river/l01h00", "enc/river", "models/enc/l01h01", "models/enc/l01h00"}
    pages = {f"{name}/index.html" for name in ("enc/cat", "sentences/cat", *spoken_of)}
    # The head that notes speak of is the one in the picture of the pair, and an example on the home page.
    assert made == {*pages, "index.html", "enc/cat/thumbnail.png", "enc/river/thumbnail.png"}


def test_an_about_page_stands_alone(built: Sample, tmp_path: Path) -> None:
    made = rewritten(built, tmp_path, lambda one: one.note("about.md", "# About\n\nAnew.\n"))
    assert made == {"about/index.html"}


@pytest.mark.parametrize("edit", [change_text, add_sentence, remove_sentence, rename_sentence, make_draft])
def test_a_sentence_leaves_the_head_pages_of_others_alone(built: Sample, tmp_path: Path, edit: Edit) -> None:
    made = rewritten(built, tmp_path, edit)
    assert not [name for name in made if name.startswith(("enc/cat/", "dec/cat/"))]
    assert not [name for name in made if "/river/l0" in name and edit is not change_text]
    assert not [name for name in made if name.startswith("assets/")]


def test_a_relation_makes_no_head_page_of_a_sentence(built: Sample, tmp_path: Path) -> None:
    def relate(sample: Sample) -> None:
        sample.sentence("river")["relations"] = [{"from": "bridge", "to": "river", "kind": "part"}]

    made = rewritten(built, tmp_path, relate)
    own = {name for name in made if "models/" not in name}
    assert own == {f"{name}/index.html" for name in ("sentences/river", "enc/river", "dec/river")}


def test_a_new_order_makes_no_head_page_of_a_sentence(built: Sample, tmp_path: Path) -> None:
    made = rewritten(built, tmp_path, reorder)
    assert not [name for name in made if name.startswith(("enc/", "dec/")) and "/l0" in name]


@pytest.mark.parametrize("library", ["numpy", "nh3", "pillow"])
def test_another_version_of_a_library_makes_every_page_anew(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    sample = built.copy(tmp_path / "copy")
    version = gather.version
    monkeypatch.setattr(gather, "version", lambda name: "99" if name == library else version(name))
    report = sample.build()
    assert report.reused == len([name for name in built.tree() if name.startswith("assets/")])
    assert sample.tree() == built.tree()


def test_an_unchanged_gallery_is_left_as_it_is(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    time.sleep(0.05)  # until the tick of the clock in which all was copied has passed
    sample.build()
    before = sample.stamps()
    report = sample.build()
    assert (report.written, report.pages) == (0, built.build().pages)
    assert sample.stamps() == before
    assert list(report.seconds) == ["look"], "it went further than looking"


def test_a_file_that_was_changed_by_hand_is_made_again(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    page = sample.site / "enc" / "cat" / "index.html"
    page.write_text("mine", encoding="utf-8")
    (sample.site / "about" / "index.html").unlink()
    report = sample.build()
    assert report.written == 2
    assert sample.tree() == built.tree()


def test_a_page_of_the_same_size_that_says_something_else_is_made_again(
    built: Sample, tmp_path: Path
) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.build()
    page = sample.site / "about" / "index.html"
    page.write_bytes(page.read_bytes()[::-1])
    sample.note("notes/first.md", "# First\n\nSo that pages are made, and this one perhaps taken over.\n")
    sample.build()
    assert sample.tree()["about/index.html"] == built.tree()["about/index.html"]


def test_force_makes_everything_again(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    report = sample.build(force=True)
    assert report.reused == 0
    assert report.written == len(built.tree()) - 1
    assert sample.tree() == built.tree()


@pytest.mark.parametrize("damage", ["gone", "garbage", "cut", "zeros"])
def test_a_lost_or_damaged_record_costs_time_alone(built: Sample, tmp_path: Path, damage: str) -> None:
    sample = built.copy(tmp_path / "copy")
    record = sample.cache / "build.sqlite"
    data = record.read_bytes()
    if damage == "gone":
        record.unlink()
    elif damage == "garbage":
        record.write_bytes(b"no database " * 1000)
    elif damage == "cut":
        record.write_bytes(data[: len(data) // 2])
    else:
        record.write_bytes(data[:4096] + bytes(len(data) - 4096))
    change_title(sample)
    sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


@pytest.mark.parametrize("name", ["100% #1?", "a%20b", "ünïcode 🙂", "it's"])
def test_any_name_of_a_project_folder_is_incremental(tmp_path: Path, name: str) -> None:
    sample = Sample.make(tmp_path / name)
    sample.build()
    change_title(sample)
    assert sample.build().reused > 20


def test_an_edit_made_while_a_build_reads_is_not_lost(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_gallery.build import project
    from attention_gallery.build.checks import inspect_sources

    sample.build()
    read = project.read_sources

    def slow(*arguments: object) -> project.Sources:
        found = read(*arguments)  # type: ignore[arg-type]
        sample.settings["title"] = "Edited meanwhile"
        sample.save()
        return found

    sample.settings["title"] = "Edited first"
    monkeypatch.setattr(inspect_sources, "read_sources", slow)
    sample.build()
    monkeypatch.undo()
    sample.build()
    assert "<h1>Edited meanwhile</h1>" in sample.page("")
