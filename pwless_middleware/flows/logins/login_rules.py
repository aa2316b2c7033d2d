"""The rules of all features, asked before a challenge, before a session, and while it runs.

Every rule is asked, and the strictest answer counts: a refusal before a redirect, a redirect before
a step, and the verdicts of all together (`core.logins.verdict`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.challenges.challenge_context import ChallengeContext, Redirect
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login, Step
from pwless_middleware.core.logins.session import Session, SessionPolicy
from pwless_middleware.core.logins.verdict import Verdict, strictest
from pwless_middleware.core.organizations.organization import Membership
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied
from pwless_middleware.stores.base import Writes

BeforeChallenge = Callable[[ChallengeContext], Awaitable[Redirect | None]]
"""Asked before any mail goes out: `None`, a `Redirect`, or `LoginDenied` to refuse."""
BeforeSession = Callable[[Login], Awaitable[Step | Verdict | Redirect | None]]
"""Asked before there is a session: `None`, a further `Step`, a `Verdict` that narrows the session,
or `LoginDenied` to refuse; a `Redirect` refuses too, and says where else to sign in.

Asked again after each step; `Login.methods` says what is proven by then.
"""

OnSession = Callable[[Session, User], Awaitable[SessionPolicy | None]]
"""Asked of a running session and its user, where nothing that is held says that it goes on: `None`,
a `SessionPolicy` that narrows it, or `LoginDenied`; then it is nobody's, as long as the rule says
so. Asked again after a minute."""

WithSession = Callable[[Login, Session, Caller], Writes]
"""Asked, at the very moment, for the jobs that are queued as a new session begins, all or nothing
with it (`FeatureJobs.writes`). A fresh proof begins none. Whatever else is in the answer is not
written."""

PolicyOf = Callable[[Login], Awaitable[Policy]]
"""Asked what somebody's login must come up to; the strictest of all answers holds."""

EntranceOf = Callable[[Login], Awaitable[str | None]]
"""Asked which organization a login enters that names none, by id; `None` for none. Asked once,
before all rules, so that each of them judges the same one; may raise `LoginDenied`."""

MembershipOf = Callable[[Session, User], Awaitable[Membership | None]]
"""Asked, where a session is validated, which organization it is in and as what; `None` for none.
What it says is held, and asked again where `ORGANIZATIONS` or the user was signaled."""

MayMail = Callable[[Challenge], Awaitable[bool]]
"""Asked by the worker before the mail of a login goes out. Where it must not, nothing is sent, and
nobody hears of that (security rule 14)."""

MaySignUp = Callable[[Address], Awaitable[bool]]
"""Asked whether somebody may become a user by proving an address, where strangers may not: they
were invited."""

ORGANIZATIONS = "organizations"
"""The topic of the signal that an organization has changed: what sessions have of it is read
anew."""


@dataclass(slots=True)
class LoginRules:
    """What features have to say about logins; filled as they are mounted.

    Attributes:
        before_challenge, before_session, on_session: the rules, in the order of their features.
        with_session: who queues jobs as a session begins.
        policies: who says what logins must come up to.
        entrance: says which organization a login enters that names none.
        memberships: says which organization a session is in; `None` where there are none.
        may_mail: who may hold a mail back.
        may_sign_up: who may let somebody become a user, where strangers may not.
        owners: method to the one feature that may prove it.
        recovers: the methods that stand in for what somebody has lost.
    """

    before_challenge: list[BeforeChallenge] = field(default_factory=list)
    before_session: list[BeforeSession] = field(default_factory=list)
    on_session: list[OnSession] = field(default_factory=list)
    with_session: list[WithSession] = field(default_factory=list)
    policies: list[PolicyOf] = field(default_factory=list)
    entrance: EntranceOf | None = None
    memberships: MembershipOf | None = None
    may_mail: list[MayMail] = field(default_factory=list)
    may_sign_up: list[MaySignUp] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    recovers: set[str] = field(default_factory=set)

    def jobs_with(self, login: Login, session: Session, caller: Caller) -> tuple[bytes, ...]:
        """Return the jobs that are queued as this session begins."""
        return tuple(job for ask in self.with_session for job in ask(login, session, caller).jobs)

    async def allow_mail(self, challenge: Challenge) -> bool:
        """Whether no rule holds the mail of a challenge back."""
        for ask in self.may_mail:
            if not await ask(challenge):
                return False
        return True

    async def admit_new(self, address: Address) -> bool:
        """Whether a rule lets the owner of an address become a user, where strangers may not."""
        for ask in self.may_sign_up:
            if await ask(address):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Decision:
    """What all rules say of a login that none of them refuses.

    Attributes:
        redirect: where it must begin anew; `None` for nowhere.
        missing: the steps that are not done yet, in order; those that enroll come last.
        verdict: how its session is narrowed.
    """

    redirect: Redirect | None
    missing: tuple[Step, ...]
    verdict: Verdict


async def ask_before_challenge(rules: LoginRules, context: ChallengeContext) -> Redirect | None:
    """Ask every rule before a challenge is made; the first redirect counts.

    Raises:
        LoginDenied: one of them refuses.
        TypeError: a rule's answer is none of those it may give.
    """
    found: Redirect | None = None
    for rule in rules.before_challenge:
        answer: object = await rule(context)
        if isinstance(answer, Redirect):
            found = found or answer
        elif answer is not None:
            raise _unknown("before_challenge", answer)
    return found


async def ask_before_session(
    rules: LoginRules, login: Login, *, organization: str | None = None
) -> Decision:
    """Ask every rule before there is a session.

    Args:
        rules: those of all features.
        login: what is proven.
        organization: the one that the session is in already; `None` for none.

    Raises:
        LoginDenied: one of them refuses, or two name two organizations, or none has let the login
            into the one that it wants to enter.
        TypeError: a rule's answer is none of those it may give: nobody is let in by it.
    """
    redirect: Redirect | None = None
    missing: list[Step] = []
    verdicts = [Verdict(organization=organization)]
    for rule in rules.before_session:
        answer: object = await rule(login)
        if isinstance(answer, Step):
            if not answer.is_done(login.methods):
                missing.append(answer)
        elif isinstance(answer, Verdict):
            verdicts.append(answer)
        elif isinstance(answer, Redirect):
            redirect = redirect or answer
        elif answer is not None:
            raise _unknown("before_session", answer)
    # What somebody has is asked for before anything is made (security rule 48).
    missing.sort(key=lambda step: step.enrolls)
    verdict = strictest(verdicts)
    is_led_away = redirect is not None
    if login.organization not in (None, verdict.organization) and not is_led_away:
        raise LoginDenied(reason="not_a_member")
    return Decision(redirect, tuple(missing), verdict)


async def ask_on_session(rules: LoginRules, session: Session, user: User) -> SessionPolicy | None:
    """Ask every rule of a running session, and return how they narrow it together.

    Raises:
        LoginDenied: one of them refuses.
        TypeError: a rule's answer is none of those it may give.
    """
    narrowed: SessionPolicy | None = None
    for rule in rules.on_session:
        answer: object = await rule(session, user)
        if isinstance(answer, SessionPolicy):
            narrowed = answer if narrowed is None else narrowed.stricter(answer)
        elif answer is not None:
            raise _unknown("on_session", answer)
    return narrowed


def _unknown(rule: str, answer: object) -> TypeError:
    return TypeError(f"a {rule} rule answered with a {type(answer).__name__}")
