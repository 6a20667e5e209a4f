"""`lock`: what its options leave in the file."""

from __future__ import annotations


def test_a_lock_is_exact_when_that_is_said_and_stays_so(project, invoke):
    for flags, exact in (([], False), (["--exact"], True), ([], True), (["--no-exact"], False)):
        assert invoke("lock", *flags).exit_code == 0
        assert ("exact: true" in (project / "gallery.lock").read_text()) is exact
