"""Contrasts in a manifest: their names, what can be wrong with them, and drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.drafts import without_drafts
from attention_gallery.manifest.load_manifest import load_manifest

HEAD = """title: x
models: [{source: a/b, title: Bee}, {source: a/c, title: Sea, slug: c}]
sentences:
  - {text: the cat saw it, slug: s, title: The cat}
  - {text: the dog saw it, slug: t, models: [bee]}
  - {text: not shown, slug: hidden, pages: false}
contrasts:
"""


def written(folder: Path, *contrasts: str, head: str = HEAD) -> Path:
    path = folder / "gallery.yaml"
    path.write_text(head + "".join(f"  - {contrast}\n" for contrast in contrasts), encoding="utf-8")
    return path


def only(folder: Path, contrast: str) -> Problem:
    with pytest.raises(ManifestError) as caught:
        load_manifest(written(folder, contrast))
    assert len(caught.value.problems) == 1, caught.value.render()
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("contrast", "title", "slug"),
    [
        ("{models: [bee, c], sentence: s}", "Bee and Sea on “The cat”", "bee-and-sea-on-the-cat"),
        (
            "{model: bee, sentences: [s, t]}",
            "“The cat” and “the dog saw it” in Bee",
            "the-cat-and-the-dog-saw-it-in-bee",
        ),
        ("{model: c, heads: [L3H1, l2h10]}", "L3H1 and l2h10 of Sea", "l3h1-and-l2h10-of-sea"),
        (
            "{model: c, heads: [L3H1, L2H1], sentence: s}",
            "L3H1 and L2H1 of Sea on “The cat”",
            "l3h1-and-l2h1-of-sea-on-the-cat",
        ),
        (
            "{model: bee-cross, heads: [L3H1, L2H1]}",
            "L3H1 and L2H1 of Bee, cross attention",
            "l3h1-and-l2h1-of-bee-cross-attention",
        ),
        ("{title: Mine, model: c, heads: [L3H1, L2H1]}", "Mine", "mine"),
        ("{slug: own, title: Mine, model: c, heads: [L3H1, L2H1]}", "Mine", "own"),
    ],
)
def test_names_are_made_from_what_is_compared(tmp_path: Path, contrast: str, title: str, slug: str) -> None:
    (found,) = load_manifest(written(tmp_path, contrast)).settings.contrasts
    assert (found.title, found.slug) == (title, slug)


@pytest.mark.parametrize(
    ("contrast", "reason", "mend", "column"),
    [
        ("{models: [bee, c], sentence: s, modle: c}", 'unknown key "modle"', 'did you mean "model"', 37),
        ("{model: beee, sentences: [s, t]}", 'no model "beee"', 'did you mean "bee"', 13),
        ("{model: bee, sentences: [s, tt]}", 'no sentence "tt"', 'did you mean "t"', 33),
        ("{models: [bee, c], sentence: hiden}", 'no sentence "hiden"', 'did you mean "hidden"', 34),
        ("{models: [bee, c], sentence: hidden}", '"hidden" has no pages', "let it have pages", 34),
        ("{models: [bee, c], sentence: t}", '"c" does not read the sentence "t"', "add the model", 34),
        ("{models: [bee, bee], sentence: s}", '"bee" stands here twice', "two different models", 20),
        ("{models: [bee], sentence: s}", "`models` names 1", "name two", 6),
        ("{model: c, heads: [L1H1, l1h1]}", '"l1h1" stands here twice', "two different heads", 30),
        ("{model: c, heads: [L1H1, L1]}", '"L1" is not the name of a head', "such as L3H1", 30),
        (
            "{model: bee, heads: [L1H1, L2H1], sentences: [s, t]}",
            "a contrast is of two models",
            "`models: [a, b]`",
            5,
        ),
        ("{models: [bee, c]}", "a contrast is of two models", "`models: [a, b]`", 5),
        ("{model: c}", "a contrast is of two models", "`models: [a, b]`", 5),
        ("{title: ' ', model: c, heads: [L1H1, L2H1], slug: x}", "the title is empty", "remove the key", 13),
        ("{slug: notes, model: c, heads: [L1H1, L2H1]}", '"notes" is reserved', "another name", 12),
        ("{slug: A B, model: c, heads: [L1H1, L2H1]}", "may only have a-z", '"a-b"', 12),
        ("{model: [c], heads: [L1H1, L2H1], slug: x}", "`model` must be a text", "", 6),
    ],
)
def test_mistakes_have_a_place_and_a_mend(
    tmp_path: Path, contrast: str, reason: str, mend: str, column: int
) -> None:
    problem = only(tmp_path, contrast)
    assert reason in problem.reason
    assert mend in problem.mend
    assert (problem.line, problem.column) == (8, column)


def test_slugs_are_their_own_and_not_each_other_s(tmp_path: Path) -> None:
    heads = "model: c, heads: [L1H1, L2H1]"
    with pytest.raises(ManifestError) as caught:
        load_manifest(written(tmp_path, f"{{slug: s, {heads}}}", f"{{slug: s, {heads}}}"))
    (problem,) = caught.value.problems
    assert 'the slug "s" is already that of line 8' in problem.reason
    assert problem.line == 9


def test_contrasts_is_no_name_for_a_model_or_sentence(tmp_path: Path) -> None:
    head = HEAD.replace("slug: c}", "slug: contrasts}")
    with pytest.raises(ManifestError, match='the slug "contrasts" is reserved'):
        load_manifest(written(tmp_path, head=head.removesuffix("contrasts:\n")))


def test_drafts_go_and_take_their_contrasts_with_them(tmp_path: Path) -> None:
    head = HEAD.replace("slug: s,", "slug: s, draft: true,")
    path = written(
        tmp_path,
        "{slug: a, models: [bee, c], sentence: u}",
        "{slug: b, model: bee, sentences: [s, t]}",
        "{slug: d, model: bee, heads: [L1H1, L2H1], draft: true}",
        "{slug: e, model: bee, heads: [L1H1, L2H1]}",
        head=head.replace("  - {text: not", "  - {text: all read it, slug: u}\n  - {text: not"),
    )
    whole = load_manifest(path)
    left = without_drafts(whole)
    assert [one.slug for one in whole.settings.contrasts] == ["a", "b", "d", "e"]
    assert [one.slug for one in left.settings.contrasts] == ["a", "e"]
    assert left.where("contrasts", 1, "slug").line == 12


def test_a_sentence_of_a_treebank_can_be_compared(tmp_path: Path) -> None:
    rows = ["1\tA\t_\t_\t_\t_\t2\tdet\t_\t_", "2\tcat\t_\t_\t_\t_\t0\troot\t_\t_"]
    tree = "\n".join(["# sent_id = t1", "# text = A cat", *rows]) + "\n\n"
    (tmp_path / "trees.conllu").write_text(tree, encoding="utf-8")
    head = HEAD.replace("contrasts:", "  - {conllu: trees.conllu}\ncontrasts:")
    (found,) = load_manifest(
        written(tmp_path, "{models: [bee, c], sentence: t1}", head=head)
    ).settings.contrasts
    assert found.title == "Bee and Sea on “t1”"
