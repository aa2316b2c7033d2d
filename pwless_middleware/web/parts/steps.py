"""How a step is done: of a login that waits, and as a fresh proof of a live session.

A feature hands over records (`Mounted.steps`); the JSON resource `step`, the step's page and the
page that asks again who it is read them. So each way is described once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import PendingLogin
from pwless_middleware.flows.logins.logins import Logins
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.requests.bodies import Json
from pwless_middleware.web.requests.fields import Fields, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSubject:
    """Whose step it is, and of what.

    Attributes:
        user_id: the user's id.
        email: their address, as of the login or session.
        caller: who takes the step.
        binding: names the pending login or live session, for what the step is to be bound to.
        enrolls: whether the proof is made in this step (`Step.enrolls`).
        strength: what the login or session is worth so far.
    """

    user_id: str
    email: str = field(repr=False)
    caller: Caller
    binding: str = field(repr=False)
    enrolls: bool = False
    strength: Strength = "any"

    @classmethod
    def of_login(cls, pending: PendingLogin, login_id: str, caller: Caller) -> StepSubject:
        """Return whose the step of a pending login is, by its handle."""
        return cls(
            user_id=pending.login.user_id,
            email=pending.login.email,
            caller=caller,
            binding=f"login:{login_id}",
            enrolls=pending.steps[0].enrolls,
            strength=pending.login.strength,
        )

    @classmethod
    def of_session(cls, account: Account, caller: Caller) -> StepSubject:
        """Return whose a fresh proof of a live session is."""
        return cls(
            user_id=account.session.user_id,
            email=account.user.email,
            caller=caller,
            binding=f"session:{account.session.first_id}",
            strength=account.session.strength,
        )


@dataclass(frozen=True, slots=True)
class StepAction:
    """What a caller may ask for before there is an answer: a text message, or an enrollment.

    Attributes:
        fields: what is sent besides `login_id` and `method`.
        do: does it, and returns what the caller is told, ready for JSON.
    """

    fields: Fields
    do: Callable[[Request, StepSubject, Values], Awaitable[Mapping[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPart:
    """How a step is done on a page: that of a pending login's step, or that of a fresh proof.

    Attributes:
        title: in the list of ways, e.g. `Authenticator app`.
        template: its part of the page. It is given the part's `context`, and `method`, which its
            forms send back, and `action`: where they go.
        show: gives the part for a GET; `None` where this person cannot do it this way. Changes
            nothing.
        read: returns a form as the JSON body that `StepMethod.fields` read.
        prepare: answers a form that is no answer yet, with a response or a part to show: it sends
            the text message, or asks for a passkey. Returns `None` for a form that is an answer.
            `None` (default) where every form is one.
        order: the best way first; lower comes first.
        is_scripted, script: as of `LoginMethod`.
        enroll_path: the page, below the prefix, on which the proof is made in a step that enrolls;
            empty (default) where it cannot be.
        account_path: the page of the account, below the prefix, on which a person looks after what
            they prove it by; empty (default) for none.
    """

    title: Text
    template: str
    show: Callable[[Request, StepSubject], Awaitable[Part | None]]
    read: Callable[[Form], Mapping[str, Json]]
    prepare: Callable[[Request, StepSubject, Form], Awaitable[Response | Part | None]] | None = None
    order: int = 100
    is_scripted: bool = False
    script: str = ""
    enroll_path: str = ""
    account_path: str = ""


IsEnrolled = Callable[[str], Awaitable[bool]]
"""Whether a user, by id, has what a method takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMethod:
    """One way in which a step is done: of a pending login, or as a fresh proof of a live session.

    Attributes:
        name: of the authentication that it ends in (`Authentication.method`), once in an app.
        fields: what is sent besides `login_id` and `method`.
        ask: returns what a caller is told beforehand, ready for JSON; `None` where this person
            cannot do the step this way. Changes nothing.
        check: returns what an answer proves, or `None` if it is wrong; asked only after the try was
            counted.
        strength: what its proof is worth, together with the login that it is a step of.
        page: how it is done on a page; `None` (default) where only the JSON API has it, or the
            feature has a page of its own.
        send: sends what there is to answer (`POST step/send`); `None` where nothing is sent.
        enroll: begins to make the proof, in a step that enrolls (`POST step/enroll`); `None` where
            `ask` does, or it cannot be made there.
        is_enrolled: whether a user, by id, has what it takes: then it is a second factor that they
            can be asked for, and one that can be made in a step that enrolls. `None` (default)
            where it is neither.
        is_required: whether nobody gets a session without it, now: who has none makes it in their
            login. `None` (default) where nobody has to.
    """

    name: str
    fields: Fields
    ask: Callable[[Request, StepSubject], Awaitable[Mapping[str, object] | None]]
    check: Callable[[Request, StepSubject, Values], Awaitable[StepProof | None]]
    strength: Strength = "any"
    page: StepPart | None = None
    send: StepAction | None = None
    enroll: StepAction | None = None
    is_enrolled: IsEnrolled | None = None
    is_required: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class OfferedStep:
    """A way to do a step, and the way to the door of the feature whose it is.

    Attributes:
        method: the way.
        logins: try it: a feature proves its own methods alone.
    """

    method: StepMethod
    logins: Logins
