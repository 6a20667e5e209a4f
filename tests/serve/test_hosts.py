"""The preview answers only to its own names: another site's name may point at this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from attention_gallery.cli.main import gallery
from attention_gallery.errors import OutputError
from attention_gallery.serve import PreviewServer, create_server
from attention_gallery.serve.hosts import Hosts, asked_for

SECRET = b"a secret page"


def serving(folder: Path, **options: object) -> Iterator[PreviewServer]:
    (folder / "index.html").write_bytes(SECRET)
    server = create_server(folder, port=0, **options)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.state.close()
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PreviewServer]:
    yield from serving(tmp_path)


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[PreviewServer]:
    yield from serving(tmp_path, host="0.0.0.0", also=("preview.example.org", "fd00::7"))


def said(server: PreviewServer, request: str, address: str = "127.0.0.1") -> tuple[int, bytes]:
    """Status and body of the answer to a request, which is sent as it is written here."""
    with socket.create_connection((address, server.server_port), timeout=30) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:{port}",
        "localhost",
        "LocalHost:{port}",
        "localhost.:1",
        "[::1]:{port}",
        "gallery.localhost",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "  localhost  ",
    ],
)
def test_own_names_are_answered(server, host):
    status, body = said(server, f"GET / HTTP/1.1\nHost: {host.format(port=server.server_port)}\n\n")
    assert status == 200
    assert SECRET in body


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "notlocalhost",
        "127.0.0.1@evil.example",
        "evil.example@127.0.0.1",
        "[::2]",
        "0x7f.1",
        "",
        "a b",
        "localhost:port",
        "localhost/",
        "localhost, evil.example",
        "[localhost]",
        "localhost..",
        "*",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/", "/__events", "/__reload.js", "/nothing"])
def test_other_names_are_refused_whatever_is_asked(server, host, method, path):
    named = host.format(port=server.server_port)
    status, body = said(server, f"{method} {path} HTTP/1.1\nHost: {named}\n\n")
    assert status == 421
    assert SECRET not in body
    if method != "HEAD":
        assert b"--allow-host" in body


def test_a_request_without_one_clear_name_is_refused(server):
    for lines in (
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.0\n\n",
        "GET / HTTP/1.1\nHost: localhost\nHost: localhost\n\n",
        "GET / HTTP/1.1\nHost: localhost\nHost: evil.example\n\n",
        "GET http://localhost/ HTTP/1.1\nHost: evil.example\n\n",
        "GET http://evil.example/ HTTP/1.1\nHost: localhost\n\n",
        "GET http://evil.example/ HTTP/1.0\n\n",
    ):
        status, body = said(server, lines)
        assert status == 400, lines
        assert SECRET not in body


def test_an_absolute_target_counts_by_its_own_name(server):
    status, body = said(server, "GET http://localhost:1/?x HTTP/1.1\nHost: localhost:1\n\n")
    assert (status, SECRET in body) == (200, True)
    status, body = said(server, "GET http://localhost HTTP/1.0\nHost: localhost\n\n")
    assert (status, SECRET in body) == (200, True)
    assert said(server, "GET HTTP://evil.example/ HTTP/1.1\nHost: evil.example\n\n")[0] == 421


def test_events_are_for_own_pages_only(server):
    for origin in (
        "http://evil.example",
        "null",
        "http://localhost.evil.example",
        "file://",
        "ftp://localhost",
        "http://[",
        "http://[localhost]",
        "http://localhost]:80",
    ):
        request = f"GET /__events HTTP/1.1\nHost: localhost\nOrigin: {origin}\n\n"
        status, body = said(server, request)
        assert (status, b"event: state" in body) == (403, False), origin
    request = "HEAD /__events HTTP/1.1\nHost: localhost\nOrigin: http://localhost:{}\n\n"
    assert said(server, request.format(server.server_port))[0] == 200
    assert said(server, "HEAD /__events HTTP/1.1\nHost: localhost\n\n")[0] == 200


def test_nothing_can_be_loaded_into_pages_of_others(server):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert b"Cross-Origin-Resource-Policy: same-origin" in answer


@pytest.mark.parametrize("host", ["preview.example.org", "Preview.Example.ORG:80", "[fd00::7]", "127.0.0.1"])
def test_names_that_are_asked_for_are_answered(open_server, host):
    assert said(open_server, f"GET / HTTP/1.1\nHost: {host}\n\n")[0] == 200


def test_a_machine_that_lets_others_in_answers_to_its_name_and_the_address_reached(open_server):
    name = socket.gethostname()
    assert said(open_server, f"GET / HTTP/1.1\nHost: {name}:8000\n\n")[0] == 200
    assert said(open_server, "GET / HTTP/1.1\nHost: 127.0.0.9\n\n", "127.0.0.9")[0] == 200
    assert said(open_server, "GET / HTTP/1.1\nHost: 192.0.2.1\n\n")[0] == 421
    assert said(open_server, "GET / HTTP/1.1\nHost: sub.preview.example.org\n\n")[0] == 421


def test_the_name_of_the_machine_is_none_of_a_loopback_server(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Desk.example.org")
    assert not Hosts("127.0.0.1").answers("desk", "127.0.0.1")
    for name in ("desk", "desk.example.org", "DESK.local:80"):
        assert Hosts("192.0.2.7").answers(name, "192.0.2.7")
    assert Hosts("192.0.2.7").answers("192.0.2.7", "192.0.2.7")


@pytest.mark.parametrize("name", ["http://x.org", "x.org:80", "a b", "x/", "", "*.x.org", "[::1", "-\n"])
def test_what_is_no_name_cannot_be_allowed(tmp_path, name):
    with pytest.raises(OutputError, match="not the name of a host"):
        create_server(tmp_path, port=0, also=(name,))


def test_the_command_takes_names(tmp_path):
    result = CliRunner().invoke(gallery, ["serve", "--help"])
    assert "--allow-host" in result.output


def test_where_a_request_goes_is_read_from_target_and_header():
    assert asked_for("/a?b", ["x"]) == ("x", "/a?b")
    assert asked_for("http://x:80/a?b", ["x"]) == ("x:80", "/a?b")
    assert asked_for("http://x?b", ["x"]) == ("x", "/?b")
    assert asked_for("http://x", []) == (None, "/")


def test_a_huge_file_of_the_site_is_sent_in_pieces(server, tmp_path):
    with (tmp_path / "huge.html").open("wb") as stream:
        stream.truncate(1 << 40)
    status, _ = said(server, "HEAD /huge.html HTTP/1.1\nHost: localhost\n\n")
    assert status == 200
