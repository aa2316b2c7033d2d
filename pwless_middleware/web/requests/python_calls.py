"""What all Python interfaces share: arguments that nobody may have checked, and who calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import IN_PROCESS, Caller
from pwless_middleware.core.logins.client import Client, parse_ip
from pwless_middleware.core.logins.device import device_of
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import check_strict
from pwless_middleware.web.requests.fields import Fields, Values
from pwless_middleware.web.responses import login_responses


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The answer to a Python verb by which somebody is signed in.

    Attributes:
        user: who; `is_new` if this login made the user.
        session: the record.
        session_token: `pws_…`, for a client without cookies (`bearer=True`).
        set_cookie: the value of a `Set-Cookie` header that signs a browser in.
        email: the user's address.
        device_token: as of `VerifyResult`.
    """

    user: User
    session: Session
    session_token: str = field(repr=False)
    set_cookie: str = field(repr=False)
    email: str = field(repr=False)
    device_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, kit: Kit, caller: Caller, done: LoginResult) -> SignedIn:
        """Return what the host's own code is told of a login that its caller has made."""
        return cls(
            user=done.user,
            session=done.session,
            session_token=done.token,
            set_cookie=login_responses.session_cookie(kit, done),
            email=done.login.email,
            device_token=login_responses.device_token(kit, caller, done),
        )


def check_arguments(fields: Fields, **given: Any) -> Values:
    """Check arguments by the table that checks JSON; one that is `None` was not given.

    Args:
        fields: the table.
        given: the arguments, as the host's code gave them.

    Raises:
        InvalidArgument: one is malformed; each is named.
    """
    body = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in given.items()
        if value is not None
    }
    check_strict(body)
    return fields.read(body)


def make_caller(
    client: str | None, user_agent: str | None = None, *, ends: Session | None = None
) -> Caller:
    """Return who asks: the host's own code, for the person whose these are.

    Args:
        client: their IP address, for the limits by client; `None` if it is not known.
        user_agent: their browser's `User-Agent`; `None` says nothing.
        ends: a session of theirs that a login ends; `None` for none.

    Raises:
        InvalidArgument: one is of another kind; it is named.
    """
    ip = parse_ip(client) if isinstance(client, str) else None
    if client is not None and ip is None:
        raise InvalidArgument.of("client", "Give an IP address, or None.", "ip")
    if user_agent is not None and not isinstance(user_agent, str):
        raise InvalidArgument.of("user_agent", "Give a User-Agent's text, or None.", "string")
    if ends is not None and not isinstance(ends, Session):
        raise InvalidArgument.of("ends", "Give a Session, or None.", "session")
    return Caller(
        name=IN_PROCESS,
        client=Client.at(ip) if ip is not None else None,
        device=device_of(user_agent) if user_agent is not None else "",
        ends=ends,
    )
