"""`attention-gallery serve`: preview the site while it is being written."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import plain

_EXAMPLES = """
attention-gallery serve
attention-gallery serve --open --drafts
attention-gallery serve --port 9000 --host 0.0.0.0
attention-gallery serve --host 0.0.0.0 --allow-host preview.example.org
"""


@gallery_command("serve", _EXAMPLES)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 lets others in."
)
@click.option(
    "--allow-host",
    "also",
    multiple=True,
    metavar="NAME",
    help="A further name to answer to, behind a proxy or tunnel; may be repeated.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the gallery in the browser.")
@click.option("--drafts", is_flag=True, help="Include models, sentences and notes marked `draft: true`.")
def command(
    session: Session, port: int, host: str, also: tuple[str, ...], open_browser: bool, drafts: bool
) -> None:
    """Build, serve on this machine, and rebuild on every change.

    The page in the browser reloads when the manifest, a note or the theme changes, and shows what is wrong
    when the build fails. Requests for other names than this machine's are refused. Ctrl-C stops.
    """
    from attention_gallery.serve import Preview

    reporter = session.reporter()
    manifest = session.manifest_path()
    with Preview(manifest, reporter, host=host, port=port, drafts=drafts, also=also) as preview:
        preview.rebuild()
        session.say(plain(f"Serving {preview.url} (Ctrl-C stops)"))
        if open_browser:
            click.launch(preview.url)
        try:
            preview.watch()
        except KeyboardInterrupt:
            session.say("\nStopped.")
