"""Names in addresses: how they are made from titles, and which ones are taken."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from attention_gallery.records import ATTENTION_KINDS

SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SLUG_LIMIT = 60  # of those that are made
LONGEST_SLUG = 80
TITLE_LIMIT = 60

# Letters that Unicode does not decompose into a Latin letter and a mark.
_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h", "ŋ": "n"}
)
_PAGES = frozenset(
    {"models", "sentences", "contrasts", "notes", "about", "search", "gallery", "index", "404", "tags"}
    | {"aliases", "assets", "static", "feed", "sitemap", "robots"}
)
# For pages to come. Galleries may have had these slugs before: aliases may still be so named.
RESERVED_LATELY = frozenset({"embed", "api", "docs"})
# Windows opens these as devices, whatever folder they are in.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
_HEAD = re.compile(r"l\d+h\d+")
_HEAD_NAME = re.compile(r"[Ll](\d{1,4})[Hh](\d{1,4})", re.ASCII)


def is_slug(text: str) -> bool:
    """Whether a text can stand in an address."""
    return re.fullmatch(SLUG, text) is not None


def parse_head(text: str) -> tuple[int, int] | None:
    """Layer and head of `L3H7` (or `l03h07`), or None for any other text."""
    match = _HEAD_NAME.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def kind_slug(slug: str, kind: str) -> str:
    """The name in addresses of one kind of attention of a model: `t5-cross`."""
    return f"{slug}-{kind}"


def kind_title(title: str, kind: str) -> str:
    """How readers see one kind of attention of a model: `T5, cross attention`."""
    return f"{title}, {'cross attention' if kind == 'cross' else kind}"


def possible_slugs(slug: str) -> tuple[str, ...]:
    """Every name that a model of the manifest may have in addresses, whatever its files turn out to say."""
    return (slug, *(kind_slug(slug, kind) for kind in ATTENTION_KINDS))


def slugify(text: str, kind: str = "sentence") -> str:
    """A name for addresses, of `[a-z0-9-]`, at most 60 characters, cut at the end of a word.

    Text mostly in letters other than Latin, or without letters and digits, gives `kind` and 8 hexadecimal
    digits of its SHA-256, so that the name stays the same for as long as the text does.
    """
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN)
    plain = "".join(mark for mark in folded if not unicodedata.combining(mark))
    # An apostrophe joins (didn't → didnt); anything else that is not a letter or digit separates.
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z])['’](?=[a-z])", "", plain)).strip("-")
    letters = [mark for mark in plain if mark.isalpha()]
    latin = sum(mark.isascii() for mark in letters)
    if not slug or 2 * latin < len(letters):
        return f"{kind}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    if len(slug) > SLUG_LIMIT:
        cut = slug.rfind("-", 0, SLUG_LIMIT + 1)
        slug = slug[: cut if cut > 0 else SLUG_LIMIT].strip("-")
    return slug


def slugs_of(data: Mapping[str, Any], name: str) -> frozenset[str] | None:
    """The slugs of all items of a list, None where one cannot be told, or is refused and will be another.

    `data` is a manifest, or a part of one; sentences may stand in the place of collections.
    """
    items = data.get(name, ())
    if not isinstance(items, tuple):
        return None
    slugs = {_usable_slug(item) for item in items}
    return frozenset(slug for slug in slugs if slug) if len(slugs - {""}) == len(items) else None


def _usable_slug(item: Any) -> str:
    """The slug of an item, "" where it has none that can stand; those that treebanks give may be longer."""
    slug = item.get("slug") if isinstance(item, dict) else getattr(item, "slug", None)
    if not isinstance(slug, str) or not is_slug(slug) or reserved_reason(slug) is not None:
        return ""
    return "" if isinstance(item, dict) and len(slug) > LONGEST_SLUG else slug


def shorten(text: str) -> str:
    """The text on one line, cut at the end of a word to about 60 characters."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LIMIT:
        return line
    cut = line.rfind(" ", TITLE_LIMIT // 2, TITLE_LIMIT)
    end = cut if cut > 0 else TITLE_LIMIT - 1
    # A mark belongs to the letter before it, and a joiner to both sides.
    while end > 1 and (unicodedata.combining(line[end]) or "\u200d" in line[end - 1 : end + 1]):
        end -= 1
    return line[:end].rstrip(" ,;:–—-") + "…"


def reserved_reason(slug: str) -> str | None:
    """Why a slug cannot be used, or None when it can. An alias may be one of `RESERVED_LATELY`."""
    if slug in RESERVED_LATELY:
        return "it is kept for pages to come"
    if slug in _PAGES:
        return "the site uses this name for a page or folder of its own"
    if slug in _DEVICES:
        return "Windows keeps this name for a device"
    if _HEAD.fullmatch(slug):
        return "this is how addresses name a head"
    return None
