"""A code that goes out through each gateway on its wire, and comes back as a report."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware.delivery.outbox import find_code
from tests.delivery.texts.fake_server import serving
from tests.delivery.texts.vendors import VENDORS, Vendor
from tests.features.second_factors.sms.people import PHONE, TextSite

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
async def test_a_person_signs_in_and_the_gateway_reports(vendor: Vendor, tmp_path: Path) -> None:
    async with serving(vendor.answer) as server:
        site = TextSite(tmp_path, sms=vendor.make(server.url))
        await site.add_phone(await site.user_id())
        jo, login_id = await site.begin_login()
        assert (await site.send(jo, login_id)).status_code == 200
        (seen,) = server.seen
        sent = vendor.read(seen)
        assert sent.to == PHONE
        assert (await site.answer(jo, login_id, find_code(sent.body) or "")).status_code == 200
        await site.site.passwordless.lifetime.close()
    assert len(site.kinds("sms.sent")) == 1
    if vendor.name == "sns":
        return  # it reports to CloudWatch alone
    report, status = vendor.receipts[0]
    path = urlsplit(sent.status_url).path
    gateway = site.browser(ip="198.51.100.50")
    if vendor.name == "messagebird":
        answer = await gateway.request("GET", f"{path}?{report.decode()}")
    else:
        answer = await gateway.request("POST", path, content=report, headers={"origin": ""})
    assert answer.status_code == 204
    await asyncio.sleep(0)
    assert len(site.kinds(f"sms.{status}")) == 1
