"""`attention-gallery themes`: which themes there are and what they can be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import plain, shown

if TYPE_CHECKING:
    from attention_gallery.theme.find_theme import Theme

_EXAMPLES = """
attention-gallery themes
attention-gallery --manifest papers/gallery.yaml themes
"""


@gallery_command("themes", _EXAMPLES)
def command(session: Session) -> None:
    """List the themes of the project and of the package, with their options.

    Choose one with `theme:` in the manifest and set its options under `theme_options:`.
    """
    from attention_gallery.theme.find_theme import list_themes

    path = session.manifest.absolute()
    project = path if path.is_dir() else path.parent
    chosen = _chosen(session)
    for theme in list_themes(project):
        click.echo("\n".join(_describe(theme, project, theme.name == chosen)))


def _chosen(session: Session) -> str | None:
    """The theme of the manifest; None where there is no manifest, as themes can be listed without one."""
    from attention_gallery.errors import ManifestError
    from attention_gallery.manifest.load_manifest import load_manifest

    try:
        return load_manifest(session.manifest_path()).settings.theme
    except ManifestError:
        return None


def _describe(theme: Theme, project: Path, is_chosen: bool) -> list[str]:
    folder = theme.folders[0]
    own = folder.is_relative_to(project)
    notes = ["of the project" if own else "of the package", *(["chosen"] if is_chosen else [])]
    lines = [f"{click.style(plain(theme.name), bold=True)}  ({', '.join(notes)})"]
    lines.append(f"  {plain(theme.description or theme.title)}")
    if own:
        lines.append(f"  in {shown(folder)}")
    for option in theme.options.values():
        lines.append(f"  {plain(option.name)}: {plain(_yaml_scalar(option.default))}")
        if option.description:
            lines.append(f"      {plain(option.description)}")
        if option.choices:
            lines.append(f"      one of: {plain(', '.join(map(_yaml_scalar, option.choices)))}")
    return lines


def _yaml_scalar(value: str | bool | int | float) -> str:
    """A value as it would be written in the manifest."""
    import json

    return json.dumps(value, ensure_ascii=False)
