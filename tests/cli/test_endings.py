"""Every way in which a command ends: its exit code, its message, and never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from attention_gallery.cli import failures
from attention_gallery.cli.main import execute, gallery
from attention_gallery.errors import DamagedEntry, Problem, ThemeError, UserError


def test_a_good_build_ends_with_0(project, engine, invoke):
    assert invoke("build").exit_code == 0


def test_user_errors_end_with_2_and_name_the_place_from_here(project, engine, invoke):
    engine.error = UserError(
        [
            Problem("unknown key", 'did you mean "title"?', project / "gallery.yaml", 1, 3, "titel: x"),
            Problem("second mistake"),
        ]
    )
    result = invoke("build")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: gallery.yaml:1:3: unknown key\n")
    assert 'did you mean "title"?' in result.stderr
    assert "second mistake" in result.stderr
    assert result.stdout == ""


def test_subclasses_of_user_error_are_user_errors(project, engine, invoke):
    engine.error = ThemeError("no such theme")
    assert invoke("build").exit_code == 2


def test_other_gallery_errors_end_with_1(project, engine, invoke):
    engine.error = DamagedEntry("a stored capture is damaged")
    result = invoke("build")
    assert (result.exit_code, result.stderr) == (1, "error: a stored capture is damaged\n")


def test_an_unexpected_error_is_one_line_that_calls_it_a_bug(project, engine, invoke):
    engine.error = ValueError("seven\nlines")
    result = invoke("build")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "this is a bug" in result.stderr
    assert "ValueError: seven lines" in result.stderr
    assert "--verbose" in result.stderr


@pytest.mark.parametrize("arguments", [["--verbose", "build"], ["build", "-v"]])
def test_verbose_adds_the_traceback_of_a_bug(project, engine, invoke, arguments):
    engine.error = ValueError("seven")
    result = invoke(*arguments)
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("this is a bug in attention-gallery: ValueError: seven\n")


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "permissions"), (errno.EROFS, "read-only")],
)
def test_trouble_with_the_disk_is_no_bug(project, engine, invoke, number, said):
    engine.error = OSError(number, os.strerror(number), str(project / "site"))
    result = invoke("build")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: site: {os.strerror(number).lower()}")
    assert said in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.parametrize("code", [0, 2, None, "bye"])
def test_code_of_others_cannot_end_a_command_as_if_all_went_well(project, engine, invoke, code):
    engine.error = SystemExit(code)
    result = invoke("build")
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: code that is not ours ended the program (sys.exit({code!r})) before the command was done\n"
    )


def test_trouble_with_the_disk_while_writing_ends_with_1(project, engine, invoke):
    reason, mend = "the store cannot be written: no space left", "free some space"
    engine.error = UserError(Problem(reason, mend, trouble=True))
    result = invoke("build")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 2)
    assert "free some space" in result.stderr


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EIO])
@pytest.mark.parametrize("name", ["gallery.yaml", "gallery.lock", "content/about.md", "treebank.conllu"])
def test_a_file_that_may_not_be_read_ends_with_1(project, invoke, monkeypatch, number, name):
    (project / "content").mkdir()
    (project / "content" / "about.md").write_text("# About\n")
    (project / "treebank.conllu").write_text("")
    if name == "gallery.lock":
        (project / name).write_text("")
    with (project / "gallery.yaml").open("a") as manifest:
        manifest.write("  - conllu: treebank.conllu\n" if name.startswith("treebank") else "")
    opened = os.open

    def refuse(path, *args, **options):
        if Path(os.fsdecode(path)) == project / name:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    result = invoke("check")
    assert result.exit_code == 1, result.stderr
    assert result.stderr.startswith(f"error: {name}: ")
    assert os.strerror(number).lower() in result.stderr


def test_interruption_ends_with_130_and_one_line(project, engine, invoke):
    engine.error = KeyboardInterrupt()
    result = invoke("build")
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


def test_a_missing_manifest_says_how_to_start(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    result = invoke("build")
    assert result.exit_code == 2
    assert "there is no manifest at gallery.yaml" in result.stderr
    assert "attention-gallery init" in result.stderr


def test_a_missing_manifest_points_to_one_above(project, monkeypatch, invoke):
    (project / "content").mkdir()
    monkeypatch.chdir(project / "content")
    result = invoke("build")
    assert result.exit_code == 2
    assert str(project / "gallery.yaml") in result.stderr


def test_a_wrong_manifest_is_told_without_traceback(project, command):
    (project / "gallery.yaml").write_text("titel: x\n")
    result = command("build", cwd=project)
    assert result.returncode == 2
    assert result.stderr.startswith("error: gallery.yaml:1:1: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bild"], 'did you mean "build"?'),
        (["build", "--strikt"], "--strict"),
        (["serve", "--port", "99999"], "65535"),
        (["inspect"], "MODEL"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_a_hint(command, arguments, said):
    result = command(*arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_escape_sequences_in_messages_do_not_reach_the_terminal(project, engine, invoke):
    engine.error = UserError("the title is \x1b[2J\x9b31m\u202egnorw")
    result = invoke("build")
    assert "the title is ␛[2J" in result.stderr
    assert not set("\x1b\x9b\u202e") & set(result.stderr)


def test_a_reader_that_goes_away_is_no_error(project, command):
    code = f"{sys.executable} -m attention_gallery schema | head -n 1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "{\n", "")


def test_output_to_a_full_disk_is_told():
    if not Path("/dev/full").exists():
        pytest.skip("the system has no /dev/full")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        result = subprocess.run(
            [sys.executable, "-m", "attention_gallery", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "no space left on device" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_stops_a_running_command_with_130(project):
    slow = (
        "import time, attention_gallery.build as b; from attention_gallery.cli.main import run\n"
        "import sys; sys.argv = ['attention-gallery', 'build']\n"
        "b.BuildOptions = dict\n"
        "def build(*_):\n    print('ready', flush=True)\n    time.sleep(30)\n"
        "b.build = build\nrun()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow],
        cwd=project,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What a shell starts in the background ignores ^C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.strip() == "interrupted"


def test_nothing_leaves_the_outermost_floor(monkeypatch, capsys):
    def explode(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr("attention_gallery.cli.main.gallery.main", explode)
    assert execute(["build"]) == failures.FAILURE
    assert "this is a bug in attention-gallery: RuntimeError: boom" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build", "check", "publish", "lock"])
def test_a_manifest_that_is_no_plain_file_is_told(tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "gallery.yaml")
    result = CliRunner().invoke(gallery, [command, "--manifest", str(tmp_path / "gallery.yaml")])
    assert result.exit_code == 2
    assert "it is a named pipe" in result.stderr
