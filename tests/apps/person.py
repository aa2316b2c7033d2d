"""A person at a browser, over real HTTP: opens a page, is sent to login, reads the mail, is in.

Everything goes through the pages, as for somebody without JavaScript: forms are read from the HTML
and sent with the fields and to the action that stand there, and redirects are followed by hand so
that a test can look at each.
"""

from __future__ import annotations

import itertools
import re
import socket as tcp
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_PEOPLE = itertools.count()


class _Page(HTMLParser):
    """The first form of a page, and the newest code and link of the mailbox."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.code = ""
        self.link = ""
        self._forms = 0
        self._in_code = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms += 1
            self.action = self.action if self._forms > 1 else got.get("action", "")
        elif tag == "input" and self._forms == 1 and "name" in got:
            self.fields[got["name"]] = got.get("value", "")
        elif "data-code" in got and not self.code:
            self._in_code = True
        elif "data-link" in got and not self.link:
            self.link = got.get("href", "")

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code, self._in_code = data.strip(), False


class Person:
    """One browser.

    Args:
        base_url: what stands in its address line, with the proxy's prefix if there is one.
        mailbox: where its mails are, as the server's console says.
    """

    def __init__(self, base_url: str, mailbox: Callable[[], str]) -> None:
        self.base_url = base_url
        self.mailbox = mailbox
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = parts.path.rstrip("/")
        self.http = httpx.Client(timeout=30, trust_env=False)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def url(self, path: str) -> str:
        """Return the URL of a path of the app."""
        return self.base_url + path

    def at(self, response: httpx.Response) -> str:
        """Return the path and query that the address line shows after a redirect."""
        target = urlsplit(urljoin(str(response.url), response.headers["location"]))
        assert f"{target.scheme}://{target.netloc}" == self.origin
        assert target.path.startswith(self.prefix + "/"), target.path
        path = target.path[len(self.prefix) :]
        return path + (f"?{target.query}" if target.query else "")

    def open(self, path: str) -> httpx.Response:
        """Open a page, as a browser navigates; redirects are not followed."""
        accept = {"accept": "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate"}
        return self.http.get(self.url(path), headers=accept)

    def visit(self, path: str) -> httpx.Response:
        """Open a page and follow redirects, by hand, to what is shown in the end."""
        response = self.open(path)
        for _ in range(8):
            if not response.is_redirect:
                return response
            response = self.open(self.at(response))
        raise AssertionError(f"{path} redirects without end")

    def submit(self, page: httpx.Response, **typed: str) -> httpx.Response:
        """Fill in and send the first form of a page."""
        form = _Page(page.text)
        assert form.action is not None, page.text[:2000]
        url = urljoin(str(page.url), form.action)
        return self.http.post(url, data={**form.fields, **typed}, headers={"origin": self.origin})

    def sign_in(self, path: str = "/", *, email: str | None = None) -> httpx.Response:
        """Open a private page, sign in by the code of the mail, and give the final redirect."""
        email = email or f"person{next(_PEOPLE)}@example.com"
        page = self.visit(path)
        assert page.status_code == 200, page.text[:2000]
        waiting = self.submit(page, email=email)
        assert waiting.status_code == 303, waiting.text[:2000]
        page = self.open(self.at(waiting))
        done = self.submit(page, code=self.newest_code())
        assert done.status_code == 303, done.text[:2000]
        return done

    def newest_code(self) -> str:
        """Read the code of the newest mail, at the development mailbox."""
        return _Page(self.mails()).code

    def newest_link(self) -> str:
        """Read the link of the newest mail."""
        return _Page(self.mails()).link

    def mails(self) -> str:
        """Read the development mailbox."""
        page = self.http.get(self.mailbox())
        assert page.status_code == 200, page.text
        return page.text

    def sign_out(self) -> None:
        """Press the button of the logout page."""
        assert self.submit(self.open("/auth/logout")).status_code == 303

    @property
    def session_cookie(self) -> tuple[str, str]:
        """Return the name and value of the session cookie; there must be one."""
        shape = re.compile(r"(?:__Host-)?pwless(?:-[0-9a-f]{8})?")
        [found] = [c for c in self.http.cookies.jar if shape.fullmatch(c.name)]
        return found.name, found.value or ""

    @property
    def cookies(self) -> str:
        """Its `Cookie` header, for clients other than `http`."""
        return "; ".join(f"{c.name}={c.value}" for c in self.http.cookies.jar)

    def socket(
        self, path: str, *, origin: str | None = None, subprotocols: tuple[str, ...] = ()
    ) -> ClientConnection:
        """Open a websocket, as a page of this origin would.

        Raises:
            websockets.exceptions.InvalidStatus: it was refused; the response is in it.
        """
        headers = {"Cookie": self.cookies} if self.cookies else {}
        return connect(
            "ws" + self.url(path)[4:],
            additional_headers=headers,
            origin=Origin(origin or self.origin),
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            open_timeout=30,
            close_timeout=30,
            proxy=None,
        )

    def unread_socket(self, path: str) -> tcp.socket:
        """Open a websocket on a bare connection with a small window, and read nothing from it."""
        name, _, port = self.origin.partition("://")[2].partition(":")
        connection = tcp.create_connection((name, int(port)), 30)
        connection.setsockopt(tcp.SOL_SOCKET, tcp.SO_RCVBUF, 4096)
        rows = [
            f"GET {self.prefix}{path} HTTP/1.1",
            f"Host: {name}:{port}",
            f"Origin: {self.origin}",
            f"Cookie: {self.cookies}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        connection.sendall(("\r\n".join(rows) + "\r\n\r\n").encode())
        return connection

    def lines(self, path: str) -> Iterator[str]:
        """Return a stream's lines as they come."""
        with self.http.stream("GET", self.url(path)) as response:
            assert response.status_code == 200
            yield from response.iter_lines()
