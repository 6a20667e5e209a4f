"""What the files and folders of a project are called. The manifest may name others for notes and site."""

from __future__ import annotations

MANIFEST = "gallery.yaml"
CONTENT = "content"
OUTPUT = "site"
THEMES = "themes"
CACHE = ".gallery"
# Folders of the cache: captures, results and parses worked out of them, compiled templates.
STORE = "store"
RESULTS = "analysis"
TEMPLATES = "templates"
