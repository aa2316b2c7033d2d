"""The live site, as an https server on this machine; `test_check.py` has the other probes."""

from __future__ import annotations

import email.utils
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from pwless_middleware import Outbox, PasswordlessMiddleware
from pwless_middleware.cli.checks import probes
from pwless_middleware.cli.main import main
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.discovery import Found
from tests.cli.conftest import KEY, Project

pytestmark = pytest.mark.anyio

HSTS = {"Strict-Transport-Security": "max-age=31536000"}
Site = Callable[..., str]


async def nothing(*_: object) -> None:
    raise NotImplementedError


def found(*, trusted_proxies: int = 0) -> Found:
    app = PasswordlessMiddleware(
        nothing,
        secret_key=KEY,
        base_url="https://app.acme.example",
        mailer=Outbox(),
        trusted_proxies=trusted_proxies,
    )
    return Found(app, "")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Start a site that answers so, with a certificate that this process trusts; gives its URL."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(status: int = 200, **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status if self.path == "/auth/login" else 599)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"https://localhost:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(10)
        server.server_close()


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


async def test_a_live_site_with_hsts_is_ok(site: Site) -> None:
    now = email.utils.formatdate(time.time(), usegmt=True)
    told = by_check(await probes.live(found(), site(**HSTS, Date=now) + "/"))
    assert {name: finding.level for name, finding in told.items()} == {"live": "ok", "hsts": "ok"}


async def test_missing_hsts_warns(site: Site) -> None:
    assert by_check(await probes.live(found(), site()))["hsts"].level == "warn"


async def test_another_answer_warns(site: Site) -> None:
    told = by_check(await probes.live(found(), site(404, **HSTS)))
    assert told["live"].level == "warn"
    assert "answers 404" in told["live"].message
    assert told["hsts"].level == "ok"


@pytest.mark.parametrize("headers", [{"Server": "nginx/1.27"}, {"Via": "1.1 Caddy"}])
async def test_a_proxy_in_front_that_nobody_told_us_of_fails(
    headers: dict[str, str], site: Site
) -> None:
    url = site(**headers)
    told = by_check(await probes.live(found(), url))
    assert told["proxies"].level == "fail"
    assert "proxies" not in by_check(await probes.live(found(trusted_proxies=1), url))


async def test_a_clock_that_is_off_warns(site: Site) -> None:
    then = email.utils.formatdate(time.time() - 600, usegmt=True)
    told = by_check(await probes.live(found(), site(Date=then)))
    assert "s apart" in told["clock"].message


async def test_a_date_that_is_none_says_nothing(site: Site) -> None:
    assert "clock" not in by_check(await probes.live(found(), site(Date="yesterday")))


async def test_a_site_that_is_not_reached_is_skipped(site: Site) -> None:
    [told] = await probes.live(found(), "https://127.0.0.1:9")
    assert told.level == "skip"
    assert "cannot be reached" in told.message


@pytest.mark.parametrize("url", ["https://..", "https://" + "a" * 64 + ".example"])
async def test_a_name_that_nobody_can_look_for_is_skipped(url: str) -> None:
    [told] = await probes.live(found(), url)
    assert told.level == "skip"
    assert "cannot be asked" in told.message


@pytest.mark.parametrize(
    "url", ["http://app.example.com", "https://", "https://[", "https://a b", "https://a:x"]
)
def test_what_is_no_address_of_a_site_is_told_in_one_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "main:app", "--url", url]) == 2
    assert capsys.readouterr().err == "pwless: --url: give the https address of the live site\n"


async def test_a_certificate_that_is_not_trusted_is_skipped_and_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site()
    monkeypatch.delenv("SSL_CERT_FILE")
    [told] = await probes.live(found(), url)
    assert told.level == "skip"
    assert "CERTIFICATE_VERIFY_FAILED" in told.message


def test_the_command_looks_at_the_site_that_is_named(site: Site, project: Project) -> None:
    project.wrapped("base_url='https://app.acme.example', mailer=Outbox()")
    report = project.check("site_app:app", "--url", site())[1]
    assert report["live"][0] == "ok"
    assert report["hsts"][0] == "warn"
