"""The development mailbox opens for whoever reads the console alone (security rule 17)."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from pwless_middleware import EmailLogin, Kit, Mounted, Outbox
from pwless_middleware.delivery.texts.base import TextMessage, TextSender
from pwless_middleware.delivery.texts.fallback import FallbackTexts
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.delivery.texts.twilio import TwilioTexts
from tests.support import KEY, OTHER_KEY, Site, http_scope, make_site, run

pytestmark = pytest.mark.anyio

LOCAL = "http://localhost:8000"
OWN = (b"host", b"localhost:8000")


def _site(**options: Any) -> Site:
    return make_site(base_url=LOCAL, **options)


def _token(site: Site) -> str:
    url = site.passwordless.mailbox_url
    assert url is not None
    return parse_qs(urlsplit(url).query)["token"][0]


async def _get(site: Site, path: str = "/auth/outbox", **scope: Any) -> tuple[int, Any, str]:
    """Ask as who sits at this machine and knows the token, unless the scope says otherwise."""
    token = scope.pop("token") if "token" in scope else _token(site)
    query = f"token={token}".encode() if token is not None else b""
    given = {"headers": [OWN], "client": ("127.0.0.1", 1), "query_string": query, **scope}
    start, body, *_ = await run(site.app, http_scope(path, **given))
    return start["status"], dict(start["headers"]), body["body"].decode()


async def test_it_shows_the_mails_to_who_has_the_address() -> None:
    site = _site()
    await site.browser().ask("jo@example.com")
    status, headers, page = await _get(site)
    assert status == 200
    assert "jo@example.com" in page
    assert str(site.mail().code) in page
    assert b"frame-src 'self'" in headers[b"content-security-policy"]


@pytest.mark.parametrize("token", [None, "", "wrong", "tok&token=tok"])
async def test_without_the_token_it_shows_nothing_and_points_at_the_console(
    token: str | None,
) -> None:
    """A plain TCP forwarder on this machine makes a stranger look local."""
    site = _site()
    await site.browser().ask("jo@example.com")
    status, _, page = await _get(site, token=token)
    assert status == 403
    assert "console" in page
    assert "jo@example.com" not in page
    assert str(site.mail().code) not in page
    assert _token(site) not in page


async def test_the_token_twice_is_none() -> None:
    site = _site()
    query = f"token={_token(site)}&token={_token(site)}".encode()
    status, _, _ = await _get(site, query_string=query)
    assert status == 403


async def test_the_token_is_the_keys_so_that_reloads_and_workers_agree() -> None:
    assert _token(_site()) == _token(_site())
    assert _token(_site()) != _token(_site(secret_key=OTHER_KEY))
    assert _token(_site()) not in KEY


@pytest.mark.parametrize(
    "scope",
    [
        {"client": ("203.0.113.1", 1)},
        {"client": ("10.0.0.1", 1)},
        {"client": None},
        {"client": ("testclient", 1)},
        *({"headers": [(b"host", host)]} for host in (b"evil.example", b"localhost")),
        {"headers": []},
        {"headers": [OWN, OWN]},
        *(
            {"headers": [OWN, (name, b"127.0.0.1")]}
            for name in (
                *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"),
                *(b"x-real-ip", b"via", b"true-client-ip", b"cf-connecting-ip", b"x-client-ip"),
                *(b"fly-client-ip", b"x-original-forwarded-for", b"x-original-host"),
            )
        ),
    ],
)
async def test_from_elsewhere_it_does_not_exist_even_with_the_token(scope: dict[str, Any]) -> None:
    site = _site()
    assert (await _get(site, **scope))[0] == 404


async def test_it_does_not_exist_on_https_or_with_another_mailer() -> None:
    class Post:
        async def send(self, message: object) -> None: ...
        async def aclose(self) -> None: ...

    for site in (make_site(), _site(mailer=Post())):
        assert site.passwordless.mailbox_url is None
        host = (b"host", urlsplit(site.base_url).netloc.encode())
        assert (await _get(site, headers=[host], token="x"))[0] == 404


async def test_a_mail_is_shown_rendered_in_a_sandbox() -> None:
    site = _site()
    await site.browser().ask("jo@example.com")
    _, _, page = await _get(site)
    frame = re.search(r'<iframe[^>]* src="(/auth/outbox/[^?"]+)\?token=([^"]+)"', page)
    assert frame is not None
    assert frame[2] == _token(site)
    status, headers, mail = await _get(site, frame[1])
    assert status == 200
    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("sandbox allow-top-navigation-by-user-activation; default-src 'none'")
    assert "script" not in policy
    assert headers[b"cache-control"] == b"no-store"
    assert '<base target="_top">' in mail
    assert str(site.mail().link).replace("&", "&amp;") in mail
    assert (await _get(site, frame[1], token="wrong"))[0] == 404
    assert (await _get(site, frame[1][:-1] + "x"))[0] == 404
    assert (await _get(site, frame[1], client=("203.0.113.1", 1)))[0] == 404


def test_the_console_says_once_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    site = _site()
    with caplog.at_level(logging.WARNING, "pwless"):
        for _ in range(2):
            with TestClient(site.app, base_url=LOCAL) as visitor:
                visitor.get("/auth/login")
    said = [r.getMessage() for r in caplog.records if "/auth/outbox" in r.getMessage()]
    assert said == [f"emails stay on this machine; read them at {site.passwordless.mailbox_url}"]


def test_no_page_of_a_visitor_holds_the_address() -> None:
    site = _site(public=["*"])
    with TestClient(site.app, base_url=LOCAL) as visitor:
        origin = {"origin": LOCAL}
        pages = [
            visitor.get("/auth/login"),
            visitor.post("/auth/login", data={"email": "jo@example.com"}, headers=origin),
            visitor.get("/auth/verify"),
            visitor.get("/auth/outbox"),
        ]
    for page in pages:
        assert _token(site) not in page.text
        assert _token(site) not in str(page.url)


async def test_mails_of_one_second_to_one_address_are_told_apart() -> None:
    outbox = Outbox(clock=lambda: 1.0)
    site = _site(outbox=outbox, roomy=True)
    for _ in range(2):
        await site.browser().ask("jo@example.com")
    _, _, page = await _get(site)
    assert len(set(re.findall(r"/auth/outbox/([^?]+)\?", page))) == 2


class Texts:
    """Send text messages into outboxes."""

    def __init__(self, *senders: TextSender) -> None:
        self.senders = senders

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(text_senders=self.senders)


async def test_text_messages_stand_among_the_mails_newest_first() -> None:
    first, second = TextOutbox(clock=lambda: 1), TextOutbox(clock=lambda: 4_000_000_000)
    gateway = TwilioTexts(account_sid="AC" + "0a" * 16, auth_token="x", sender="Acme")
    site = _site(features=[EmailLogin(), Texts(gateway, FallbackTexts(first, second))])
    await first.send(TextMessage("+4915100000001", "older <b>111111</b>"))
    await site.browser().ask("jo@example.com")
    await second.send(TextMessage("+4915100000002", "222222 is your code."))
    status, _, page = await _get(site)
    assert status == 200
    order = [page.index(part) for part in ("+4915100000002", "jo@example.com", "+4915100000001")]
    assert order == sorted(order)
    assert page.count("<h2") == 3
    assert page.count(">Text message</h2>") == 2
    assert page.count("<iframe") == 1
    assert re.findall(r"data-code>(\d+)<", page)[0] == "222222"
    assert "older &lt;b&gt;111111&lt;/b&gt;" in page
    assert re.search(r'<article[^>]*data-newest="[0-9a-f]{16}"', page)


async def test_text_messages_are_for_who_has_the_address_alone() -> None:
    outbox = TextOutbox()
    site = _site(features=[EmailLogin(), Texts(outbox)])
    await outbox.send(TextMessage("+4915100000001", "111111"))
    status, _, page = await _get(site, token="wrong")
    assert status == 403
    assert "111111" not in page
