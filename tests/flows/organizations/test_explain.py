"""What would happen at a login, each way, and why: the same as what then happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.explanation import OUTCOMES, ExplainedWay, Explanation
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.languages.current import translate, use_language
from pwless_middleware.languages.languages import Languages
from tests.features.second_factors.people import enroll, id_of
from tests.flows.organizations.place import BOSS, JO, KIM, Place, Provider, make_place
from tests.organizations import add_connection, set_policy
from tests.support import error_code

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return await make_place(tmp_path, SecondFactors(), Provider())


async def explain(
    place: Place, email: str = JO, organization: Organization | None = None
) -> Explanation:
    """Explain a login."""
    return await place.floor.explanations.explain(Address(email), organization)


def way(explanation: Explanation, method: str = "email") -> ExplainedWay:
    """Return one way of an explanation."""
    (found,) = [one for one in explanation.ways if one.method == method]
    return found


async def test_who_is_a_stranger_everywhere(place: Place) -> None:
    told = await explain(place, KIM)
    assert (told.user_id, told.organization, told.owner) == (None, None, None)
    assert told.facts == (
        "No organization has verified other.example.",
        "Nobody has signed in with this address yet.",
    )
    assert way(told).outcome == "session"
    assert [one.method for one in told.ways] == ["email"], "Acme has no login of its own"


async def test_a_required_login_leads_there_and_lets_in(place: Place) -> None:
    connection = await place.require_sso(place.acme)
    await place.floor.members.put(place.acme.id, await id_of(place.site, JO))
    told = await explain(place)
    mail, company = way(told), way(told, "sso")
    assert (mail.outcome, mail.reason) == ("elsewhere", "sso")
    assert mail.text == "They are led to the login of Acme, which is required."
    assert (company.outcome, company.connection) == ("session", connection)
    assert "The company's login is required. (Acme)" in told.demands
    assert told.owner == place.acme.id


async def test_a_break_glass_address_is_told_apart(place: Place) -> None:
    await place.require_sso(place.acme)
    told = await explain(place, BOSS)
    assert "This is a break-glass address of Acme." in told.facts
    assert (way(told).outcome, way(told).asks) == ("step", ("totp",))
    assert "cannot reach the company's login" in way(told).text


async def test_which_second_factor_is_asked_for_or_made(place: Place) -> None:
    await set_policy(place.floor, place.acme.id, mfa="required")
    told = await explain(place)
    assert (way(told).outcome, way(told).asks) == ("enrollment", ("totp",))
    await enroll(place.site, JO)
    told = await explain(place)
    assert (way(told).outcome, way(told).asks) == ("step", ("totp",))
    assert "Second factors they have: Authenticator app." in told.facts


async def test_who_asks_for_what(place: Place) -> None:
    bank = await place.bank(mfa="required", trusted_days=0)
    await set_policy(
        place.floor,
        place.acme.id,
        idle=5400,
        absolute=86_400,
        second_factors=frozenset(["totp"]),
        methods=frozenset(["email", "passkey"]),
    )
    told = await explain(place, JO, bank)
    assert told.demands == (
        "People sign in by: Email, Passkey. (Acme)",
        "Everybody is asked for a second factor. (Bank)",
        "Second factors that count: Authenticator app. (Acme)",
        "A session ends after 90 minutes without use. (Acme)",
        "A session ends 1 day after it began. (Acme)",
        "No browser is trusted to ask for no second factor. (Bank)",
    )
    assert (await explain(place, KIM)).demands[0].endswith("(this deployment)")


async def test_who_may_not_enter_an_organization(place: Place) -> None:
    bank, user_id = await place.bank(), await id_of(place.site, JO)
    told = await explain(place, JO, bank)
    assert (way(told).outcome, way(told).reason) == ("denied", "not_a_member")
    await place.floor.invitations.create(bank.id, JO)
    assert way(await explain(place, JO, bank)).outcome == "session"
    await place.floor.members.put(bank.id, user_id, role="cashier")
    told = await explain(place, JO)
    assert told.organization == bank.id, "the only one"
    assert "They are a member of Bank, as cashier." in told.facts
    await place.floor.members.deactivate(bank.id, user_id)
    told = await explain(place, JO, bank)
    assert (way(told).outcome, way(told).reason) == ("denied", "inactive")


async def test_who_becomes_a_member_by_signing_in(place: Place) -> None:
    await set_policy(place.floor, place.acme.id, join="sso", sso="allowed")
    await add_connection(place.floor, place.acme.id)
    told = await explain(place, JO, place.acme)
    assert way(told).reason == "not_a_member"
    assert way(told, "sso").outcome == "session"
    await set_policy(place.floor, place.acme.id, join="domain", sso="allowed")
    assert way(await explain(place, JO, place.acme)).outcome == "session"
    assert way(await explain(place, KIM, place.acme)).reason == "not_a_member"


async def test_a_mail_that_could_not_lead_in_leads_to_the_companys_login(place: Place) -> None:
    connection = await add_connection(place.floor, place.acme.id)
    await set_policy(place.floor, place.acme.id, methods=frozenset(["sso"]))
    told = way(await explain(place))
    assert (told.outcome, told.reason) == ("elsewhere", "method")
    assert error_code(await place.sign_in(JO)) == "LOGIN_ELSEWHERE"
    await place.floor.connections.disable(connection.id)
    assert way(await explain(place)).outcome == "denied"
    assert error_code(await place.sign_in(JO)) == "LOGIN_DENIED"


async def test_a_connection_that_is_off_says_so(place: Place) -> None:
    connection = await add_connection(place.floor, place.acme.id)
    await set_policy(place.floor, place.acme.id, sso="off")
    told = way(await explain(place), "sso")
    assert (told.outcome, told.reason) == ("denied", "off")
    await set_policy(place.floor, place.acme.id, sso="allowed")
    await place.floor.connections.disable(connection.id)
    assert way(await explain(place), "sso").text == "Okta of Acme is not turned on."


async def test_a_person_who_is_disabled_comes_in_no_way(place: Place) -> None:
    await id_of(place.site, JO)
    await place.site.passwordless.people.disable(JO, by="test")
    told = await explain(place)
    assert way(told).reason == "disabled"
    assert "This person is disabled." in told.facts


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(methods=frozenset(["passkey"])),
        Policy(methods=frozenset()),
        Policy(mfa="required"),
        Policy(mfa="required", second_factors=frozenset(["passkey"])),
        Policy(second_factors=frozenset()),
    ],
    ids=["nothing", "passkeys", "no way", "second factor", "another one", "none counts"],
)
@pytest.mark.parametrize("has_app", [False, True], ids=["without", "with an app"])
async def test_what_is_explained_is_what_happens(
    place: Place, policy: Policy, has_app: bool
) -> None:
    there = await place.floor.organizations.require(place.acme.id)
    await place.floor.organizations.set_policy(there.id, policy, seen=there.version)
    if has_app:
        await enroll(place.site, JO)
    told = way(await explain(place))
    answer = await place.sign_in(JO)
    if answer.status_code == 200:
        assert told.outcome == "session"
    elif error_code(answer) == "STEP_REQUIRED":
        detail = answer.json()["details"][0]
        assert told.outcome in ("step", "enrollment")
        assert set(detail["steps"]) <= set(told.asks)
    else:
        assert (told.outcome, error_code(answer)) == ("denied", "LOGIN_DENIED")


async def test_nothing_is_counted_sent_or_recorded(place: Place) -> None:
    before = len(place.site.passwordless.events.recent())
    await explain(place)
    assert len(place.site.passwordless.events.recent()) == before
    assert not place.site.outbox.messages


async def test_it_is_json_as_well(place: Place) -> None:
    told = json.loads(json.dumps((await explain(place)).to_json()))
    assert told["policy"]["mfa"] == "optional"
    assert {one["outcome"] for one in told["ways"]} <= set(OUTCOMES)
    assert told["ways"][0] == {
        "method": "email",
        "connection": None,
        "outcome": "session",
        "asks": [],
        "reason": "",
        "text": "They are signed in.",
    }


async def test_it_is_told_in_the_language_of_who_reads_it(place: Place) -> None:
    """And programs have all of it in English, whoever asked."""
    await set_policy(
        place.floor, place.acme.id, idle=5400, second_factors=frozenset(["sms", "totp"])
    )
    with use_language(Languages()["de"]):
        told = await explain(place)
        german = [translate(text) for text in told.demands]
        english = told.to_json()["demands"]
    assert "Zweite Faktoren, die zählen: SMS, Authenticator-App. (Acme)" in german
    assert "Eine Sitzung endet nach 90 Minuten ohne Benutzung. (Acme)" in german
    assert english == list(told.demands)
    assert "Second factors that count: Text message, Authenticator app. (Acme)" in told.demands
