"""One canonical address, to which alone mail goes (security rule 3; grammar: tests/core)."""

from __future__ import annotations

import pytest

from tests.support import error_code, make_site

pytestmark = pytest.mark.anyio

SMUGGLED = [
    "jo@example.com,eve@evil.example",
    "jo@example.com;eve@evil.example",
    "jo@example.com eve@evil.example",
    "jo@example.com\neve@evil.example",
    "jo@example.com\r\nBcc: eve@evil.example",
    "eve@evil.example\x00@example.com",
    "eve@evil.example@example.com",
    '"eve@evil.example"@example.com',
    "eve%evil.example@example.com",
    "evil.example!eve@example.com",
    "@evil.example:jo@example.com",
    "jo(comment)@example.com",
    "jo@(comment)example.com",
    "Jo <jo@example.com>",
    "<jo@example.com>",
    "=?utf-8?q?eve=40evil.example=3e=00?=@example.com",
    "jo@[127.0.0.1]",
    "jo@127.0.0.1",
    "jo@127.0.0.0x1",
    "jo@0x7f.0x",
    "jo@example",
    "jo@example.com.",
    "jo@.example.com",
    "jo@exa mple.com",
    "jo..x@example.com",
    ".jo@example.com",
    "jo.@example.com",
    "jo@exam\u200bple.com",
    "jo@exam\u00adple.com",
    "jo@ｅxample.com",
    "jo@exämple..com",
    "jo@-ä.com",
    "jo@a\u0308" + "b" * 70 + ".com",
    "jö@example.com",
    "jo@example.com\u200b",
    "jo\uff20example.com",
    "ｊｏ@example.com",
    "jo@\u212aelvin.example",
    "mailto:jo@example.com",
    "jo@example.com\t",
    "a" * 65 + "@example.com",
    "jo@" + "a" * 64 + ".com",
    "jo@" + ".".join(["a" * 60] * 5) + ".com",
    "@",
    "",
]


@pytest.mark.parametrize("email", SMUGGLED)
async def test_a_second_recipient_or_a_hidden_address_is_refused(email: str) -> None:
    site = make_site()
    before = site.snapshot()
    assert (await site.browser().ask(email)).status_code == 400
    answer = await site.backend().send(email)
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_ARGUMENT")
    assert site.snapshot() == before
    assert site.outbox.messages == []


async def test_mail_session_and_limits_use_the_one_canonical_form() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("  Jo@EXAMPLE.com ")
    assert site.mail().to == "jo@example.com"
    await jo.type_code(site.mail().code)
    assert await jo.who() == "jo@example.com"
    first = site.inner.scope["user"].id
    assert (await site.browser().ask("JO@example.COM")).status_code == 303
    assert (await site.browser().ask("jo@example.com")).status_code == 429
    site.clock.advance(60)
    again = site.browser()
    await again.sign_in("JO@Example.com")
    await again.who()
    assert site.inner.scope["user"].id == first


@pytest.mark.parametrize("other", ["jo+x@example.com", "j.o@example.com", "jo@example.org"])
async def test_tags_and_dots_never_merge_two_accounts(other: str) -> None:
    site = make_site(roomy=True)
    jo, kim = site.browser(), site.browser()
    await jo.sign_in("jo@example.com")
    await kim.sign_in(other)
    assert await kim.who() == other
    await jo.who()
    mine = site.inner.scope["user"].id
    await kim.who()
    assert site.inner.scope["user"].id != mine
    assert len((await kim.get("/auth/api/v1/sessions")).json()["sessions"]) == 1


async def test_a_code_for_one_spelling_signs_in_that_spelling_alone() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.ask("jo+shop@example.com")
    assert site.mail().to == "jo+shop@example.com"
    await jo.type_code(site.mail().code)
    assert await jo.who() == "jo+shop@example.com"
