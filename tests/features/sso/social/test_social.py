"""Sign in with an account at a provider that is configured in code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import ConfigError, EmailLogin, Kit, Login, Mounted, Step
from pwless_middleware.features.sso.social import OIDC
from tests.features.sso.social.people import PATH, SIGNS_IN, Visitor, acme, social_site
from tests.identity_providers.own_oidc import own_oidc
from tests.identity_providers.provider import query_of
from tests.support import Site, led_to, make_site

pytestmark = pytest.mark.anyio

UNVERIFIED: dict[str, Any] = {"email": "jo@acme.example", "email_verified": False}
FOREIGN: dict[str, Any] = {"email": "jo@elsewhere.example", "email_verified": True}


async def events(site: Site, kind: str) -> list[Any]:
    found = await site.passwordless.events.find(kind=kind, limit=50)
    return [one.event for one in found.events]


async def user_id(visitor: Visitor) -> str:
    answer = await visitor.browser.get("/private")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


# --- whose account -------------------------------------------------------------------------------


async def test_the_first_login_makes_an_account_and_the_next_one_finds_it(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        done = await jo.sign_in(next="/reports?year=2026")
        assert (done.status_code, led_to(done)) == (303, "/reports?year=2026")
        assert await jo.browser.who() == "jo@acme.example"
        again = Visitor(site, provider)
        await again.sign_in()
        assert await user_id(again) == await user_id(jo)
        assert site.outbox.messages == []
        assert len(await events(site, "user.created")) == 1
        assert len(await events(site, "identity.linked")) == 1


async def test_who_is_known_stays_who_they_are_whatever_address_is_said(tmp_path: Path) -> None:
    """Identity is provider and subject, never an address (security rule 50)."""
    async with social_site(tmp_path) as (site, provider):
        jo, boss = Visitor(site, provider), Visitor(site, provider)
        await jo.sign_in("1")
        await boss.sign_in("2", email="boss@acme.example", email_verified=True)
        again = Visitor(site, provider)
        await again.sign_in("1", email="boss@acme.example", email_verified=True)
        assert await user_id(again) == await user_id(jo)
        assert await again.browser.who() == "jo@acme.example"
        assert len(await events(site, "identity.address_changed")) == 1


async def test_who_signed_in_by_mail_before_is_linked_where_the_provider_is_believed(
    tmp_path: Path,
) -> None:
    async with social_site(tmp_path) as (site, provider):
        mailed = Visitor(site, provider)
        await mailed.browser.sign_in("jo@acme.example")
        jo = Visitor(site, provider)
        await jo.sign_in()
        assert await user_id(jo) == await user_id(mailed)
        mail = site.mail("jo@acme.example")
        assert mail.subject.startswith("A way to sign in was added to your account")
        assert "An account at Acme was linked" in " ".join(mail.text.split())
        told = len(site.outbox.messages)
        await Visitor(site, provider).sign_in()
        assert len(site.outbox.messages) == told


async def test_who_has_an_account_hears_of_it_when_the_mailed_code_has_linked_another(
    tmp_path: Path,
) -> None:
    async with social_site(tmp_path) as (site, provider):
        mailed = Visitor(site, provider)
        await mailed.browser.sign_in("jo@acme.example")
        jo = Visitor(site, provider)
        await jo.sign_in(**UNVERIFIED)
        done = await jo.browser.type_code(site.mail("jo@acme.example").code)
        await jo.browser.get(led_to(done))
        assert "A way to sign in was added" in site.mail("jo@acme.example").subject


@pytest.mark.parametrize("claims", [UNVERIFIED, FOREIGN, {"email": "jo@acme.example"}],
                         ids=["unverified", "foreign", "nothing said"])  # fmt: skip
async def test_an_address_that_is_not_vouched_for_is_proven_by_mail_and_then_linked(
    tmp_path: Path, claims: dict[str, Any]
) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        came = await jo.sign_in(next="/reports", **claims)
        assert came.status_code == 303, (came.text, await events(site, "sso.failed"))
        assert led_to(came) == "/auth/verify"
        assert await jo.browser.who() is None
        done = await jo.browser.type_code(site.mail(claims["email"]).code)
        assert done.status_code == 303, done.text
        page = await jo.browser.get(led_to(done))
        assert led_to(page) == "/reports"
        assert await jo.browser.who() == claims["email"]
        again = Visitor(site, provider)
        assert led_to(await again.sign_in(**claims)) == "/"
        assert await user_id(again) == await user_id(jo)
        assert len(site.outbox.messages) == 1


async def test_who_does_not_read_the_mailbox_gets_nowhere(tmp_path: Path) -> None:
    """Neither is anything linked by another login of that browser, nor by one elsewhere."""
    async with social_site(tmp_path) as (site, provider):
        thief = Visitor(site, provider)
        await thief.sign_in("thief", **FOREIGN)
        code = site.mail("jo@elsewhere.example").code
        wrong = "000000" if code != "000000" else "111111"
        assert (await thief.browser.type_code(wrong)).status_code == 400
        # The victim signs in by another mail: in a browser of theirs, and in the very same one.
        for victim in (Visitor(site, provider), thief):
            site.clock.advance(61)
            await victim.browser.ask("jo@elsewhere.example")
            await victim.browser.type_code(site.mail("jo@elsewhere.example").code)
            assert await victim.browser.who() == "jo@elsewhere.example"
        assert await events(site, "identity.linked") == []
        provider.claims = {}
        again = Visitor(site, provider)
        provider_now: dict[str, Any] = {"iat": site.clock.now, "exp": site.clock.now + 60}
        assert led_to(await again.sign_in("thief", **FOREIGN, **provider_now)) == "/auth/verify"


async def test_a_recycled_address_is_proven_by_mail(tmp_path: Path) -> None:
    """Another subject with the address of somebody who is linked need not be the same person."""
    async with social_site(tmp_path) as (site, provider):
        await Visitor(site, provider).sign_in("1")
        new = Visitor(site, provider)
        assert led_to(await new.sign_in("2")) == "/auth/verify"
        assert await new.browser.who() is None


async def test_without_a_login_by_mail_only_who_is_vouched_for_gets_in(tmp_path: Path) -> None:
    async with social_site(tmp_path, email=False) as (site, provider):
        jo = Visitor(site, provider)
        refused = await jo.sign_in(**FOREIGN)
        assert refused.status_code == 400
        assert await jo.browser.who() is None
        (event,) = await events(site, "sso.failed")
        assert event.reason == "address_unverified"
        assert led_to(await jo.sign_in()) == "/"


async def test_without_sign_up_only_who_has_an_account_gets_in(tmp_path: Path) -> None:
    async with social_site(tmp_path, options={"signup": False}) as (site, provider):
        jo = Visitor(site, provider)
        assert (await jo.sign_in()).status_code == 400
        assert await jo.browser.who() is None
        await Visitor(site, provider).browser.sign_in("jo@acme.example")
        assert led_to(await jo.sign_in()) == "/"


async def test_who_is_disabled_stays_out(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        await jo.sign_in()
        await site.passwordless.people.disable("jo@acme.example")
        assert (await jo.sign_in()).status_code in (400, 403, 410)
        assert (await jo.sign_in("2")).status_code in (400, 403, 410)
        assert await jo.browser.who() is None


async def test_no_address_is_no_account(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        assert (await jo.sign_in(email=None)).status_code == 400
        (event,) = await events(site, "sso.failed")
        assert (event.reason, event.details) == ("address_missing", {"connection": "acme"})


# --- the way there and back ----------------------------------------------------------------------


async def test_the_login_page_has_a_button_whose_form_may_lead_away(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        page = await site.browser().get("/auth/login?next=/reports")
        assert "Continue with Acme" in page.text
        assert f'action="{PATH}/start"' in page.text
        assert 'name="next" value="/reports"' in page.text
        assert "form-action" not in page.headers["content-security-policy"]
        asked = query_of((await Visitor(site, provider).press()).headers["location"])
        assert asked["redirect_uri"] == f"https://app.example.com{PATH}/callback"
        assert asked["ui_locales"] == "en"


async def test_no_other_site_begins_a_login(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        foreign = await site.browser().post(
            f"{PATH}/start", {}, headers={"origin": "https://attacker.example"}
        )
        assert foreign.status_code == 403
        assert (await site.browser().get(f"{PATH}/start")).status_code == 405
        assert provider.server.connections == 0


async def test_an_answer_is_of_one_browser_and_good_once(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo, other = Visitor(site, provider), Visitor(site, provider)
        url = await jo.consent(await jo.press(), **SIGNS_IN)
        await other.press()  # it has a cookie of its own
        assert (await other.browser.get(url)).status_code == 400
        assert (await site.browser().get(url)).status_code == 400
        assert (await jo.browser.request("HEAD", url)).status_code == 204
        assert provider.asked("/token") == []
        assert led_to(await jo.browser.get(url)) == "/"
        # Loaded anew, it leads on; whoever is not signed in gets no further.
        assert led_to(await jo.browser.get(url)) == "/"
        jo.browser.cookies.pop(jo.browser.cookie_name("session"))
        assert (await jo.browser.get(url)).status_code == 400
        assert len(provider.asked("/token")) == 1
        assert {one.reason for one in await events(site, "sso.failed")} == {
            "other_browser",
            "state_used",
        }


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "state_missing"),
        ("?code=a", "state_missing"),
        ("?code=a&state=invented", "state_unknown"),
        ("?code=a&state={state}&state={state}", "state_missing"),
        ("?code=a&state={state}&iss=https://attacker.example", "issuer_mismatch"),
        ("?code=a&code=b&state={state}", "code_missing"),
        ("?state={state}&error=access_denied", "access_denied"),
    ],
)
async def test_an_answer_that_is_not_good_signs_nobody_in_and_says_only_a_reference(
    tmp_path: Path, answer: str, reason: str
) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        state = query_of((await jo.press()).headers["location"])["state"]
        page = await jo.browser.get(f"{PATH}/callback{answer.format(state=state)}")
        assert page.status_code == 400
        assert "Signing in with Acme did not work" in page.text
        assert await jo.browser.who() is None
        assert provider.asked("/token") == []
        (event,) = await events(site, "sso.failed")
        assert event.reason == reason
        assert event.attempt in page.text
        assert "attacker" not in page.text


async def test_an_answer_of_another_provider_is_none(tmp_path: Path) -> None:
    async with own_oidc() as second:
        other = acme(second, id="other", name="Other")
        async with social_site(tmp_path, other) as (site, provider):
            page = await site.browser().get("/auth/login")
            assert "Continue with Acme" in page.text
            assert "Continue with Other" in page.text
            jo = Visitor(site, provider)
            url = await jo.consent(await jo.press(), **SIGNS_IN)
            refused = await jo.browser.get(url.replace("/acme/", "/other/"))
            assert refused.status_code == 400
            assert (await events(site, "sso.failed"))[0].reason == "other_connection"
            assert second.asked("/token") == []
            assert led_to(await jo.browser.get(url)) == "/"


async def test_an_answer_comes_in_time(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        url = await jo.consent(await jo.press(), **SIGNS_IN)
        site.clock.advance(901)
        assert (await jo.browser.get(url)).status_code == 400


@pytest.mark.parametrize("next", ["https://attacker.example/", "//attacker.example", "/\\a"])
async def test_a_login_leads_to_no_other_site(tmp_path: Path, next: str) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        assert led_to(await jo.sign_in(next=next)) == "/"
        page = await jo.browser.get(f"{PATH}/linked?next={next}")
        assert led_to(page) == "/"


async def test_a_provider_that_cannot_be_asked_is_told_to_the_log(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        provider.metadata["token_endpoint"] = None
        page = await Visitor(site, provider).press()
        assert page.status_code == 400
        (event,) = await events(site, "sso.failed")
        assert event.reason == "discovery_incomplete"


class Stepping:
    """Ask for a step after a first factor."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(before_session=(self._rule,), proves=("stepping",))

    async def _rule(self, login: Login) -> Step:
        self.login = login
        return Step(("stepping",), "/step/stepping")


async def test_the_rules_of_all_features_are_asked(tmp_path: Path) -> None:
    rule = Stepping()
    async with social_site(tmp_path, rule) as (site, provider):
        jo = Visitor(site, provider)
        assert led_to(await jo.sign_in()).startswith("/auth/step/stepping")
        assert await jo.browser.who() is None
        assert rule.login.methods == ("social",)
        assert rule.login.authentications[0].factors == ("social:acme",)


async def test_to_begin_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    """Else anybody could fill it up, by nothing but requests (security rule 23)."""
    async with social_site(tmp_path) as (site, provider):
        before = site.snapshot()
        for _ in range(20):
            begun = await Visitor(site, provider).press(organization="acme", next="/in")
            assert begun.status_code == 303
        assert site.snapshot() == before


async def test_nobody_enters_an_organization_that_no_rule_vouches_for(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        url = await jo.consent(await jo.press(organization="acme"), **SIGNS_IN)
        assert (await jo.browser.get(url)).status_code == 403
        assert await jo.browser.who() is None


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "option"),
    [
        ((), {}, "provider"),
        (("Acme",), {"issuer": "https://login.acme.com"}, "provider"),
        (("acme",), {}, "issuer"),
        (("acme",), {"issuer": "http://login.acme.com"}, "issuer"),
        (("acme",), {"issuer": "https://127.0.0.1"}, "issuer"),
        (("entra",), {}, "issuer"),
        (("entra",), {"issuer": "acme.onmicrosoft.com"}, "issuer"),
        (("acme",), {"issuer": "common"}, "issuer"),
        (("okta",), {"issuer": "acme"}, "issuer"),
        (("google",), {"client_id": ""}, "client_id"),
        (("google",), {"client_secret": ""}, "client_secret"),
        (("google",), {"client_secret": "hunter2\udce9"}, "client_secret"),
        (("google",), {"client_id": "x\udce9"}, "client_id"),
        (("google",), {"scopes": "openid"}, "scopes"),
        (("google",), {"signup": "no"}, "signup"),
        (("google",), {"authoritative_for": "acme.com"}, "authoritative_for"),
        (("google",), {"clientid": "x"}, "clientid"),
    ],
)
def test_an_option_that_is_none_is_named(
    arguments: tuple[str, ...], options: dict[str, Any], option: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        OIDC(*arguments, **{"client_id": "x", "client_secret": "hunter2", **options})
    assert caught.value.option == option
    assert "hunter2" not in str(caught.value)


def test_a_name_makes_the_id_of_a_provider_that_has_none() -> None:
    one = OIDC(issuer="https://login.acme.com", name="Acme Login!", client_id="x")
    assert "acme-login" in json.dumps([provider.id for provider, _ in one._entries])


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(ConfigError, match=r"pwless-middleware\[sso\]"):
        OIDC("google", client_id="x")


def test_a_provider_by_which_nobody_could_come_in_is_refused(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/x.db"
    acme = OIDC("acme", issuer="https://login.acme.com", client_id="x")
    with pytest.raises(ConfigError, match="authoritative_for"):
        make_site(features=[acme], database=database)
    make_site(features=[acme, EmailLogin()], database=database)
    make_site(features=[OIDC("google", client_id="x")], database=database)


def test_it_needs_a_database_and_one_id_each(tmp_path: Path) -> None:
    google = OIDC("google", client_id="x")
    with pytest.raises(ConfigError, match="database"):
        make_site(features=[EmailLogin(), google])
    with pytest.raises(ConfigError, match="'google'"):
        make_site(
            features=[google, OIDC("google", client_id="y")], database=f"sqlite:///{tmp_path}/x.db"
        )


async def test_who_was_deleted_is_linked_no_more(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        await jo.sign_in()
        first = await user_id(jo)
        await site.passwordless.people.delete("jo@acme.example")
        done = await jo.sign_in()
        assert done.status_code == 303, (done.text, await events(site, "sso.failed"))
        assert await user_id(jo) != first
