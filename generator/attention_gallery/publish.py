"""Publish a built site: commit it to a branch that a host serves, and push that branch.

The working tree, the index and the branch one is on are never touched: the commit is made from the site's
files by `ghp-import`, which feeds them to git directly.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from attention_gallery.build.execute.ownership import MARKER
from attention_gallery.errors import OutputError, UserError
from attention_gallery.files import cannot_read, kind_of, parse_json
from attention_gallery.host_limits import LARGEST_FILE, LARGEST_SITE, file_too_large, site_too_large
from attention_gallery.user_files import LARGEST_PAGE, check_user_file, read_user_file

# Where a repository is, for a git that should not look for it (`git rev-parse --local-env-vars`).
_ELSEWHERE = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_PREFIX"}
    | {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE"}
)
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+")


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: the branch, its commit, the number of files and their bytes.

    `changed` tells whether the commit is a new one: a branch that holds the site already gets none.
    """

    branch: str
    commit: str
    files: int
    size: int
    pushed: bool
    changed: bool
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
    something else than a published site. Where nothing has changed since the last time, no commit is
    made, and only one that the remote lacks is pushed. Raises `OutputError` for everything that stands in the
    way.
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
    who = _identity(git)
    files = _measure(site)
    at_remote, here = (git.commit(reference) for reference in _references(remote, branch))
    with _without_git(site, files) as folder:
        _import(git, folder, (branch, remote), message or _message(git), cname, who)
    commit = _without_repeating(git, branch, at_remote, here)
    push = push and commit != at_remote
    if push:
        git.must("the branch could not be pushed", "push", remote, f"refs/heads/{branch}")
    changed = commit not in (at_remote, here)
    return PublishReport(branch, commit, len(files.sizes), files.size, push, changed, files.warnings)


@dataclass(frozen=True, slots=True)
class _SiteFiles:
    """The files to publish with their bytes; `left_out` are what belongs to a repository inside the site."""

    sizes: Mapping[Path, int]
    left_out: tuple[Path, ...]
    warnings: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(self.sizes.values())


class _Git:
    """Git in one folder; what it says is kept for messages.

    It is the repository of that folder, whatever one the environment names: a hook of git, which may have
    started us, runs with the names of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
        self.environment["LC_ALL"] = "C"  # its words are looked at

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return self.start(["git", *arguments], {})
        except FileNotFoundError:
            raise OutputError("git is not installed", mend="install git, then publish again") from None

    def start(self, command: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program in the folder, with further variables of the environment."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def must(self, reason: str, *arguments: str) -> str:
        """The output of a git command. Raises `OutputError` with git's own words when it fails."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise OutputError(f"{reason}: {_last_words(done.stderr)}")
        return done.stdout.strip()

    def commit(self, reference: str) -> str | None:
        """The commit that a reference names, None where there is no such reference."""
        return self.run("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").stdout.strip() or None


def _references(remote: str, branch: str) -> tuple[str, str]:
    """The branch as the remote has it, and as it is here."""
    return f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}"


def _latest(git: _Git, remote: str, branch: str) -> str | None:
    """The first of these references that there is, None where the branch is new."""
    return next(filter(git.commit, _references(remote, branch)), None)


def _check_site(site: Path) -> None:
    if not site.is_dir():
        raise OutputError(f"there is no site at {site}", mend='run "attention-gallery build" first')
    try:
        marker = parse_json(read_user_file(site / MARKER, LARGEST_PAGE))
    except FileNotFoundError:
        raise OutputError(
            f"{site} was not built by attention-gallery: it has no {MARKER} file",
            mend='run "attention-gallery build", or correct "output" in the manifest',
        ) from None
    except ValueError:
        mend = 'run "attention-gallery build --force"'
        raise OutputError(f"{site / MARKER} is damaged", mend) from None
    if not (site / "index.html").is_file():
        raise OutputError(f"{site} has no home page", mend='run "attention-gallery build" first')
    if isinstance(marker, dict) and marker.get("drafts"):
        mend = 'run "attention-gallery build" without --drafts first'
        raise OutputError("the site contains drafts", mend)


def _check_repository(git: _Git, remote: str, branch: str, push: bool) -> None:
    looked = git.run("rev-parse", "--git-dir")
    if looked.returncode != 0 and "not a git repository" not in looked.stderr:
        raise OutputError(f"git cannot use the repository of {git.folder}: {_last_words(looked.stderr)}")
    if looked.returncode != 0:
        raise OutputError(
            f"{git.folder} is not in a git repository",
            mend='run "git init" and add a remote, or publish the site folder by other means',
        )
    if branch.startswith("-") or git.run("check-ref-format", f"refs/heads/{branch}").returncode != 0:
        raise OutputError(f'"{branch}" is not a branch name that git accepts')
    remotes = git.must("git could not list its remotes", "remote").splitlines()
    if push and remote not in remotes:
        known = "known remotes: " + ", ".join(remotes) if remotes else "the repository has no remote"
        mend = f"{known}; add one: git remote add {remote} URL"
        raise OutputError(f'there is no remote called "{remote}"', mend)
    checked_out = git.must("git could not list its worktrees", "worktree", "list", "--porcelain")
    if f"branch refs/heads/{branch}" in checked_out.splitlines():
        raise OutputError(
            f'"{branch}" is checked out: publishing would replace all its files by the site',
            mend="choose another --branch, such as gh-pages",
        )


def _fetch(git: _Git, remote: str, branch: str) -> None:
    """Bring the remote's branch here, so that the new commit follows what others published."""
    reason = f'the remote "{remote}" could not be reached'
    if git.must(reason, "ls-remote", "--heads", remote, f"refs/heads/{branch}"):
        reference = f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}"
        git.must(f'"{branch}" could not be fetched', "fetch", "--quiet", "--no-tags", remote, reference)
    else:
        git.run("update-ref", "-d", f"refs/remotes/{remote}/{branch}")


def _check_branch(git: _Git, remote: str, branch: str, force: bool) -> None:
    """Refuse to replace a branch of something else. Raises `OutputError`."""
    if (latest := _latest(git, remote, branch)) is not None and not force:
        names = git.run("ls-tree", "--name-only", latest).stdout.splitlines()
        if names and MARKER not in names:
            raise OutputError(
                f'the branch "{branch}" holds something else than a published gallery',
                mend="choose another --branch, or replace its content with --force",
            )


def _kept_domain(git: _Git, remote: str, branch: str, site: Path) -> str | None:
    """The domain that the branch was published under before, which the settings of a host depend on."""
    latest = _latest(git, remote, branch)
    domain = git.run("show", f"{latest}:CNAME").stdout.strip() if latest is not None else ""
    return domain if _DOMAIN.fullmatch(domain) and not (site / "CNAME").exists() else None


def _identity(git: _Git) -> dict[str, str]:
    """Who commits, as variables of the environment: from these, or from git's settings.

    Raises `OutputError` where either is missing: git would commit in nobody's name, or make one up.
    """
    who = {}
    for field in ("name", "email"):
        variable = f"GIT_COMMITTER_{field.upper()}"
        settings = (git.run("config", f"{role}.{field}").stdout for role in ("committer", "user"))
        value = next(filter(None, map(str.strip, (os.environ.get(variable, ""), *settings))), "")
        who[variable] = re.sub(r"[<>\x00-\x1f]", "", value).strip()
    if not all(who.values()):
        raise OutputError(
            "git does not know who you are, which every commit says",
            mend='tell it once: git config --global user.name "Your Name"\n'
            "  and: git config --global user.email you@example.org",
        )
    return who


def _measure(site: Path) -> _SiteFiles:
    """The files of the site, and a warning for what is left out and each limit of GitHub Pages crossed.

    Raises `OutputError` for files that cannot be published.
    """
    sizes: dict[Path, int] = {}
    left_out: list[Path] = []
    try:
        for folder, folders, names in os.walk(site, onerror=_raise):
            left_out += [Path(folder, name) for name in sorted([*folders, *names]) if _is_git(name)]
            folders[:] = sorted(name for name in folders if not _is_git(name))
            # Folders that are links would be left out of the branch.
            links = [name for name in folders if Path(folder, name).is_symlink()]
            files = [name for name in (*names, *links) if not _is_git(name)]
            for path in (Path(folder, name) for name in sorted(files)):
                _check_file(path, site)
                sizes[path] = path.stat().st_size
    except UserError:
        raise
    except OSError as error:
        mend = "check who owns it and its permissions, or remove it"
        reason = f"{os.fsdecode(error.filename or site)} cannot be read"
        raise OutputError(cannot_read(reason, error, mend)) from None
    warnings = [
        f"{path.relative_to(site)} in the site belongs to git, and is left out of what is published"
        for path in left_out
    ]
    too_large = ((path, size) for path, size in sizes.items() if size > LARGEST_FILE)
    warnings += [file_too_large(str(path.relative_to(site)), size) for path, size in too_large]
    if (total := sum(sizes.values())) > LARGEST_SITE:
        warnings.append(site_too_large(total))
    return _SiteFiles(sizes, tuple(left_out), tuple(warnings))


def _raise(error: OSError) -> None:
    raise error


def _is_git(name: str) -> bool:
    """Whether a file or folder is git's own, under any of the names that some file system gives to `.git`."""
    plain = "".join(mark for mark in name if unicodedata.category(mark) != "Cf").lower().rstrip(". ")
    return plain in (".git", "git~1")


def _check_file(path: Path, site: Path) -> None:
    """Refuse files that would publish something outside the site, or that no branch can hold."""
    name = path.relative_to(site).as_posix()
    if any(ord(mark) < 32 or mark == '"' or 0xD800 <= ord(mark) <= 0xDFFF for mark in name):
        raise OutputError(f"{str(path)!a} has a name that cannot be published", mend="rename the file")
    kind = kind_of(path)
    if path.is_symlink() and not path.resolve().is_relative_to(site.resolve()):
        raise OutputError(f"{path} is a link that leads out of the site", mend="remove it or copy the file")
    if kind == "folder":
        raise OutputError(f"{path} is a link to a folder", mend="remove it or copy the folder")
    check_user_file(path)


@contextmanager
def _without_git(site: Path, files: _SiteFiles) -> Iterator[Path]:
    """The site, or where something is left out a folder of links to the rest: what commits takes all."""
    if not files.left_out:
        yield site.absolute()
        return
    with TemporaryDirectory(prefix="attention-gallery-") as name:
        for path in files.sizes:
            target = Path(name, path.relative_to(site))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.symlink_to(path.resolve())
            except OSError:  # Windows lets not everyone make links
                shutil.copy2(path, target)
        yield Path(name)


def _import(
    git: _Git, site: Path, where: tuple[str, str], message: str, cname: str | None, who: Mapping[str, str]
) -> None:
    """Commit the site to a branch, which follows that of a remote: `where`.

    In a process of its own, because the library works in the current folder. `-P` keeps that folder, which
    may hold any file, from being searched for modules.
    """
    branch, remote = where
    domain = [] if cname is None else [f"--cname={cname}"]
    options = ["--no-jekyll", *domain, f"--branch={branch}", f"--remote={remote}", f"--message={message}"]
    done = git.start([sys.executable, "-P", "-m", "ghp_import", *options, str(site)], who)
    if done.returncode != 0 or "fatal:" in done.stderr:
        raise OutputError(f"the site could not be committed: {_last_words(done.stderr)}")


def _without_repeating(git: _Git, branch: str, at_remote: str | None, here: str | None) -> str:
    """The commit that holds the site: the new one, or where that changes nothing the one before it.

    What is compared are the trees that git made, so that modes, CNAME and .nojekyll count like the files. A
    commit that was only made here, `here`, is kept where it follows what the remote has.
    """
    made = git.must("the commit was not made", "rev-parse", f"refs/heads/{branch}")
    for earlier in (at_remote, here):
        if earlier is None or git.run("diff-tree", "--quiet", earlier, made).returncode != 0:
            continue
        if at_remote is None or git.run("merge-base", "--is-ancestor", at_remote, earlier).returncode == 0:
            git.must("the branch could not be set back", "update-ref", f"refs/heads/{branch}", earlier, made)
            return earlier
    return made


def _message(git: _Git) -> str:
    """Which commit of the gallery is published."""
    head = git.run("rev-parse", "--short", "HEAD")
    return f"Publish the gallery of {head.stdout.strip()}" if head.returncode == 0 else "Publish the gallery"


def _last_words(errors: str) -> str:
    """The line in which git says what went wrong."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return (telling or lines or ["git gave no reason"])[0]
