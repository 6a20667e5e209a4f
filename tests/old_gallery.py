"""A gallery as version 0.1 built it: manifest, notes, theme, models, lock, store and links that were shared.

It is never made anew: what it holds is what owners of galleries have.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attention_gallery.build import BuildOptions, BuildReport, build
from attention_gallery.progress import SilentReporter

_FOLDER = Path(__file__).parent / "upgrading"
GALLERY = _FOLDER / "gallery_0_1"


@dataclass(frozen=True)
class Upgraded:
    """The gallery after its first build by the present version, and what that said."""

    root: Path
    report: BuildReport
    said: tuple[str, ...]

    @property
    def site(self) -> Path:
        return self.root / "site"


def copy_of_gallery(root: Path) -> Path:
    """The project folder, its store where builds look for it."""
    shutil.copytree(GALLERY, root, ignore=shutil.ignore_patterns("store"))
    shutil.copytree(GALLERY / "store", root / ".gallery" / "store")
    return root


def upgrade(root: Path) -> Upgraded:
    """Build a copy of the gallery in `root`."""
    copy_of_gallery(root)
    reporter = _Listening()
    report = build(root / "gallery.yaml", BuildOptions(), reporter)
    return Upgraded(root, report, (*reporter.infos, *reporter.warnings))


class _Listening(SilentReporter):
    """Keeps all that a build says."""

    def __init__(self) -> None:
        super().__init__()
        self.infos: list[str] = []

    def info(self, text: str) -> None:
        """Keep it."""
        self.infos.append(text)


def shared_links() -> list[dict[str, Any]]:
    """Links to pages of the gallery, each with what a reader saw behind it in version 0.1."""
    links: list[dict[str, Any]] = json.loads((_FOLDER / "shared_links.json").read_text(encoding="utf-8"))
    return links
