"""Where a login by a company's provider begins: at once from our own pages, asked from others'."""

from __future__ import annotations

import httpx
import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge_context import seal_hint
from pwless_middleware.features.sso.logins.login_states import PLACES
from pwless_middleware.features.sso.logins.start_pages import AGAIN
from pwless_middleware.stores.memory import MemoryStore
from tests.features.sso.sites import NAVIGATION, SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


def begins(acme: SSOSite, **more: str) -> str:
    return f"/auth/sso/start?{httpx.QueryParams({'organization': acme.organization.id, **more})}"


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
async def test_our_own_pages_and_typed_addresses_go_on_at_once(
    acme: SSOSite, provider: OwnProvider, site: str
) -> None:
    jo = acme.site.browser()
    answer = await jo.get(begins(acme), headers={**NAVIGATION, "sec-fetch-site": site})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "no-cors"},
    ],
    ids=["another site", "a sister domain", "an image"],
)
async def test_another_site_sends_nobody_to_the_provider(
    acme: SSOSite, headers: dict[str, str]
) -> None:
    jo = acme.site.browser()
    page = await jo.get(begins(acme, next="/in"), headers={**NAVIGATION, **headers})
    assert page.status_code == 200
    assert "Continue with your company’s login" in said(page)
    assert jo.cookies == {}
    pressed = await jo.post("/auth/sso/start", {"connection": acme.connection.id, "next": "/in"})
    assert pressed.status_code == 303
    assert "state" in query_of(pressed.headers["location"])


async def test_who_was_just_there_is_asked_instead_of_going_round_in_circles(
    acme: SSOSite,
) -> None:
    jo = acme.site.browser()
    assert (await jo.get(begins(acme), headers=NAVIGATION)).status_code == 303
    assert (await jo.get(begins(acme), headers=NAVIGATION)).status_code == 200
    acme.site.clock.advance(AGAIN + 1)
    assert (await jo.get(begins(acme), headers=NAVIGATION)).status_code == 303


async def test_a_foreign_form_begins_nothing(acme: SSOSite) -> None:
    jo = acme.site.browser()
    answer = await jo.post(
        "/auth/sso/start",
        {"connection": acme.connection.id},
        headers={"origin": "https://evil.example"},
    )
    assert (answer.status_code, jo.cookies) == (403, {})


async def test_the_address_goes_along_as_a_hint_and_stands_in_no_url_of_ours(
    acme: SSOSite,
) -> None:
    kit = acme.site.passwordless._kit
    hint = seal_hint(kit.hints, Address("jo@acme.example"), now=acme.site.clock())
    answer = await acme.site.browser().get(begins(acme, hint=hint), headers=NAVIGATION)
    assert query_of(answer.headers["location"])["login_hint"] == "jo@acme.example"
    made_up = await acme.site.browser().get(begins(acme, hint="x" * 300), headers=NAVIGATION)
    assert "login_hint" not in query_of(made_up.headers["location"])


async def test_the_language_of_the_page_goes_along(acme: SSOSite) -> None:
    german = {**NAVIGATION, "accept-language": "de"}
    answer = await acme.site.browser().get(begins(acme), headers=german)
    assert query_of(answer.headers["location"])["ui_locales"] == "de"


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_a_place_elsewhere_is_left_out(
    acme: SSOSite, provider: OwnProvider, next: str
) -> None:
    jo = acme.site.browser()
    done = await acme.answer(jo, provider, await acme.begin(jo, next=next))
    assert led_to(done) == "/"


async def test_several_connections_are_chosen_from(acme: SSOSite, provider: OwnProvider) -> None:
    await acme._connect(acme.floor, acme.organization, provider.config(), "oidc")
    page = await acme.site.browser().get(begins(acme), headers=NAVIGATION)
    assert page.status_code == 200
    assert page.text.count('name="connection"') == 2


@pytest.mark.parametrize("query", ["organization=org_x", "organization=", "connection=x", ""])
async def test_what_is_unknown_is_not_found(acme: SSOSite, query: str) -> None:
    answer = await acme.site.browser().get(f"/auth/sso/start?{query}", headers=NAVIGATION)
    assert answer.status_code == 404


async def test_a_connection_that_is_off_says_so_and_shows_another_way(acme: SSOSite) -> None:
    await acme.floor.connections.disable(acme.connection.id)
    page = await acme.site.browser().get(begins(acme), headers=NAVIGATION)
    assert page.status_code == 403
    assert f"/auth/login?organization={acme.organization.id}" in page.text


async def test_a_place_that_no_cookie_has_room_for_is_kept_once_a_form_asks(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo, place = acme.site.browser(), "/reports?state=" + "x" * 7000
    before = acme.site.snapshot()
    page = await jo.get(begins(acme, next=place), headers=NAVIGATION)
    assert page.status_code == 200
    assert acme.site.snapshot() == before
    form = {"connection": acme.connection.id, "next": place}
    pressed = await jo.post("/auth/sso/start", form)
    assert all(len(value) < 4000 for value in jo.cookies.values())
    asked = query_of(pressed.headers["location"])
    assert led_to(await acme.answer(jo, provider, asked)) == place


async def test_strangers_have_a_bounded_number_of_places_kept(acme: SSOSite) -> None:
    jo, form = acme.site.browser(), {"connection": acme.connection.id, "next": "/" + "x" * 2000}
    for _ in range(PLACES[0] + 10):
        assert (await jo.post("/auth/sso/start", form)).status_code == 303
    assert isinstance(acme.site.store, MemoryStore)
    assert len(acme.site.store._records) <= PLACES[0] + 5
