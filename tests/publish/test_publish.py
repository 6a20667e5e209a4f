"""Publishing into a bare repository on disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from attention_gallery import publish as module
from attention_gallery.errors import UserError
from attention_gallery.publish import publish


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git without the settings of the machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Writer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "writer@example.org")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    return tmp_path / "remote.git"


@pytest.fixture
def project(tmp_path: Path, remote: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "project")
    project = tmp_path / "project"
    (project / ".gitignore").write_text("/site/\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "-m", "first")
    git(project, "remote", "add", "origin", str(remote))
    (project / "site" / "minilm").mkdir(parents=True)
    (project / "site" / ".attention-gallery").write_text("{}")
    (project / "site" / "index.html").write_text("home")
    (project / "site" / "minilm" / "index.html").write_text("model")
    return project


def files(repository: Path, branch: str = "gh-pages") -> list[str]:
    return git(repository, "ls-tree", "-r", "--name-only", branch).splitlines()


def test_files_of_the_project_are_not_run(project):
    (project / "ghp_import.py").write_text("raise SystemExit('run')")
    assert publish(project / "site", repository=project).pushed


def test_a_site_that_was_cleaned_is_not_published(project):
    (project / "site" / "index.html").unlink()
    assert "has no home page" in refused(project)


def test_the_site_is_pushed_with_nojekyll_and_nothing_else_is_touched(project, remote):
    head = git(project, "rev-parse", "HEAD")
    (project / "work.txt").write_text("not committed")
    report = publish(project / "site", repository=project)
    assert files(remote) == [".attention-gallery", ".nojekyll", "index.html", "minilm/index.html"]
    assert (report.files, report.size, report.pushed) == (3, 11, True)
    assert report.commit == git(remote, "rev-parse", "gh-pages")
    assert git(remote, "log", "-1", "--format=%s", "gh-pages") == f"Publish the gallery of {head[:7]}"
    assert git(project, "rev-parse", "HEAD") == head
    assert git(project, "branch", "--show-current") == "main"
    assert git(project, "status", "--short") == "?? work.txt"


def test_publishing_again_replaces_the_site_and_keeps_the_history(project, remote):
    publish(project / "site", repository=project)
    (project / "site" / "minilm" / "index.html").unlink()
    publish(project / "site", repository=project, message="second time")
    assert "minilm/index.html" not in files(remote)
    assert git(remote, "log", "--format=%s", "gh-pages").splitlines()[0] == "second time"
    assert git(remote, "rev-list", "--count", "gh-pages") == "2"


def test_a_site_that_has_not_changed_gets_no_commit_and_no_push(project, remote):
    first = publish(project / "site", repository=project, cname="attention.example.org")
    again = publish(project / "site", repository=project, message="second time")
    assert (first.changed, first.pushed) == (True, True)
    assert (again.commit, again.changed, again.pushed) == (first.commit, False, False)
    for repository in (project, remote):
        assert git(repository, "rev-list", "--count", "gh-pages") == "1"
    (project / "site" / "index.html").chmod(0o755)
    assert publish(project / "site", repository=project).changed


@pytest.mark.parametrize("published", [False, True], ids=["a new branch", "a published branch"])
def test_a_commit_that_was_not_pushed_is_pushed_and_not_made_again(project, remote, published):
    if published:
        publish(project / "site", repository=project)
        (project / "site" / "index.html").write_text("changed")
    first = publish(project / "site", repository=project, push=False)
    again = publish(project / "site", repository=project, push=False)
    assert (again.commit, again.changed, again.pushed) == (first.commit, False, False)
    pushed = publish(project / "site", repository=project)
    assert (pushed.commit, pushed.changed, pushed.pushed) == (first.commit, False, True)
    assert git(remote, "rev-parse", "gh-pages") == first.commit


def test_a_commit_beside_what_others_published_is_not_kept(project, remote, tmp_path):
    publish(project / "site", repository=project)
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(remote), "other")
    (project / "site" / "index.html").write_text("changed")
    beside = publish(project / "site", repository=project, push=False).commit
    git(tmp_path / "other", "rm", "--quiet", "index.html")
    git(tmp_path / "other", "commit", "--quiet", "-m", "by someone else")
    git(tmp_path / "other", "push", "--quiet")
    report = publish(project / "site", repository=project)
    assert report.commit != beside
    assert (report.changed, report.pushed) == (True, True)
    assert git(remote, "log", "--format=%s", "gh-pages").splitlines()[1] == "by someone else"


def test_what_others_published_is_followed(project, remote, tmp_path):
    publish(project / "site", repository=project)
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(remote), "other")
    git(tmp_path / "other", "commit", "--quiet", "--allow-empty", "-m", "by someone else")
    git(tmp_path / "other", "push", "--quiet")
    (project / "site" / "index.html").write_text("changed")
    publish(project / "site", repository=project)
    assert git(remote, "log", "--format=%s", "gh-pages").splitlines()[1] == "by someone else"


def test_a_domain_is_written_and_then_kept(project, remote):
    publish(project / "site", repository=project, cname="attention.example.org")
    publish(project / "site", repository=project)
    assert git(remote, "show", "gh-pages:CNAME") == "attention.example.org"


def test_without_push_the_branch_stays_here(project, remote):
    report = publish(project / "site", repository=project, push=False, branch="preview", remote="nowhere")
    assert not report.pushed
    assert ".nojekyll" in files(project, "preview")
    assert git(remote, "branch") == ""


def test_a_folder_inside_the_repository_will_do(project, remote):
    (project / "papers").mkdir()
    (project / "site").rename(project / "papers" / "site")
    publish(project / "papers" / "site", repository=project / "papers")
    assert "index.html" in files(remote)


def refused(project: Path, **options: object) -> str:
    with pytest.raises(UserError) as told:
        publish(options.pop("site", project / "site"), repository=project, **options)  # type: ignore[arg-type]
    return str(told.value)


def test_a_missing_site_is_refused(project):
    said = refused(project, site=project / "nowhere")
    assert "there is no site" in said
    assert "attention-gallery build" in said


def test_a_folder_that_we_did_not_build_is_refused(project, remote):
    (project / "site" / ".attention-gallery").unlink()
    assert "was not built by attention-gallery" in refused(project)
    assert git(remote, "branch") == ""


def test_a_damaged_marker_is_refused(project):
    (project / "site" / ".attention-gallery").write_text("{")
    assert "damaged" in refused(project)


def test_a_site_with_drafts_is_refused(project):
    (project / "site" / ".attention-gallery").write_text('{"drafts": true}')
    assert "contains drafts" in refused(project)


def test_a_folder_without_repository_is_refused(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UserError, match="is not in a git repository"):
        publish(project / "site", repository=tmp_path / "elsewhere")


def test_an_unknown_remote_is_refused_with_the_known_ones(project):
    said = refused(project, remote="upstream")
    assert 'there is no remote called "upstream"' in said
    assert "known remotes: origin" in said


def test_an_unreachable_remote_is_told_in_gits_words(project, remote):
    remote.rename(remote.with_name("moved.git"))
    assert "could not be reached: fatal:" in refused(project)


def test_the_branch_one_is_on_is_refused(project):
    assert '"main" is checked out' in refused(project, branch="main")
    assert files(project, "main") == [".gitignore"]


def test_a_branch_with_something_else_is_refused_without_force(project, remote):
    git(project, "branch", "develop")
    git(project, "push", "--quiet", "origin", "develop")
    assert "holds something else" in refused(project, branch="develop")
    assert files(remote, "develop") == [".gitignore"]
    publish(project / "site", repository=project, branch="develop", force=True)
    assert "index.html" in files(remote, "develop")


@pytest.mark.parametrize("branch", ["two words", "-x", "a..b", "end.lock"])
def test_impossible_branch_names_are_refused(project, branch):
    assert "is not a branch name" in refused(project, branch=branch)


@pytest.mark.parametrize(
    "cname", ["https://example.org", "localhost", "a b.org", "x.org\nM 100644", "-a.org"]
)
def test_impossible_domains_are_refused(project, cname):
    assert "is not a domain name" in refused(project, cname=cname)


def test_a_link_out_of_the_site_is_refused(project, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (project / "site" / "link").symlink_to(tmp_path / "secret")
    assert "leads out of the site" in refused(project)


def test_names_that_would_end_a_line_are_refused(project):
    (project / "site" / "a\nM 100644 inline b").write_text("x")
    assert "cannot be published" in refused(project)


def test_the_limits_of_github_pages_are_told(project, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_SITE", 10)
    monkeypatch.setattr(module, "LARGEST_FILE", 4)
    first, second = publish(project / "site", repository=project).warnings
    assert "refuses files above 100 MB" in first
    assert "more than the 1 GB that GitHub Pages publishes" in second
    assert "heads: notable" in second


def test_git_inside_the_site_is_left_out_and_told(project, remote):
    git(project / "site", "init", "--quiet")
    (project / "site" / "minilm" / ".git").write_text("gitdir: elsewhere")
    (project / "site" / "minilm" / ".GIT").mkdir()
    (project / "site" / "minilm" / ".GIT" / "config").write_text("[core]")
    (project / "site" / ".gitattributes").write_text("*.png binary")
    (project / "site" / "CNAME").write_text("attention.example.org")
    report = publish(project / "site", repository=project)
    ours = [".attention-gallery", ".gitattributes", ".nojekyll", "CNAME", "index.html", "minilm/index.html"]
    assert files(remote) == ours
    assert git(remote, "show", "gh-pages:index.html") == "home"
    assert report.files == 5
    told = [warning.split()[0] for warning in report.warnings]
    assert told == [".git", "minilm/.GIT", "minilm/.git"]
    assert (project / "site" / ".git" / "HEAD").is_file()


@pytest.mark.parametrize("missing", ["NAME", "EMAIL"])
@pytest.mark.parametrize("how", ["absent", "blank"])
def test_nobody_publishes_nothing(project, remote, monkeypatch, missing, how):
    if how == "absent":
        monkeypatch.delenv(f"GIT_COMMITTER_{missing}")
    else:
        monkeypatch.setenv(f"GIT_COMMITTER_{missing}", "  ")
    monkeypatch.setenv("EMAIL", "made-up@example.org")
    said = refused(project)
    assert "git does not know who you are" in said
    assert "git config --global user.name" in said
    assert "git config --global user.email" in said
    assert git(remote, "branch") == ""
    assert git(project, "branch", "--list", "gh-pages") == ""


def test_who_commits_is_read_from_the_settings_of_git(project, remote, monkeypatch):
    for part in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_COMMITTER_{part}")
    git(project, "config", "user.name", "A <Nother>")
    git(project, "config", "user.email", "another@example.org")
    publish(project / "site", repository=project)
    assert git(remote, "log", "-1", "--format=%cn <%ce>", "gh-pages") == "A Nother <another@example.org>"


def test_the_repository_is_that_of_the_gallery_whatever_the_environment_says(
    project, remote, tmp_path, monkeypatch
):
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / "index"))
    publish(project / "site", repository=project)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert "index.html" in files(remote)
    assert git(tmp_path / "other", "branch", "--all") == ""


def test_a_detached_head_and_a_locked_index_are_no_hindrance(project, remote):
    git(project, "checkout", "--quiet", "--detach")
    (project / ".git" / "index.lock").write_text("")
    assert publish(project / "site", repository=project).pushed
    assert "index.html" in files(remote)


def test_a_locked_branch_is_told_in_gits_words(project, remote):
    (project / ".git" / "refs" / "heads" / "gh-pages.lock").write_text("")
    assert "could not be committed" in refused(project)
    assert git(remote, "branch") == ""


def test_a_linked_site_is_published_like_any_other(project, remote):
    (project / "site").rename(project / "built")
    (project / "site").symlink_to("built")
    (project / "built" / ".git").mkdir()
    publish(project / "site", repository=project)
    assert files(remote) == [".attention-gallery", ".nojekyll", "index.html", "minilm/index.html"]


def test_what_is_no_plain_file_is_refused(project):
    os.mkfifo(project / "site" / "pipe")
    assert "it is a named pipe" in refused(project)
    (project / "site" / "pipe").unlink()
    (project / "site" / "nothing").symlink_to("nowhere")
    assert "leads nowhere" in refused(project)


def test_names_of_folders_are_looked_at_too(project):
    (project / "site" / "a\nb").mkdir()
    (project / "site" / "a\nb" / "x").write_text("x")
    assert "cannot be published" in refused(project)
    (project / "site" / "a\nb" / "x").unlink()
    (project / "site" / "a\nb").rmdir()
    (project / "site" / os.fsdecode(b"\xff.txt")).write_text("x")
    assert "cannot be published" in refused(project)


def nowhere(folder: Path) -> None:
    (folder / "link").symlink_to("nothing")


def circle(folder: Path) -> None:
    (folder / "link").symlink_to("link")


def to_a_folder(folder: Path) -> None:
    (folder / "link").symlink_to("../minilm")


def no_text(folder: Path) -> None:
    (folder / os.fsdecode(b"link\xff.txt")).write_text("x")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (nowhere, "cannot be read"),
        (circle, "leads in a circle"),
        (to_a_folder, "is a link to a folder"),
        (no_text, "has a name that cannot be published"),
    ],
)
def test_what_would_be_left_out_is_told(project, spoil, told):
    (project / "site" / "theirs").mkdir()
    spoil(project / "site" / "theirs")
    message = refused(project)
    assert told in message
    assert "link" in message
    assert "Errno" not in message


def test_a_folder_that_may_not_be_listed_is_told(project, monkeypatch):
    closed, scandir = project / "site" / "minilm", os.scandir

    def refuse(name="."):
        if isinstance(name, str | os.PathLike) and Path(name) == closed:
            raise PermissionError(13, "Permission denied", str(closed))
        return scandir(name)

    monkeypatch.setattr(os, "scandir", refuse)
    message = refused(project)
    assert "minilm cannot be read: permission denied" in message
