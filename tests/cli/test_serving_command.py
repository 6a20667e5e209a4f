"""`serve` and `publish` as whole commands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from attention_gallery.build.execute.ownership import MARKER, marker_bytes

SERVE = """
import sys, types
import attention_gallery.build as engine
from attention_gallery.cli.main import run

def build(manifest, options, reporter):
    site = manifest.parent / "site"
    site.mkdir(exist_ok=True)
    (site / "index.html").write_text(f"drafts: {options['drafts']}")
    return types.SimpleNamespace(site=site, written=1, reused=0, pruned=0, seconds={})

engine.build, engine.BuildOptions = build, dict
sys.argv = ["attention-gallery", "serve", *sys.argv[1:]]
run()
"""


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", SERVE, *arguments],
        cwd=project,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What a shell starts in the background ignores ^C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_serve_answers_and_ctrl_c_stops_it_cleanly(project):
    process = start(project, "--port", "0", "--drafts")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Serving http://127.0.0.1:")
    with urllib.request.urlopen(line.split()[1], timeout=10) as response:
        assert response.read().startswith(b"drafts: True")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert output.strip() == "Stopped."
    assert "Traceback" not in errors


def test_serve_on_a_used_port_says_which_one_is_free(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(project, "--port", str(port))
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith(f"error: port {port} is in use\n")
    assert "attention-gallery serve --port" in errors
    assert not (project / "site").exists()


@pytest.fixture
def repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project / "no-config"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Writer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "writer@example.org")
    remote = project / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    subprocess.run(["git", "-C", str(project), "remote", "add", "origin", str(remote)], check=True)
    (project / "site").mkdir()
    (project / "site" / "index.html").write_text("home")
    (project / "site" / MARKER).write_bytes(marker_bytes(["index.html"]))
    return remote


def test_publish_says_what_was_pushed_where(project, repository, invoke):
    result = invoke("publish")
    assert result.exit_code == 0, result.output
    commit = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "gh-pages"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert result.stdout.startswith("Pushed to origin/gh-pages: 2 files, ")
    assert result.stdout.rstrip().endswith(f"commit {commit[:10]}.")


def test_publish_without_push_says_so(project, repository, invoke):
    assert invoke("publish", "--no-push", "--branch", "preview").stdout.startswith("Committed to preview: ")


@pytest.mark.parametrize("options", [[], ["--no-push"]], ids=["pushed", "not pushed"])
def test_publish_says_where_nothing_has_changed(project, repository, invoke, options):
    commit = invoke("publish", *options).stdout.split()[-1]
    told = "Nothing has changed since the last commit to gh-pages: 2 files, "
    for again in (options, ["--no-push"]):
        said = invoke("publish", *again).stdout
        assert said.startswith(told)
        assert said.split()[-1] == commit


def test_publish_before_any_build_says_what_to_do(project, invoke):
    result = invoke("publish")
    assert result.exit_code == 2
    assert "there is no site" in result.stderr
    assert "attention-gallery build" in result.stderr
