"""Events of the door: how a login ended that did not end in a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.organization import id_in
from pwless_middleware.errors import (
    ApiError,
    LoginDenied,
    LoginElsewhere,
    PersonDisabled,
    RequestExpired,
    Unauthenticated,
)
from pwless_middleware.flows.events.events import Events


@contextmanager
def recording_refusals(
    events: Events,
    caller: Caller | None,
    attempt: bytes = b"",
    *,
    organization: str | None = None,
    nobody: ApiError | None = None,
) -> Iterator[None]:
    """Record why what is done inside raises, and let it be raised.

    Args:
        events: where.
        caller: whose login it is; `None` where that is not known.
        attempt: names the login.
        organization: which one the login is to enter, as it was given; `None` for none.
        nobody: what is raised where there is nobody to serve.
    """
    try:
        yield
    except ApiError as error:
        reason = "unknown_user" if error is nobody else _reason_of(error)
        if reason is not None:
            events.record(
                "login.refused",
                caller,
                attempt=attempt,
                organization=id_in(organization),
                reason=reason,
            )
        raise


@contextmanager
def answering_as_nobody(refusal: ApiError) -> Iterator[None]:
    """Answer for a person who is disabled as for nobody (security rule 14).

    Args:
        refusal: what is raised where there is nobody to serve.
    """
    try:
        yield
    except PersonDisabled:
        raise refusal from None


def _reason_of(error: ApiError) -> str | None:
    if isinstance(error, LoginElsewhere):
        return "elsewhere"
    if isinstance(error, PersonDisabled):
        return "disabled"
    if isinstance(error, LoginDenied):
        return error.reason
    if isinstance(error, RequestExpired):
        return "used"
    return "signed_out" if isinstance(error, Unauthenticated) else None
