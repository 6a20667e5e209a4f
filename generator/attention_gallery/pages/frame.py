"""What surrounds every page: the site's facts, breadcrumbs, assets, provenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence.wording import count, million, shortened
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.pages.contexts.shared import ModelCard, PageInfo
from attention_gallery.pages.gallery import GalleryModel, Site
from attention_gallery.records import ModelFacts, Provenance

# For search engines and previews of links, which show the beginning of a description.
_LONGEST_DESCRIPTION = 200
# What tokens see, by kind of attention.
_DIRECTIONS = {
    "encoder": ("bidirectional", "tokens see those before and after them"),
    "decoder": ("causal", "no token sees those after it"),
    "cross": ("from target to source", "each token of the target sees all of the source"),
}


def page_info(
    site: Site,
    kind: str,
    route: str,
    title: str,
    description: str,
    crumbs: Iterable[tuple[str, str]] = (),
    origin: tuple[tuple[str, str], ...] = (),
    root: str | None = None,
) -> PageInfo:
    """The page at `route`, with what surrounds it.

    `crumbs` are (text, route) from the gallery's home down to the page's parent. `root` is the way to the
    site's root where it does not follow from the route.
    """
    root = routes.root_of(route) if root is None else root
    # The home page is the root of all trails, and has none.
    trail = [Link(site.info.title, root)] if route else []
    trail.extend(Link(text, routes.href(route, target)) for text, target in crumbs)
    return PageInfo(
        kind=kind,
        title=title,
        description=shortened(description, _LONGEST_DESCRIPTION),
        route=route,
        root=root,
        canonical=routes.absolute(site.base_url, route) if site.base_url else None,
        breadcrumbs=tuple(trail),
        styles=(root + routes.asset(site.assets.style),) if site.assets.style else (),
        scripts=(root + routes.asset(site.assets.script),) if site.assets.script else (),
        plotly=root + routes.asset(site.plotly),
        provenance=origin,
        built=site.built,
    )


def sibling(page: PageInfo, site: Site, route: str, title: str, description: str) -> PageInfo:
    """The page at `route` in the frame of another page of the same folder."""
    # All else is the same in one folder, and there are as many pages of heads as heads times sentences.
    return page._replace(
        route=route,
        title=title,
        description=shortened(description, _LONGEST_DESCRIPTION),
        canonical=routes.absolute(site.base_url, route) if site.base_url else None,
    )


def provenance(origin: Provenance) -> tuple[tuple[str, str], ...]:
    """Where numbers come from, as label and value, for the footer."""
    source = origin.source + (f" @ {origin.revision}" if origin.revision else "")
    code = (("Code", "came with the model"),) if origin.remote_code else ()
    ran = origin.environment
    threads = "1 thread" if ran.threads == 1 else f"{ran.threads} threads"
    differs = (("Another environment", origin.differs),) if origin.differs else ()
    return (
        ("Model", source),
        ("Weights", f"SHA-256 {origin.model_fingerprint[:12]}"),
        ("Tokenizer", f"SHA-256 {origin.tokenizer_fingerprint[:12]}"),
        *code,
        ("Precision", f"{ran.dtype}, stored as {origin.precision}"),
        ("Captured with", f"torch {ran.torch}, transformers {ran.transformers}"),
        ("Captured on", f"{ran.device}, {threads}, {ran.strategy}, {ran.batch}"),
        *differs,
    )


def model_card(model: GalleryModel, route: str) -> ModelCard:
    """A model in short, for the page at `route`."""
    spec, facts = model.spec, model.facts
    direction, meaning = _DIRECTIONS[facts.kind]
    rows = [
        ("Architecture", facts.architecture),
        ("Layers × heads", f"{facts.layers} × {facts.heads}"),
        ("Direction", f"{direction}: {meaning}"),
        ("Parameters", million(facts.parameters)),
        ("Vocabulary", count(facts.vocabulary, "token")),
    ]
    if facts.key_value_heads != facts.heads:
        groups = f"{facts.key_value_heads}, each shared by {facts.heads // facts.key_value_heads} query heads"
        rows.insert(2, ("Key-value heads", groups))
    if facts.skipped:
        numbers = ", ".join(map(str, facts.skipped))
        # Beside the number of layers, which would not tell otherwise why a configuration names more.
        rows.insert(2, ("Layers without attention", f"{numbers}; the layers here are counted without them"))
    if facts.windows:
        rows.append(("Windows", _windows(facts.windows)))
    if facts.context is not None:
        rows.append(("Context", count(facts.context, "token")))
    quantised = f", quantised: {facts.quantised}" if facts.quantised else ""
    rows.append(("Weights", facts.weights_format + quantised))
    if model.provenance.remote_code:
        rows.append(("Code", "Runs code that came with the model"))
    if facts.license:
        rows.append(("License", facts.license))
    return ModelCard(
        slug=spec.slug,
        title=spec.title,
        description=spec.description,
        href=routes.href(route, routes.model(spec.slug)),
        summary=f"{facts.layers} layers × {facts.heads} heads, {direction}",
        facts=tuple(rows),
    )


def model_digest(spec: ModelSpec, facts: ModelFacts, origin: Provenance) -> str:
    """Digest of all that pages tell of a model by itself: names, facts, where its numbers come from."""
    # Without the errors of rounding: they are those of a capture, and told on its own pages.
    return digest([spec.model_dump(mode="json"), asdict(facts), provenance(origin), origin.remote_code])


def _windows(windows: tuple[int | None, ...]) -> str:
    """How far back the layers look: `16 tokens in layers 0, 2; all tokens in the others`."""
    reach: dict[int, list[str]] = {}
    for layer, window in enumerate(windows):
        if window is not None:
            reach.setdefault(window, []).append(str(layer))
    # The usual cases in few words: a list of sixty layers would be read by nobody.
    if len(reach) == 1 and None not in windows:
        return f"{count(next(iter(reach)), 'token')} in every layer"
    parts = [f"{count(window, 'token')} in layers {', '.join(layers)}" for window, layers in reach.items()]
    return "; ".join([*parts, *(["all tokens in the others"] if None in windows else [])])
