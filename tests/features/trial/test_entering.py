"""Entering an organization: wanted by who signs in, granted by a rule alone.

Security rule 55.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import EmailLogin, Kit, Login, LoginDenied, Mounted, Redirect, Verdict
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.organization import Membership
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.kit import Feature
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.routing.routes import Route
from tests.own_account import make_kept_site
from tests.security.factor import RIGHT, Factor
from tests.support import Site, led_to, make_site

pytestmark = pytest.mark.anyio


class Doors:
    """Let everybody into the organizations that are open, and lead one's people elsewhere."""

    def __init__(self, *open_ones: str) -> None:
        self._open = open_ones

    def mount(self, kit: Kit) -> Mounted:
        self._kit = kit
        return Mounted(
            routes=(Route("/enter", {"POST": self._enter}),), before_session=(self._rule,)
        )

    async def _rule(self, login: Login) -> Verdict | Redirect | None:
        if login.organization == "elsewhere":
            return Redirect("/sso/start")
        return Verdict(organization=login.organization) if self._opens(login) else None

    def _opens(self, login: Login) -> bool:
        return login.organization in self._open

    async def _enter(self, request: Request) -> Response:
        account = await self._kit.accounts.require(request)
        caller = self._kit.callers.browser(request)
        wanted = request.query_params["organization"]
        attempt = self._kit.logins.enter_organization(account.session, wanted, caller, next="/in")
        return await respond_with_page(self._kit, request, caller, attempt)


async def ask(site: Site, organization: str) -> int:
    """Sign in and name an organization; return the status of the last answer."""
    jo = site.browser()
    form = {"email": "jo@example.com", "organization": organization}
    assert (await jo.post("/auth/login", form)).status_code == 303
    answer = await jo.type_code(site.mail("jo@example.com").code)
    if answer.status_code == 303:
        await jo.get("/private")
    return answer.status_code


async def test_an_organization_that_is_wanted_is_entered_where_a_rule_lets_in() -> None:
    site = make_site(features=[EmailLogin(), Doors("org_a")])
    page = await site.browser().get("/auth/login?organization=org_a")
    assert '<input type="hidden" name="organization" value="org_a">' in page.text
    assert await ask(site, "org_a") == 303
    assert site.inner.scope["state"]["session"].organization == "org_a"


@pytest.mark.parametrize("features", [[EmailLogin()], [EmailLogin(), Doors("org_b")]])
async def test_nobody_enters_an_organization_that_no_rule_vouches_for(
    features: list[Feature],
) -> None:
    site = make_site(features=features)
    assert await ask(site, "org_a") == 403
    assert site.sessions == 0


async def test_a_session_changes_to_another_organization_and_ends_as_it_was() -> None:
    site = make_site(features=[EmailLogin(), Doors("org_a", "org_b")])
    jo = site.browser()
    await jo.post("/auth/login", {"email": "jo@example.com", "organization": "org_a"})
    await jo.type_code(site.mail("jo@example.com").code)
    await jo.get("/private")
    old, cookie = site.inner.scope["state"]["session"], jo.cookie()
    site.clock.now += 60
    answer = await jo.post("/auth/enter?organization=org_b", {})
    assert (answer.status_code, led_to(answer)) == (303, "/in")
    await jo.get("/private")
    new = site.inner.scope["state"]["session"]
    assert (new.organization, new.user_id) == ("org_b", old.user_id)
    assert (new.expires_at, new.authentications) == (old.expires_at, old.authentications)
    assert new.id != old.id
    assert site.sessions == 1
    thief = site.browser(cookies={jo.cookie_name(): cookie or ""})
    assert await thief.who() is None


async def test_a_session_stays_as_it_was_where_it_may_not_enter() -> None:
    site = make_site(features=[EmailLogin(), Doors("org_a")])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert (await jo.post("/auth/enter?organization=org_b", {})).status_code == 403
    answer = await jo.post("/auth/enter?organization=elsewhere", {})
    assert led_to(answer) == "/auth/sso/start?next=%2Fin"
    assert await jo.who() == "jo@example.com"
    assert site.inner.scope["state"]["session"].organization is None
    assert site.inner.scope["state"]["organization"] is None


async def test_a_step_that_the_other_organization_asks_for_leads_into_it() -> None:
    asked: set[str] = set()
    site = make_site(features=[EmailLogin(), Doors("org_b"), Factor(only=asked)])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    asked.add("jo@example.com")
    answer = await jo.post("/auth/enter?organization=org_b", {})
    assert (answer.status_code, led_to(answer)) == (303, "/auth/step/secret")
    await jo.get("/private")
    assert site.inner.scope["state"]["session"].organization is None
    await jo.post("/auth/step/secret", {"secret": RIGHT})
    await jo.get("/private")
    assert site.inner.scope["state"]["session"].organization == "org_b"


class Club:
    """Make a member of everybody, and let in who is invited though strangers are not."""

    def __init__(self, *invited: str) -> None:
        self._invited = invited
        self.members: list[str] = []
        self.is_full = False

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(before_session=(self._rule,), may_sign_up=(self._may_sign_up,))

    async def _rule(self, login: Login) -> Verdict:
        async def admit() -> None:
            if self.is_full:
                raise LoginDenied
            self.members.append(login.email)

        return Verdict(admissions=(admit,))

    async def _may_sign_up(self, address: Address) -> bool:
        return address in self._invited


async def test_who_has_a_step_to_do_is_admitted_when_it_is_done() -> None:
    club = Club()
    site = make_site(features=[EmailLogin(), club, Factor()])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert club.members == []
    await jo.post("/auth/step/secret", {"secret": RIGHT})
    assert await jo.who() == "jo@example.com"
    assert club.members == ["jo@example.com"]


async def test_who_cannot_be_admitted_gets_no_session_and_the_code_is_spent() -> None:
    club = Club()
    club.is_full = True
    site = make_site(features=[EmailLogin(), club])
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    assert (await jo.type_code(code)).status_code == 403
    assert site.sessions == 0
    club.is_full = False
    assert (await jo.type_code(code)).status_code == 410


async def test_who_is_invited_signs_up_where_strangers_cannot(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path, features=[EmailLogin(signup=False), Club("jo@example.com")])
    await site.browser().ask("eve@example.com")
    assert site.outbox.messages == []
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"


def test_only_the_products_own_feature_says_which_organization_a_session_is_in() -> None:
    class Forged:
        def mount(self, kit: Kit) -> Mounted:
            async def of(session: object, user: object) -> Membership | None:
                return None

            return Mounted(memberships=of)

    with pytest.raises(ConfigError, match="Forged says which organization"):
        make_site(features=[EmailLogin(), Forged()])
