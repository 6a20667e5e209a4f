"""What every command shares: the options that may stand before or after its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attention_gallery.cli.terminal_text import plain
from attention_gallery.errors import ManifestError
from attention_gallery.project_files import MANIFEST

if TYPE_CHECKING:
    from attention_gallery.progress import Reporter


@dataclass(frozen=True)
class Session:
    """The common options. `verbosity` is -1 with --quiet, 1 with --verbose, else 0."""

    manifest: Path = Path(MANIFEST)
    verbosity: int = 0

    @property
    def quiet(self) -> bool:
        """Whether only warnings and errors are to be printed."""
        return self.verbosity < 0

    @property
    def verbose(self) -> bool:
        """Whether details and tracebacks are to be printed."""
        return self.verbosity > 0

    def manifest_path(self) -> Path:
        """The absolute path of the manifest; a folder stands for the `gallery.yaml` in it.

        Raises `ManifestError` when there is no such file.
        """
        from attention_gallery.files import cannot_read, kind_of

        path = self.manifest.absolute()
        try:
            if kind_of(path) == "folder":
                path = path / MANIFEST
            kind = kind_of(path)
        except OSError as error:
            reason = f"the manifest {self.manifest} cannot be read"
            mend = "check the path and its permissions"
            raise ManifestError(cannot_read(reason, error, mend)) from None
        if kind in ("nothing", "folder"):
            raise ManifestError(f"there is no manifest at {self.manifest}", mend=_where_to_find(path))
        return path

    def reporter(self) -> Reporter:
        """Where messages and progress of this command go."""
        from attention_gallery.cli.terminal import reporter_for

        return reporter_for(self.verbosity)

    def say(self, text: str = "") -> None:
        """Print to standard output, unless --quiet was given."""
        if not self.quiet:
            click.echo(text)


def common_options() -> list[click.Option]:
    """The options of the group that every command also takes, so that their place does not matter."""
    return [
        click.Option(
            ["-m", "--manifest"],
            type=click.Path(path_type=Path),
            metavar="PATH",
            expose_value=False,
            callback=_set_manifest,
            help="The manifest, or the folder it is in.  [default: gallery.yaml]",
        ),
        _verbosity(["-q", "--quiet"], -1, "Print only warnings, errors and what was asked for."),
        _verbosity(["-v", "--verbose"], 1, "Print details, and the traceback of an unexpected error."),
    ]


def _where_to_find(path: Path) -> str:
    # Often a command is begun in the folder of notes, or in one below it.
    for folder in path.parents[1:4]:
        if (folder / MANIFEST).is_file():
            return f"there is one at {plain(str(folder / MANIFEST))}: change folder, or give --manifest"
    return 'run "attention-gallery init" to start a gallery, or give --manifest with its path'


def _set_manifest(context: click.Context, _: click.Parameter, manifest: Path | None) -> None:
    if manifest is not None:
        context.obj = replace(context.ensure_object(Session), manifest=manifest)


def _verbosity(names: list[str], verbosity: int, text: str) -> click.Option:
    """A flag that makes the session say less or more."""

    def set_verbosity(context: click.Context, _: click.Parameter, flag: bool) -> None:
        if flag:
            context.obj = replace(context.ensure_object(Session), verbosity=verbosity)

    return click.Option(names, is_flag=True, expose_value=False, callback=set_verbosity, help=text)
