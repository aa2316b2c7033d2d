"""Rule 24: nothing that a feature is given makes a session, or brings one back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, LoginDenied, User
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.core.storage.store_keys import challenge_key
from pwless_middleware.kit import (
    Authentication,
    Caller,
    ConfigError,
    Kit,
    Login,
    Mounted,
    Proof,
    Records,
    RequestExpired,
    StepProof,
    Writes,
    parse_address,
)
from pwless_middleware.stores.base import Drop, Put
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.gates.operators import OperatorRules
from tests.security.factor import Factor
from tests.support import Site, challenge_of, cookie_header, make_site

pytestmark = pytest.mark.anyio


class Hostile:
    """A feature that keeps its kit, to try things with it."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(proves=("made_up",))


class Closed:
    """A rule that lets nobody in."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(before_session=(self._rule,))

    async def _rule(self, login: Login) -> None:
        raise LoginDenied


def hostile(*more: object) -> tuple[Site, Kit]:
    feature = Hostile()
    site = make_site(features=[EmailLogin(), feature, *more])
    return site, feature.kit


async def test_a_feature_gives_nobody_another_address_and_makes_no_key(tmp_path: Path) -> None:
    """By a person's row it could sign in as them, by an address of its own."""
    feature = Hostile()
    site = make_site(
        features=[EmailLogin(), feature],
        database=f"sqlite:///{tmp_path}/pwless.db",
        store=MemoryStore(),
    )
    assert site.passwordless.people is not None
    assert feature.kit.database is not None
    assert feature.kit.repositories is None


def session_of(site: Site) -> tuple[str, Put]:
    """Find the one session's record, as somebody who has read the store would."""
    assert isinstance(site.store, MemoryStore)
    found = [(key, put) for key, put in site.store._records.items() if "}s" in key]
    (row,) = [(key, put) for key, put in found if len(key.rpartition("}")[2]) == 23]
    return row


async def proof_of(kit: Kit, method: str, **changes: Any) -> Proof:
    """Make up a proof."""
    records: Records = kit.records("proofs")
    await records.put("k", b"", ttl=60)
    address = parse_address("jo@example.com")
    assert address is not None
    proof = Proof(
        subject=address,
        authentication=Authentication(method, kit.clock()),
        takes=records.place("k"),
        refusal=RequestExpired(),
        may_create=True,
    )
    return replace(proof, **changes)


async def test_a_proof_of_a_hostile_feature_meets_every_rule() -> None:
    site, kit = hostile(Closed())
    with pytest.raises(LoginDenied):
        await kit.logins.finish(await proof_of(kit, "made_up"), Caller())
    assert site.sessions == 0


@pytest.mark.parametrize("method", ["email_code", "secret", "nobodys"])
async def test_a_feature_cannot_prove_by_the_method_of_another(method: str) -> None:
    """Else it could satisfy the step that another one asks for."""
    site, kit = hostile(Factor())
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(site.mail().code)
    login_id = site.passwordless.cookies.pending(cookie_header(jo)) or ""
    caller = Caller(pending=login_id)
    assert (await kit.logins.pending(login_id, caller)).steps[0].methods == ("secret",)

    async def check(login: Login) -> StepProof:
        return StepProof(Authentication(method, kit.clock()))

    proof = await proof_of(kit, method)
    for attempt in (
        kit.logins.do_step(login_id, method, caller, check),
        kit.logins.finish(proof, Caller()),
    ):
        with pytest.raises(ConfigError, match="proves"):
            await attempt
    assert site.sessions == 0


async def test_a_proof_takes_and_writes_no_session_and_no_pending_login() -> None:
    site, kit = hostile()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    key, put = session_of(site)
    ours = kit.records("x").place("k")
    for changes in (
        {"takes": key},
        {"then": Writes(puts=(Put(key, put.value, put.until),))},
        {"then": Writes(drops=(Drop(key),))},
        {"then": Writes(puts=(Put(ours, b"", put.until, key.partition("}")[0] + "}l"),))},
        {"then": Writes(drops=(Drop(ours, listed=key),))},
    ):
        with pytest.raises(ConfigError, match="no access to sessions"):
            await kit.logins.finish(await proof_of(kit, "made_up", **changes), Caller())
    assert await jo.who() == "jo@example.com"


async def test_what_a_feature_seals_or_signs_is_no_session() -> None:
    site, kit = hostile()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    name = jo.cookie_name()
    value = jo.cookie()
    assert value is not None
    payloads = [bytes(48), value.partition(".")[0].encode()[:48]]
    made = [kit.secrets.seal(purpose, p) for purpose in ("session", "token") for p in payloads]
    for purpose in ("session", "token", "device", "flow"):
        made.append(kit.keyring.sign(purpose, value.rpartition(".")[0]))
        made += [kit.keyring.seal(purpose, payload) for payload in payloads]
    for text in made:
        thief = site.browser(cookies={name: text})
        assert await thief.who() is None
        assert await kit.sessions.find(text) is None
        assert await kit.sessions.find(f"pws_{text}") is None
    assert site.sessions == 1


async def test_a_feature_has_neither_challenges_nor_the_keys_of_codes() -> None:
    """Else it would write itself a code for anybody's address, and type it in."""
    site, kit = hostile()
    jo, now = site.browser(), site.clock.now
    await jo.ask("jo@example.com")
    challenge = challenge_of(site)
    key = challenge_key(challenge.id)
    bound = kit.keyring.bind("challenge", key, b"", key_id=kit.keyring.current)
    put = Put(key, bound, now + 60)
    tries: list[Any] = [
        lambda: kit.store.read(key, now=now),
        lambda: kit.store.write(Writes(puts=(put,)), now=now, op="1"),
        lambda: kit.store.take(key, Writes(), now=now, op="2"),
    ]
    for attempt in tries:
        with pytest.raises(ConfigError, match="no access"):
            await attempt()
    for changes in ({"takes": key}, {"then": Writes(puts=(put,))}):
        with pytest.raises(ConfigError, match="no access"):
            await kit.logins.finish(await proof_of(kit, "made_up", **changes), Caller())
    with pytest.raises(KeyError):
        kit.keyring.code(challenge, "standard")
    own = replace(challenge, key_id=kit.keyring.current)
    with pytest.raises(KeyError):
        kit.cookies.set_flow({own.id: own.key_id}, max_age=60)
    assert kit.keyring.code(own, "standard") != site.mail().code
    with pytest.raises(ConfigError, match="Hostile has no keys of codes"):
        EmailLogin().mount(kit)


async def test_what_inherits_from_the_email_login_is_not_trusted_with_its_keys() -> None:
    class Inherited(EmailLogin):
        pass

    with pytest.raises(ConfigError, match="Inherited has no keys of codes"):
        make_site(features=[Inherited()])


async def test_a_feature_can_neither_read_nor_write_a_session_or_pending_login() -> None:
    site, kit = hostile()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    key, put = session_of(site)
    now, listed = site.clock.now, key.partition("}")[0] + "}l"
    pending = key.partition("}")[0] + "}p" + "A" * 16
    tries: list[Any] = [
        lambda at: kit.store.read(at, now=now),
        lambda at: kit.store.read_list(at, now=now),
        lambda at: kit.store.attempt((), at, now=now, op="1"),
        lambda at: kit.store.take(at, Writes(), now=now, op="2"),
        lambda at: kit.store.write(Writes(puts=(Put(at, put.value, put.until),)), now=now, op="3"),
        lambda at: kit.store.write(Writes(drops=(Drop(at),)), now=now, op="4"),
        lambda at: kit.store.swap(Put(at, b"", put.until), replaces=put.value, now=now),
        lambda at: kit.store.admit(
            (), Put(at, put.value, put.until), job=None, replaces=None, now=now, op="5"
        ),
        lambda at: kit.store.take(
            "{" + "A" * 22 + "}f", Writes(puts=(Put(at, b"", put.until),)), now=now, op="6"
        ),
    ]
    for attempt in tries:
        for at in (key, listed, pending, listed[:-1] + "q"):
            with pytest.raises(ConfigError, match="no access to sessions"):
                await attempt(at)
    assert await jo.who() == "jo@example.com"


async def test_a_feature_cannot_bring_a_revoked_session_back_by_its_records() -> None:
    """Also one that has the record's bytes: it cannot name the place where they count."""
    site, kit = hostile()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    key, put = session_of(site)
    kept = site.browser(cookies=jo.cookies)
    await jo.post("/auth/logout", {})
    for group in ("", "g"):
        await kit.records("x").put(key, put.value, ttl=60, group=group)
    assert await kept.who() is None
    assert site.sessions == 0


async def test_a_view_of_the_sessions_makes_none() -> None:
    _, kit = hostile()
    verbs = {name for name in dir(kit.sessions) if not name.startswith("_")}
    assert verbs == {
        *("find", "lives", "list", "end", "end_pending"),
        *("revoke", "revoke_others", "revoke_all", "withdraw"),
    }


async def test_a_feature_makes_nobody_an_operator() -> None:
    """It would reach the pages of the product's own features (security rule 60)."""

    class King:
        def mount(self, kit: Kit) -> Mounted:
            async def role_of(user: User) -> Role | None:
                return "admin"

            return Mounted(operators=OperatorRules(role_of))

    with pytest.raises(ConfigError, match="King says who is an operator"):
        make_site(features=[EmailLogin(), King()])
