"""Every download. A new one is a module beside this one, and a line here."""

from __future__ import annotations

from attention_gallery.pages.downloads.attention_json import ATTENTION_JSON
from attention_gallery.pages.downloads.download import Download
from attention_gallery.pages.downloads.heads_table import HEADS_CSV, HEADS_JSON

DOWNLOADS: tuple[Download, ...] = (ATTENTION_JSON, HEADS_CSV, HEADS_JSON)
