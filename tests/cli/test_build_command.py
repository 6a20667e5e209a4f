"""`build` and `check`: what they pass on, and what they print."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], (False, False, False)),
        (["--strict"], (True, False, False)),
        (["--force", "--drafts"], (False, True, True)),
    ],
)
def test_build_passes_its_options_on(project, engine, invoke, flags, expected):
    invoke("build", *flags)
    [(name, manifest, options)] = engine.calls
    assert name == "build"
    assert manifest == project / "gallery.yaml"
    assert (options.strict, options.force, options.drafts) == expected


@pytest.mark.parametrize(("flags", "fresh"), [([], False), (["--fresh"], True)])
def test_check_passes_on_whether_to_read_the_site(engine, invoke, flags, fresh):
    invoke("check", *flags)
    [(name, _, options)] = engine.calls
    assert (name, options.fresh) == ("check", fresh)


@pytest.mark.parametrize(
    "arguments",
    [["-m", "../gallery.yaml", "build"], ["build", "-m", "../gallery.yaml"], ["build", "-m", ".."]],
)
def test_the_manifest_is_named_before_or_after_the_command(project, engine, invoke, monkeypatch, arguments):
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    assert invoke(*arguments).exit_code == 0
    assert engine.calls[0][1].resolve() == project / "gallery.yaml"


def test_the_summary_tells_counts_times_and_how_to_view(project, engine, invoke):
    lines = [line.split() for line in invoke("build").stdout.splitlines()]
    assert ["Built", "1,234", "pages", "in", "1", "min", "11", "s"] in lines
    assert ["pages", "1,234", "plan", "0.12", "s"] in lines
    assert ["files", "written", "12", "capture", "1", "min", "11", "s"] in lines
    assert ["files", "removed", "1"] in lines
    assert ["captured", "2", "sentences"] in lines
    assert ["size", "12.4", "MB"] in lines
    assert ["The", "site", "is", "in", "site/"] in lines
    assert ["To", "view", "it:", "attention-gallery", "serve"] in lines


def test_a_makefile_with_serve_is_how_to_view(project, engine, invoke):
    (project / "Makefile").write_text("serve: build ## look\n")
    assert "To view it: make serve" in invoke("build").stdout


def test_a_manifest_elsewhere_is_part_of_how_to_view(project, engine, invoke, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = invoke("-m", str(project), "build").stdout
    assert f"To view it: attention-gallery serve --manifest {project / 'gallery.yaml'}" in said


def test_quiet_prints_warnings_alone(project, engine, invoke):
    engine.act = lambda reporter: (
        reporter.info("said"),
        reporter.detail("detail"),
        reporter.warning("careful"),
    )
    result = invoke("build", "--quiet")
    assert (result.stdout, result.stderr) == ("", "warning: careful\n")


def test_verbose_prints_details(project, engine, invoke):
    engine.act = lambda reporter: (reporter.info("said"), reporter.detail("detail"))
    assert invoke("build").stderr == "said\n"
    assert invoke("build", "--verbose").stderr == "said\ndetail\n"


def test_check_passes_its_options_on_and_says_that_all_is_well(project, engine, invoke):
    result = invoke("check", "--strict", "--drafts")
    [(name, _, options)] = engine.calls
    assert (name, options.strict, options.drafts) == ("check", True, True)
    assert result.stdout == "Checked 1,234 pages with 5,678 links (12.4 MB): no mistakes.\n"


def test_a_strict_check_fails_on_warnings(project, engine, invoke):
    engine.warnings = ("the site is large",)
    assert invoke("check").stdout.endswith(": 1 warning.\n")
    result = invoke("check", "--strict")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: the site is large\n")
