"""What organizations ask of logins and sessions, and who does not come up to it (security rule 55).

Each login goes the whole way, by a mail and the door. A proof of another kind is given to the rule
itself, as the door gives it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.challenges.challenge_context import Redirect
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.core.organizations.connection import sso_factor
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.errors import InvalidArgument, LoginDenied
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.flows.organizations.policies import life_of
from tests.features.second_factors.people import do_step, enroll, id_of, verbs_of
from tests.flows.organizations.place import BOSS, JO, KIM, Place, Provider, make_place
from tests.organizations import add_connection, newest_event, refusal_of, set_policy
from tests.support import error_code

pytestmark = pytest.mark.anyio


CODE = Authentication("email_code", 1_767_225_600, ("mailbox",))
TOTP = Authentication("totp", 1_767_225_600)


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return await make_place(tmp_path, SecondFactors(), Provider())


def login(*proofs: Authentication, email: str = JO, **more: Any) -> Login:
    """Return a login that the door would ask about."""
    given = {"user_id": "u-1", "is_new": False, "caller": "browser", **more}
    return Login(email=email, authentications=proofs, **given)


# --- who has a say -------------------------------------------------------------------------------


async def test_the_owner_of_the_domain_decides_wherever_its_people_go(place: Place) -> None:
    bank = await place.bank()
    await set_policy(place.floor, place.acme.id, methods=frozenset(["passkey"]))
    assert error_code(await place.sign_in(JO)) == "LOGIN_DENIED"
    assert not await place.is_let_into(bank)
    assert (await place.sign_in(KIM)).status_code == 200
    assert await place.is_let_into(bank, KIM)


async def test_a_domain_that_is_not_verified_binds_nobody(place: Place) -> None:
    bank = await place.bank(methods=frozenset(["passkey"]))
    await place.floor.domains.claim(bank.id, "other.example")
    assert (await place.sign_in(KIM)).status_code == 200


async def test_the_organization_that_is_entered_asks_for_more_and_never_for_less(
    place: Place,
) -> None:
    strict = await place.bank(methods=frozenset(["passkey"]))
    assert not await place.is_let_into(strict)
    await set_policy(place.floor, place.acme.id, methods=frozenset(["passkey"]))
    loose = await place.bank(methods=frozenset(["email"]), mfa="off")
    assert not await place.is_let_into(loose)


async def test_who_names_none_enters_the_only_one_they_are_a_member_of(place: Place) -> None:
    bank, user_id = await place.bank(methods=frozenset(["passkey"])), await id_of(place.site, KIM)
    assert (await place.sign_in(KIM)).status_code == 200
    await place.floor.members.put(bank.id, user_id)
    assert error_code(await place.sign_in(KIM)) == "LOGIN_DENIED"
    await place.floor.members.put(place.acme.id, user_id)
    assert (await place.sign_in(KIM)).status_code == 200, "chooses later"
    await place.floor.members.deactivate(place.acme.id, user_id)
    assert error_code(await place.sign_in(KIM)) == "LOGIN_DENIED"


async def test_what_is_refused_stands_in_the_log(place: Place) -> None:
    await set_policy(place.floor, place.acme.id, methods=frozenset(["passkey"]))
    await place.sign_in(JO)
    assert newest_event(place.site, "login.refused").reason == "method_not_allowed"


# --- second factors ------------------------------------------------------------------------------


async def test_a_member_adds_a_second_factor_where_their_organization_requires_one(
    place: Place,
) -> None:
    await set_policy(place.floor, place.acme.id, mfa="required")
    assert error_code(await place.sign_in(JO)) == "STEP_REQUIRED"
    assert (await place.sign_in(KIM)).status_code == 200


async def test_one_that_nobody_can_ask_for_lets_nobody_in(tmp_path: Path) -> None:
    """It cannot be demanded then; and where the feature is taken out, it is not forgotten."""
    before = await make_place(tmp_path, SecondFactors())
    await set_policy(before.floor, before.acme.id, mfa="required")
    place = await make_place(tmp_path, is_second=True)
    again = set_policy(place.floor, place.acme.id, mfa="required", second_factors=frozenset("x"))
    assert await refusal_of(again) == ("mfa", "second_factors")
    await set_policy(place.floor, place.acme.id, mfa="required", idle=600)
    assert error_code(await place.sign_in(JO)) == "LOGIN_DENIED"
    assert (await place.sign_in(KIM)).status_code == 200


async def test_a_member_keeps_the_last_one_whichever_session_removes_it(place: Place) -> None:
    """Who removes it would make the next one by a mail alone."""
    app, user_id = await enroll(place.site, KIM), await id_of(place.site, KIM)
    bank = await place.bank(mfa="required")
    await place.floor.members.put(bank.id, user_id)
    with pytest.raises(InvalidArgument):
        await verbs_of(place.site).remove(user_id, app.id)
    await place.floor.members.deactivate(bank.id, user_id)
    await verbs_of(place.site).remove(user_id, app.id)


async def test_fresh_proofs_are_counted_apart_from_the_way_in(place: Place) -> None:
    """Whoever has confirmed it by their app alone has come in by a mail nevertheless."""
    confirmed = login(TOTP, older=(CODE,), is_renewal=True)
    assert await place.rules.before_session(confirmed) is None
    with pytest.raises(LoginDenied):
        await place.rules.before_session(login(TOTP))


# --- the company's login -------------------------------------------------------------------------


def by(connection: str) -> Authentication:
    """Return what a login by a connection proves."""
    return Authentication("sso", 1_767_225_600, (sso_factor(connection),))


async def test_where_it_is_required_every_other_way_leads_there(place: Place) -> None:
    connection = await place.require_sso(place.acme)
    for proof in (CODE, Authentication("passkey", 1, ("passkey", "user_verification"), True)):
        answer = await place.rules.before_session(login(proof))
        assert answer == Redirect(f"/sso/start?organization={place.acme.id}")
    assert await place.rules.before_session(login(by(connection))) is None
    assert error_code(await place.sign_in(JO)) == "LOGIN_ELSEWHERE"


async def test_where_nobody_serves_it_nobody_is_let_in(tmp_path: Path) -> None:
    place = await make_place(tmp_path, SecondFactors())
    await place.require_sso(place.acme)
    assert error_code(await place.sign_in(JO)) == "LOGIN_DENIED"


async def test_the_login_of_another_organization_opens_nothing(place: Place) -> None:
    """Whoever runs a provider could say of anybody that it is them."""
    bank = await place.bank()
    theirs = (await add_connection(place.floor, bank.id)).id
    with pytest.raises(LoginDenied):
        await place.rules.before_session(login(by(theirs)))
    assert await place.rules.before_session(login(by(theirs), organization=bank.id)) is None
    ours = await place.require_sso(place.acme)
    led = await place.rules.before_session(login(by(theirs), organization=bank.id))
    assert isinstance(led, Redirect)
    assert await place.rules.before_session(login(by(ours), organization=bank.id)) is None


async def test_two_that_require_their_own_lead_nobody_in_a_circle(place: Place) -> None:
    bank = await place.bank()
    ours, theirs = await place.require_sso(place.acme), await place.require_sso(bank)
    for connection in (ours, theirs):
        with pytest.raises(LoginDenied):
            await place.rules.before_session(login(by(connection), organization=bank.id))


async def test_a_connection_that_is_off_lets_nobody_in(place: Place) -> None:
    connection = (await add_connection(place.floor, place.acme.id)).id
    assert await place.rules.before_session(login(by(connection))) is None
    await set_policy(place.floor, place.acme.id, sso="off")
    with pytest.raises(LoginDenied):
        await place.rules.before_session(login(by(connection)))
    await set_policy(place.floor, place.acme.id, sso="allowed")
    await place.floor.connections.disable(connection)
    with pytest.raises(LoginDenied):
        await place.rules.before_session(login(by(connection)))


async def test_a_break_glass_address_comes_in_by_a_mail_and_its_second_factor(
    place: Place,
) -> None:
    await place.require_sso(place.acme)
    answer = await place.sign_in(BOSS)
    assert error_code(answer) == "STEP_REQUIRED"
    assert answer.json()["details"][0]["steps"] == ["totp"]


# --- how long sessions live ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "life"),
    [
        (Policy(), None),
        (Policy(idle=600), SessionPolicy(idle=600, absolute=400 * 86_400)),
        (Policy(absolute=600), SessionPolicy(idle=600, absolute=600)),
        (Policy(idle=900, absolute=600), SessionPolicy(idle=600, absolute=600)),
    ],
    ids=["nothing", "idle", "absolute", "both, merged"],
)
def test_a_policy_says_how_long_sessions_live(policy: Policy, life: SessionPolicy | None) -> None:
    assert life_of(policy) == life


async def test_a_session_ends_when_the_stricter_of_them_says(place: Place) -> None:
    await set_policy(place.floor, place.acme.id, idle=600)
    jo = place.site.browser()
    await place.sign_in(JO, browser=jo)
    place.site.clock.advance(599)
    assert await jo.who() == JO
    place.site.clock.advance(601)
    assert await jo.who() is None


# --- sessions that run ---------------------------------------------------------------------------


async def test_they_go_on_to_their_end_until_the_policy_is_applied(place: Place) -> None:
    jo, kim = place.site.browser(), place.site.browser()
    await place.sign_in(JO, browser=jo)
    await place.sign_in(KIM, browser=kim)
    place.site.clock.advance(1)
    await set_policy(place.floor, place.acme.id, methods=frozenset(["passkey"]))
    assert await jo.who() == JO
    await place.floor.organizations.apply_now(place.acme.id)
    assert await jo.who() is None
    assert await kim.who() == KIM


async def test_one_of_the_very_second_in_which_it_is_applied_is_held_to_it(place: Place) -> None:
    jo = place.site.browser()
    await place.sign_in(JO, browser=jo)
    await set_policy(place.floor, place.acme.id, methods=frozenset(["passkey"]))
    await place.floor.organizations.apply_now(place.acme.id)
    assert await jo.who() is None


async def test_those_that_come_up_to_it_go_on_and_live_no_longer_than_it_says(
    place: Place,
) -> None:
    jo = place.site.browser()
    await place.sign_in(JO, browser=jo)
    place.site.clock.advance(60)
    await set_policy(place.floor, place.acme.id, methods=frozenset(["email"]), absolute=600)
    await place.floor.organizations.apply_now(place.acme.id)
    assert await jo.who() == JO
    place.site.clock.advance(541)
    assert await jo.who() is None


async def test_what_was_proven_since_was_held_to_it_at_the_door(place: Place) -> None:
    await set_policy(place.floor, place.acme.id, mfa="required")
    await place.floor.organizations.apply_now(place.acme.id)
    place.site.clock.advance(1)
    app, jo = await enroll(place.site, JO), place.site.browser()
    asked = await place.sign_in(JO, browser=jo)
    login_id = asked.json()["details"][0]["login_id"]
    assert (await do_step(jo, login_id, app.next_code())).status_code == 200
    assert await jo.who() == JO


async def test_whoever_lacks_a_step_is_asked_for_it_at_the_next_login(place: Place) -> None:
    app, jo = await enroll(place.site, JO), place.site.browser()
    await place.site.passwordless.settings.set({"second_factors.mfa": "off"})
    await place.sign_in(JO, browser=jo)
    assert await jo.who() == JO
    place.site.clock.advance(1)
    await set_policy(place.floor, place.acme.id, mfa="optional")
    await place.floor.organizations.apply_now(place.acme.id)
    assert await jo.who() is None
    asked = await place.sign_in(JO, browser=jo)
    login_id = asked.json()["details"][0]["login_id"]
    assert (await do_step(jo, login_id, app.next_code())).status_code == 200
    assert await jo.who() == JO


# --- in every process ----------------------------------------------------------------------------


async def test_a_toggle_is_in_force_in_another_process_within_100_ms(tmp_path: Path) -> None:
    """Two that share the file and nothing else, each of which has held what it was before."""
    here = await make_place(tmp_path, SecondFactors(), store=None)
    there = await make_place(tmp_path, SecondFactors(), store=None, is_second=True)
    assert (await there.sign_in(KIM)).status_code == 200
    bank = await here.bank()
    await here.floor.members.put(bank.id, await id_of(here.site, KIM))
    await there.floor.directory.find(bank.id)
    for mfa, code in (("required", "STEP_REQUIRED"), ("off", ""), ("required", "STEP_REQUIRED")):
        await set_policy(here.floor, bank.id, mfa=mfa)
        await asyncio.sleep(0.1)
        answer = await there.sign_in(KIM)
        assert (error_code(answer) if answer.status_code != 200 else "") == code
    await here.site.passwordless.lifetime.close()
    await there.site.passwordless.lifetime.close()
