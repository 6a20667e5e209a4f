"""The same gallery gives the same site, to the byte, through whatever edits, damage and builds it came to be.

Unlike elsewhere, real models run here: what a capture's company or a second run would change shows in pages.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from captured_gallery import NOTES, CapturedGallery, make_gallery, save_models
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from attention_gallery.capturing import jobs, run_batch
from attention_gallery.errors import UserError
from siblings import siblings

Edit = Callable[[CapturedGallery], object]
LONGER = "The trophy does not fit in the brown suitcase because it is too big, and the suitcase is not big."


@contextmanager
def counted_passes() -> Iterator[list[int]]:
    """How many texts each pass of a model has."""
    sizes: list[int] = []

    def counted(prepared: Any, sentences: Any, *rest: Any) -> Any:
        sizes.append(len(sentences))
        return run_batch(prepared, sentences, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "run_batch", counted)
        yield sizes


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[CapturedGallery]:
    """The first state, built from nothing. Copy it before changing it."""
    gallery = make_gallery(tmp_path_factory.mktemp("first") / "project", models)
    with counted_passes() as sizes:
        gallery.build()
    assert max(sizes) > 1, "no text shares a pass with another: a pass that mixes them would not show"
    # A build collects garbage after each model. Not to go through all of torch each time saves a third.
    gc.freeze()
    yield gallery
    gc.unfreeze()


# Edits. Each can be made in any state, and more than once.


def add_longer(gallery: CapturedGallery) -> None:
    add_sentence(gallery, "longer", LONGER)


def add_equal_length(gallery: CapturedGallery) -> None:
    """One of six tokens, as two have that are there."""
    add_sentence(gallery, "equal", "It is so big.")


def add_sentence(gallery: CapturedGallery, slug: str, text: str) -> None:
    remove_sentence(gallery, slug)
    gallery.settings["sentences"].append({"slug": slug, "title": slug.title(), "text": text})


def remove_sentence(gallery: CapturedGallery, slug: str = "bridge") -> None:
    gallery.settings["sentences"] = [
        sentence for sentence in gallery.settings["sentences"] if sentence["slug"] != slug
    ]


def river(gallery: CapturedGallery) -> dict[str, Any]:
    """The sentence on the river, which may have been renamed."""
    return next(text for text in gallery.settings["sentences"] if text["slug"] in ("river", "stream"))


def reword(gallery: CapturedGallery) -> None:
    river(gallery)["text"] = "The river runs because it is big."


def rename_with_alias(gallery: CapturedGallery) -> None:
    river(gallery).update(slug="stream", aliases=["river"])


def reorder(gallery: CapturedGallery) -> None:
    for kind in ("sentences", "models", "contrasts"):
        gallery.settings[kind].reverse()


def model(gallery: CapturedGallery, slug: str) -> dict[str, Any]:
    return next(spec for spec in gallery.settings["models"] if spec["slug"] == slug)


def fewer_kinds(gallery: CapturedGallery) -> None:
    """The decoder of the encoder-decoder is shown no more."""
    model(gallery, "bart")["attention"] = ["encoder", "cross"]


def half_precision(gallery: CapturedGallery) -> None:
    model(gallery, "bert")["dtype"] = "bfloat16"


def other_weights(gallery: CapturedGallery) -> None:
    model(gallery, "llama")["source"] = "./models/trained"


def license_model(gallery: CapturedGallery) -> None:
    gallery.write("models/bert/README.md", "---\nlicense: mit\n---\n")


def setting(group: str, **values: Any) -> Edit:
    """Set fields of a part of the settings, and leave its others as they are."""

    def edit(gallery: CapturedGallery) -> None:
        gallery.settings[group] = {**gallery.settings.get(group, {}), **values}

    return edit


def default_theme(gallery: CapturedGallery) -> None:
    gallery.settings["theme"] = "default"


def edit_notes(gallery: CapturedGallery) -> None:
    gallery.note("bert/trophy/L0H1.md", NOTES["bert/trophy/L0H1.md"] + "\nSee [[llama/trophy/L1H1]].\n")
    gallery.note("notes/second.md", "# Second\n\nSee [[notes/first]].\n")


def remove_note(gallery: CapturedGallery) -> None:
    (gallery.root / "content" / "models" / "llama" / "L1H0.md").unlink(missing_ok=True)


# What happens to a gallery besides edits. These build by themselves where that is what happens.


def damage_entries(gallery: CapturedGallery) -> None:
    """Every other entry loses its end or has a byte that is another, and every page is made again."""
    for number, path in enumerate(sorted((gallery.cache / "store").rglob("*.safetensors"))[::2]):
        data = path.read_bytes()
        path.write_bytes(data[:-1] if number % 2 else data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    gallery.build(force=True)


def lose_entries(gallery: CapturedGallery) -> None:
    """A third of the entries goes, by their descriptions alone, and all that was measured with them."""
    for path in sorted((gallery.cache / "store").rglob("*.json"))[::3]:
        path.unlink()
    shutil.rmtree(gallery.cache / "analysis")
    gallery.build(force=True)  # another would find nothing to do: the site is as it should be


def damage_site(gallery: CapturedGallery) -> None:
    for page in sorted(gallery.site.rglob("index.html"))[::5]:
        page.write_text("mine", encoding="utf-8")


def remove_cache(gallery: CapturedGallery) -> None:
    shutil.rmtree(gallery.cache, ignore_errors=True)


def force(gallery: CapturedGallery) -> None:
    gallery.build(force=True)


def show_draft(gallery: CapturedGallery) -> None:
    add_sentence(gallery, "draft", "It is not so big.")
    gallery.sentence("draft")["draft"] = True
    gallery.build(drafts=True)


def break_link(gallery: CapturedGallery) -> None:
    """A build that stops at a note, after which the note is mended."""
    gallery.note("about.md", "See [[bert/nowhere]].\n")
    with pytest.raises(UserError):
        gallery.build()
    (gallery.root / "content" / "about.md").unlink()


def interrupt(gallery: CapturedGallery) -> None:
    """A build from nothing that is interrupted after its third pass."""
    remove_cache(gallery)
    passes = iter(range(3))

    def interrupted(*arguments: Any) -> Any:
        if next(passes, None) is None:
            raise KeyboardInterrupt
        return run_batch(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "run_batch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gallery.build()


EDITS: dict[str, Edit] = {
    "a longer sentence": add_longer,
    "a sentence of equal length": add_equal_length,
    "a sentence less": remove_sentence,
    "another text": reword,
    "another slug with an alias": rename_with_alias,
    "another order": reorder,
    "fewer kinds of attention": fewer_kinds,
    "half precision": half_precision,
    "other weights": other_weights,
    "a license": license_model,
    "another theme": default_theme,
    "another number format in the store": setting("capture", precision="float32"),
    "fewer predictions": setting("capture", predictions=2),
    "one sentence at once": setting("capture", batch_tokens=1),
    "another window": setting("analysis", window=1),
    "no random tokens": setting("analysis", repeated_tokens=False),
    "notable heads": setting("pages", heads="notable"),
    "lengths": setting("lengths", text=LONGER, words=[4, 8]),
    "edited notes": edit_notes,
    "a note less": remove_note,
    "damaged entries": damage_entries,
    "lost entries": lose_entries,
    "damaged pages": damage_site,
    "no cache": remove_cache,
    "a forced build": force,
    "a build with drafts": show_draft,
    "a broken link": break_link,
    "an interrupt": interrupt,
    "restored": CapturedGallery.restore,
}


def descriptions(gallery: CapturedGallery) -> dict[str, bytes]:
    """What each entry of the store says of itself, the checksums of its numbers included."""
    return {path.name: path.read_bytes() for path in (gallery.cache / "store").rglob("*.json")}


def same_as(clean: CapturedGallery, gallery: CapturedGallery) -> None:
    """The site of the gallery, and every entry that the clean one has, are those of the clean one."""
    site, expected = gallery.tree(), clean.tree()
    assert sorted(site) == sorted(expected)
    assert [name for name, data in expected.items() if site[name] != data] == []
    # By checksums: damage to an entry of which only its measures are needed, and known, is not looked for.
    stored = descriptions(gallery)
    assert [name for name, data in descriptions(clean).items() if stored.get(name) != data] == []


def live_through(gallery: CapturedGallery, history: Sequence[str]) -> None:
    """Build after each edit."""
    for name in history:
        EDITS[name](gallery)
        gallery.build()


def test_apart_and_together(tmp_path: Path, models: Path, first: CapturedGallery) -> None:
    """What shares a pass in one history is captured alone in the other."""
    gallery = make_gallery(tmp_path / "project", models)
    shutil.rmtree(gallery.root / "content")  # notes speak of sentences that come later
    gallery.settings["contrasts"] = []
    sentences = gallery.settings["sentences"]
    with counted_passes() as sizes:
        for apart in (sentences[::2], sentences[1::2]):
            gallery.settings["sentences"] = apart
            gallery.build()
    assert set(sizes) == {1}
    gallery.restore()
    gallery.build()
    same_as(first, gallery)


HISTORIES = {
    "edited": ("a longer sentence", "another order", "another slug with an alias", "edited notes"),
    "set": (
        "no cache",
        "half precision",
        "another number format in the store",
        "fewer kinds of attention",
        "another window",
    ),
    "damaged": ("a sentence of equal length", "damaged entries", "lost entries"),
    "interrupted": ("other weights", "an interrupt", "a sentence less"),
}


@pytest.mark.parametrize("name", siblings(HISTORIES, 4))
def test_a_history_leaves_no_trace(tmp_path: Path, first: CapturedGallery, name: str) -> None:
    gallery = first.copy(tmp_path / "project")
    live_through(gallery, HISTORIES[name])
    same_as(gallery.from_nothing(tmp_path / "clean"), gallery)
    live_through(gallery, ["restored"])
    same_as(first, gallery)


# Without a search for a shorter history that fails: each one that it tries is several builds.
@settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(history=st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=4))
def test_any_history_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, first: CapturedGallery, history: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    gallery = first.copy(folder / "project")
    live_through(gallery, history)
    same_as(gallery.from_nothing(folder / "clean"), gallery)
