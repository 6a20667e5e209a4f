"""Every kind of page. A new one is a module in `kinds`, and a line here."""

from __future__ import annotations

from typing import Any

from attention_gallery.pages.downloads.registry import DOWNLOADS
from attention_gallery.pages.kinds.contrast.contrast_list import CONTRAST_KINDS
from attention_gallery.pages.kinds.explorer import EXPLORER, THUMBNAIL, TILE, TOKEN_DATA
from attention_gallery.pages.kinds.head import HEAD
from attention_gallery.pages.kinds.home import HOME
from attention_gallery.pages.kinds.model import MODEL_PAGE
from attention_gallery.pages.kinds.model_head import HEAD_THUMBNAIL, MODEL_HEAD
from attention_gallery.pages.kinds.model_length import MODEL_LENGTH
from attention_gallery.pages.kinds.note import NOTE, NOTES
from attention_gallery.pages.kinds.sentence import SENTENCE
from attention_gallery.pages.kinds.site_files import ASSET, NOT_FOUND, REDIRECT, ROBOTS, SITEMAP
from attention_gallery.pages.page_kind import PageKind

# Pages of one capture, or of one model, are made in this order.
PAGE_KINDS: tuple[PageKind[Any], ...] = (
    EXPLORER,
    THUMBNAIL,
    TILE,
    TOKEN_DATA,
    *(download.kind for download in DOWNLOADS),
    HEAD,
    MODEL_PAGE,
    MODEL_HEAD,
    HEAD_THUMBNAIL,
    MODEL_LENGTH,
    SENTENCE,
    *CONTRAST_KINDS,
    NOTES,
    NOTE,
    REDIRECT,
    NOT_FOUND,
    ASSET,
    HOME,
    SITEMAP,
    ROBOTS,
)
