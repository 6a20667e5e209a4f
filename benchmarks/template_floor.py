"""The site's own templates, rendered by Jinja2 as it comes, from contexts that are ready, and written.

    python benchmarks/template_floor.py keep GALLERY FILE   build a gallery, keep what each template is given
    python benchmarks/template_floor.py write FILE OUT      render and write those pages; print CPU seconds

The second is a bare loop that makes the very pages of the gallery: what finds and words the numbers, encodes
the weights, checks the links and remembers the pages is left out, and so is reading the file.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import jinja2


def keep(gallery: Path, kept: Path) -> None:
    """Build, and keep (template, page, view) of every page, and what all templates know."""
    from attention_gallery.build import BuildOptions, build
    from attention_gallery.progress import SilentReporter
    from attention_gallery.theme.renderer import Renderer

    pages: list[tuple[str, Any, Any]] = []
    known: dict[str, Any] = {}
    folders: list[str] = []
    render, share, start = Renderer.render, Renderer.share, Renderer.__init__

    def started(self: Renderer, theme: Any, *rest: Any) -> None:
        folders[:] = [str(folder / "templates") for folder in theme.folders]
        start(self, theme, *rest)

    def shared(self: Renderer, **values: Any) -> None:
        known.update(values)
        share(self, **values)

    def rendered(self: Renderer, name: str, **context: Any) -> str:
        if "page" in context:
            pages.append((name, context["page"], context["view"]))
        return render(self, name, **context)

    Renderer.__init__, Renderer.share, Renderer.render = started, shared, rendered  # type: ignore[method-assign]
    build(gallery / "gallery.yaml", BuildOptions(force=True), SilentReporter())
    with kept.open("wb") as stream:
        pickle.dump((folders, known, pages), stream, pickle.HIGHEST_PROTOCOL)


def write(kept: Path, out: Path) -> None:
    """Render and write every page, and print the CPU seconds without those that reading `kept` took."""
    before = time.process_time()
    with kept.open("rb") as stream:
        folders, known, pages = pickle.load(stream)
    gc.freeze()  # what was read shall not be searched again and again for what can go
    reading = time.process_time() - before
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(known)
    templates = {name: environment.get_template(name) for name in {name for name, *_ in pages}}
    for name, page, view in pages:
        html = templates[name].render(page=page, view=view)
        path = f"{out}/{page.route}" + ("index.html" if page.route.endswith("/") or not page.route else "")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(html)
    print(f"{time.process_time() - reading:.3f}")


if __name__ == "__main__":
    {"keep": keep, "write": write}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
