"""Everything that a note may link to, and where each link leads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.errors import did_you_mean
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.target import meant_model
from attention_gallery.records import head_name


@dataclass(frozen=True, slots=True)
class LinkMap:
    """Everything that a note may link to, with the title that a bare link shows.

    models: slug to (title, head routes). sentences: slug to title. pages: slug of a free-standing
    note to its title. head_pages: (model, sentence read by it) to the heads that have a page of their own.
    assets: names of the files beside the notes. contrasts: slug to title. lengths: models with a page of
    what length does to them.
    """

    models: Mapping[str, tuple[str, HeadRoutes]]
    sentences: Mapping[str, str]
    pages: Mapping[str, str]
    head_pages: Mapping[tuple[str, str], tuple[tuple[int, int], ...]]
    assets: Collection[str]
    has_about: bool
    contrasts: Mapping[str, str] = field(default_factory=dict)
    lengths: Collection[str] = frozenset()

    def resolve(self, target: LinkTarget) -> tuple[str, str]:
        """Route (with fragment) and title of a link. Raises `LookupError` with reason and mend."""
        route, title = self._resolve(target)
        if target.fragment:
            # The page may have a fragment already: a head that is selected on its explorer.
            route, _, own = route.partition("#")
            route += "#" + "&".join(filter(None, (own, target.fragment)))
        return route, title

    def _resolve(self, target: LinkTarget) -> tuple[str, str]:
        match target.kind:
            case "gallery":
                return routes.HOME, target.default_label
            case "about":
                self._need(self.has_about, "the gallery has no about page", "write content/about.md")
                return routes.ABOUT, target.default_label
            case "asset":
                return self._asset(target.slug or "")
            case "page":
                title = self._known(target.slug or "", self.pages, "note")
                return routes.note(target.slug or ""), title
            case "contrast":
                title = self._known(target.slug or "", self.contrasts, "contrast")
                return routes.contrast(target.slug or ""), title
            case "short":
                return self._short(target.slug or "")
            case "model":
                return routes.model(target.model or ""), self._model(target.model)[0]
            case "model-length":
                title = self._model(target.model)[0]
                reason = f'the gallery does not measure the model "{target.model}" at several lengths'
                self._need(target.model in self.lengths, reason, "add `lengths: …` to the manifest")
                return routes.model_length(target.model or ""), f"what length does to {title}"
            case "sentence":
                title = self._known(target.sentence or "", self.sentences, "sentence")
                return routes.sentence(target.sentence or ""), title
            case "model-head":
                slug, name = self._head(target)
                return routes.model_head(target.model or "", slug), name
        return self._pair(target)

    def _pair(self, target: LinkTarget) -> tuple[str, str]:
        model, sentence = target.model or "", target.sentence or ""
        title = self._known(sentence, self.sentences, "sentence")
        self._model(model)
        mend = "link to another sentence, or let it read this one with the sentence's `models`"
        reason = f'the model "{model}" does not read the sentence "{sentence}"'
        self._need((model, sentence) in self.head_pages, reason, mend)
        explorer = routes.explorer(model, sentence)
        if target.kind == "pair":
            return explorer, title
        slug, name = self._head(target)
        if (target.layer, target.head) in self.head_pages[model, sentence]:
            return routes.head(model, sentence, slug), name
        # A head without a page of its own is selected on that of all heads.
        return f"{explorer}#head={name}", name

    def _head(self, target: LinkTarget) -> tuple[str, str]:
        heads = self._model(target.model)[1]
        layer, head = target.layer or 0, target.head or 0
        name = head_name(layer, head)
        reason = f'the model "{target.model}" has no head {name}'
        mend = f"its heads are L0H0 to {head_name(heads.layers - 1, heads.heads - 1)}"
        self._need(layer < heads.layers and head < heads.heads, reason, mend)
        return heads.slug(layer, head), name

    def _short(self, slug: str) -> tuple[str, str]:
        if slug in self.sentences:
            return routes.sentence(slug), self.sentences[slug]
        if slug in self.models:
            return routes.model(slug), self.models[slug][0]
        known = [*self.sentences, *self.models]
        raise LookupError(f'the gallery has no sentence or model "{slug}"', meant_model(slug, known))

    def _model(self, slug: str | None) -> tuple[str, HeadRoutes]:
        slug = slug or ""
        self._need(slug in self.models, f'the gallery has no model "{slug}"', meant_model(slug, self.models))
        return self.models[slug]

    def _asset(self, name: str) -> tuple[str, str]:
        reason = f'there is no file "{name}" beside the notes'
        self._need(name in self.assets, reason, did_you_mean(name, self.assets))
        return routes.note_asset(quote(name)), name

    @staticmethod
    def _known(slug: str, titles: Mapping[str, str], noun: str) -> str:
        if slug not in titles:
            raise LookupError(f'the gallery has no {noun} "{slug}"', did_you_mean(slug, titles))
        return titles[slug]

    @staticmethod
    def _need(condition: bool, reason: str, mend: str) -> None:
        if not condition:
            raise LookupError(reason, mend)
