"""What `check` says of passkeys: whom they are for, and which of them open nothing."""

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

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.cli import passkey_checks
from pwless_middleware.cli.findings import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.passkeys import SQLPasskeys
from pwless_middleware.features.passkeys.relying_party import RelyingParty
from tests.cli.conftest import Project
from tests.passkeys import make_passkey
from tests.support import make_site

pytestmark = pytest.mark.anyio

SHOP, OTHER = "https://shop.example", "https://other.example"


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    await database.open()
    return database


async def check(
    database: Database, *, base_url: str = "https://example.com", **options: Any
) -> dict[str, Finding]:
    features = [EmailLogin(), Passkeys(**options)]
    site = make_site(database=database, base_url=base_url, features=features)
    found = await passkey_checks.check_passkeys(site.passwordless, is_ready=True, is_live=False)
    return {finding.check: finding for finding in found}


# --- the relying party id ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "rp_id", "says"),
    [
        ("https://example.com", None, "made for example.com: another rp_id"),
        ("https://www.example.com", None, "made for example.com: every host below it"),
        ("https://app.example.com:8443", None, "set the domain above now"),
        ("https://app.example.com", "example.com", "not app.example.com alone"),
        ("http://localhost:8000", None, "made for localhost"),
    ],
)
async def test_it_says_for_whom_they_are_made(
    database: Database, base_url: str, rp_id: str | None, says: str
) -> None:
    found = await check(database, base_url=base_url, rp_id=rp_id)
    assert [*found] == ["passkeys"]
    assert found["passkeys"].level == "ok"
    assert says in found["passkeys"].message


async def test_those_that_were_made_for_another_one_are_counted(database: Database) -> None:
    passkeys = SQLPasskeys(database)
    for number, rp_id in enumerate(("old.example", "old.example", "example.com"), 1):
        await passkeys.add(make_passkey(number=number, rp_id=rp_id), most=10)
    found = await check(database)
    assert found["rp_id"].level == "warn"
    assert "2 passkeys belong to old.example" in found["rp_id"].message
    assert "nobody can sign in with them" in found["rp_id"].message
    assert "rp_id='old.example'" in found["rp_id"].message


async def test_without_the_feature_it_speaks_of_those_that_there_are(database: Database) -> None:
    site = make_site(database=database)
    given = {"is_ready": True, "is_live": False}
    assert await passkey_checks.check_passkeys(site.passwordless, **given) == []
    await SQLPasskeys(database).add(make_passkey(), most=10)
    [found] = await passkey_checks.check_passkeys(site.passwordless, **given)
    assert (found.level, found.check) == ("warn", "passkeys")
    assert "1 passkey, with which nobody can sign in: add Passkeys()" in found.message


async def test_a_database_that_cannot_be_asked_is_told_of_elsewhere(tmp_path: Path) -> None:
    found = await check(Database(f"sqlite:///{tmp_path}/missing/pwless.db"))
    assert [*found] == ["passkeys"]
    none = await passkey_checks.check_passkeys(
        make_site().passwordless, is_ready=True, is_live=False
    )
    assert none == []


def test_the_command_tells_it(project: Project) -> None:
    project.wrapped(
        "base_url='https://example.com', mailer=Outbox(), database='sqlite:///pwless.db',"
        "features=[EmailLogin(), Passkeys()]"
    )
    _, report = project.check("site_app:app")
    assert report["passkeys"][0] == "ok"
    assert "made for example.com" in report["passkeys"][1]


# --- further origins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "rp_id", "level", "says"),
    [
        ("https://example.com", None, "ok", "as the app says at https://example.com/.well-known"),
        ("https://example.com/app", None, "warn", "have the proxy hand that path on to the app"),
        ("https://www.example.com", None, "warn", '{"origins": ["https://shop.example"]}'),
        ("https://example.com:8443", None, "warn", "that is not this app"),
        ("http://localhost:8000", None, "warn", "no browser asks localhost"),
    ],
)
async def test_it_says_where_browsers_look_for_pages_of_other_hosts(
    database: Database, base_url: str, rp_id: str | None, level: str, says: str
) -> None:
    found = await check(database, base_url=base_url, rp_id=rp_id, origins=[SHOP])
    assert found["origins"].level == level
    assert SHOP in found["origins"].message
    assert says in found["origins"].message


async def test_it_says_what_an_android_app_needs(database: Database) -> None:
    found = await check(database, origins=["android:apk-key-hash:" + "A" * 43])
    assert [*found] == ["passkeys", "apps"]
    assert "https://example.com/.well-known/assetlinks.json" in found["apps"].message


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
