"""Contrasts as a build makes them: their pages, the ways to them, and what is refused."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sample_gallery
from attention_gallery.analysis.contrast.alignment import frame_of
from attention_gallery.analysis.contrast.head_contrast import compare, divergence, normalised
from attention_gallery.analysis.similarity import distances
from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.plan.captures import needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.cli.cleaning import remove_unused
from attention_gallery.errors import ManifestError, NoteError, Problem, UserError
from attention_gallery.models import FingerprintMemory
from attention_gallery.progress import SilentReporter
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore
from sample_gallery import MODELS, Sample, fill_store, make_model

CONTRASTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "pair",
        "title": "A <pair>",
        "description": "Two of them.",
        "model": "enc",
        "sentences": ["cat", "dog"],
    },
    {"slug": "both", "models": ["enc", "dec"], "sentence": "cat"},
    {"slug": "heads", "model": "enc", "heads": ["L0H1", "L1H0"]},
    {"slug": "there", "model": "dec", "heads": ["L0H0", "L0H2"], "sentence": "river"},
    {"slug": "causal", "model": "dec", "sentences": ["cat", "dog"]},
)
DOG = {"slug": "dog", "title": "The tired dog", "text": "The dog did not cross because it was tired"}


def with_contrasts(root: Path, **settings: Any) -> Sample:
    sample = Sample.make(root, **settings)
    sample.settings["sentences"].append(dict(DOG))
    sample.settings["contrasts"] = [dict(one) for one in CONTRASTS]
    return sample


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = with_contrasts(tmp_path_factory.mktemp("contrasts") / "project")
    sample.note("contrasts/pair.md", "# Said of it\n\nSee [[contrasts/heads]] and [[enc/cat/L0H0]].\n")
    sample.build(strict=True)
    return sample


def stored(sample: Sample, model: str, sentence: str) -> StoredAttention:
    project = read_project(sample.manifest, drafts=False)
    keys = needed_captures(project, FingerprintMemory(sample.cache / "fingerprints.json")).keys
    return AttentionStore(sample.cache / "store").open(keys[model, sentence])


def differences(page: str) -> list[np.ndarray]:
    """Every signed difference of a page, as its script reads them."""
    found = []
    for figure in re.findall(r'<figure [^>]*data-figure="difference".*?</figure>', page, re.S):
        rows, columns = (int(re.search(rf'data-{side}="(\d+)"', figure)[1]) for side in ("queries", "keys"))  # type: ignore[index]
        data = base64.b64decode(re.search(r'figure-weights">(.*?)<', figure)[1])  # type: ignore[index]
        if " data-deflated" in figure:
            data = zlib.decompress(data, -15)
        high, low = np.frombuffer(data, np.uint8).reshape(2, rows, columns).astype(int)
        levels = high * 256 + low
        found.append(np.where(levels == 65535, np.nan, (levels - 32767) / 32767))
    return found


def test_every_contrast_has_a_page_and_stands_in_the_list(built: Sample) -> None:
    index, home = built.page("contrasts"), built.page("")
    for one in CONTRASTS:
        assert built.page(f"contrasts/{one['slug']}")
        assert f'href="../contrasts/{one["slug"]}/"' in index
        assert f'href="contrasts/{one["slug"]}/"' in home
    assert "A &lt;pair&gt;" in index
    assert "<pair>" not in index
    assert "Two of them." in index


def test_the_pages_of_what_is_compared_lead_to_it(built: Sample) -> None:
    ways = {
        "sentences/cat": {"pair", "both", "causal"},
        "sentences/river": {"there"},
        "sentences/short": set(),
        "models/enc": {"pair", "both", "heads"},
        "models/dec": {"both", "there", "causal"},
        "enc/dog": {"pair"},
        "enc/cat/l00h01": {"heads"},
        "enc/river/l01h00": {"heads"},
        "enc/cat/l00h00": set(),
        "dec/river/l00h02": {"there"},
        "dec/cat/l00h02": set(),
        "models/enc/l00h01": {"heads"},
        "models/dec/l00h00": {"there"},
    }
    for route, slugs in ways.items():
        linked = set(re.findall(r'compared in <a href="[./]*contrasts/([a-z]+)/"', built.page(route)))
        assert linked == slugs, route


def test_numbers_are_those_of_the_stored_weights(built: Sample) -> None:
    one, other = stored(built, "enc", "cat"), stored(built, "enc", "dog")
    frame = frame_of(one, other, ("", ""), one_model=True)
    assert frame.compared.size == len(one.tokens)
    page = built.page("contrasts/pair")
    assert "[changed cat|dog]" in page
    drawn = differences(page)
    ranked = re.findall(r"<h2>(L\dH\d): ", page)
    assert len(ranked) == len(drawn) == 2
    distances = {}
    for layer in range(2):
        left, right = one.layer(layer).weights, other.layer(layer).weights
        for head in range(2):
            found = compare(
                frame.spread(frame.left, left[head : head + 1])[0],
                frame.spread(frame.right, right[head : head + 1])[0],
                frame,
            )
            distances[f"L{layer}H{head}"] = found.distance.item()
            if f"L{layer}H{head}" in ranked:
                picture = drawn[ranked.index(f"L{layer}H{head}")]
                np.testing.assert_allclose(picture, right[head] - left[head], atol=0.00002)
    assert ranked == sorted(distances, key=lambda name: -distances[name])[:2]
    for name, distance in distances.items():
        assert re.search(rf">{name}</a> {distance:.3f} ", page)


def test_the_word_that_both_open_with_has_a_table(built: Sample) -> None:
    page = built.page("contrasts/pair")
    assert "looks elsewhere" not in page, "the dog has no focus"
    sample = built.copy(built.root.parent / "focused")
    for slug in ("cat", "dog"):
        sample.sentence(slug)["focus"] = "it"
    sample.build()
    page = sample.page("contrasts/pair")
    table = page.split("<h2>Heads in which “it” looks elsewhere: ")[1].split("<h2>")[0]
    one, other = (stored(sample, "enc", slug) for slug in ("cat", "dog"))
    row = one.tokens.texts.index("it")
    apart = {
        f"L{layer}H{head}": divergence(
            *(normalised(side.layer(layer).weights[head, row]) for side in (one, other))
        )
        for layer in range(2)
        for head in range(2)
    }
    told = re.findall(r">(L\dH\d)</a> \([^)]*\) <a [^>]*>L\dH\d</a> \([^)]*\) ([\d.]+) ", table)
    assert [name for name, _ in told] == sorted(apart, key=lambda name: -apart[name])
    assert all(float(number) == pytest.approx(apart[name], abs=0.0006) for name, number in told)
    assert "“it” → " in table
    # The rows of a causal model before the change are equal.
    sample.sentence("cat")["focus"] = sample.sentence("dog")["focus"] = "The"
    sample.build()
    assert "looks elsewhere" not in sample.page("contrasts/causal")


def test_a_causal_model_differs_from_the_changed_word_on(built: Sample) -> None:
    page = built.page("contrasts/causal")
    assert "no row before “cat”/“dog” can differ: 8 rows from there on are compared." in page
    picture = differences(page)[0]
    assert np.isnan(picture[0]).all(), "the first token has no choice"
    assert (np.isnan(picture) == (np.triu(np.ones(picture.shape), 1) > 0))[1:].all()


def test_two_heads_are_compared_on_all_rows_however_few_the_others_are(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = re.compile(r"The rows of L0H0 and L0H2 are ([\d.]+) apart")
    whole = apart.search(built.page("contrasts/there"))
    assert whole is not None
    monkeypatch.setattr(distances, "LOGARITHMS", 1)
    sample = with_contrasts(tmp_path / "project")
    sample.build()
    page = sample.page("contrasts/there")
    found = apart.search(page)
    assert found is not None
    assert found[1] == whole[1]
    assert re.search(r"the median is \d\.\d\d ± 0\.0\d\.", page), "it is estimated from the few rows"


def test_two_heads_are_held_to_all_pairs_of_heads(built: Sample) -> None:
    page = built.page("contrasts/there")
    assert re.search(r"Of 3 pairs of heads of this model on this sentence, [012] are further apart", page)
    left, right = (stored(built, "dec", "river").layer(0).weights[head] for head in (0, 2))
    picture = differences(page)[0]
    known = ~np.isnan(picture)
    np.testing.assert_allclose(picture[known], (right - left)[known], atol=0.00002)
    assert "Over 4 sentences the rows of L0H1 and L1H0" in built.page("contrasts/heads")


def test_models_of_different_shapes_have_counterparts(built: Sample) -> None:
    page = built.page("contrasts/both")
    assert "[left [CLS]|] [same The|The]" in page
    assert "no head stands for another" in page
    assert len(differences(page)) >= 2
    assert "Model: ./models/enc" in page
    assert "Model: ./models/dec" in page


def test_models_of_one_shape_are_compared_head_by_head(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.settings["models"].append({"slug": "tuned", "source": "./models/tuned"})
    make_model(sample.root / "models" / "tuned", layers=2, heads=2, causal=False)
    (sample.root / "models" / "tuned" / "tokenizer.json").write_text('{"tuned": 1}', encoding="utf-8")
    sample.settings["contrasts"] = [{"slug": "tuning", "models": ["enc", "tuned"], "sentence": "cat"}]
    sample.build(strict=True)
    page = sample.page("contrasts/tuning")
    assert "Both sides have the same tokens and are compared token by token." in page
    assert "as by fine-tuning" in page
    one, other = stored(sample, "enc", "cat"), stored(sample, "tuned", "cat")
    name = re.findall(r"<h2>L(\d)H(\d): ", page)[0]
    layer, head = map(int, name)
    expected = other.layer(layer).weights[head] - one.layer(layer).weights[head]
    np.testing.assert_allclose(differences(page)[0], expected, atol=0.00002)


def nearly_equal(
    random: np.random.Generator, heads: int, tokens: int, keys: int | None = None, *, causal: bool
) -> np.ndarray:
    """Heads that spread evenly but for less than 0.0005: float32[head, query, key]."""
    columns = tokens if keys is None else keys
    visible = np.tri(tokens, columns) if causal else np.ones((tokens, columns))
    weights = np.repeat((visible / visible.sum(axis=1, keepdims=True))[None], heads, axis=0)
    moved = random.uniform(-0.0005, 0.0005, (heads, tokens))
    moved[:, 0] = 0
    weights[..., 0] += moved
    weights[..., 1] -= moved
    return weights.astype(np.float32)


def test_nearly_equal_sides_are_called_so_and_drawn_to_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_gallery, "random_attention", nearly_equal)
    sample = with_contrasts(tmp_path / "project")
    sample.settings["models"] += [{"slug": slug, "source": f"./models/{slug}"} for slug in ("tuned", "deep")]
    for slug, layers in (("tuned", 2), ("deep", 3)):
        make_model(sample.root / "models" / slug, layers=layers, heads=2, causal=False)
        (sample.root / "models" / slug / "tokenizer.json").write_text(f'{{"{slug}": 1}}', encoding="utf-8")
    sample.settings["contrasts"] = [
        *(dict(contrast) for contrast in CONTRASTS if contrast["slug"] != "both"),
        {"slug": "tuning", "models": ["enc", "tuned"], "sentence": "cat"},
        {"slug": "deeper", "models": ["enc", "deep"], "sentence": "cat"},
    ]
    sample.build(strict=True)
    for contrast in sample.settings["contrasts"]:
        page = sample.page(f"contrasts/{contrast['slug']}")
        drawn = differences(page)
        scales = re.findall(r'data-figure="difference"[^>]* data-most="([\d.]+)"', page)
        numbers = re.findall(
            r"nearly the same here: the largest difference of two weights is ([\d.]+),", page
        )
        assert len(drawn) == len(scales) == len(numbers) > 0, contrast["slug"]
        for picture, scale, number in zip(drawn, scales, numbers, strict=True):
            assert 0 < float(scale) < 0.0015
            assert float(scale) == pytest.approx(np.nanmax(np.abs(picture)), abs=0.00002)
            assert float(number) == pytest.approx(float(scale), rel=0.05)
        assert not re.search(r"[+−]0\.000(?!\d)", page), "a difference that is listed is told"


def test_a_note_belongs_to_its_contrast(built: Sample) -> None:
    page = built.page("contrasts/pair")
    assert "<h2>Said of it</h2>" in page
    assert '<a href="../../contrasts/heads/">' in page
    assert 'mentioned in <a href="../../../contrasts/pair/">Said of it</a>' in built.page("enc/cat/l00h00")


def test_without_contrasts_there_is_nothing_of_them(tmp_path: Path) -> None:
    sample = Sample.make(tmp_path / "project")
    sample.build()
    assert not (sample.site / "contrasts").exists()
    assert "contrasts" not in sample.page("")


def test_drafts_are_left_out_with_their_notes(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.settings["contrasts"][0]["draft"] = True
    sample.note("contrasts/pair.md", "Not yet.\n")
    sample.build(strict=True)
    assert not (sample.site / "contrasts" / "pair").exists()
    assert (sample.site / "contrasts" / "heads").exists()
    sample.build(strict=True, drafts=True)
    assert "Not yet." in sample.page("contrasts/pair")


def told(sample: Sample, kind: type[UserError]) -> list[Problem]:
    """What both `build` and `check` say is wrong."""
    sample.save()
    fill_store(sample.manifest)
    with pytest.raises(kind) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    with pytest.raises(UserError) as checked:
        check(sample.manifest, BuildOptions(), SilentReporter())
    assert {one.reason for one in caught.value.problems} <= {one.reason for one in checked.value.problems}
    return list(caught.value.problems)


def test_a_head_that_a_model_does_not_have_is_an_error(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.settings["contrasts"] = [{"slug": "x", "model": "enc", "heads": ["L0H1", "L2H0"]}]
    (problem,) = told(sample, ManifestError)
    assert problem.reason == 'the model "enc" has no head L2H0'
    assert problem.mend == "its heads are L0H0 to L1H1"
    assert problem.line is not None
    assert "L2H0" in (problem.quote or "")


def test_a_note_of_no_contrast_is_an_error(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.note("contrasts/pear.md", "What?\n")
    (problem,) = told(sample, NoteError)
    assert problem.reason == 'the gallery has no contrast "pear"'
    assert problem.mend == 'did you mean "pair"?'


def crossing(root: Path, **contrast: Any) -> Sample:
    both = {"slug": "both", "title": "T5", "source": "./models/both"}
    sample = Sample.make(
        root, notes={}, models=[dict(MODELS[0]), both], contrasts=[{"slug": "x", **contrast}]
    )
    make_model(root / "models" / "both", layers=2, heads=2, causal=True, crossing=True)
    return sample


def test_models_that_read_other_texts_are_refused(tmp_path: Path) -> None:
    sample = crossing(tmp_path / "project", models=["enc", "both-cross"], sentence="cat")
    (problem,) = told(sample, ManifestError)
    assert "rows and columns are not of the same words" in problem.reason
    assert problem.mend == "compare two models of the same kind of attention"


def test_the_kinds_of_an_encoder_decoder_are_named(tmp_path: Path) -> None:
    sample = crossing(tmp_path / "project", model="both", sentences=["cat", "river"])
    (problem,) = told(sample, ManifestError)
    assert problem.reason == 'the gallery has no model "both"'
    assert problem.mend == "it is shown as both-encoder, both-decoder, both-cross"


@pytest.mark.parametrize(
    "contrast",
    [
        {"model": "both-cross", "sentences": ["cat", "river"]},
        {"model": "both-decoder", "sentences": ["cat", "short"]},
        {"model": "both-cross", "heads": ["L0H0", "L1H1"]},
        {"models": ["enc", "both-encoder"], "sentence": "cat"},
    ],
    ids=["cross", "decoder", "heads", "encoders"],
)
def test_encoder_decoders_are_compared_too(tmp_path: Path, contrast: dict[str, Any]) -> None:
    sample = crossing(tmp_path / "project", **contrast)
    sample.build(strict=True)
    assert len(differences(sample.page("contrasts/x"))) >= 1


def test_short_texts_and_equal_texts_make_pages(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.settings["sentences"] += [
        {"slug": "one", "text": "Go"},
        {"slug": "other", "text": "Stay"},
        {"slug": "again", "title": "The cat again", "text": sample.sentence("cat")["text"]},
    ]
    sample.settings["contrasts"] = [
        {"slug": "short", "model": "dec", "sentences": ["one", "other"]},
        {"slug": "mixed", "models": ["enc", "dec"], "sentence": "one"},
        {"slug": "same", "model": "dec", "sentences": ["cat", "again"]},
        {"slug": "alone", "model": "dec", "heads": ["L0H0", "L0H1"], "sentence": "one"},
    ]
    sample.build(strict=True)
    assert "No row of the one can be compared" in sample.page("contrasts/short")
    assert "Distance of every head" not in sample.page("contrasts/short")
    assert "No row of the one can be compared" in sample.page("contrasts/mixed")
    assert "No head changes at all." in sample.page("contrasts/same")
    assert "No row can be compared" in sample.page("contrasts/alone")


def test_results_are_kept_and_cleaned(tmp_path: Path) -> None:
    sample = with_contrasts(tmp_path / "project")
    sample.build()
    analyses = set((sample.cache / "analysis").glob("??/*"))
    sample.build(force=True)
    assert set((sample.cache / "analysis").glob("??/*")) == analyses
    remove_unused(sample.manifest)
    assert set((sample.cache / "analysis").glob("??/*")) == analyses
    del sample.settings["contrasts"]
    sample.build()
    remove_unused(sample.manifest)
    assert len(set((sample.cache / "analysis").glob("??/*"))) == len(analyses) - 3


def test_only_the_pages_that_tell_of_it_are_made_for_another_title(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "edited")
    before = sample.stamps()
    sample.settings["contrasts"][2]["title"] = "Named anew"
    sample.build()
    made = {name for name, stamp in sample.stamps().items() if before.get(name) != stamp}
    assert not [name for name in made if name.startswith("dec/") or name.startswith("sentences/")]
    assert {name for name in made if name.startswith("enc/cat/")} == {
        "enc/cat/l00h01/index.html",
        "enc/cat/l01h00/index.html",
    }
