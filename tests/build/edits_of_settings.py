"""A gallery that has some of everything, and an edit of every field of its manifest."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sample_gallery import MODELS, SENTENCES, Sample, make_model

sys.path.insert(0, str(Path(__file__).parents[1] / "annotating"))

from tiny_pipeline import install

Edit = Callable[[Sample], None]
ROW = "{}\t{}\t{}\t_\t_\t_\t{}\t{}\t_\t_\n"
TREES = "".join(
    f"# sent_id = {name}\n# text = A {noun} sat\n"
    + ROW.format(1, "A", "a", 2, "det")
    + ROW.format(2, noun, noun, 3, "nsubj")
    + ROW.format(3, "sat", "sit", 0, "root")
    + "\n"
    for name, noun in (("t1", "dog"), ("t2", "fox"), ("t3", "hen"))
)
NOTES = {
    "gallery.md": "# Welcome\n\nSee [[enc/cat/L0H1]].\n",
    "enc/cat/L0H1.md": '# A head\n\nIt is {{ weight("#2", "#1") }} here.\n',
    "models/enc.md": "# A model\n\nWhat it is.\n",
    "contrasts/pair.md": "# Side by side\n\nSee [[models/dec]].\n",
    "about.md": "---\ntitle: About\ndescription: Who made it.\ntags: [a]\n---\nMade of numbers.\n",
    "notes/first.md": "---\ndescription: The first.\n---\n# First\n\n![a dot](dot.gif)\n",
    "notes/second.md": "# Second\n\nBack to [[notes/first]].\n",
}


def make(root: Path) -> Sample:
    """A gallery that has some of everything."""
    cat, river, short = (dict(sentence) for sentence in SENTENCES)
    cat["relations"] = [{"from": "it", "to": "cat", "kind": "coreference"}]
    sample = Sample.make(
        root,
        notes=NOTES,
        models=[*map(dict, MODELS), {"slug": "both", "title": "T5", "source": "./models/both"}],
        sentences=[
            cat,
            river,
            {**short, "models": ["enc", "dec"]},
            # Not for every model: each capture is dozens of pages, which every edit here builds twice.
            {
                "slug": "talk",
                "title": "A talk",
                "chat": [{"role": "user", "content": "Who are you then"}],
                "models": ["dec", "both"],
            },
            {"conllu": "trees.conllu", "slug": "tree", "limit": 2, "models": ["enc"]},
        ],
        contrasts=[
            {"slug": "pair", "title": "A pair", "model": "dec", "sentences": ["cat", "river"]},
            {"title": "Two models", "models": ["enc", "dec"], "sentence": "cat"},
            {"title": "Two heads", "model": "enc", "heads": ["L0H1", "L1H1"]},
        ],
        lengths={"text": "one two three four five six seven eight nine", "words": [4, 8]},
    )
    make_model(root / "models" / "both", layers=1, heads=2, causal=True, crossing=True)
    base = root / "themes" / "tiny" / "templates" / "base.html"
    text = base.read_text(encoding="utf-8")
    whole = "<pre>{{ view }} {{ page }} {{ site }}</pre>"  # all that any theme could print
    base.write_text(text.replace("{% block main %}", whole + "{% block main %}", 1), encoding="utf-8")
    sample.write("trees.conllu", TREES)
    sample.write(
        "own.py", 'def far(layer):\n    """How far."""\n    return layer.weights[:, :, 0].mean(axis=1)\n'
    )
    shutil.copy(root / "themes" / "tiny" / "assets" / "dot.gif", root / "content" / "notes" / "dot.gif")
    return sample


@contextmanager
def built_gallery(folder: Path) -> Iterator[Sample]:
    """The gallery, built, while what reads its texts can be imported; copy it before changing it."""
    install(folder / "installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "installed"))
        sample = make(folder / "project")
        sample.build()
        yield sample
    sys.modules.pop("tiny_rules", None)


def top(**values: Any) -> Edit:
    """Set fields of the whole."""

    def edit(sample: Sample) -> None:
        sample.settings.update(values)

    return edit


def of(kind: str, index: int, **values: Any) -> Edit:
    """Set fields of one item of a list."""

    def edit(sample: Sample) -> None:
        sample.settings[kind][index].update(values)

    return edit


def relation(**values: Any) -> Edit:
    return lambda sample: sample.sentence("cat")["relations"][0].update(values)


def message(**values: Any) -> Edit:
    return lambda sample: sample.sentence("talk")["chat"][0].update(values)


def rename(old: str, new: str) -> Edit:
    """Another slug, wherever it is named."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: renamed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [renamed(one) for one in value]
        return new if value == old else value

    def edit(sample: Sample) -> None:
        sample.settings = renamed(sample.settings)

    return edit


def rename_model(sample: Sample) -> None:
    rename("dec", "decoding")(sample)
    sample.note("contrasts/pair.md", NOTES["contrasts/pair.md"].replace("dec", "decoding"))


def other_source(sample: Sample) -> None:
    (sample.root / "models" / "dec").rename(sample.root / "models" / "elsewhere")
    sample.settings["models"][1]["source"] = "./models/elsewhere"


def other_content(sample: Sample) -> None:
    (sample.root / "content").rename(sample.root / "said")
    sample.settings["content"] = "said"
    sample.write("said/about.md", "Said elsewhere.\n")


def other_theme(sample: Sample) -> None:
    sample.write("themes/mine/theme.yaml", "name: mine\nextends: tiny\n")
    sample.write("themes/mine/templates/partials/token_strip.html", "<p>{{ tokens|length }}</p>")
    sample.settings["theme"] = "mine"


def other_treebank(sample: Sample) -> None:
    sample.write("other.conllu", TREES.replace("sat", "ran"))
    sample.settings["sentences"][4]["conllu"] = "other.conllu"


def remove_chat(sample: Sample) -> None:
    talk = sample.settings["sentences"][TALK]
    del talk["chat"]
    talk["text"] = "Who are you then"


def nothing(_: Sample) -> None:
    """A field that is required to be as it is, or whose edit is that of its parts."""


CAT, RIVER, SHORT, TALK, TREE = range(5)
FIELDS: dict[str, Edit] = {
    "title": top(title="Another title"),
    "description": top(description="What it is about."),
    "author": top(author="Somebody"),
    "language": top(language="de"),
    "base_url": top(base_url="https://example.org/deep/"),
    "theme": other_theme,
    "theme_options": top(theme_options={"accent": "#654321"}),
    "content": other_content,
    "output": top(output="public"),
    "models": lambda sample: sample.settings["models"].reverse(),
    "models.slug": rename_model,
    "models.title": of("models", 1, title="Another name"),
    "models.source": other_source,
    "models.revision": nothing,  # hub ids alone have one
    "models.dtype": of("models", 0, dtype="bfloat16"),
    "models.trust_remote_code": of("models", 0, trust_remote_code=True),
    "models.device": of("models", 0, device="cpu"),
    "models.device_map": of("models", 0, device_map="auto"),
    "models.attention": of("models", 2, attention=["encoder", "cross"]),
    "models.aliases": of("models", 0, aliases=["encoder"]),
    "models.description": of("models", 0, description="Reads both ways."),
    "models.draft": of("models", 2, draft=True),
    "sentences": lambda sample: sample.settings["sentences"].reverse(),
    "sentences.slug": rename("river", "stream"),
    "sentences.title": of("sentences", CAT, title="The sleepy cat"),
    "sentences.text": of("sentences", RIVER, text="A river runs over the new bridge"),
    "sentences.pair": of("sentences", RIVER, pair="It is old"),
    "sentences.chat": remove_chat,
    "sentences.chat.role": message(role="system"),
    "sentences.chat.content": message(content="Who am I then"),
    "sentences.chat_options": of("sentences", TALK, chat_options={"enable_thinking": True}),
    "sentences.target": of("sentences", SHORT, target="Partez donc", models=["both"]),
    "sentences.generate": of("sentences", TALK, generate=3),
    "sentences.truncate": of("sentences", RIVER, truncate=True),
    "sentences.models": of("sentences", SHORT, models=["enc"]),
    "sentences.tags": of("sentences", CAT, tags=["animal"]),
    "sentences.focus": of("sentences", CAT, focus="tired"),
    "sentences.language": of("sentences", CAT, language="en-GB"),
    "sentences.relations": of("sentences", RIVER, relations=[{"from": "bridge", "to": "river"}]),
    "sentences.relations.from": relation(**{"from": "tired"}),
    "sentences.relations.to": relation(to="cross"),
    "sentences.relations.kind": relation(kind="anaphora"),
    "sentences.annotate": of("sentences", RIVER, annotate={"spacy": "tiny_rules"}),
    "sentences.annotate.spacy": nothing,  # see the line above
    "sentences.aliases": of("sentences", CAT, aliases=["kitten"]),
    "sentences.pages": of("sentences", SHORT, pages=False),
    "sentences.draft": of("sentences", SHORT, draft=True),
    "collections.conllu": other_treebank,
    "collections.slug": of("sentences", TREE, slug="bank"),
    "collections.limit": of("sentences", TREE, limit=3),
    "collections.filter": nothing,
    "collections.filter.relations": of("sentences", TREE, filter={"relations": ["det"]}),
    "collections.filter.words": of("sentences", TREE, filter={"words": [1, 9]}),
    "collections.pages": of("sentences", TREE, pages=False),
    "collections.models": of("sentences", TREE, models=["enc", "dec"]),
    "collections.tags": of("sentences", TREE, tags=["tree"]),
    "collections.language": of("sentences", TREE, language="nl"),
    "collections.draft": of("sentences", TREE, draft=True),
    "contrasts": lambda sample: sample.settings["contrasts"].reverse(),
    "contrasts.slug": lambda sample: sample.settings["contrasts"][1].update(slug="two"),
    "contrasts.title": of("contrasts", 0, title="Another pair"),
    "contrasts.aliases": of("contrasts", 0, aliases=["cat-and-river"]),
    "contrasts.description": of("contrasts", 0, description="Why."),
    "contrasts.model": of("contrasts", 0, model="enc"),
    "contrasts.models": of("contrasts", 1, models=["dec", "enc"]),
    "contrasts.sentence": of("contrasts", 2, sentence="river"),
    "contrasts.sentences": of("contrasts", 0, sentences=["river", "cat"]),
    "contrasts.heads": of("contrasts", 2, heads=["L0H0", "L1H1"]),
    "contrasts.draft": of("contrasts", 2, draft=True),
    "capture": nothing,
    "capture.precision": top(capture={"precision": "float32"}),
    "capture.batch_tokens": top(capture={"batch_tokens": 64}),
    "capture.threads": nothing,  # captures of another environment are used as they are, and pages say so
    "capture.predictions": top(capture={"predictions": 2}),
    "analysis": nothing,
    "analysis.window": top(analysis={"window": 1}),
    "analysis.top_keys": top(analysis={"top_keys": 1}),
    "analysis.flow_limit": top(analysis={"flow_limit": 20}),
    "analysis.repeated_tokens": top(analysis={"repeated_tokens": False}),
    "analysis.measures": top(analysis={"measures": ["own:far"]}),
    "annotate": top(annotate={"spacy": "tiny_rules"}),
    "annotate.spacy": nothing,  # see the line above
    "lengths": lambda sample: sample.settings.pop("lengths"),
    "lengths.sentence": top(lengths={"sentence": "cat", "words": [4, 8]}),
    "lengths.text": top(lengths={"text": "nine eight seven six five four three", "words": [4, 8]}),
    "lengths.words": top(lengths={"text": "one two three four five six seven eight nine", "words": [3, 9]}),
    "pages": nothing,
    "pages.heads": top(pages={"heads": "notable"}),
    "pages.downloads": top(pages={"downloads": False}),
    "pages.special_tokens": top(pages={"special_tokens": "hidden"}),
}
# Beginnings of the names of those that texts and contrasts have.
OF_TEXTS = ("sentences", "collections", "contrasts")
# How a model runs and how much at once: told on no page.
NOT_SHOWN = {"models.trust_remote_code", "models.device", "models.device_map", "capture.batch_tokens"}
NOT_SHOWN |= {"output"}
NOT_SHOWN |= {"collections.filter.relations", "collections.filter.words"}  # all of them pass


def same_as_clean(sample: Sample, tmp_path: Path) -> None:
    clean = sample.copy(tmp_path / "clean", clean=True)
    assert clean.build().reused == 0
    expected, found = clean.tree(), sample.tree()
    assert sorted(found) == sorted(expected)
    assert [name for name, data in expected.items() if found[name] != data] == [], "these pages are stale"


def check_edit(built: Sample, tmp_path: Path, field: str) -> None:
    """Build an edit of a field, and compare the site with that of a build from nothing."""
    sample = built.copy(tmp_path / "edited")
    FIELDS[field](sample)
    sample.build()
    same_as_clean(sample, tmp_path)
    assert (sample.tree() != built.tree()) is (field not in NOT_SHOWN)
