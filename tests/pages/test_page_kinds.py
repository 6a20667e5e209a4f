"""Page kinds declare all that their pages are made from, and no more; one more is one value and one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.build.execute import write_site
from attention_gallery.build.execute.staging import Staging
from attention_gallery.errors import UserError
from attention_gallery.pages import page_kinds, plan
from attention_gallery.pages.capture_inputs import CAPTURE, MODEL, MODEL_COMMENTARY, ModelPage
from attention_gallery.pages.downloads import registry
from attention_gallery.pages.downloads.download import Download
from attention_gallery.pages.frame import page_info
from attention_gallery.pages.gallery import Gallery
from attention_gallery.pages.page_kind import InputReader, Page, PageInputs, PageKind
from attention_gallery.pages.page_kinds import PAGE_KINDS
from attention_gallery.pages.side_results import UndeclaredInputError
from sample_gallery import MODELS, Sample, make_model

CONTRASTS = (
    {"slug": "of-heads", "model": "enc", "heads": ["L0H1", "L1H0"]},
    {"slug": "of-models", "models": ["enc", "dec"], "sentence": "cat"},
    {"slug": "of-sentences", "model": "enc", "sentences": ["cat", "river"]},
)
NAMES = [(kind.name, page_input.name) for kind in PAGE_KINDS for page_input in kind.needs]


def full(root: Path) -> Sample:
    """A gallery that has pages of every kind."""
    sample = Sample.make(
        root,
        models=[*map(dict, MODELS), {"slug": "both", "title": "T5", "source": "./models/both"}],
        lengths={"text": " ".join(f"word{number}" for number in range(12)), "words": [4, 8]},
        analysis={"flow_limit": 0},
        base_url="https://example.org/gallery/",
    )
    make_model(root / "models" / "both", layers=1, heads=2, causal=True, crossing=True)
    sample.settings["contrasts"] = [dict(contrast) for contrast in CONTRASTS]
    sample.sentence("cat")["relations"] = [{"from": "it", "to": "cat", "kind": "coreference"}]
    sample.sentence("cat")["aliases"] = ["katze"]
    sample.save()
    return sample


class Planned:
    """The gallery of a build, and the pages of each kind in it, while its captures can be read."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery

    def subjects(self, kind: PageKind[Any]) -> Iterator[Any]:
        for scope, about in plan.scopes(self.gallery):
            if scope == kind.scope:
                yield from kind.subjects(self.gallery, about)

    def make(self, kind: PageKind[Any]) -> Iterator[bytes]:
        """Every page of a kind."""
        for subject in self.subjects(kind):
            reader = InputReader(self.gallery, lambda: ["", "models/enc/"])
            yield kind.planned(reader, subject).make()


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    sample = full(tmp_path_factory.mktemp("kinds") / "project")
    galleries: list[Gallery] = []
    site_pages = plan.site_pages
    with pytest.MonkeyPatch.context() as patched:

        def noticed(gallery: Gallery) -> Any:
            galleries.append(gallery)
            return site_pages(gallery)

        patched.setattr(write_site, "site_pages", noticed)
        sample.build(strict=True)
    return Planned(galleries[0])


def test_every_kind_has_a_page_here(planned: Planned) -> None:
    assert [kind.name for kind in PAGE_KINDS if not any(True for _ in planned.subjects(kind))] == []
    assert len({kind.name for kind in PAGE_KINDS}) == len(PAGE_KINDS)
    assert len(set(NAMES)) == len(NAMES), "an input would take the place of another in the digest"


@pytest.mark.parametrize(("name", "need"), NAMES)
def test_what_a_kind_does_not_declare_it_cannot_read(planned: Planned, name: str, need: str) -> None:
    kind = next(kind for kind in PAGE_KINDS if kind.name == name)
    bare = replace(kind, needs=tuple(each for each in kind.needs if each.name != need))
    with pytest.raises(UndeclaredInputError, match=f"{name}: {need} is not among its needs"):
        for _ in planned.make(bare):
            pass


@pytest.mark.parametrize(("name", "need"), NAMES)
def test_a_digest_follows_every_input(planned: Planned, name: str, need: str) -> None:
    kind = next(kind for kind in PAGE_KINDS if kind.name == name)
    changed = tuple(
        replace(each, identify=lambda reader, about: "something else") if each.name == need else each
        for each in kind.needs
    )
    reader = InputReader(planned.gallery, lambda: ["", "models/enc/"])
    subject = next(planned.subjects(kind))
    before = kind.planned(reader, subject)
    after = replace(kind, needs=changed).planned(reader, subject)
    assert after.route == before.route
    assert after.inputs != before.inputs


def test_a_digest_follows_the_subject_and_the_site(planned: Planned) -> None:
    for kind in PAGE_KINDS:
        reader = InputReader(planned.gallery, lambda: ["", "models/enc/"])
        digests = {kind.planned(reader, subject).inputs for subject in planned.subjects(kind)}
        assert len(digests) == len(list(planned.subjects(kind))), kind.name
        site = planned.gallery.site._replace(digest="another")
        other = InputReader(replace(planned.gallery, site=site), lambda: ["", "models/enc/"])
        subject = next(planned.subjects(kind))
        same = kind.planned(other, subject).inputs == kind.planned(reader, subject).inputs
        assert same == kind.literal, kind.name


# A page kind of which nothing but this knows: the notes of a model by themselves, and its number of heads.
def _toy(page: ModelPage, inputs: PageInputs) -> Page:
    heads = inputs[MODEL].across.heads * inputs[MODEL].across.layers
    info = page_info(inputs.site, "toy", f"toys/{page.model.spec.slug}/", "A toy", f"{heads} heads")
    return Page(info, {"heads": heads, "notes": inputs[MODEL_COMMENTARY].notes.blocks(info.route)})


TOY: PageKind[ModelPage] = PageKind(
    "toy",
    template="toy.html",
    scope="model",
    subjects=lambda gallery, model: [ModelPage(model)],
    route=lambda page: f"toys/{page.model.spec.slug}/",
    make=_toy,
    needs=(MODEL, MODEL_COMMENTARY),
)
TEMPLATE = "<h1>{{ view.heads }}</h1>{% for note in view.notes %}{{ note.html }}{% endfor %}\n"


def with_kind(monkeypatch: pytest.MonkeyPatch, *kinds: PageKind[Any]) -> None:
    """Write the line that a new kind needs."""
    monkeypatch.setattr(plan, "PAGE_KINDS", (*page_kinds.PAGE_KINDS, *kinds))


def test_a_page_kind_is_one_value_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Sample.make(tmp_path)
    with_kind(monkeypatch, TOY)
    template = sample.root / "themes" / "tiny" / "templates" / "toy.html"
    with pytest.raises(UserError, match=r'template "toy\.html"'):
        sample.build()
    template.write_text(TEMPLATE, encoding="utf-8")
    sample.note("models/enc.md", "# Of the encoder\n\nWhat it *is*.\n")
    sample.build(strict=True)
    assert "<h1>4</h1>" in sample.page("toys/enc")
    assert "<em>is</em>" in sample.page("toys/enc")
    assert sample.build(force=False).written == 0
    sample.note("models/enc.md", "# Of the encoder\n\nWhat it **is**.\n")
    made = {route for route in _written(sample) if route.startswith("toys/")}
    assert made == {"toys/enc/"}, "an edit makes the pages that show it, and no other toy"


def _written(sample: Sample) -> set[str]:
    """The routes that a build makes anew."""
    routes: set[str] = set()
    make = Staging._made
    with pytest.MonkeyPatch.context() as patched:

        def noticed(self: Staging, page: Any) -> Any:
            routes.add(page.route)
            return make(self, page)

        patched.setattr(Staging, "_made", noticed)
        sample.build(force=False)
    return routes


def test_a_download_is_one_value_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Sample.make(tmp_path, theme="default")
    tokens = Download(
        "tokens.json",
        text="Download the tokens",
        about="what was read, for programs",
        scope="capture",
        content=lambda inputs: json.dumps(inputs[CAPTURE].tokens.texts).encode(),
        needs=(CAPTURE,),
    )
    monkeypatch.setattr(registry, "DOWNLOADS", (*registry.DOWNLOADS, tokens))
    with_kind(monkeypatch, tokens.kind)
    sample.build(strict=True)
    assert "cat" in json.loads((sample.site / "enc" / "cat" / "tokens.json").read_text(encoding="utf-8"))
    assert "Download the tokens</a>" in sample.page("enc/cat")
    sample.settings["pages"] = {"downloads": False}
    sample.build(strict=True)
    assert not (sample.site / "enc" / "cat" / "tokens.json").exists()
    assert "Download the tokens</a>" not in sample.page("enc/cat")
