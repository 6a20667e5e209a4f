"""The names that the preview answers to.

A page of any other site can make its own name point at this machine (DNS rebinding) and then read what the
preview serves as if it were its own. A browser still says in `Host` which name it asked for.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_LOOPBACK = "localhost"
# A name, an IPv4 address, or an IPv6 address in brackets, and perhaps a port (RFC 9110, 7.2).
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{0,5}))?")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


class Hosts:
    """The names of one server: this machine's loopback, what it listens on, its own, and those asked for.

    Ports are not compared: a tunnel or a container gives the server another one, and no attack needs it.
    """

    def __init__(self, bound: str, also: Iterable[str] = ()) -> None:
        """`bound` is what the server was told to listen on; `also` are further names, without ports.

        Raises `ValueError` with the first of these that is neither a name nor an address.
        """
        names = {_LOOPBACK, bound.lower()}
        if not _is_loopback(bound):
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
        for text in also:
            name = host_of(f"[{text}]" if text.count(":") > 1 and text[0] != "[" else text)
            if name is None or name != _plain(text):
                raise ValueError(text)
            names.add(name)
        self._names = frozenset(names)

    def answers(self, authority: str, reached: str) -> bool:
        """Whether a request for `authority`, with or without a port, is one for this server.

        `reached` is the address of this machine on which the request came in.
        """
        name = host_of(authority)
        if name is None:
            return False
        return name in self._names or name.endswith(".localhost") or _is_own(name, reached)

    def answers_origin(self, origin: str, reached: str) -> bool:
        """Whether an `Origin` is a page that this server itself has sent."""
        try:
            parts = urlsplit(origin)
        except ValueError:  # such as brackets around what is no address
            return False
        return parts.scheme in ("http", "https") and self.answers(parts.netloc, reached)


def host_of(authority: str) -> str | None:
    """The name or address in `name:port`, in small letters, without brackets or a last dot; None for none."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    name = _plain(match[1])
    if match[1].startswith("["):
        return name if _address(name) is not None else None
    return name if _NAME.fullmatch(name) else None


def asked_for(target: str, hosts: Sequence[str]) -> tuple[str | None, str]:
    """The authority of a request and the rest of its target.

    `hosts` are its `Host` headers, of which there must be one. The authority of a target in absolute form
    wins (RFC 9112, 3.2.2), but only where the header says the same. None where it is not said, or not clear.
    """
    authority = hosts[0].strip() if len(hosts) == 1 else None
    match = re.match(r"https?://([^/?#]*)", target, re.IGNORECASE)
    if match is None:
        return authority, target
    rest = target[match.end() :]
    same = authority is not None and host_of(authority) == host_of(match[1])
    return (match[1] if same else None), (rest if rest.startswith("/") else f"/{rest}")


def _plain(name: str) -> str:
    return name.strip("[]").lower().removesuffix(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_loopback(name: str) -> bool:
    address = _address(name)
    return name.lower() == _LOOPBACK or (address is not None and address.is_loopback)


def _is_own(name: str, reached: str) -> bool:
    """Whether `name` is the address that was reached, or one that always means this machine."""
    address = _address(name)
    return address is not None and (address.is_loopback or address == _address(reached))
