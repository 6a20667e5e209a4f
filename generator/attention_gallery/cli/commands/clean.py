"""`attention-gallery clean`: remove what the generator made and no longer needs."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import counted, shown, size
from attention_gallery.project_files import CACHE

_EXAMPLES = """
attention-gallery clean
attention-gallery clean --site
attention-gallery clean --all
"""


@gallery_command("clean", _EXAMPLES)
@click.option("--store", is_flag=True, help="Remove captures that are no longer used.  [default]")
@click.option("--site", is_flag=True, help="Remove the built site, but no file that is not ours.")
@click.option("--all", "everything", is_flag=True, help="Remove the built site and everything in .gallery.")
def command(session: Session, store: bool, site: bool, everything: bool) -> None:
    """Remove captures that the manifest no longer uses.

    Only what the generator made is ever removed: a file of your own in the site folder stays.
    """
    from attention_gallery.cli import cleaning
    from attention_gallery.manifest.load_manifest import load_manifest

    manifest = load_manifest(session.manifest_path())
    with cleaning.no_build(manifest.root):
        if site or everything:
            output = manifest.root / manifest.settings.output
            removed = cleaning.remove_site(output)
            session.say(
                f"Removed {counted(removed.files, 'file')} of {shown(output)} ({size(removed.size)})."
            )
            if removed.kept:
                session.say(f"Kept {counted(removed.kept, 'file')} that a build did not write.")
        if everything:
            removed = cleaning.remove_cache(manifest.root)
            session.say(f"Removed {shown(manifest.root / CACHE)} ({size(removed.size)}).")
        elif store or not site:
            removed = cleaning.remove_unused(manifest.path)
            session.say(f"Removed {counted(removed.files, 'unused capture')} ({size(removed.size)}).")
