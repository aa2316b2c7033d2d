"""The description of one method of a route, from which `web.routing.openapi` makes the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import (
    ApiError,
    ContentTooLarge,
    InvalidArgument,
    MissingScope,
    Unavailable,
    UnsupportedMediaType,
    UsersUnavailable,
)
from pwless_middleware.web.requests.bodies import JSON
from pwless_middleware.web.requests.fields import Fields

API_KEY, SESSION_TOKEN = "apiKey", "sessionToken"  # names of schemes, not secrets
SESSION_COOKIE, FLOW_COOKIE, ORIGIN = "sessionCookie", "flowCookie", "origin"
PENDING_COOKIE, PASSKEY_COOKIE = "pendingCookie", "passkeyCookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one method of a route does.

    Attributes:
        id: its name in generated clients.
        summary: one line.
        about: what a caller should know besides; empty for nothing.
        parameters: each name in the path to what it is.
        security: the ways to be allowed in, each a set of schemes that go together; an empty set
            means that anybody is.
        query: what it takes behind the `?` (`web.requests.queries`); `None` reads none.
        body: what it takes, or what returns that, where it may change; `None` reads no body.
        body_type: the body's media type.
        lines: the media type in which a good answer may come line by line instead; empty for none.
        text: the media type of a good answer that is text and no JSON; empty for none.
        answers: status to what it gives; `None` is an empty body.
        sets_cookie: whether an answer to a browser carries `Set-Cookie`.
        errors: what it raises besides what every body and every store can cause.
        next: operation to (parameter or body field, runtime expression) that feed on the answer.
        uses_store: whether the store or the user directory being down answers 503.
    """

    id: str
    summary: str
    about: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    security: Sequence[Sequence[str]] = ((),)
    query: Fields | None = None
    body: Fields | Callable[[], Fields] | None = None
    body_type: str = JSON
    lines: str = ""
    text: str = ""
    answers: Mapping[int, Fields | None]
    sets_cookie: bool = False
    errors: Sequence[type[ApiError]] = ()
    next: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    uses_store: bool = True

    def raises(self) -> tuple[type[ApiError], ...]:
        """Return every error that a caller can be told."""
        of_body = (InvalidArgument, ContentTooLarge, UnsupportedMediaType)
        return (
            *(of_body if self.body is not None else ()),
            *((InvalidArgument,) if self.query is not None else ()),
            *self.errors,
            *((MissingScope,) if any(API_KEY in way for way in self.security) else ()),
            *((Unavailable, UsersUnavailable) if self.uses_store else ()),
        )
