"""Build, serve, watch, build again."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from attention_gallery.errors import GalleryError, ManifestError, UserError
from attention_gallery.manifest.lockfile.lock_entries import lock_path
from attention_gallery.progress import Reporter
from attention_gallery.project_files import CACHE, CONTENT, OUTPUT, THEMES
from attention_gallery.serve.preview_state import PreviewState
from attention_gallery.serve.server import PreviewServer, create_server
from attention_gallery.serve.watch import Watched, Watcher


class Preview:
    """A gallery that is served on this machine and rebuilt when its files change.

    As a context manager it binds the port on entry, so that a port in use is told before a long build.
    """

    def __init__(
        self,
        manifest: Path,
        reporter: Reporter,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        drafts: bool = False,
        also: Sequence[str] = (),
    ) -> None:
        """`also` are names of hosts beside its own under which it is asked for."""
        self._manifest = manifest.absolute()
        self._reporter = reporter
        self._address = host, port
        self._also = also
        self._drafts = drafts
        self._state = PreviewState(self._root / OUTPUT)
        self._server: PreviewServer | None = None
        self._content = self._root / CONTENT
        self._read: tuple[Path, ...] = ()

    @property
    def state(self) -> PreviewState:
        """What browsers are told."""
        return self._state

    @property
    def url(self) -> str:
        """Where a browser finds the gallery. Raises `RuntimeError` before the port is bound."""
        if self._server is None:
            raise RuntimeError("the preview is not running")
        return self._server.url

    def __enter__(self) -> Preview:
        host, port = self._address
        self._server = create_server(self._state, host=host, port=port, also=self._also)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._state.close()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def rebuild(self) -> bool:
        """Build once; whether it went well. A failure is told to the log and to the browsers."""
        from attention_gallery.build import BuildOptions, build

        try:
            self._find_places()
            report = build(self._manifest, BuildOptions(drafts=self._drafts), self._reporter)
        except GalleryError as error:
            message = error.render(self._root) if isinstance(error, UserError) else str(error)
        except (Exception, SystemExit) as error:  # the preview outlives any failed build
            message = f"{type(error).__name__}: {error}"
            self._reporter.detail("".join(traceback.format_exception(error)))
        else:
            self._state.move(report.site, self._state.snapshot().base_path)
            self._state.succeeded(changed=bool(report.written or report.pruned))
            self._tell(report.written, report.reused, sum(report.seconds.values()))
            return True
        self._reporter.warning(f"the build failed; the previous site is still served\n{message}")
        self._state.failed(message)
        return False

    def watch(self) -> None:
        """Rebuild on every change until interrupted."""
        again = False
        while True:
            with Watcher(self._watched()) as watcher:
                if again:  # what changed while nobody watched
                    self.rebuild()
                self._rebuild_while_complete(watcher)
            again = True

    def _rebuild_while_complete(self, watcher: Watcher) -> None:
        """Rebuild on changes until other folders than those of `watcher` have to be watched."""
        while watcher.complete and watcher.watched == self._watched():
            changed = watcher.next(0.5)
            if changed:
                self._reporter.detail("changed: " + ", ".join(sorted(path.name for path in changed)))
                self.rebuild()

    @property
    def _root(self) -> Path:
        return self._manifest.parent

    def _find_places(self) -> None:
        """Read where the site, the notes and the published path are. Raises `ManifestError`."""
        from attention_gallery.manifest.load_manifest import load_manifest

        try:
            manifest = load_manifest(self._manifest)
        except ManifestError as error:
            # A treebank that is wrong is mended in its own file.
            files = {problem.file for problem in error.problems} - {None, self._manifest}
            self._read = (*self._read, *(file for file in sorted(filter(None, files))))
            raise
        settings = manifest.settings
        measures = (self._root / name for name in settings.analysis.measure_files)
        self._read = (*manifest.files, *measures)
        self._content = self._root / settings.content
        base_path = urlsplit(settings.base_url).path if settings.base_url else "/"
        self._state.move(self._root / settings.output, base_path)

    def _watched(self) -> Watched:
        site = self._state.snapshot().site
        return Watched(
            files=(self._manifest, lock_path(self._manifest), *self._read),
            folders=(self._content, self._root / THEMES),
            ignored=(site, self._root / CACHE),
        )

    def _tell(self, written: int, reused: int, seconds: float) -> None:
        files = "1 file" if written == 1 else f"{written} files"
        changed = f"{files} written, {reused} reused" if written else "nothing changed"
        self._reporter.info(f"Built in {seconds:.2f} s: {changed}.")
