"""Who may set up a company's login: one browser, until the link ends, and nothing of another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.errors import NotFound
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.flows.organizations.setup_links import DAY
from pwless_middleware.web.responses.makers import Makers
from tests.features.sso.setup.administrator import SETUP, SetupSite, make_setup_site, press
from tests.organizations import make_organization_site
from tests.support import holds

pytestmark = pytest.mark.anyio


@pytest.fixture
async def setup(tmp_path: Path) -> SetupSite:
    return await make_setup_site(tmp_path)


async def test_opening_the_link_changes_nothing(setup: SetupSite) -> None:
    """Scanners of mails and previews open it as well (security rule 5)."""
    scanner = setup.site.browser()
    for method in ("GET", "HEAD", "GET"):
        page = await scanner.request(method, setup.url())
        assert page.status_code == 200
        assert not page.headers.get_list("set-cookie")
    assert "Connect the identity provider of Acme" in page.text
    found = await setup.floor.setup_links.find(setup.link.id)
    assert found is not None
    assert found.opened_at is None


async def test_the_button_opens_a_set_up_and_leaves_no_token_in_the_address(
    setup: SetupSite,
) -> None:
    jo = setup.site.browser()
    opened = await press(jo, setup.url())
    assert opened.headers["location"] == f"https://app.example.com{SETUP}"
    (cookie,) = opened.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-pwless-setup=")
    assert f"Max-Age={7 * DAY};" in cookie
    page = await jo.get(SETUP)
    assert page.status_code == 200
    assert "Acme" in page.text
    event = setup.site.passwordless.events.recent(kind="setup_link.opened")[0]
    assert event.organization == setup.acme.id


async def test_a_set_up_signs_nobody_in(setup: SetupSite) -> None:
    jo = await setup.open()
    assert await jo.who() is None
    assert (await jo.get("/auth/account")).status_code == 303
    assert jo.cookie() is None


async def test_the_browser_that_has_opened_it_goes_on_by_the_link_or_without(
    setup: SetupSite,
) -> None:
    jo = await setup.open()
    for url in (SETUP, setup.url()):
        page = await jo.get(url)
        assert page.status_code == 200
        assert "One step after the other" in page.text
    again = await press(jo, setup.url())
    assert again.status_code == 303
    assert not again.headers.get_list("set-cookie")


async def test_no_other_browser_opens_it(setup: SetupSite) -> None:
    await setup.open()
    eve = setup.site.browser()
    assert "in another browser" in (await eve.get(setup.url())).text
    refused = await press(eve, setup.url())
    assert refused.status_code == 410
    assert "in another browser" in refused.text
    assert not eve.cookies
    assert (await eve.get(SETUP)).status_code == 410


async def test_of_many_browsers_at_once_one_opens_it(setup: SetupSite) -> None:
    browsers = [setup.site.browser() for _ in range(8)]
    answers = await asyncio.gather(*(press(one, setup.url()) for one in browsers))
    assert sorted(one.status_code for one in answers) == [303, *[410] * 7]


async def test_it_opens_nothing_after_its_end(setup: SetupSite) -> None:
    jo = await setup.open()
    late = await setup.floor.setup_links.create(setup.acme.id, expires_in=3600)
    setup.site.clock.advance(3600)
    assert "is over" in (await jo.get(setup.url(late))).text
    assert (await press(setup.site.browser(), setup.url(late))).status_code == 410
    assert (await jo.get(SETUP)).status_code == 200
    setup.site.clock.advance(7 * DAY)
    assert (await jo.get(SETUP)).status_code == 410
    assert (await jo.post(f"{SETUP}/provider", {"provider": "okta"})).status_code == 410


async def test_what_is_taken_back_is_over_with_the_next_request(setup: SetupSite) -> None:
    jo = await setup.open()
    await setup.floor.setup_links.revoke(setup.acme.id, setup.link.id)
    assert (await jo.get(SETUP)).status_code == 410
    assert (await jo.get(setup.url())).status_code == 410


async def test_what_is_finished_is_over(setup: SetupSite) -> None:
    jo = await setup.open()
    kept = dict(jo.cookies)
    done = await jo.post(f"{SETUP}/turn-on", {"action": "finish"})
    assert "The set-up is finished" in done.text
    assert not jo.cookies
    jo.cookies.update(kept)
    assert (await jo.get(SETUP)).status_code == 410
    assert (await press(jo, setup.url())).status_code == 410


async def test_what_is_of_a_deleted_organization_is_over(setup: SetupSite) -> None:
    jo = await setup.open()
    await setup.floor.organizations.delete(setup.acme.id)
    assert (await jo.get(SETUP)).status_code == 410


async def test_what_is_no_token_of_ours_opens_nothing(setup: SetupSite) -> None:
    jo = setup.site.browser()
    for token in ("", "x", "setup_", "é", "a" * 71, "\x00"):
        refused = await jo.post(SETUP, {"setup_token": token})
        assert refused.status_code == 404
        assert "not the link of a set-up" in refused.text


async def test_the_id_of_a_link_is_no_token(setup: SetupSite) -> None:
    """It stands in events, and operators see it."""
    jo = setup.site.browser()
    for token in (setup.link.id, setup.link.id.removeprefix("setup_")):
        assert (await jo.post(SETUP, {"setup_token": token})).status_code == 404


async def test_a_cookie_of_another_purpose_or_time_is_no_set_up(setup: SetupSite) -> None:
    jo = await setup.open()
    name = jo.cookie_name("setup")
    cookies = setup.site.passwordless.cookies
    packed = cookies.setup([(b"cookie", f"{name}={jo.cookies[name]}".encode())])
    assert packed is not None
    forged = (
        cookies.set_setup(packed[:-1] + b"\x01", max_age=60).split(";")[0],
        cookies.set_setup(packed[:-1], max_age=60).split(";")[0],
        cookies.set_passkeys(packed).split(";")[0].replace("-passkeys", "-setup"),
    )
    for one in forged:
        other = setup.site.browser(cookies=dict([one.split("=", 1)]))
        assert (await other.get(SETUP)).status_code == 410


async def test_another_site_cannot_have_it_opened(setup: SetupSite) -> None:
    """Security rule 10."""
    jo = setup.site.browser(headers={"origin": "https://evil.example"})
    assert (await press(jo, setup.url())).status_code == 403
    assert not jo.cookies


async def test_a_second_link_takes_the_place_of_the_first_in_a_browser(setup: SetupSite) -> None:
    umbrella = await setup.floor.organizations.create("Umbrella")
    second = await setup.floor.setup_links.create(umbrella.id)
    jo = await setup.open()
    assert "Umbrella" in (await jo.get(setup.url(second))).text
    await setup.open(second, jo)
    page = await jo.get(SETUP)
    assert "Umbrella" in page.text
    assert not holds(page.text, "Acme")


def requests_of(connection: str, domain: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return a request to every route of the set-up, on a connection and a domain."""
    page = f"{SETUP}/connections/{connection}"
    return [
        ("GET", page, {}),
        ("POST", page, {"version": "1", "client_id": "x", "client_secret": "x"}),
        ("GET", f"{page}/test", {}),
        ("POST", f"{page}/test", {}),
        ("POST", f"{SETUP}/turn-on", {"connection": connection, "action": "turn_on"}),
        ("POST", f"{SETUP}/domains", {"domain": domain, "action": "verify"}),
        ("POST", f"{SETUP}/domains", {"domain": domain, "action": "remove"}),
    ]


async def test_nothing_of_another_organization_is_reached(setup: SetupSite) -> None:
    """Every route, with every id of another one: as if it were not there."""
    umbrella = await setup.floor.organizations.create("Umbrella")
    theirs = await setup.floor.connections.create(
        umbrella.id, "oidc", "Theirs", config={"preset": "okta"}
    )
    await setup.floor.domains.claim(umbrella.id, "umbrella.example")
    before = (
        await setup.floor.connections.list(umbrella.id),
        await setup.floor.domains.list(umbrella.id),
    )
    jo = await setup.open()
    paths = {route.path for route in setup.site.passwordless.routes.all}
    asked = set()
    for id in (theirs.id, "conn_x", "x"):
        for method, url, form in requests_of(id, "umbrella.example"):
            answer = await jo.request(method, url, form=form or None)
            assert answer.status_code == 404, (method, url, form)
            asked.add(url.removeprefix("/auth").replace(id, "{connection}"))
    assert before == (
        await setup.floor.connections.list(umbrella.id),
        await setup.floor.domains.list(umbrella.id),
    )
    named = {path for path in paths if path.startswith("/sso/setup") and "{" in path}
    assert named <= asked


async def test_without_a_set_up_no_page_is_reached(setup: SetupSite) -> None:
    connection = await setup.floor.connections.create(setup.acme.id, "oidc", "Okta")
    eve = setup.site.browser()
    pages = [f"{SETUP}/provider", f"{SETUP}/domains", f"{SETUP}/turn-on"]
    for url in pages:
        assert (await eve.get(url)).status_code == 410
        assert (await eve.post(url, {"action": "finish"})).status_code == 410
    for method, url, form in requests_of(connection.id, "acme.example"):
        answer = await eve.request(method, url, form=form or None)
        assert answer.status_code == 410, (method, url)
    assert "Sign in" not in answer.text


async def test_what_was_done_in_a_set_up_is_told_in_words(setup: SetupSite) -> None:
    by = f"setup_link:{setup.link.id}"
    named = await Makers(setup.site.passwordless._kit).name([by])
    assert named == {by: "who has opened the set-up link"}


async def test_your_own_code_and_servers_take_the_link_to_the_administrator(
    setup: SetupSite,
) -> None:
    organizations = setup.site.passwordless.organizations
    link = await organizations.setup_links.create(setup.acme.id)
    assert organizations.setup_links.url_of(link) == setup.site.base_url + setup.url(link)
    await organizations.setup_links.send(link, "it@acme.example", language="de")
    backend = setup.site.backend()
    path = f"/auth/api/v1/organizations/{setup.acme.id}/setup-links"
    for email, status in (("it@other.example", 200), ("nobody", 400)):
        answer = await backend.browser.request("POST", path, json={"email": email})
        assert answer.status_code == status, answer.text
    await setup.site.passwordless.deliveries.run_due()
    assert setup.url(link) in setup.site.mail("it@acme.example").text
    assert answer.json()["details"][0]["error_code"] == "INVALID_ARGUMENT"
    assert "/auth/sso/setup?setup_token=" in setup.site.mail("it@other.example").text
    assert len(await setup.floor.setup_links.list(setup.acme.id)) == 3


async def test_no_link_leads_to_pages_that_are_not_there(tmp_path: Path) -> None:
    site = make_organization_site(tmp_path, features=[EmailLogin(), Organizations()])
    organizations = site.passwordless.organizations
    acme = await organizations.create("Acme")
    link = await organizations.setup_links.create(acme.id)
    with pytest.raises(NotFound, match="add SSO"):
        organizations.setup_links.url_of(link)
    with pytest.raises(NotFound, match="add SSO"):
        await organizations.setup_links.send(link, "it@acme.example")
