"""`attention-gallery init`: start a gallery that builds as it stands."""

from __future__ import annotations

from pathlib import Path

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import shown

_EXAMPLES = """
attention-gallery init my-gallery
attention-gallery init
"""


@gallery_command("init", _EXAMPLES)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".", required=False)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(session: Session, folder: Path, force: bool) -> None:
    """Start a new gallery in FOLDER (the current one when left out).

    Writes a commented gallery.yaml, notes, a GitHub Pages workflow and what an editor needs to complete and
    check the manifest. Nothing that exists is overwritten.
    """
    from attention_gallery.cli.starter import write_starter

    written = write_starter(folder, force=force)
    session.say(f"Started a gallery in {shown(folder.absolute())}:")
    for path in written:
        session.say(f"  {path}")
    session.say("\nNext:")
    if folder.absolute() != Path.cwd():
        session.say(f"  cd {shown(folder.absolute())}")
    session.say("  pip install -r requirements.txt   # the model that gallery.yaml names")
    session.say("  attention-gallery serve --open    # build, look, and go on writing")
