"""A rule that leads to another page before any mail, as single sign-on does; `next` is kept."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import (
    ChallengeContext,
    EmailLogin,
    Kit,
    LoginElsewhere,
    Mounted,
    Redirect,
)
from pwless_middleware.core.challenges.challenge_context import HINT_SECONDS, open_hint
from pwless_middleware.web.routing.routes import Route
from tests.support import BASE, Site, error_code, led_to, make_site

pytestmark = pytest.mark.anyio


class SSO:
    """Lead a domain to a page of its own, which knows the address that was typed."""

    def mount(self, kit: Kit) -> Mounted:
        self._kit = kit
        return Mounted(
            routes=(Route("/sso/start", {"GET": self._start}),), before_challenge=(self._rule,)
        )

    async def _rule(self, context: ChallengeContext) -> Redirect | None:
        if context.domain != "acme.example":
            return None
        return Redirect(f"/sso/start?connection=acme&hint={context.hint}")

    async def _start(self, request: Request) -> Response:
        hint = request.query_params.get("hint", "")
        address = open_hint(self._kit.hints, hint, now=self._kit.clock())
        return Response(f"{address} {request.query_params.get('next')}")


def site_with_sso() -> Site:
    return make_site(features=[EmailLogin(), SSO()])


async def test_a_browser_is_led_to_the_page_with_the_place_that_it_wanted() -> None:
    site = site_with_sso()
    before, jo = site.snapshot(), site.browser()
    answer = await jo.ask("Jo@Acme.example", "/reports?year=2026&all=1")
    assert answer.status_code == 303
    url = urlsplit(led_to(answer))
    assert url.path == "/auth/sso/start"
    query = parse_qs(url.query)
    assert query["connection"] == ["acme"]
    assert query["next"] == ["/reports?year=2026&all=1"]
    assert "jo" not in led_to(answer).lower().replace(query["hint"][0].lower(), "")
    page = await jo.get(led_to(answer))
    assert page.text == "jo@acme.example /reports?year=2026&all=1"
    assert site.snapshot() == before, "nothing was counted, written or sent"


@pytest.mark.parametrize("by", ["backend", "browser"])
async def test_a_program_is_told_the_url(by: str) -> None:
    site = site_with_sso()
    if by == "backend":
        answer = await site.backend().send("jo@acme.example")
    else:
        answer = await site.browser().call("send", {"email": "jo@acme.example"})
    assert (answer.status_code, error_code(answer)) == (403, "LOGIN_ELSEWHERE")
    url = answer.json()["details"][0]["login_url"]
    assert url.startswith(f"{BASE}/auth/sso/start?connection=acme&hint=")
    assert "next=" not in url
    assert site.outbox.messages == []


async def test_a_host_that_calls_python_is_told_the_url() -> None:
    site = site_with_sso()
    with pytest.raises(LoginElsewhere) as refused:
        await site.passwordless.send("jo@acme.example")
    assert refused.value.login_url.startswith(f"{BASE}/auth/sso/start?")


async def test_other_domains_get_their_mail() -> None:
    site = site_with_sso()
    assert led_to(await site.browser().ask("jo@example.com")) == "/auth/verify"


async def test_hints_of_one_address_have_nothing_in_common_and_end() -> None:
    site = site_with_sso()
    jo = site.browser()
    first, second = [led_to(await jo.ask("jo@acme.example")) for _ in range(2)]
    hints = [parse_qs(urlsplit(url).query)["hint"][0] for url in (first, second)]
    assert hints[0][:16] != hints[1][:16]
    longer = led_to(await jo.ask("somebody.else@acme.example"))
    assert len(longer) == len(first)
    site.clock.advance(HINT_SECONDS - 1)
    assert (await jo.get(first)).text.startswith("jo@acme.example")
    site.clock.advance(1)
    assert (await jo.get(first)).text.startswith("None")
    forged = first.replace(hints[0], hints[0][:-1] + ("A" if hints[0][-1] != "A" else "B"))
    assert (await jo.get(forged)).text.startswith("None")


async def test_the_longest_address_has_a_hint_that_opens() -> None:
    site = site_with_sso()
    jo = site.browser()
    label = "a" * 61
    domain = "acme.example"
    local = "j" * 64
    assert len(f"{local}@{label}.{domain}") < 254
    answer = await jo.ask(f"{local}@{domain}")
    assert (await jo.get(led_to(answer))).text.startswith(f"{local}@{domain}")
