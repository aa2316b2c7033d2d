"""An explanation: what would happen if somebody signed in now, each way, and why."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal, get_args

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.organizations.policy_json import policy_to_json

Outcome = Literal["session", "step", "enrollment", "elsewhere", "denied"]
"""A session; a further proof is asked for, or is made; it begins on another page; or nobody gets
in that way."""
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWay:
    """What would happen with one way in.

    Attributes:
        method: as policies name it, e.g. `email`.
        connection: the id of the connection, of the way `sso`; `None` for the others.
        outcome: what comes of it.
        asks: the second factors by which the step is done, or which can be made.
        reason: why it is denied or begins elsewhere, for programs: of `policy_decision.Reason`, or
            `no_account`, `disabled`, `not_a_member`, `inactive`, `off`; empty for the others.
        text: the same as a sentence.
    """

    method: str
    connection: str | None = None
    outcome: Outcome
    asks: tuple[str, ...] = ()
    reason: str = ""
    text: str

    def to_json(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {
            "method": self.method,
            "connection": self.connection,
            "outcome": self.outcome,
            "asks": [*self.asks],
            "reason": self.reason,
            "text": str(self.text),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What would happen if somebody signed in now.

    Attributes:
        email: who, canonical.
        user_id: the user's id; `None` where nobody is known with the address.
        organization: the id of the one that would be entered; `None` for none.
        owner: the id of the one that has verified the address's domain; `None` for nobody.
        policy: what the login would have to come up to.
        facts: what is known of the person here, in sentences.
        demands: what is asked, and by whom, in sentences.
        ways: each way in.
    """

    email: Address = field(repr=False)
    user_id: str | None
    organization: str | None
    owner: str | None
    policy: Policy
    facts: tuple[str, ...]
    demands: tuple[str, ...]
    ways: tuple[ExplainedWay, ...]

    def to_json(self) -> dict[str, object]:
        """Return it ready for JSON, its sentences in English."""
        return {
            "email": self.email,
            "user_id": self.user_id,
            "organization": self.organization,
            "owner": self.owner,
            "policy": policy_to_json(self.policy),
            "facts": [str(text) for text in self.facts],
            "demands": [str(text) for text in self.demands],
            "ways": [way.to_json() for way in self.ways],
        }
