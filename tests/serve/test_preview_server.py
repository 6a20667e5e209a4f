"""The preview server on the loopback interface: files, misses, safety, reloading."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.errors import OutputError
from attention_gallery.serve import PreviewServer, PreviewState, create_server
from attention_gallery.serve.request_paths import find

PAGE = "<!doctype html><title>Home</title><body><p>Größe</p></body>"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "minilm" / "cat").mkdir(parents=True)
    (site / "empty").mkdir()
    (site / "index.html").write_text(PAGE, "utf-8")
    (site / "404.html").write_text("<body>nowhere</body>")
    (site / "minilm" / "cat" / "index.html").write_text("<body>cat</body>")
    (site / "minilm" / "cat" / "attention.json").write_text("{}")
    (site / "app.js").write_text("1;")
    (site / "font.woff2").write_bytes(b"wOF2")
    (site / "größe.txt").write_text("x")
    (tmp_path / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    return site


@pytest.fixture
def server(site: Path) -> Iterator[PreviewServer]:
    yield from running(site, "/")


@pytest.fixture
def server_below(site: Path) -> Iterator[PreviewServer]:
    yield from running(site, "/attention")


def running(site: Path, base_path: str) -> Iterator[PreviewServer]:
    server = create_server(site, port=0, base_path=base_path)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.state.close()
    server.shutdown()
    server.server_close()
    thread.join(5)
    assert not thread.is_alive()


def ask(server: PreviewServer, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_pages_get_the_reload_script_and_the_disk_does_not(server, site):
    response, body = ask(server, "/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert int(response.headers["Content-Length"]) == len(body)
    text = body.decode()
    assert text.startswith("<!doctype html><title>Home</title><body><p>Größe</p>")
    assert '<script src="/__reload.js" data-version="1"></script></body>' in text
    assert (site / "index.html").read_text("utf-8") == PAGE


def test_pages_have_no_inline_script_or_style(server):
    _, body = ask(server, "/")
    assert b"<style" not in body
    assert b"<script>" not in body
    assert b"style=" not in body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/font.woff2", "font/woff2"),
        ("/minilm/cat/attention.json", "application/json; charset=utf-8"),
        ("/gr%C3%B6%C3%9Fe.txt", "text/plain; charset=utf-8"),
        ("/__reload.js", "text/javascript; charset=utf-8"),
        ("/__reload.css", "text/css; charset=utf-8"),
    ],
)
def test_types_are_right_and_only_pages_are_changed(server, site, path, kind):
    response, body = ask(server, path + "?x=1")
    assert (response.status, response.headers["Content-Type"]) == (200, kind)
    assert b"data-version" not in body


def test_head_has_headers_and_no_body(server):
    response, body = ask(server, "/", "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > len(PAGE)


def test_other_methods_are_refused(server):
    assert ask(server, "/", "POST")[0].status == 501


def test_misses_get_the_404_page_with_the_reload_script(server):
    response, body = ask(server, "/minilm/dog/")
    assert response.status == 404
    assert b"nowhere" in body
    assert b"/__reload.js" in body


def test_a_name_that_no_file_can_have_is_a_miss(server):
    assert ask(server, "/" + "a" * 5000)[0].status == 404


def test_without_a_404_page_there_is_a_plain_one(server, site):
    (site / "404.html").unlink()
    response, body = ask(server, "/nowhere")
    assert response.status == 404
    assert b"There is no such page" in body


def test_folders_are_completed_and_never_listed(server):
    response, _ = ask(server, "/minilm/cat?x=1")
    assert (response.status, response.headers["Location"]) == (301, "/minilm/cat/?x=1")
    response, body = ask(server, "/empty/")
    assert response.status == 404
    assert b"attention.json" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/minilm/../../secret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/index.html/",
        "/index.html%00.js",
        "//etc/passwd",
        "/C:/secret.txt",
    ],
)
def test_nothing_outside_the_site_is_served(server, path):
    response, body = ask(server, path)
    assert response.status == 404
    assert b"secret" not in body


def test_a_backslash_is_no_part_of_an_address(server, site):
    """Where it parts folders it leads out of the site, so no file is served that has one in its name."""
    (site / "folder\\page.html").write_text("secret")
    assert ask(server, "/folder%5cpage.html")[0].status == 404


def test_a_redirect_never_leads_to_another_host(server, site):
    (site / "example.org").mkdir()
    response, _ = ask(server, "//example.org")
    assert response.headers["Location"] == "/example.org/"


@given(st.text(max_size=40), st.sampled_from(["/", "/a/", "/a/b/"]))
def test_whatever_is_asked_for_stays_inside(tmp_path_factory, text, base_path):
    folder = tmp_path_factory.getbasetemp() / "confined"
    (folder / "site").mkdir(parents=True, exist_ok=True)
    (folder / "site" / "index.html").write_text("")
    (folder / "secret").write_text("")
    found = find(folder / "site", base_path, base_path + text)
    if found.file is not None:
        assert found.file.is_relative_to((folder / "site").resolve())
    if found.redirect is not None:
        assert found.redirect.startswith(base_path)
        assert not found.redirect.startswith("//")


def test_the_site_is_served_below_its_path(server_below):
    assert server_below.url.endswith("/attention/")
    response, _ = ask(server_below, "/")
    assert (response.status, response.headers["Location"]) == (301, "/attention/")
    response, _ = ask(server_below, "/attention")
    assert response.headers["Location"] == "/attention/"
    assert ask(server_below, "/attention/minilm/cat/")[0].status == 200
    assert ask(server_below, "/minilm/cat/")[0].status == 404
    response, _ = ask(server_below, "/attention/minilm/cat")
    assert response.headers["Location"] == "/attention/minilm/cat/"


def events(server: PreviewServer) -> Iterator[dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", "/__events")
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "text/event-stream"
    while line := response.readline():
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))
    connection.close()


def test_browsers_are_told_of_changes_and_failures_as_they_happen(server):
    news = events(server)
    assert next(news) == {"version": 1, "error": ""}
    server.state.succeeded(changed=True)
    assert next(news) == {"version": 2, "error": ""}
    server.state.failed("gallery.yaml:1: <b>wrong</b>")
    assert next(news) == {"version": 2, "error": "gallery.yaml:1: <b>wrong</b>"}
    server.state.succeeded(changed=False)
    assert next(news) == {"version": 2, "error": ""}
    server.state.close()
    assert list(news) == []


def test_a_failure_is_shown_escaped_over_the_previous_page(server):
    server.state.failed("gallery.yaml:3:1: <script>alert(1)</script>")
    response, body = ask(server, "/")
    assert response.status == 200
    assert b"<p>Gr" in body
    assert b'id="gallery-build-error" role="alert"' in body
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body
    server.state.succeeded(changed=False)
    assert b"gallery-build-error" not in ask(server, "/")[1]


def test_without_any_site_the_failure_is_the_page(tmp_path):
    state = PreviewState(tmp_path / "site")
    server = create_server(state, port=0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    response, body = ask(server, "/")
    assert response.status == 503
    assert b"being built" in body
    state.failed("a < b")
    response, body = ask(server, "/minilm/")
    assert response.status == 503
    assert b"<pre>a &lt; b</pre>" in body
    assert b"/__reload.js" in body
    server.shutdown()
    server.server_close()


def test_a_port_in_use_is_told_with_a_free_one(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OutputError) as told:
            create_server(site, port=port)
        [problem] = told.value.problems
        assert problem.reason == f"port {port} is in use"
        suggested = int(problem.mend.rsplit(" ", 1)[1])
        create_server(site, port=suggested).server_close()


def test_an_address_of_no_interface_is_told(site):
    with pytest.raises(OutputError, match="is not an address to listen on"):
        create_server(site, host="203.0.113.1", port=0)


def test_a_stopped_server_leaves_its_port_at_once(site):
    server = create_server(site, port=0)
    port = server.server_port
    server.server_close()
    create_server(site, port=port).server_close()


def test_a_file_that_cannot_be_read_is_no_missing_page(server: PreviewServer, site: Path) -> None:
    (site / "circle.html").symlink_to("circle.html")
    (site / "minilm" / "cat" / "index.html").unlink()
    (site / "minilm" / "cat" / "index.html").symlink_to("index.html")
    for path in ("/circle.html", "/minilm/cat/"):
        response, body = ask(server, path)
        assert response.status == 500
        assert b"the link leads in a circle" in body
    assert ask(server, "/" + "x" * 300)[0].status == 404


def test_a_file_that_may_not_be_read_is_told(
    server: PreviewServer, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, *args: Any, **options: Any) -> int:
        if Path(os.fsdecode(path)).name == "app.js":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    response, body = ask(server, "/app.js")
    assert response.status == 500
    assert b"the file cannot be read: permission denied" in body
    assert ask(server, "/")[0].status == 200
