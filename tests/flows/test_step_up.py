"""A fresh proof for a live session: through the same rules, and never more than it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware import (
    EmailLogin,
    Kit,
    Login,
    LoginDenied,
    Mounted,
    Session,
    SessionPolicy,
    Step,
    Verdict,
)
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser
from pwless_middleware.core.people.user import UserId
from pwless_middleware.errors import (
    InvalidCode,
    LoginElsewhere,
    RequestExpired,
    StepRequired,
    Unauthenticated,
)
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.logins.proofs import Proof, StepProof
from pwless_middleware.stores.memory import MemoryStore
from tests.support import ROOMY, START, Browser, Site, Slow, make_site

pytestmark = pytest.mark.anyio
LATER = 3600


class Password:
    """A method for tests: whoever has a token of it is the user whom the proof names."""

    def __init__(self, method: str = "password") -> None:
        self.method = method
        self.answer: Any = None
        self.asked: list[Login] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        self.tokens = kit.records("tokens")
        return Mounted(proves=(self.method,), before_session=(self._rule,))

    async def _rule(self, login: Login) -> Any:
        self.asked.append(login)
        if self.meanwhile is not None:
            await self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def proof(self, subject: Address | EnrolledUser, token: str = "t") -> Proof:
        """Make a proof; it can be spent once."""
        await self.tokens.put(token, b"", ttl=600)
        return Proof(
            subject=subject,
            authentication=Authentication(self.method, self.kit.clock()),
            takes=self.tokens.place(token),
            refusal=InvalidCode(0),
        )

    async def step_up(self, session: Session, **changes: Any) -> LoginResult:
        """Prove the session's user anew."""
        subject = EnrolledUser(UserId(session.user_id), Address(session.email))
        proof = await self.proof(changes.pop("subject", subject))
        caller = changes.pop("caller", Caller())
        return await self.kit.logins.step_up(proof, caller, session)


async def signed_in(**options: Any) -> tuple[Site, Password, Browser, Session]:
    password = Password()
    site = make_site(features=[EmailLogin(send_limits=ROOMY), password], **options)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    password.asked.clear()
    return site, password, jo, session


async def test_the_id_is_new_and_begin_and_end_are_the_old_ones() -> None:
    site, password, jo, session = await signed_in()
    site.clock.advance(LATER)
    done = await password.step_up(session)
    assert done.is_renewal
    assert done.session.id != session.id
    assert (done.session.created_at, done.session.expires_at) == (START, session.expires_at)
    assert done.session.authenticated_at == START + LATER
    assert done.session.methods == ("email_code", "password")
    assert done.session.strength == "second_factor"
    assert (done.session.user_id, done.session.email) == (session.user_id, session.email)
    assert await jo.who() is None, "the old id is dead here at once"
    assert site.sessions == 1
    renewed = site.browser(cookies={jo.cookie_name(): done.cookie})
    assert await renewed.who() == "jo@example.com"
    rows = await site.passwordless.sessions.list(session.user_id)
    assert [row.id for row in rows] == [done.session.id]


async def test_the_same_method_again_renews_its_proof() -> None:
    site, password, _, session = await signed_in()
    first = await password.step_up(session)
    site.clock.advance(LATER)
    second = await password.step_up(first.session)
    assert [(a.method, a.at) for a in second.session.authentications] == [
        ("email_code", START),
        ("password", START + LATER),
    ]
    assert second.session.is_fresh(now=START + LATER, within=60)
    assert not second.session.is_fresh(now=START + LATER, within=60, strength="second_factor")


async def test_the_rules_are_asked_with_all_proofs() -> None:
    _, password, _, session = await signed_in()
    await password.step_up(session)
    (login,) = password.asked
    assert login.methods == ("email_code", "password")
    assert login.user_id == session.user_id


async def test_a_proof_of_another_user_is_refused_and_spent() -> None:
    site, password, jo, session = await signed_in()
    other = Address("kim@example.com")
    with pytest.raises(LoginDenied):
        await password.step_up(session, subject=other)
    assert await password.tokens.read("t") is None
    assert await jo.who() == "jo@example.com"
    assert site.sessions == 1
    assert password.asked == [], "whose it is comes before any rule"


async def test_a_proof_of_nobody_is_the_methods_own_refusal() -> None:
    _, password, jo, session = await signed_in()
    with pytest.raises(InvalidCode):
        await password.step_up(session, subject=EnrolledUser(UserId("gone"), None))
    assert await jo.who() == "jo@example.com"


async def test_a_proof_is_spent_once() -> None:
    site, password, _, session = await signed_in()
    subject = EnrolledUser(UserId(session.user_id), Address(session.email))
    proof = await password.proof(subject)
    done = await password.kit.logins.step_up(proof, Caller(), session)
    with pytest.raises(RequestExpired):
        await password.kit.logins.step_up(proof, Caller(), done.session)
    assert site.sessions == 1


async def test_a_session_that_is_over_stays_over() -> None:
    site, password, _, session = await signed_in()
    await site.passwordless.sessions.revoke_all(session.user_id)
    with pytest.raises(Unauthenticated):
        await password.step_up(session)
    assert site.sessions == 0


async def test_a_session_that_is_revoked_as_it_is_renewed_does_not_come_back() -> None:
    site, password, _, session = await signed_in()
    revoke = site.passwordless.sessions.revoke_all
    # The rules are asked between the read of the session and the writes.
    password.meanwhile = lambda: revoke(session.user_id)
    with pytest.raises(Unauthenticated):
        await password.step_up(session)
    assert site.sessions == 0


# The list of pending logins is read before that of sessions, where there is one to read.
@pytest.mark.parametrize(("verb", "nth"), [("revoke_all", 2), ("revoke_others", 1), ("revoke", 1)])
async def test_a_session_that_is_renewed_as_all_are_revoked_does_not_escape(
    verb: str, nth: int
) -> None:
    """Its new id is not on the list that was read, and its old one is gone by the drop."""
    store = Slow(MemoryStore())
    site, password, jo, session = await signed_in(store=store)
    site.store = store.store
    renewed: list[LoginResult] = []

    async def renew() -> None:
        if store.calls.count("read_list") == nth:
            renewed.append(await password.step_up(session))

    store.after["read_list"] = renew
    sessions = site.passwordless.sessions
    if verb == "revoke_all":
        await sessions.revoke_all(session.user_id)
    elif verb == "revoke_others":
        await sessions.revoke_others(session.user_id, keep="another")
    else:
        assert await sessions.revoke(session.user_id, session.id)
    assert renewed
    thief = site.browser(cookies={jo.cookie_name(): renewed[0].cookie})
    assert await thief.who() is None
    assert site.sessions == 0


async def test_a_record_that_a_caller_has_changed_is_worth_what_the_store_says() -> None:
    """What a session holds is read again: its end, its proofs and its user are not the caller's."""
    site, password, _, session = await signed_in()
    lasting = replace(
        session,
        expires_at=session.expires_at * 2,
        authentications=(*session.authentications, Authentication("passkey", START)),
        organization="bank",
    )
    done = await password.step_up(lasting)
    assert done.session.expires_at == session.expires_at
    assert done.session.methods == ("email_code", "password")
    assert done.session.organization is None
    stolen = replace(done.session, user_id="somebody else")
    with pytest.raises(Unauthenticated):
        await password.step_up(stolen, subject=Address("jo@example.com"))
    assert site.sessions == 1


@pytest.mark.parametrize("error", [LoginDenied("No."), LoginElsewhere("/sso", login_url="x")])
async def test_a_rule_that_refuses_leaves_the_session_as_it_was(error: Exception) -> None:
    site, password, jo, session = await signed_in()
    password.answer = error
    with pytest.raises(type(error)):
        await password.step_up(session)
    assert await password.tokens.read("t") is None, "the proof is spent"
    assert await jo.who() == "jo@example.com"
    assert site.sessions == 1


async def test_a_step_comes_first_and_then_renews_the_same_session() -> None:
    site, password, jo, session = await signed_in()
    password.answer = Step(("second",), "/step/second")
    password.kit.logins._rules.owners["second"] = "Password"
    site.clock.advance(LATER)
    with pytest.raises(StepRequired) as asked:
        await password.step_up(session)
    assert await jo.who() == "jo@example.com", "nothing has changed yet"
    caller = Caller(pending=asked.value.login_id)

    async def check(login: Login) -> StepProof:
        return StepProof(Authentication("second", password.kit.clock()))

    done = await password.kit.logins.do_step(asked.value.login_id, "second", caller, check)
    assert done.is_renewal
    assert done.session.methods == ("email_code", "password", "second")
    assert (done.session.created_at, done.session.expires_at) == (START, session.expires_at)
    assert await jo.who() is None
    assert site.sessions == 1


async def test_a_step_for_a_session_that_has_ended_meanwhile_makes_none() -> None:
    site, password, _, session = await signed_in()
    password.answer = Step(("second",), "/step/second")
    password.kit.logins._rules.owners["second"] = "Password"
    with pytest.raises(StepRequired) as asked:
        await password.step_up(session)
    await site.passwordless.sessions.end(session)
    caller = Caller(pending=asked.value.login_id)

    async def check(login: Login) -> StepProof:
        return StepProof(Authentication("second", password.kit.clock()))

    with pytest.raises(Unauthenticated):
        await password.kit.logins.do_step(asked.value.login_id, "second", caller, check)
    assert site.sessions == 0


async def test_a_verdict_narrows_a_session_and_a_fresh_proof_does_not_widen_it_again() -> None:
    password = Password()
    password.answer = Verdict(session=SessionPolicy(idle=60, absolute=7200), organization="acme")
    site = make_site(features=[EmailLogin(send_limits=ROOMY), password])
    jo = site.browser()
    answer = await jo.sign_in("jo@example.com")
    assert "Max-Age=7200" in answer.headers["set-cookie"]
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert (session.idle, session.expires_at) == (60, START + 7200)
    assert session.organization == "acme"
    password.answer = None
    site.clock.advance(50)
    done = await password.step_up(session)
    assert (done.session.idle, done.session.expires_at) == (60, START + 7200)
    assert done.session.organization == "acme"
    password.answer = Verdict(organization="bank")
    with pytest.raises(LoginDenied):
        await password.step_up(done.session)
    site.clock.advance(60)
    assert site.sessions == 0


async def test_no_verdict_makes_a_session_longer_than_the_deployment_says() -> None:
    password = Password()
    password.answer = Verdict(session=SessionPolicy(idle=400 * 86400, absolute=400 * 86400))
    features = [EmailLogin(send_limits=ROOMY), password]
    site = make_site(features=features, sessions=SessionPolicy.strict())
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert (session.idle, session.expires_at) == (30 * 60, START + 12 * 3600)


@pytest.mark.parametrize("answer", [True, "no", 0, Step])
async def test_an_answer_that_is_none_lets_nobody_in(answer: Any) -> None:
    password = Password()
    password.answer = answer
    site = make_site(features=[EmailLogin(send_limits=ROOMY), password])
    jo = site.browser()
    await jo.ask("jo@example.com")
    with pytest.raises(TypeError, match="before_session"):
        await jo.type_code(site.mail().code)
    assert site.sessions == 0
