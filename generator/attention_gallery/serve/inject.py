"""What the preview adds to pages on their way to the browser; nothing of it is ever written to disk.

Script and style are separate files, so that pages with a strict Content-Security-Policy work too.
"""

from __future__ import annotations

import html
import json
import re

from attention_gallery.serve.preview_state import Snapshot

SCRIPT_PATH = "/__reload.js"
STYLE_PATH = "/__reload.css"
EVENTS_PATH = "/__events"

_END_OF_BODY = re.compile(rb"</body\s*>(?![\s\S]*</body\s*>)", re.IGNORECASE)

SCRIPT = """\
"use strict";
(() => {
  const ID = "gallery-build-error";
  let version = Number(document.currentScript.dataset.version);

  const show = (message) => {
    let box = document.getElementById(ID);
    if (!message) {
      if (box) box.remove();
      return;
    }
    if (!box) {
      box = document.createElement("section");
      box.id = ID;
      box.setAttribute("role", "alert");
      box.append(document.createElement("h2"), document.createElement("pre"), document.createElement("p"));
      box.children[0].textContent = "The build failed";
      box.children[2].textContent = "You see the previous site. It is built again when you save a file.";
      document.body.append(box);
    }
    box.querySelector("pre").textContent = message;
  };

  const source = new EventSource("/__events");
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    if (state.version !== version) {
      version = state.version;
      source.close();
      location.reload();
      return;
    }
    show(state.error);
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
"""

STYLE = """\
#gallery-build-error {
  position: fixed; inset: auto 0 0 0; z-index: 2147483647; max-height: 60vh; overflow: auto;
  padding: 1rem 1.5rem; background: #2b1115; color: #ffe9ea; border-top: 4px solid #ff5c6c;
  font: 14px/1.5 system-ui, sans-serif; text-align: start;
}
#gallery-build-error h2 { margin: 0 0 .5rem; font-size: 1rem; color: inherit; }
#gallery-build-error p { margin: .5rem 0 0; opacity: .8; }
#gallery-build-error pre {
  margin: 0; padding: 0; border: 0; background: none; color: inherit; white-space: pre-wrap;
  font: 13px/1.5 ui-monospace, monospace;
}
"""


def with_reload(page: bytes, now: Snapshot) -> bytes:
    """A page of the site with the reload script and, when the last build failed, its message."""
    addition = (_error_box(now.error, "You see the previous site.") + _tags(now)).encode()
    end = _END_OF_BODY.search(page)
    return page + addition if end is None else page[: end.start()] + addition + page[end.start() :]


def waiting_page(now: Snapshot) -> bytes:
    """The page for when there is no site yet: the message of the failed build, or that it is under way."""
    box = _error_box(now.error, "It is built again when you save a file.")
    return _document("Building", box or "<p>The site is being built.</p>", now)


def missing_page(now: Snapshot) -> bytes:
    """The page for an address that does not exist in a site without a 404.html."""
    link = f'<p>There is no such page. <a href="{html.escape(now.base_path)}">Go to the gallery</a></p>'
    return _document("Not found", link, now)


def event_text(now: Snapshot) -> bytes:
    """The state as one server-sent event."""
    data = json.dumps({"version": now.version, "error": now.error})
    return f"event: state\ndata: {data}\n\n".encode()


def _tags(now: Snapshot) -> str:
    return (
        f'<link rel="stylesheet" href="{STYLE_PATH}">'
        f'<script src="{SCRIPT_PATH}" data-version="{now.version}"></script>'
    )


def _error_box(message: str, hint: str) -> str:
    if not message:
        return ""
    return (
        '<section id="gallery-build-error" role="alert"><h2>The build failed</h2>'
        f"<pre>{html.escape(message)}</pre><p>{hint}</p></section>"
    )


def _document(title: str, body: str, now: Snapshot) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body>{body}{_tags(now)}</body></html>"
    ).encode()
