"""The only maker of addresses. A route is relative to the site's root: "" is the home page.

A route that ends in "/" (or is empty) is a page whose file is `index.html` in that folder.
Layers and heads count from 0; both numbers have at least two digits, more where a model needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

HOME = ""
NOTES = "notes/"
ABOUT = "about/"
CONTRASTS = "contrasts/"
NOT_FOUND = "404.html"
SITEMAP = "sitemap.xml"
ROBOTS = "robots.txt"
ASSETS = "assets/"
TILES = "tiles/"  # beside an explorer
TOKEN_DATA = "tiles/tokens.js"


@dataclass(frozen=True, slots=True)
class HeadRoutes:
    """Names of the heads of one model in addresses: `l03h07`, wider where there are 100 or more."""

    layers: int
    heads: int
    slugs: tuple[tuple[str, ...], ...] = field(repr=False, compare=False)

    @classmethod
    def from_counts(cls, layers: int, heads: int) -> HeadRoutes:
        """The names of all heads of a model of this shape."""
        wide, high = max(2, len(str(layers - 1))), max(2, len(str(heads - 1)))
        # Made once: slugs are asked for with every link to a head.
        names = tuple(
            tuple(f"l{layer:0{wide}d}h{head:0{high}d}" for head in range(heads)) for layer in range(layers)
        )
        return cls(layers, heads, names)

    def slug(self, layer: int, head: int) -> str:
        """`l03h07` for layer 3, head 7."""
        return self.slugs[layer][head]


def model(slug: str) -> str:
    """The page of one model."""
    return f"models/{slug}/"


def model_length(slug: str) -> str:
    """The page of what the length of a text does to one model."""
    return f"models/{slug}/length/"


def model_head(model_slug: str, head_slug: str) -> str:
    """The page of one head across every sentence."""
    return f"models/{model_slug}/{head_slug}/"


def sentence(slug: str) -> str:
    """The page of one sentence across every model."""
    return f"sentences/{slug}/"


def explorer(model_slug: str, sentence_slug: str) -> str:
    """The page of all heads of one model on one sentence."""
    return f"{model_slug}/{sentence_slug}/"


def head(model_slug: str, sentence_slug: str, head_slug: str) -> str:
    """The page of one head on one sentence."""
    return f"{model_slug}/{sentence_slug}/{head_slug}/"


def thumbnail(model_slug: str, sentence_slug: str) -> str:
    """The small picture of one model on one sentence."""
    return f"{model_slug}/{sentence_slug}/thumbnail.png"


def tile(model_slug: str, sentence_slug: str, name: str) -> str:
    """The script with a part of the weights of one model on one sentence."""
    return f"{explorer(model_slug, sentence_slug)}{TILES}{name}.js"


def token_data(model_slug: str, sentence_slug: str) -> str:
    """The script with what every token of one sentence looks at in one model."""
    return f"{explorer(model_slug, sentence_slug)}{TOKEN_DATA}"


def contrast(slug: str) -> str:
    """The page of one contrast."""
    return f"{CONTRASTS}{slug}/"


def head_thumbnail(model_slug: str, head_slug: str) -> str:
    """The small picture of one head on the sentence that shows it best."""
    return f"models/{model_slug}/{head_slug}/thumbnail.png"


def note(slug: str) -> str:
    """The page of a free-standing note."""
    return f"notes/{slug}/"


def note_asset(path: str) -> str:
    """A picture or file that lies beside the notes."""
    return f"{ASSETS}notes/{path}"


def asset(name: str) -> str:
    """A file of the theme, by its fingerprinted name."""
    return f"{ASSETS}{name}"


def file_of(route: str) -> str:
    """The file behind a route, relative to the site's root."""
    return f"{route}index.html" if route == "" or route.endswith("/") else route


def root_of(route: str) -> str:
    """The way from a page to the site's root: "./" or one "../" for each folder."""
    # Files in the root, such as 404.html, are as deep as the home page.
    return "../" * route.count("/") or "./"


def href(source: str, target: str) -> str:
    """A relative link from the page at `source` to the route `target`."""
    # Beside the home page an address leads there as it is; only the home page itself has none.
    return root_of(source) + target if source.count("/") else (target or "./")


def base_path(base_url: str | None) -> str:
    """The path under which the site is published, "/" when it is not known; ends in a slash."""
    return (urlsplit(base_url).path.rstrip("/") if base_url else "") + "/"


def absolute(base_url: str, route: str) -> str:
    """The published address of a route under `base_url`."""
    # `base_url` may be written with a slash at its end and without.
    return base_url.rstrip("/") + "/" + route
