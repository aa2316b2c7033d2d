"""What an explanation says in sentences: of a person, and of what comes of a way in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pwless_middleware.core.addresses.address import Address, domain_of
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.explanation import Outcome
from pwless_middleware.core.organizations.organization import Member
from pwless_middleware.core.organizations.policy_decision import AskStep, Deny, Reason
from pwless_middleware.core.people.user import User
from pwless_middleware.flows.organizations.policies import Deciding
from pwless_middleware.flows.organizations.policy_sentences import list_methods
from pwless_middleware.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom it is about.

    Attributes:
        email: canonical.
        user: who has it; `None` for nobody.
        is_disabled: whether nobody can sign in as them.
        member: what they are in the organization that is entered; `None` for nothing.
        is_invited: whether they are invited there.
        is_switched_off: whether the owner of their domain has deactivated them.
        has: the second factors that they can be asked for.
        deciding: the organizations that have a say.
    """

    email: Address
    user: User | None
    is_disabled: bool
    member: Member | None
    is_invited: bool
    is_switched_off: bool
    has: Sequence[str]
    deciding: Deciding


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one way in; its fields are those of `ExplainedWay`."""

    outcome: Outcome
    text: str
    reason: str = ""
    asks: tuple[str, ...] = ()


def tell(missing: Deny | AskStep | None, deciding: Deciding, *, is_break_glass: bool) -> Told:
    """Return what a decision comes to, in a sentence."""
    if missing is None:
        return Told("session", _SESSION)
    if isinstance(missing, AskStep):
        text = _ENROLLMENT if missing.enrolls else _STEP
        if is_break_glass:
            text = _BREAK_GLASS
        return Told(
            "enrollment" if missing.enrolls else "step",
            Text(text, methods=list_methods(missing.methods)),
            asks=missing.methods,
        )
    demanding = deciding.demanding
    if missing.reason == "sso" and demanding is not None:
        return Told("elsewhere", Text(_ELSEWHERE, organization=demanding.name), "sso")
    return Told("denied", _DENIED[missing.reason], missing.reason)


def describe_person(person: Person) -> tuple[str, ...]:
    """Return what is known of a person here, in sentences."""
    owner, entered = person.deciding.owner, person.deciding.entered
    domain = domain_of(person.email)
    found: list[str] = []
    if owner is not None:
        found.append(Text(_OWNED, domain=domain, organization=owner.name))
    else:
        found.append(Text(_UNOWNED, domain=domain))
    if person.is_disabled:
        found.append(DISABLED)
    elif person.user is None:
        found.append(_UNKNOWN)
    if entered is not None and person.member is not None:
        role = person.member.role
        said = _MEMBER_AS if role else _MEMBER
        found.append(Text(said, organization=entered.name, role=role))
    elif entered is not None and person.is_invited:
        found.append(Text(_INVITED, organization=entered.name))
    if person.user is not None:
        has = list_methods(person.has)
        found.append(Text(_HAS, methods=has) if has else _HAS_NONE)
    found.extend(
        Text(_IS_BREAK_GLASS, organization=one.name)
        for one in person.deciding.organizations
        if person.email in (one.policy.break_glass or ())
    )
    return tuple(found)


_SESSION: Final = Text("They are signed in.")
_STEP: Final = Text("They are asked for a second factor: %(methods)s.")
_ENROLLMENT: Final = Text("They add a second factor in the login: %(methods)s.")
_BREAK_GLASS: Final = Text(
    "They come in by the page for who cannot reach the company's login, and are asked for a second "
    "factor: %(methods)s."
)
_ELSEWHERE: Final = Text("They are led to the login of %(organization)s, which is required.")
_DENIED: Final[dict[Reason, Text]] = {
    "sso": Text("The company's login is required, and there is none here."),
    "connection": Text("The login of another organization does not count here."),
    "method": Text("The policy does not allow this way to sign in."),
    "factor": Text("This second factor does not count here."),
    "no_factor": Text("A second factor is required, and there is none that could be asked for."),
}
DISABLED: Final = Text("This person is disabled.")
_UNKNOWN: Final = Text("Nobody has signed in with this address yet.")
NO_PASSKEY: Final = Text("They have no passkey.")
INACTIVE: Final = Text("They are deactivated in %(organization)s.")
LED: Final = Text("They are led to the login of %(organization)s: a mail does not lead in here.")
NO_MEMBER: Final = Text("They are no member of %(organization)s, and do not become one this way.")
_MEMBER: Final = Text("They are a member of %(organization)s.")
_MEMBER_AS: Final = Text("They are a member of %(organization)s, as %(role)s.")
_INVITED: Final = Text("They are invited to %(organization)s.")
_HAS: Final = Text("Second factors they have: %(methods)s.")
_HAS_NONE: Final = Text("They have no second factor.")
_OWNED: Final = Text("%(domain)s is a verified domain of %(organization)s.")
_UNOWNED: Final = Text("No organization has verified %(domain)s.")
_IS_BREAK_GLASS: Final = Text("This is a break-glass address of %(organization)s.")
OFF: Final = Text("%(name)s of %(organization)s is not turned on.")
SSO_OFF: Final = Text("%(organization)s does not use its company's login: it is off.")
