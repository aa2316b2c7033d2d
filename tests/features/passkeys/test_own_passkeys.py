"""A person's own passkeys: who may add one, how many, and which cannot go.

Security rules 32 and 34.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.people.change_budget import PER_DAY
from pwless_middleware.kit import Kit, Mounted, Text
from pwless_middleware.stores.memory import MemoryStore
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import (
    API,
    JO,
    KIM,
    ask,
    enroll,
    id_of,
    make_passkey,
    make_passkey_site,
    newest_event,
    prove_again,
    reason,
    sign_in,
)
from tests.own_account import change, press_undo
from tests.support import BASE, ROOMY, Browser, Site, Slow, error_code, retry_after

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path)


async def post(browser: Browser, asked: dict[str, object], credential: object) -> str:
    """Send a new passkey, and return how it ended."""
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    done = await browser.request("POST", API, json=body)
    return "" if done.status_code == 201 else error_code(done)


# --- who may add one -----------------------------------------------------------------------------


async def test_a_stale_session_adds_none(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    asked = await ask(jo, "/options")
    credential = Authenticator().create(asked["options"], origin=BASE)
    site.clock.advance(299)
    fresh = await ask(jo, "/options")
    site.clock.advance(2)
    assert await post(jo, fresh, Authenticator().create(fresh["options"], origin=BASE)) == (
        "STEP_UP_REQUIRED"
    )
    assert error_code(await jo.request("POST", f"{API}/options")) == "STEP_UP_REQUIRED"
    assert await post(jo, asked, credential) == "STEP_UP_REQUIRED"


async def test_a_mail_adds_the_first_passkey_and_no_other(site: Site) -> None:
    """Who reads somebody's mail must not get a key of their own beside the person's."""
    jo, authenticator = await enroll(site)
    thief = site.browser(ip="198.51.100.9")
    await thief.sign_in(JO)
    for answered in (
        await thief.request("POST", f"{API}/options"),
        await thief.request("DELETE", f"{API}/{id_of(authenticator)}"),
    ):
        assert error_code(answered) == "STEP_UP_REQUIRED"
        assert "strength=phishing_resistant" in answered.text
    await prove_again(jo, authenticator)
    assert (await make_passkey(jo, Authenticator())).status_code == 201


async def test_a_mail_adds_none_either_where_the_first_has_come_meanwhile(site: Site) -> None:
    thief, jo = site.browser(ip="198.51.100.9"), site.browser()
    await thief.sign_in(JO)
    await jo.sign_in(JO)
    theirs, hers = await ask(thief, "/options"), await ask(jo, "/options")
    ours = Authenticator().create(hers["options"], origin=BASE)
    stolen = Authenticator().create(theirs["options"], origin=BASE)
    ends = await asyncio.gather(post(jo, hers, ours), post(thief, theirs, stolen))
    assert sum(end == "" for end in ends) == 1, ends
    assert len((await jo.get(API)).json()["passkeys"]) == 1


async def test_a_challenge_of_another_session_or_person_adds_none(site: Site) -> None:
    jo, kim, again = site.browser(), site.browser(), site.browser()
    await jo.sign_in(JO)
    await kim.sign_in(KIM)
    await again.sign_in(JO)
    asked = await ask(jo, "/options")
    credential = Authenticator().create(asked["options"], origin=BASE)
    for other in (kim, again):
        assert await post(other, asked, credential) == "REQUEST_EXPIRED"
        assert reason(site) == "other_holder"
    for_login = await ask(jo)
    for_login["options"] = {**asked["options"], "challenge": for_login["options"]["challenge"]}
    credential = Authenticator().create(for_login["options"], origin=BASE)
    assert await post(jo, for_login, credential) == "REQUEST_EXPIRED"
    assert (await jo.get(API)).json()["passkeys"] == []


async def test_a_credential_is_kept_once_whoever_brings_it(site: Site) -> None:
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    kim = site.browser()
    await kim.sign_in(KIM)
    for browser in (jo, kim):
        asked = await ask(browser, "/options")
        asked["options"]["excludeCredentials"] = []
        kept = authenticator.passkeys[0]
        same = Authenticator().create(asked["options"], origin=BASE, id=kept.id, key=kept.key)
        assert await post(browser, asked, same) == "INVALID_CREDENTIAL"
        assert reason(site) == "known"
    assert (await sign_in(site.browser(), authenticator)).json()["email"] == JO


async def test_the_authenticator_is_asked_for_no_second_passkey(site: Site) -> None:
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    first, second = await ask(jo, "/options"), await ask(jo, "/options")
    (excluded,) = first["options"]["excludeCredentials"]
    assert excluded["id"] == id_of(authenticator)
    assert excluded["transports"] == ["hybrid", "internal"]
    user = first["options"]["user"]
    assert user == second["options"]["user"]
    assert user["id"] == (await jo.get(API)).json()["user_handle"]
    assert (user["name"], first["options"]["rp"]["id"]) == (JO, "app.example.com")
    assert first["options"]["attestation"] == "none"
    selection = first["options"]["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")


async def test_one_that_a_browser_makes_without_asking_needs_no_touch(site: Site) -> None:
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    asked = await ask(jo, "/options", conditional=True)
    made = authenticator.create(asked["options"], origin=BASE, is_conditional=True)
    assert await post(jo, asked, made) == ""
    assert (await sign_in(site.browser(), authenticator)).status_code == 200
    kim = site.browser()
    await kim.sign_in(KIM)
    asked = await ask(kim, "/options")
    made = Authenticator().create(asked["options"], origin=BASE, is_conditional=True)
    assert await post(kim, asked, made) == "INVALID_CREDENTIAL"
    assert reason(site) in ("not_present", "not_verified")


# --- how many ------------------------------------------------------------------------------------


async def test_a_person_has_as_many_as_there_may_be(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path, passkeys=Passkeys(max_per_user=2))
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    asked = [await ask(jo, "/options") for _ in range(2)]
    made = [Authenticator().create(one["options"], origin=BASE) for one in asked]
    ends = await asyncio.gather(*(post(jo, *pair) for pair in zip(asked, made, strict=True)))
    assert sorted(ends) == ["", "INVALID_ARGUMENT"]
    refused = await jo.request("POST", f"{API}/options")
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert "2 passkeys" in refused.json()["message"]


async def test_adding_and_removing_in_turn_fills_no_mailbox(site: Site) -> None:
    jo, phone = await enroll(site)
    await prove_again(jo, phone)
    before = len(site.outbox.messages)
    answers = []
    for _ in range(PER_DAY):
        key = Authenticator()
        made = await make_passkey(jo, key)
        answers.append(made)
        if made.status_code == 201:
            last = id_of(key)
            answers.append(await jo.request("DELETE", f"{API}/{last}"))
    assert len(site.outbox.messages) - before == PER_DAY - 1 + 1
    refused = answers[-1]
    assert (refused.status_code, error_code(refused)) == (429, "RATE_LIMITED")
    assert 86000 < retry_after(refused) <= 86400
    event = newest_event(site, "limit.reached")
    assert (event.reason, event.caller) == ("change_by_user", "browser")
    page = await jo.get("/auth/account/passkeys")
    assert page.status_code == 200
    gone = await jo.request("DELETE", f"{API}/{id_of(phone)}")
    assert gone.status_code == 204, "what is there can be removed"


async def test_an_operators_reset_is_none_of_the_persons_changes(site: Site) -> None:
    jo, phone = await enroll(site)
    await jo.who()
    user_id = site.inner.scope["user"].id
    verbs = site.passwordless.verbs(Passkeys)
    for _ in range(PER_DAY - 1):
        await site.passwordless._kit.change_budget.spend(user_id)
    assert await verbs.reset(user_id) == 1
    assert (await sign_in(site.browser(), phone)).status_code == 400
    assert (await make_passkey(jo, phone)).status_code == 429


# --- which cannot go -----------------------------------------------------------------------------


async def test_the_last_one_stays_where_passkeys_are_required(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, authenticator = await enroll(site)
    required = make_passkey_site(
        tmp_path, passkeys=Passkeys(required=True), clock=site.clock, outbox=site.outbox
    )
    jo = required.browser()
    assert (await sign_in(jo, authenticator)).status_code == 200
    second = Authenticator()
    assert (await make_passkey(jo, second)).status_code == 201
    assert (await jo.request("DELETE", f"{API}/{id_of(second)}")).status_code == 204
    refused = await jo.request("DELETE", f"{API}/{id_of(authenticator)}")
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert '"id"' in refused.text
    assert (await sign_in(required.browser(), authenticator)).status_code == 200


async def test_of_the_last_two_one_stays_whoever_is_quicker(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, authenticator = await enroll(site)
    required = make_passkey_site(
        tmp_path, passkeys=Passkeys(required=True), clock=site.clock, outbox=site.outbox
    )
    jo, second = required.browser(), Authenticator()
    await sign_in(jo, authenticator)
    assert (await make_passkey(jo, second)).status_code == 201
    ids = [id_of(authenticator), id_of(second)]
    done = await asyncio.gather(*(jo.request("DELETE", f"{API}/{id}") for id in ids))
    assert sorted(one.status_code for one in done) == [204, 400]


class Keeper:
    """Say that the last passkey of a person has to stay (`Mounted.keeps`)."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(keeps=(self.keep,))

    async def keep(self, user_id: str, method: str) -> Text | None:
        return Text("Something else leans on it.") if method == "passkey" else None


async def test_the_last_one_stays_where_another_feature_says_why(tmp_path: Path) -> None:
    site = make_passkey_site(
        tmp_path, features=[EmailLogin(send_limits=ROOMY), Passkeys(), Keeper()]
    )
    (jo, first), second = await enroll(site), Authenticator()
    await prove_again(jo, first)
    assert (await make_passkey(jo, second)).status_code == 201
    assert (await jo.request("DELETE", f"{API}/{id_of(second)}")).status_code == 204
    refused = await jo.request("DELETE", f"{API}/{id_of(first)}")
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert "Something else leans on it." in refused.text
    assert (await sign_in(site.browser(), first)).status_code == 200


# --- what a removed one had proven ---------------------------------------------------------------


async def worth(browser: Browser) -> str | None:
    """Return what a browser's session is worth to the app; `None` where it is over."""
    if await browser.who() is None:
        return None
    return str(browser.home.inner.scope["state"]["session"].strength)


async def test_what_a_removed_one_had_proven_counts_in_no_session(site: Site) -> None:
    """Which of the passkeys it was is not known: security rule 46."""
    jo, phone = await enroll(site)
    await prove_again(jo, phone)
    key = Authenticator()
    await make_passkey(jo, key)
    by_mail, by_key = site.browser(), site.browser()
    await by_mail.sign_in(JO)
    await prove_again(by_mail, phone)
    await sign_in(by_key, key)
    everybody = (jo, by_mail, by_key)
    assert [await worth(one) for one in everybody] == ["phishing_resistant"] * 3
    assert (await jo.request("DELETE", f"{API}/{id_of(key)}")).status_code == 204
    assert [await worth(one) for one in everybody] == ["phishing_resistant", "any", None]
    assert (await jo.request("DELETE", f"{API}/{id_of(phone)}")).status_code == 204
    assert [await worth(one) for one in everybody] == ["any", "any", None]


async def test_the_session_in_which_the_only_one_is_removed_goes_on(site: Site) -> None:
    _, phone = await enroll(site)
    jo = site.browser()
    await sign_in(jo, phone)
    assert (await jo.request("DELETE", f"{API}/{id_of(phone)}")).status_code == 204
    assert await worth(jo) == "any"
    assert (await make_passkey(jo, phone)).status_code == 201
    await prove_again(jo, phone)
    assert await worth(jo) == "phishing_resistant"


@pytest.mark.parametrize("way", ["login", "step up"])
async def test_a_proof_that_is_under_way_as_its_passkey_is_removed_lets_nobody_in(
    tmp_path: Path, way: str
) -> None:
    store = Slow(MemoryStore())
    site = make_passkey_site(tmp_path, store=store)
    jo, phone = await enroll(site)
    owner = await site.passwordless.people.find(JO)
    assert owner is not None
    verbs = site.passwordless.verbs(Passkeys)

    async def remove() -> None:
        store.before.clear()
        await verbs.reset(owner.id)

    browser = jo if way == "step up" else site.browser()
    prove = prove_again if way == "step up" else sign_in
    # Taken or written last, once the passkey was found, was verified and was used.
    verb = "take" if way == "step up" else "write"
    store.before[verb] = remove
    answered = await prove(browser, phone)
    assert error_code(answered) == ("UNAUTHENTICATED" if way == "step up" else "REQUEST_EXPIRED")
    assert await worth(browser) is None
    assert not [
        one for one in await site.passwordless.sessions.list(owner.id) if one.strength != "any"
    ]


async def test_nothing_is_removed_while_the_store_cannot_be_written(tmp_path: Path) -> None:
    store = Slow(MemoryStore())
    site = make_passkey_site(tmp_path, store=store)
    jo, phone = await enroll(site)
    await prove_again(jo, phone)

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["read_list"] = fail
    assert (await jo.request("DELETE", f"{API}/{id_of(phone)}")).status_code == 503
    store.before.clear()
    assert (await sign_in(site.browser(), phone)).status_code == 200


async def test_a_change_of_address_that_is_undone_takes_back_what_was_added_since(
    site: Site,
) -> None:
    """Whoever took the account over has made a key of their own (`Mounted.on_address_undone`)."""
    jo, hers = await enroll(site)
    site.clock.advance(1000)
    await prove_again(jo, hers)
    await change(jo)
    site.clock.advance(1)
    theirs = Authenticator()
    assert (await make_passkey(jo, theirs)).status_code == 201
    await press_undo(site.browser(), site.mail(JO).link)
    assert error_code(await sign_in(site.browser(), theirs)) == "INVALID_CREDENTIAL"
    assert (await sign_in(site.browser(), hers)).json()["email"] == JO
    assert newest_event(site, "passkey.removed").details == {"count": 1}


async def test_who_is_signed_in_by_another_site_of_the_same_host_is_not_known_here(
    tmp_path: Path,
) -> None:
    """A passkey of an RP id that is no more lets nobody in, and stands in nobody's way."""
    old = make_passkey_site(tmp_path)
    await enroll(old)
    features = [EmailLogin(send_limits=ROOMY), Passkeys(rp_id="example.com", max_per_user=1)]
    new = make_passkey_site(tmp_path, features=features, clock=old.clock, outbox=old.outbox)
    jo, fresh = new.browser(), Authenticator()
    await jo.sign_in(JO)
    assert (await make_passkey(jo, fresh)).status_code == 201
    assert (await sign_in(new.browser(), fresh)).json()["email"] == JO
