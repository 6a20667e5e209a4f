"""Publish a built site: commit it to a branch that a host serves, and push that branch.

The working tree, the index and the branch one is on are never touched: the commit is made from the site's
files by `ghp-import`, which feeds them to git directly.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.build.ownership import MARKER
from attention_gallery.errors import OutputError
from attention_gallery.files import kind_of, why_unreadable

LARGEST_SITE = 1_000_000_000  # bytes; what GitHub Pages serves of one site
LARGEST_FILE = 100_000_000  # bytes; GitHub refuses a push with a larger one

_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+")


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: the branch, its new commit, the number of files and their bytes."""

    branch: str
    commit: str
    files: int
    size: int
    pushed: bool
    warnings: tuple[str, ...] = ()


def publish(
    site: Path,
    *,
    repository: Path,
    branch: str = "gh-pages",
    remote: str = "origin",
    message: str | None = None,
    push: bool = True,
    cname: str | None = None,
    force: bool = False,
) -> PublishReport:
    """Commit `site` to `branch` of the repository that holds `repository`, and push it to `remote`.

    `message` names the published commit when it is left out. `force` also replaces a branch that holds
    something else than a published site. Raises `OutputError` for everything that stands in the way.
    """
    _check_site(site)
    if cname is not None and not _DOMAIN.fullmatch(cname):
        raise OutputError(f'"{cname}" is not a domain name', mend="write it like attention.example.org")
    git = _Git(repository)
    _check_repository(git, remote, branch, push)
    if push:
        _fetch(git, remote, branch)
    _check_branch(git, remote, branch, force)
    cname = cname or _kept_domain(git, remote, branch, site)
    files, size, warnings = _measure(site)
    _import(git, site, branch, remote, message or _message(git), cname)
    if push:
        git.must("the branch could not be pushed", "push", remote, f"refs/heads/{branch}")
    commit = git.must("the commit was not made", "rev-parse", f"refs/heads/{branch}")
    return PublishReport(branch, commit, files, size, push, warnings)


class _Git:
    """Git in one folder; what it says is kept for messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=self.folder,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except FileNotFoundError:
            raise OutputError("git is not installed", mend="install git, then publish again") from None

    def must(self, reason: str, *arguments: str) -> str:
        """The output of a git command. Raises `OutputError` with git's own words when it fails."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise OutputError(f"{reason}: {_last_words(done.stderr)}")
        return done.stdout.strip()


def _check_site(site: Path) -> None:
    if not site.is_dir():
        raise OutputError(f"there is no site at {site}", mend='run "attention-gallery build" first')
    try:
        marker = json.loads((site / MARKER).read_bytes())
    except FileNotFoundError:
        raise OutputError(
            f"{site} was not built by attention-gallery: it has no {MARKER} file",
            mend='run "attention-gallery build", or correct "output" in the manifest',
        ) from None
    except ValueError:
        raise OutputError(
            f"{site / MARKER} is damaged", mend='run "attention-gallery build --force"'
        ) from None
    if not (site / "index.html").is_file():
        raise OutputError(f"{site} has no home page", mend='run "attention-gallery build" first')
    if isinstance(marker, dict) and marker.get("drafts"):
        raise OutputError(
            "the site contains drafts", mend='run "attention-gallery build" without --drafts first'
        )


def _check_repository(git: _Git, remote: str, branch: str, push: bool) -> None:
    if git.run("rev-parse", "--git-dir").returncode != 0:
        raise OutputError(
            f"{git.folder} is not in a git repository",
            mend='run "git init" and add a remote, or publish the site folder by other means',
        )
    if branch.startswith("-") or git.run("check-ref-format", f"refs/heads/{branch}").returncode != 0:
        raise OutputError(f'"{branch}" is not a branch name that git accepts')
    remotes = git.must("git could not list its remotes", "remote").splitlines()
    if push and remote not in remotes:
        known = "known remotes: " + ", ".join(remotes) if remotes else "the repository has no remote"
        raise OutputError(
            f'there is no remote called "{remote}"', mend=f"{known}; add one: git remote add {remote} URL"
        )
    checked_out = git.must("git could not list its worktrees", "worktree", "list", "--porcelain")
    if f"branch refs/heads/{branch}" in checked_out.splitlines():
        raise OutputError(
            f'"{branch}" is checked out: publishing would replace all its files by the site',
            mend="choose another --branch, such as gh-pages",
        )


def _fetch(git: _Git, remote: str, branch: str) -> None:
    """Bring the remote's branch here, so that the new commit follows what others published."""
    listed = git.must(
        f'the remote "{remote}" could not be reached', "ls-remote", "--heads", remote, f"refs/heads/{branch}"
    )
    if listed:
        reference = f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}"
        git.must(f'"{branch}" could not be fetched', "fetch", "--quiet", "--no-tags", remote, reference)
    else:
        git.run("update-ref", "-d", f"refs/remotes/{remote}/{branch}")


def _check_branch(git: _Git, remote: str, branch: str, force: bool) -> None:
    """Refuse to replace a branch of something else. Raises `OutputError`."""
    for reference in (f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}"):
        listed = git.run("ls-tree", "--name-only", reference)
        if listed.returncode == 0:
            names = listed.stdout.splitlines()
            if names and MARKER not in names and not force:
                raise OutputError(
                    f'the branch "{branch}" holds something else than a published gallery',
                    mend="choose another --branch, or replace its content with --force",
                )
            return


def _kept_domain(git: _Git, remote: str, branch: str, site: Path) -> str | None:
    """The domain that the branch was published under before, which the settings of a host depend on."""
    for reference in (f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}"):
        if git.run("rev-parse", "--verify", "--quiet", reference).returncode == 0:
            domain = git.run("show", f"{reference}:CNAME").stdout.strip()
            return domain if _DOMAIN.fullmatch(domain) and not (site / "CNAME").exists() else None
    return None


def _measure(site: Path) -> tuple[int, int, tuple[str, ...]]:
    """The number of files and their bytes, and a warning for each limit of GitHub Pages that is crossed."""
    sizes: dict[Path, int] = {}

    def stop(error: OSError) -> None:
        raise error

    try:
        for folder, folders, names in os.walk(site, onerror=stop):
            folders.sort()
            for path in (Path(folder, name) for name in sorted([*names, *_links(folder, folders)])):
                _check_file(path, site)
                sizes[path] = path.stat().st_size
    except OSError as error:
        raise OutputError(
            f"{os.fsdecode(error.filename or site)} cannot be read: {why_unreadable(error)}",
            mend="check who owns it and its permissions, or remove it",
        ) from None
    total = sum(sizes.values())
    warnings = [
        f"{path.relative_to(site)} has {size / 1e6:.0f} MB; GitHub refuses files above 100 MB"
        for path, size in sizes.items()
        if size > LARGEST_FILE
    ]
    if total > LARGEST_SITE:
        warnings.append(
            f"the site has {total / 1e9:.1f} GB and GitHub Pages serves at most 1 GB; "
            'set "heads: notable" under "pages" in the manifest to make it smaller'
        )
    return len(sizes), total, tuple(warnings)


def _links(folder: str, names: list[str]) -> list[str]:
    """The folders that are links: they would be left out of the branch."""
    return [name for name in names if Path(folder, name).is_symlink()]


def _check_file(path: Path, site: Path) -> None:
    """Refuse files that would publish something outside the site, or that no branch can hold."""
    kind = kind_of(path)
    if path.is_symlink() and not path.resolve().is_relative_to(site.resolve()):
        raise OutputError(f"{path} is a link that leads out of the site", mend="remove it or copy the file")
    if kind == "folder":
        raise OutputError(f"{path} is a link to a folder", mend="remove it or copy the folder")
    if any(ord(mark) < 32 or mark == '"' or 0xD800 <= ord(mark) <= 0xDFFF for mark in path.name):
        raise OutputError(f"{str(path)!r} has a name that cannot be published", mend="rename the file")


def _import(git: _Git, site: Path, branch: str, remote: str, message: str, cname: str | None) -> None:
    """Commit the site. In a process of its own, because the library works in the current folder.

    `-P` keeps that folder, which may hold any file, from being searched for modules.
    """
    domain = [] if cname is None else [f"--cname={cname}"]
    options = ["--no-jekyll", *domain, f"--branch={branch}", f"--remote={remote}", f"--message={message}"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ghp_import", *options, str(site.absolute())],
        cwd=git.folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0 or "fatal:" in done.stderr:
        raise OutputError(f"the site could not be committed: {_last_words(done.stderr)}")


def _message(git: _Git) -> str:
    """Which commit of the gallery is published."""
    head = git.run("rev-parse", "--short", "HEAD")
    return f"Publish the gallery of {head.stdout.strip()}" if head.returncode == 0 else "Publish the gallery"


def _last_words(errors: str) -> str:
    """The line in which git says what went wrong."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return (telling or lines or ["git gave no reason"])[0]
