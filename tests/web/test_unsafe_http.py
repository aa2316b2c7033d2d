"""http elsewhere than on this machine, and the origins of apps that are no web pages."""

from __future__ import annotations

import logging

import pytest

from pwless_middleware import Outbox
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.routing.origin import Origin, parse_origins
from tests.support import make_site

pytestmark = pytest.mark.anyio

NAS = "http://nas.home.arpa:8000"


def test_http_elsewhere_needs_a_word() -> None:
    with pytest.raises(ConfigError, match="unsafe_http=True"):
        Origin(NAS)
    with pytest.raises(ConfigError, match="unsafe_http"):
        make_site(base_url=NAS, unsafe_http="yes")


async def test_with_the_word_it_works_and_warns_at_each_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        site = make_site(base_url=NAS, unsafe_http=True)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert NAS in warnings[0]
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
    assert jo.cookie_name().startswith("pwless-")
    page = {"accept": "text/html", "host": "192.168.1.5:8000"}
    answer = await jo.get("/auth/login", headers=page)
    assert answer.headers["location"] == f"{NAS}/auth/login"


async def test_the_mailbox_stays_on_this_machine() -> None:
    site = make_site(base_url=NAS, unsafe_http=True, outbox=Outbox())
    assert site.passwordless.mailbox_url is None
    assert (await site.browser(ip="127.0.0.1").get("/auth/outbox")).status_code == 404
    with pytest.raises(ConfigError, match="mailer"):
        site.passwordless.check_served()


@pytest.mark.parametrize("base_url", ["https://app.example.com", "http://localhost:8000"])
def test_the_word_changes_nothing_elsewhere(
    base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_site(base_url=base_url, unsafe_http=True)
    assert caplog.records == []


APPS = ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "http://tauri.localhost"]


@pytest.mark.parametrize("origin", APPS)
async def test_the_pages_of_an_app_may_be_allowed(origin: str) -> None:
    site = make_site(allowed_origins=APPS)
    jo = site.browser(headers={"origin": origin})
    sent = await jo.call("send", {"email": "jo@example.com"})
    assert sent.status_code == 200
    form = await jo.post("/auth/login", {"email": "jo@example.com"})
    assert form.status_code == 403, "our pages are for our own origin"
    stranger = make_site().browser(headers={"origin": origin})
    assert (await stranger.call("send", {"email": "jo@example.com"})).status_code == 403


@pytest.mark.parametrize(
    "origin", ["capacitor://evil", "capacitor://localhost/", "app://localhost", "null", "file://"]
)
def test_other_schemes_are_no_origins(origin: str) -> None:
    with pytest.raises(ConfigError, match="allowed_origins"):
        parse_origins([origin])
