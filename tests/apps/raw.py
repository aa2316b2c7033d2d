"""Requests written byte by byte, for what no client library would send."""

from __future__ import annotations

import socket

from tests.apps.places import Site


def exchange(site: Site, request: str | bytes, *, until: bytes | None = None) -> bytes:
    """Send raw bytes and give the raw answer: until the connection ends, or a text has come."""
    raw = request.encode() if isinstance(request, str) else request
    with socket.create_connection(("127.0.0.1", site.server.port), 30) as connection:
        connection.sendall(raw)
        answer = b""
        while until is None or until not in answer:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


def head(site: Site, path: str, *lines: str, host: str | None = None) -> str:
    """Write the head of a GET that closes its connection."""
    name = host or site.base_url.removeprefix("http://")
    rows = [f"GET {path} HTTP/1.1", f"Host: {name}", "Connection: close", *lines]
    return "\r\n".join(rows) + "\r\n\r\n"


def status(answer: bytes) -> int:
    """Return the status of a raw answer, or of the one that follows a `100 Continue`."""
    if answer.startswith(b"HTTP/1.1 100"):
        answer = answer.split(b"\r\n\r\n", 1)[1]
    return int(answer.split(b" ", 2)[1])
