"""A model hub on loopback that speaks as much of the hub's API as downloading a snapshot takes.

Weights are handed out by a second server of another origin, as the real hub does, with `Range` requests.
Everything that is asked is kept in `asked`, so that tests can see what was sent and what was not.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_LARGE = (".safetensors", ".bin")


def commit_of(name: str) -> str:
    """A commit for tests: 40 hexadecimal digits that depend on a name."""
    return hashlib.sha1(name.encode()).hexdigest()


@dataclass
class Repository:
    """A model on the hub. `branches` lead to commits, `commits` to files. `token` is needed to read it."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    token: str | None = None

    def push(self, files: dict[str, bytes], branch: str = "main") -> str:
        """A new commit at the end of a branch."""
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        commit = commit_of(digest)
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        return commit


@dataclass(frozen=True)
class Request:
    """One request that came in."""

    method: str
    path: str
    authorization: str | None
    range: str | None
    storage: bool


class Hub:
    """The two servers and what they hold; a context manager that runs them.

    `cut[name]` is how many times a file is cut after half of its bytes; `broken[name]` how many times it is
    then answered with an error; `stalled` is set when a file in `stall` has sent half and waits for ever.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.asked: list[Request] = []
        self.cut: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.stall: set[str] = set()
        self.stalled = threading.Event()
        self.released = threading.Event()
        self._servers = [_Server(self, storage=False), _Server(self, storage=True)]

    @property
    def endpoint(self) -> str:
        """The address to give to HF_ENDPOINT."""
        return self._servers[0].address

    @property
    def storage(self) -> str:
        """The address of the other origin."""
        return self._servers[1].address

    def repository(self, name: str, files: dict[str, bytes] | None = None, **settings: Any) -> Repository:
        """A new model, with one commit on `main` where `files` are given."""
        self.repositories[name] = repository = Repository(**settings)
        if files is not None:
            repository.push(files)
        return repository

    def fetched(self) -> set[str]:
        """The names of the files that were asked for with GET, from either origin."""
        found = [request.path for request in self.asked if request.method == "GET"]
        return {path.rsplit("/", 1)[-1] for path in found if "/resolve/" in path or path.startswith("/blob/")}

    def stop(self) -> None:
        """Go off the network."""
        self.released.set()
        for server in self._servers:
            server.stop()

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, hub: Hub, *, storage: bool) -> None:
        self.hub, self.storage = hub, storage
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread: threading.Thread | None = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.daemon = True
        self._thread.start()

    @property
    def address(self) -> str:
        # Another host as well: some versions of the hub library do not look at the port.
        return f"http://{'localhost' if self.storage else '127.0.0.1'}:{self.server_port}"

    def stop(self) -> None:
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self.server_close()
            self._thread = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Keep the log off the terminal."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        header = self.headers.get
        if path != "/api/agent-harnesses":  # which the hub library asks for on its own account
            self.server.hub.asked.append(
                Request(self.command, path, header("Authorization"), header("Range"), self.server.storage)
            )
        if self.server.storage:
            self._blob(*path.removeprefix("/blob/").split("/", 1))
        elif found := re.fullmatch(r"/api/models/(.+?)/revision/(.+)", path):
            self._info(*found.groups())
        elif found := re.fullmatch(r"/api/models/(.+?)/tree/([0-9a-f]{40})", path):
            self._tree(*found.groups())
        elif found := re.fullmatch(r"/(.+?)/resolve/([0-9a-f]{40})/(.+)", path):
            self._file(*found.groups())
        else:
            self._error(404, "EntryNotFound")

    def _repository(self, name: str) -> Repository | None:
        """The model, unless it does not exist or is private; then that has been answered."""
        repository = self.server.hub.repositories.get(name)
        if repository is None:
            self._error(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
            return None
        if repository.token and self.headers.get("Authorization") != f"Bearer {repository.token}":
            self._error(401, "")
            return None
        return repository

    def _info(self, name: str, revision: str) -> None:
        if repository := self._repository(name):
            commit = repository.branches.get(revision, revision)
            if commit in repository.commits:
                self._json({"id": name, "sha": commit, "private": False, "tags": [], "siblings": []})
            else:
                self._error(404, "RevisionNotFound")

    def _tree(self, name: str, commit: str) -> None:
        if repository := self._repository(name):
            if commit not in repository.commits:
                self._error(404, "RevisionNotFound")
                return
            entries = []
            for path, data in sorted(repository.commits[commit].items()):
                entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": _git(data)}
                if path.endswith(_LARGE):
                    entry["lfs"] = {"oid": _sha256(data), "size": len(data), "pointerSize": 134}
                entries.append(entry)
            self._json(entries)

    def _file(self, name: str, commit: str, path: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        if repository.gated:
            self._error(403, "GatedRepo")
            return
        data = repository.commits.get(commit, {}).get(path)
        if data is None:
            self._error(404, "EntryNotFound")
        elif path.endswith(_LARGE):
            self.send_response(302)
            self.send_header("Location", f"{self.server.hub.storage}/blob/{_sha256(data)}/{path}")
            self.send_header("X-Repo-Commit", commit)
            self.send_header("X-Linked-Etag", f'"{_sha256(data)}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(data, {"X-Repo-Commit": commit, "ETag": f'"{_git(data)}"'})

    def _blob(self, digest: str, name: str) -> None:
        hub = self.server.hub
        files = [
            data
            for repository in hub.repositories.values()
            for commit in repository.commits.values()
            for data in commit.values()
            if _sha256(data) == digest
        ]
        if not files:
            self._error(404, "EntryNotFound")
        elif hub.cut[name] <= 0 < hub.broken[name]:
            hub.broken[name] -= 1
            self._error(500, "")
        else:
            self._send(files[0], {"ETag": f'"{digest}"'}, name)

    def _send(self, data: bytes, headers: dict[str, str], name: str = "") -> None:
        hub = self.server.hub
        start = 0
        if found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            start = int(found[1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if name in hub.stall or hub.cut[name] > 0:
            self.wfile.write(data[start : len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            hub.cut[name] -= 1
            if name in hub.stall:
                hub.stalled.set()
                hub.released.wait()
            return
        self.wfile.write(data[start:])

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, code: str) -> None:
        data = json.dumps({"error": "no"}).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
