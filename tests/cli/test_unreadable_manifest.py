"""A manifest that is there and cannot be read is not taken for one that is not there."""

from __future__ import annotations

import pytest

COMMANDS = [["build"], ["check"], ["check", "--fresh"], ["lock"], ["inspect", "minilm", "A cat"], ["publish"]]


@pytest.mark.parametrize("command", [*COMMANDS, ["clean"], ["serve"]], ids=" ".join)
@pytest.mark.parametrize(
    ("target", "told"),
    [("nothing", "the link leads nowhere"), ("gallery.yaml", "the link leads in a circle")],
)
def test_a_link_that_leads_to_no_manifest_is_told(project, invoke, command, target, told):
    (project / "gallery.yaml").unlink()
    (project / "gallery.yaml").symlink_to(target)
    done = invoke(*command)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert "bug" not in done.stderr
    assert "Errno" not in done.stderr
