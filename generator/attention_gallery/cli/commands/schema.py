"""`attention-gallery schema`: describe gallery.yaml to editors."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session

_EXAMPLES = """
attention-gallery schema
attention-gallery schema > gallery.schema.json
"""


@gallery_command("schema", _EXAMPLES)
def command(session: Session) -> None:
    """Print the JSON Schema of gallery.yaml.

    Editors that know JSON Schema complete and check the manifest with it; begin the manifest with the line
    `# yaml-language-server: $schema=gallery.schema.json`.
    """
    from attention_gallery.manifest.schema import schema_text

    click.echo(schema_text(), nl=False)
