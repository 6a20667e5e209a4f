"""`lock`: what its options leave in the file."""

from __future__ import annotations


def test_a_lock_is_exact_when_that_is_said_and_stays_so(project, invoke):
    for flags, exact in (([], False), (["--exact"], True), ([], True), (["--no-exact"], False)):
        assert invoke("lock", *flags).exit_code == 0
        assert ("exact: true" in (project / "gallery.lock").read_text()) is exact


def test_what_is_written_into_a_lock_is_said(project, invoke):
    said = {
        flags: invoke("lock", *flags).stdout for flags in ((), ("--no-exact",), ("--exact",), ("--upgrade",))
    }
    assert said[()] == "minilm: added\nWrote gallery.lock: 1 model, 1 changed.\n"
    assert said[("--no-exact",)] == "gallery.lock is up to date: 1 model.\n"
    exact, wrote = said[("--exact",)].splitlines()
    assert exact == "exact: captures of another numeric environment are refused from now on"
    assert wrote == "Wrote gallery.lock: 1 model, the same as before."
    assert said[("--upgrade",)] == "gallery.lock is up to date: 1 model.\n"
    exact, wrote = invoke("lock", "--no-exact").stdout.splitlines()
    assert exact == "no longer exact: captures of another numeric environment are used, with a warning"
    assert wrote == "Wrote gallery.lock: 1 model, the same as before."


def test_another_form_of_a_lock_is_written_and_said(project, invoke):
    invoke("lock", "--exact")
    lock = project / "gallery.lock"
    lock.write_text("# An older comment.\n" + lock.read_text())
    assert invoke("lock").stdout == "Wrote gallery.lock: 1 model, the same as before.\n"
    assert "older comment" not in lock.read_text()
