"""A small server for one built site: its files, its 404 page, and news of the next build."""

from __future__ import annotations

import errno
import shutil
import socket
import sys
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attention_gallery.errors import OutputError, Problem
from attention_gallery.files import why_unreadable
from attention_gallery.serve import inject
from attention_gallery.serve.hosts import Hosts, asked_for, host_of
from attention_gallery.serve.preview_state import PreviewState, Snapshot
from attention_gallery.serve.request_paths import content_type, find
from attention_gallery.user_files import file_size, open_user_file

_LARGEST_PAGE = 64 * 1024 * 1024  # bytes; a larger one is sent as it is, without being read whole
_HEARTBEAT = 15.0  # seconds; shows that a browser has gone, and keeps proxies from closing the stream
_OWN = {
    inject.SCRIPT_PATH: (inject.SCRIPT, "text/javascript; charset=utf-8"),
    inject.STYLE_PATH: (inject.STYLE, "text/css; charset=utf-8"),
}


class PreviewServer(ThreadingHTTPServer):
    """Serves what `state` says. One thread for each request, none of which delays the end."""

    daemon_threads = True
    # On Windows the option would let two servers share a port, and requests would go to either.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, address: tuple[str, int], state: PreviewState, hosts: Hosts) -> None:
        self.state = state
        self.hosts = hosts
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the gallery."""
        host, port = str(self.server_address[0]), self.server_address[1]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{self.state.snapshot().base_path}"

    def server_bind(self) -> None:
        """Bind without the name look-up of the base class, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent when a browser closes a connection; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def create_server(
    site: Path | PreviewState,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    base_path: str = "/",
    also: Iterable[str] = (),
) -> PreviewServer:
    """A server that is bound to its port and not yet running; port 0 takes a free one.

    `also` are names beside its own to which it answers. Raises `OutputError` when one of them is no name,
    when the port is taken or may not be used, or the host is not of this machine.
    """
    state = site if isinstance(site, PreviewState) else PreviewState(site, base_path)
    try:
        hosts = Hosts(host, also)
    except ValueError as error:
        mend = "write it without http:// and without a port, for example --allow-host preview.example.org"
        raise OutputError(f'"{error}" is not the name of a host', mend) from None
    try:
        return PreviewServer((host, port), state, hosts)
    except OSError as error:
        raise OutputError(_bind_problem(error, host, port)) from None


def _bind_problem(error: OSError, host: str, port: int) -> Problem:
    if error.errno == errno.EADDRINUSE:
        free = _free_port(host, port)
        mend = f"stop what uses it, or use a free one: attention-gallery serve --port {free}"
        return Problem(f"port {port} is in use", mend)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Problem(f"port {port} may not be used", "choose one above 1023, for example --port 8000")
    reason = (error.strerror or str(error)).lower()
    return Problem(f'"{host}" is not an address to listen on: {reason}', "leave out --host for 127.0.0.1")


def _free_port(host: str, port: int) -> int:
    """The next port that can be bound, or any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [*range(port + 1, min(port + 20, 65535)), 0]:
        with socket.socket(family) as probe:
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; everything else is refused by the base class."""

    server: PreviewServer
    protocol_version = "HTTP/1.1"
    server_version = "attention-gallery"
    sys_version = ""
    timeout = 60

    def parse_request(self) -> bool:
        """As the base class, but only requests for this server's own names are answered."""
        if not super().parse_request():
            return False
        authority, self.path = asked_for(self.path, self.headers.get_all("Host") or [])
        reached = str(self.connection.getsockname()[0])
        if authority is not None and self.server.hosts.answers(authority, reached):
            return True
        self.close_connection = True
        if authority is None:
            self._send_text(HTTPStatus.BAD_REQUEST, "The request does not say for which host it is.")
        else:
            self._send_text(HTTPStatus.MISDIRECTED_REQUEST, _not_ours(authority))
        return False

    def do_GET(self) -> None:
        """Send a file, the events, or the 404 page."""
        path, _, query = self.path.partition("?")
        now = self.server.state.snapshot()
        if path == inject.EVENTS_PATH and not self._of_our_pages():
            self._send_text(HTTPStatus.FORBIDDEN, "The events are for pages of this preview only.")
        elif path == inject.EVENTS_PATH:
            self._send_events()
        elif path in _OWN:
            text, kind = _OWN[path]
            self._send(HTTPStatus.OK, text.encode(), kind)
        else:
            self._send_page(now, path, query)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a log line per request hides the messages of the build."""

    def _of_our_pages(self) -> bool:
        """Whether the request comes from a page that this server sent, or from no page at all."""
        reached = str(self.connection.getsockname()[0])
        origins = self.headers.get_all("Origin") or []
        return all(self.server.hosts.answers_origin(origin, reached) for origin in origins)

    def _send_page(self, now: Snapshot, path: str, query: str) -> None:
        try:
            response = find(now.site, now.base_path, path)
            if response.redirect is not None:
                self._redirect(response.redirect + (f"?{query}" if query else ""))
                return
            if response.file is not None:
                self._send_file(HTTPStatus.OK, response.file, now)
                return
        except FileNotFoundError:
            pass  # a build has just replaced the site
        except ConnectionError:  # of the browser
            raise
        except OSError as error:
            reason = f"the file cannot be read: {why_unreadable(error)}"
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, reason)
            return
        self._send_missing(now)

    def _send_missing(self, now: Snapshot) -> None:
        page = now.site / "404.html"
        if page.is_file():
            self._send_file(HTTPStatus.NOT_FOUND, page, now)
        elif (now.site / "index.html").is_file():
            self._send_html(HTTPStatus.NOT_FOUND, inject.missing_page(now))
        else:
            self._send_html(HTTPStatus.SERVICE_UNAVAILABLE, inject.waiting_page(now))

    def _send_file(self, status: HTTPStatus, file: Path, now: Snapshot) -> None:
        kind = content_type(file)
        with open_user_file(file) as stream:
            size = file_size(stream)
            if kind.startswith("text/html") and size <= _LARGEST_PAGE:
                self._send(status, inject.with_reload(stream.read(size), now), kind)
                return
            self._send_head(status, size, kind)
            if self.command != "HEAD":
                shutil.copyfileobj(stream, self.wfile)  # a piece at a time, whatever its size

    def _send_text(self, status: HTTPStatus, text: str) -> None:
        self._send(status, f"{text}\n".encode(), "text/plain; charset=utf-8")

    def _send_html(self, status: HTTPStatus, data: bytes) -> None:
        self._send(status, data, "text/html; charset=utf-8")

    def _send(self, status: HTTPStatus, data: bytes, kind: str) -> None:
        self._send_head(status, len(data), kind)
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_head(self, status: HTTPStatus, size: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self._end_headers()

    def _redirect(self, address: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self._end_headers()

    def _end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        # Data of a page is a script, which a page of another site could otherwise load as its own.
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def _send_events(self) -> None:
        """Send the state now and after every change, until the browser or the server ends."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self._end_headers()
        now: Snapshot | None = self.server.state.snapshot()
        event = -1
        while self.command != "HEAD" and not (now is not None and now.closed):
            if now is not None:
                event = now.event
            self.wfile.write(b": still here\n\n" if now is None else inject.event_text(now))
            self.wfile.flush()
            now = self.server.state.wait(event, _HEARTBEAT)


def _not_ours(authority: str) -> str:
    """What to do about a request for a name that is not the server's."""
    name = authority[:100]
    return (
        f'This preview does not answer to "{name}": another site could have pointed that name\n'
        "at this machine. Open it under the address that `attention-gallery serve` printed.\n"
        "If the name is yours, start it with\n"
        f"  attention-gallery serve --allow-host {host_of(name) or 'NAME'}"
    )
