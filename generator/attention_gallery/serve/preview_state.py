"""What the browser has to know: which version of the site there is, and what is wrong with the last build."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at one moment. `version` grows when the site changes; `error` is "" when all is well.

    `event` grows with every change of either. `closed` is set once the server is to stop.
    """

    site: Path
    base_path: str
    version: int = 1
    error: str = ""
    event: int = 0
    closed: bool = False


class PreviewState:
    """The state that the builder changes and the server's threads read and wait for."""

    def __init__(self, site: Path, base_path: str = "/") -> None:
        """Serve `site` below `base_path`, an absolute URL path."""
        self._now = Snapshot(site, normal_base(base_path))
        self._changed = threading.Condition()

    def snapshot(self) -> Snapshot:
        """The state now."""
        with self._changed:
            return self._now

    def succeeded(self, *, changed: bool) -> None:
        """The last build went well; browsers reload when it `changed` the site."""
        self._set(version=self._now.version + int(changed), error="")

    def failed(self, message: str) -> None:
        """The last build failed; the previous site stays, and browsers show `message`."""
        self._set(error=message or "the build failed")

    def move(self, site: Path, base_path: str) -> None:
        """Serve another folder or path from now on."""
        base_path = normal_base(base_path)
        if (site, base_path) != (self._now.site, self._now.base_path):
            self._set(site=site, base_path=base_path, version=self._now.version + 1)

    def close(self) -> None:
        """Wake everyone who waits, for the last time."""
        self._set(closed=True)

    def wait(self, event: int, seconds: float) -> Snapshot | None:
        """The state once it is newer than `event`; None when nothing happened for `seconds`."""
        with self._changed:
            news = self._changed.wait_for(lambda: self._now.event > event or self._now.closed, seconds)
            return self._now if news else None

    def _set(self, **changes: object) -> None:
        with self._changed:
            self._now = replace(self._now, event=self._now.event + 1, **changes)  # type: ignore[arg-type]
            self._changed.notify_all()


def normal_base(path: str) -> str:
    """A URL path that begins and ends with one slash."""
    inner = "/".join(segment for segment in path.split("/") if segment)
    return f"/{inner}/" if inner else "/"
