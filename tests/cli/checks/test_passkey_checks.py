"""What `check` says of passkeys, as it asks the live host."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from pwless_middleware.cli.checks import passkey_checks
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from tests.cli.conftest import Project

pytestmark = pytest.mark.anyio

SHOP, OTHER = "https://shop.example", "https://other.example"


def test_the_command_tells_it(project: Project) -> None:
    project.wrapped(
        "base_url='https://example.com', mailer=Outbox(), database='sqlite:///pwless.db',"
        "features=[EmailLogin(), Passkeys()]"
    )
    _, report = project.check("site_app:app")
    assert report["passkeys"][0] == "ok"
    assert "made for example.com" in report["passkeys"][1]


Answer = Callable[..., RelyingParty]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """Start a host that answers so, and give the relying party whose host it is."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(body: str, *, status: int = 200, kind: str = "application/json") -> RelyingParty:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status if self.path == "/.well-known/webauthn" else 599)
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return RelyingParty(f"localhost:{server.server_port}", (SHOP, OTHER))

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_what_browsers_find_there_is_asked_for(live: Answer) -> None:
    all_of_them = json.dumps({"origins": [SHOP, OTHER, "https://more.example"]})
    assert passkey_checks._ask(live(all_of_them)).level == "ok"
    typed = passkey_checks._ask(live(all_of_them, kind="application/json; charset=utf-8"))
    assert typed.level == "ok"


@pytest.mark.parametrize(
    ("body", "given", "says"),
    [
        (json.dumps({"origins": [SHOP]}), {}, "does not name https://other.example"),
        ("{}", {}, "does not name"),
        ("[]", {}, "does not name"),
        ("<html>", {}, "does not name"),
        ('{"origins": "https://shop.example"}', {}, "does not name"),
        ('{"origins": [[], 5]}', {}, "does not name"),
        ("{}", {"kind": "text/html"}, "has to be application/json"),
        ("", {"status": 404}, "answers 404"),
    ],
)
def test_what_is_wrong_there_fails(
    live: Answer, body: str, given: dict[str, Any], says: str
) -> None:
    found = passkey_checks._ask(live(body, **given))
    assert (found.level, found.check) == ("fail", "well_known")
    assert says in found.message


def test_a_network_that_is_not_there_is_no_failure(live: Answer) -> None:
    assert passkey_checks._ask(RelyingParty("localhost:1", (SHOP,))).level == "skip"
