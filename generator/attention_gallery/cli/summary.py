"""What a build did, as a small table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attention_gallery.cli.terminal_text import counted, duration, plain, shown, size
from attention_gallery.user_files import MB, read_user_file

if TYPE_CHECKING:
    from attention_gallery.build import BuildReport


def build_summary(report: BuildReport, root: Path) -> str:
    """The counts, the seconds of each phase, where the site is and how to look at it."""
    rows = [
        ("pages", f"{report.pages:,}"),
        ("files written", f"{report.written:,}"),
        ("files reused", f"{report.reused:,}"),
        ("files removed", f"{report.pruned:,}"),
        ("captured", counted(report.captured, "sentence")),
        ("size", size(report.size)),
    ]
    phases = [(plain(name), duration(seconds)) for name, seconds in report.seconds.items()]
    total = sum(report.seconds.values())
    changed = report.written or report.pruned or report.captured
    title = f"{'Built' if changed else 'Up to date:'} {counted(report.pages, 'page')} in {duration(total)}"
    if report.warnings:
        title += f", with {counted(len(report.warnings), 'warning')}"
    lines = ["", click.style(title, bold=True), "", *_side_by_side(rows, phases), ""]
    return "\n".join(
        [*lines, f"  The site is in {shown(report.site)}{os.sep}", f"  To view it: {how_to_view(root)}"]
    )


def how_to_view(root: Path) -> str:
    """The command that serves the gallery in `root`: its Makefile's when that has one."""
    here = "" if root == Path.cwd() else f" --manifest {shown(root / 'gallery.yaml')}"
    try:
        makefile = read_user_file(root / "Makefile", MB).decode("utf-8", "replace")
    except OSError:
        makefile = ""
    has_target = any(line.startswith("serve:") for line in makefile.splitlines())
    return "make serve" if has_target and not here else f"attention-gallery serve{here}"


def _side_by_side(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> list[str]:
    """Two tables of names and right-aligned values, next to each other."""
    height = max(len(left), len(right))
    columns = [_aligned(rows) for rows in (left, right)]
    width = max(map(len, columns[0]), default=0)
    padded = [column + [""] * (height - len(column)) for column in columns]
    return [f"  {a.ljust(width)}    {b}".rstrip() for a, b in zip(*padded, strict=True)]


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    names = max((len(name) for name, _ in rows), default=0)
    values = max((len(value) for _, value in rows), default=0)
    return [f"{name.ljust(names)}  {value.rjust(values)}" for name, value in rows]
