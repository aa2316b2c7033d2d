"""A reverse proxy that shows an app under a path prefix and may take it off, as nginx does.

It rewrites the request line of the first request of each connection, asks for the connection to be
closed after it, and then passes bytes both ways unread: streams, uploads and upgrades stay what
they are. A path outside the prefix is not the app's: 404, so that a redirect or a link which
forgets the prefix fails here as it would in front of users.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading

_HEAD_LIMIT = 64 * 1024
_OUTSIDE = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Proxy:
    """Listen on a free port of loopback; set `backend` before the first request.

    Args:
        prefix: the path under which the app is shown, e.g. `/tools`.
        strips: whether the prefix is taken off.
    """

    def __init__(self, prefix: str, *, strips: bool) -> None:
        self._prefix = prefix.encode()
        self._strips = strips
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://localhost:{self._listener.getsockname()[1]}{prefix}"
        self.backend = 0
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further connection and cut those that are open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with client, contextlib.suppress(OSError):
            client.settimeout(30)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(_HEAD_LIMIT)
                if not piece or len(head) > _HEAD_LIMIT:
                    return
                head += piece
            head, rest = head.split(b"\r\n\r\n", 1)
            inner = self._inner(head)
            if inner is None:
                client.sendall(_OUTSIDE)
                return
            with socket.create_connection(("127.0.0.1", self.backend), 30) as backend:
                self._open.add(backend)
                backend.settimeout(30)
                backend.sendall(inner + rest)
                back = threading.Thread(target=_pass, args=(backend, client), daemon=True)
                back.start()
                _pass(client, backend)
                back.join()
                self._open.discard(backend)
        self._open.discard(client)

    def _inner(self, head: bytes) -> bytes | None:
        line, _, headers = head.partition(b"\r\n")
        method, target, version = line.split(b" ", 2)
        path = target.split(b"?", 1)[0]
        if path != self._prefix and not path.startswith(self._prefix + b"/"):
            return None
        if self._strips:
            target = target[len(self._prefix) :]
            target = target if target[:1] == b"/" else b"/" + target
        if b"upgrade:" not in headers.lower():
            headers = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", headers + b"\r\n")
            headers += b"connection: close"
        return b"\r\n".join([b" ".join([method, target, version]), headers]) + b"\r\n\r\n"


def _pass(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until the source ends, then say so to the target."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_HEAD_LIMIT):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
