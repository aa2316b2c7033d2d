"""A gateway reports how a text message ended, at an address that only it knows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware.delivery.base import MaybeDelivered
from tests.features.second_factors.sms.people import OTHER_PHONE, PHONE, TextSite
from tests.support import BASE

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> TextSite:
    return TextSite(tmp_path)


async def sent(site: TextSite) -> str:
    """Return the path at which the newest text message is reported."""
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    url = site.phones.last().status_url
    assert url.startswith(f"{BASE}/auth/sms/status/")
    assert site.phones.code() not in url
    return urlsplit(url).path


async def report(site: TextSite, path: str, status: str = "delivered", method: str = "POST") -> int:
    """Report as a gateway does: without cookies, without an origin; return the answer's status."""
    gateway = site.browser(ip="198.51.100.50")
    if method == "POST":
        answer = await gateway.request(
            method, path, content=status.encode(), headers={"origin": "", "content-type": "x/y"}
        )
    else:
        answer = await gateway.request(method, f"{path}?{status}")
    await asyncio.sleep(0)
    assert "set-cookie" not in answer.headers
    return answer.status_code


def ends(site: TextSite) -> list[str]:
    kinds = [event.kind for event in site.told]
    return [kind for kind in kinds if kind in ("sms.delivered", "sms.undelivered")]


async def test_the_end_of_a_text_message_is_an_event_of_its_story_once(site: TextSite) -> None:
    path = await sent(site)
    assert await report(site, path, "queued") == 204
    assert ends(site) == []
    assert await report(site, path) == 204
    assert await report(site, path) == 204
    assert await report(site, path, "undelivered") == 204
    assert ends(site) == ["sms.delivered"]
    (end,) = site.kinds("sms.delivered")
    (asked,) = site.kinds("sms.requested")
    assert end.attempt == asked.attempt is not None


async def test_some_report_by_a_get_and_a_head_does_nothing(site: TextSite) -> None:
    path = await sent(site)
    assert await report(site, path, method="HEAD") == 204
    assert ends(site) == []
    assert await report(site, path, "undelivered", method="GET") == 204
    assert ends(site) == ["sms.undelivered"]


async def test_each_sending_has_an_end_of_its_own(site: TextSite) -> None:
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    for _ in range(2):
        await site.send(jo, login_id)
        site.clock.now += 60
    paths = [urlsplit(message.status_url).path for message in site.phones.messages]
    assert [await report(site, path) for path in paths] == [204, 204]
    assert ends(site) == ["sms.delivered"] * 2


async def test_a_message_that_several_tries_have_handed_over_has_one_end(site: TextSite) -> None:
    """Of the first ones nobody knows whether they were taken, and each may be reported."""
    site.phones.error = MaybeDelivered("no answer")
    await site.add_phone(await site.user_id())
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    paths = {urlsplit(url).path for url in site.phones.urls}
    site.phones.error = None
    site.clock.now += 60
    await site.site.passwordless.deliveries.run_due()
    paths.add(urlsplit(site.phones.last().status_url).path)
    for path in paths:
        assert await report(site, path) == 204
    assert len(site.phones.urls) == 2
    assert ends(site) == ["sms.delivered"]


@pytest.mark.parametrize("change", ["x", "", "A" * 60, "../status", "%00"])
async def test_nobody_reports_who_does_not_know_the_address(site: TextSite, change: str) -> None:
    path = await sent(site)
    forged = f"{path[:-4]}{change}" if change == "x" else f"/auth/sms/status/{change}"
    before = site.site.snapshot()
    assert await report(site, forged) == 404
    assert ends(site) == []
    assert site.site.snapshot() == before


async def test_an_address_is_good_for_a_day(site: TextSite) -> None:
    path = await sent(site)
    site.clock.now += 86400
    assert await report(site, path) == 404


async def test_a_report_is_bounded(site: TextSite) -> None:
    path = await sent(site)
    assert await report(site, path, "x" * 20_000) == 413


async def test_a_report_opens_nothing(site: TextSite) -> None:
    path = await sent(site)
    handle = path.rpartition("/")[2]
    for where in ("link?link_token=", "step/second-factor?login_id=", "api/v1/step?login_id="):
        answer = await site.browser().get(f"/auth/{where}{handle}")
        assert answer.status_code in (200, 303, 401, 404, 410)
        assert "set-cookie" not in answer.headers
    assert PHONE not in path
    assert OTHER_PHONE not in path
