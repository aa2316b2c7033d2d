"""Visitors at another address of this machine come to `base_url`; `Host` decides nothing else."""

from __future__ import annotations

import logging
import re

import httpx
import pytest

from pwless_middleware.web.routing.hosts import MAX_LED
from tests.support import Browser, Site, make_site

pytestmark = pytest.mark.anyio

BASE = "http://localhost:8000"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def local(**options: str) -> Site:
    return make_site(base_url=options.get("base_url", BASE))


async def at(browser: Browser, host: str, path: str, **headers: str) -> httpx.Response:
    return await browser.get(path, headers={**PAGE, "host": host, **headers})


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "[::1]:8000", "localhost:8001", "localhost", "LOCALHOST:9", "0.0.0.0:8000",
     "app.localhost:8000", "127.0.1.1:8000"],
)  # fmt: skip
async def test_another_address_of_this_machine_leads_to_base_url(host: str) -> None:
    site = local()
    answer = await at(site.browser(), host, "/auth/login?next=%2Fa%3Fb%3Dc")
    assert answer.status_code == 303
    assert answer.headers["location"] == BASE + "/auth/login?next=%2Fa%3Fb%3Dc"
    denied = await at(site.browser(), host, "/a?b=c")
    assert denied.headers["location"] == BASE + "/auth/login?next=%2Fa%3Fb%3Dc"
    verify = await at(site.browser(), host, "/auth/link?link_token=x")
    assert verify.headers["location"] == BASE + "/auth/link?link_token=x"


async def test_a_path_of_base_url_is_kept() -> None:
    site = local(base_url=BASE + "/tool")
    answer = await at(site.browser(), "127.0.0.1:8000", "/auth/login")
    assert answer.headers["location"] == BASE + "/tool/auth/login"


@pytest.mark.parametrize("host", ["localhost:8000", "LocalHost:8000"])
async def test_the_right_address_is_shown(host: str) -> None:
    assert (await at(local().browser(), host, "/auth/login")).status_code == 200


async def test_the_default_port_may_be_named() -> None:
    site = local(base_url="http://localhost")
    assert (await at(site.browser(), "localhost:80", "/auth/login")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "192.168.1.20:8000"},
        {"host": "testserver"},
        {"host": "evil.example"},
        {"host": "evil example\x7f.localhost"},
        {"host": "127.0.0.1:8000", "x-forwarded-for": "10.0.0.1"},
        {"host": "127.0.0.1:8000", "forwarded": "for=10.0.0.1"},
        {"host": "127.0.0.1:8000", "sec-fetch-mode": "cors"},
        {"host": "127.0.0.1:8000", "sec-fetch-mode": "", "accept": "*/*"},
    ],
)
async def test_who_cannot_come_or_is_no_visitor_is_not_led(headers: dict[str, str]) -> None:
    answer = await local().browser().get("/auth/login", headers={**PAGE, **headers})
    assert answer.status_code == 200


async def test_two_hosts_are_none() -> None:
    lines = [*PAGE.items(), ("host", "127.0.0.1:8000"), ("host", "localhost:8000")]
    assert (await local().browser().get("/auth/login", headers=lines)).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "evil.example", "localhost:443"])
async def test_over_https_the_host_decides_nothing_at_all(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site()
    assert (await at(site.browser(), host, "/auth/login")).status_code == 200
    foreign = {"host": host, "origin": "https://evil.example"}
    assert (await site.browser().post("/auth/login", {}, headers=foreign)).status_code == 403
    assert not [record for record in caplog.records if record.name == "pwless.origin"]


async def test_programs_are_answered_wherever_they_ask() -> None:
    site = local()
    for path in ("/auth/health", "/auth/api/v1/openapi.json"):
        assert (await at(site.browser(), "127.0.0.1:8000", path)).status_code == 200


async def test_a_proxy_that_rewrites_the_host_sends_nobody_round_in_a_circle() -> None:
    site = local()
    visitor = site.browser()
    answers = [await at(visitor, "127.0.0.1:9000", "/auth/login") for _ in range(MAX_LED + 5)]
    assert [a.status_code for a in answers] == [303] * MAX_LED + [200] * 5
    assert (await at(visitor, "localhost:8000", "/auth/login")).status_code == 200
    assert (await at(visitor, "127.0.0.1:9000", "/auth/login")).status_code == 303


async def test_one_warning_names_both_addresses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "pwless.origin")
    site = local()
    for _ in range(2):
        await at(site.browser(), "127.0.0.1:8000", "/auth/login")
    await site.browser().post("/auth/login", {}, headers={"host": "127.0.0.1:8000", "origin": "x"})
    [record] = [record for record in caplog.records if record.name == "pwless.origin"]
    assert "http://127.0.0.1:8000" in record.getMessage()
    assert BASE in record.getMessage()


@pytest.mark.parametrize("base_url", [BASE, "https://app.example.com/tool"])
async def test_a_form_from_elsewhere_is_told_the_right_address(base_url: str) -> None:
    site = make_site(base_url=base_url)
    site.base_url = site.base_url.removesuffix("/tool")
    there = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}
    answer = await site.browser().post("/auth/login", {"email": "a@example.com"}, headers=there)
    assert answer.status_code == 403
    link = re.search(r'<a class="button" href="([^"]*)">([^<]*)</a>', answer.text)
    assert link is not None
    assert link[1] == base_url + "/auth/login"
    assert base_url + "/" in link[2]
