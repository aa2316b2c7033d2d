"""Stories of text messages in which every kind of event happens, for every reason."""

from __future__ import annotations

from urllib.parse import urlsplit

from pwless_middleware.errors import DeliveryError
from pwless_middleware.features.second_factors.sms.limits import SMSLimits
from tests.features.second_factors.sms.people import KIM, OTHER_PHONE, TextSite
from tests.support import Browser

FEW = SMSLimits(
    per_minute=1, user_per_day=2, client_per_hour=3, prefix_per_day=2, overall_per_day=5
)
"""Limits of which `tell_of_too_many` reaches each."""


async def tell_of_every_fate(site: TextSite) -> None:
    """Let text messages be sent, fail, wait until nobody wants them, and be reported."""
    user_id = await site.user_id()
    await site.add_phone(user_id)
    await site.add_phone(user_id, OTHER_PHONE, id="g" * 22)
    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    site.clock.now += 60
    site.phones.error = DeliveryError("the gateway is down")
    await site.send(jo, login_id)
    await site.answer(jo, login_id, site.phones.code())
    await _let_go(site)  # used

    jo, login_id = await site.begin_login()
    await site.send(jo, login_id)
    await site.send(jo, login_id, factor_id="g" * 22)
    site.phones.error = None
    await _let_go(site)  # superseded
    site.phones.error = DeliveryError("refused", permanent=True)
    await site.send(jo, login_id)
    site.phones.error = DeliveryError("the gateway is down")
    site.clock.now += 60
    await site.send(jo, login_id)
    await site.factors.remove_all(user_id)
    await _let_go(site)  # removed
    statuses = ("delivered", "undelivered")
    for message, status in zip(site.phones.messages, statuses, strict=True):
        path = urlsplit(message.status_url).path
        await site.browser().request("POST", path, content=status.encode())


async def tell_of_too_many(site: TextSite) -> None:
    """Reach each limit of a site that has `FEW`: of number, block, user, client, and all."""
    people = [await _enroll(site, number) for number in range(5)]
    here, there, elsewhere = "192.0.2.1", "192.0.2.2", "192.0.2.3"
    first, second, third, fourth, fifth = people
    await _ask(site, first, here)
    await _ask(site, first, here)  # the number's minute
    await _ask(site, second, here)
    await _ask(site, third, there)  # the block's day
    site.clock.now += 60
    await site.add_phone(second[0], "+491601234567", id="s" * 22)
    await _ask(site, second, here, factor_id="s" * 22)
    await site.add_phone(second[0], "+491601999567", id="t" * 22)
    await _ask(site, second, here, factor_id="t" * 22)  # the user's day
    await site.add_phone(fourth[0], "+491602234567", id="u" * 22)
    await _ask(site, fourth, here, factor_id="u" * 22)  # the client's hour
    await _ask(site, fourth, there, factor_id="u" * 22)
    await site.add_phone(fifth[0], "+491603234567", id="v" * 22)
    await _ask(site, fifth, there, factor_id="v" * 22)
    site.clock.now += 60
    await _ask(site, fifth, elsewhere, factor_id="v" * 22)  # everybody's day


async def _enroll(site: TextSite, number: int) -> tuple[str, str]:
    email = f"{number}.{KIM}"
    user_id = await site.user_id(email)
    await site.add_phone(user_id, f"+491512345678{number}"[:14], id=f"{number}" * 22)
    return user_id, email


async def _ask(site: TextSite, who: tuple[str, str], ip: str, **more: str) -> None:
    browser: Browser
    browser, login_id = await site.begin_login(who[1], ip=ip)
    await site.send(browser, login_id, **more)


async def _let_go(site: TextSite) -> None:
    site.clock.now += 60
    await site.site.passwordless.deliveries.run_due()
