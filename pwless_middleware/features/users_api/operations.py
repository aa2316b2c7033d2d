"""What the `users` resource takes and gives: the tables that check it, and describe it."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.people.person import MAX_NAME
from pwless_middleware.errors import ForbiddenOrigin, PersonNotFound, RateLimited, Unauthenticated
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import PRINTABLE
from pwless_middleware.web.responses.event_json import EVENT
from pwless_middleware.web.responses.session_json import SESSION, time_field
from pwless_middleware.web.routing.operations import API_KEY, Operation

MOST: Final = 1_000
"""Users or events of one page, at most."""


def _page_size(about: str) -> Field:
    return Field(kind="integer", about=about, example=50, least=1, most=MOST)


def _text(about: str, example: str, *, shortest: int = 1, longest: int = 254) -> Field:
    also = {"pattern": PRINTABLE}
    return Field(about=about, example=example, shortest=shortest, longest=longest, also=also)


_SECURITY = ((API_KEY,),)
_WHO = {"id": "The user's id."}
_USER = Fields(
    {
        "id": Field(about="The user's stable id.", example="u-1024", required=True),
        "email": Field(about="The user's address.", example="jo@example.com", required=True),
        "name": Field(about="What to call them; empty for none.", example="Jo", required=True),
        "language": Field(about="Theirs; empty for none.", example="de", required=True),
        "disabled": Field(
            kind="boolean", about="Whether they may not sign in.", example=False, required=True
        ),
        "created_at": time_field("When they were made"),
        "seen_at": time_field("When they were there last, some hours old at most", required=False),
        "disabled_at": time_field("Since when they may not sign in", required=False),
    }
)
_ONE = Fields({"user": Field(kind="object", about="The user.", required=True, fields=_USER)})
_ERRORS = (Unauthenticated, ForbiddenOrigin, PersonNotFound)
QUERY = Fields(
    {
        "email": _text("The one with this address.", "jo@example.com"),
        "id": _text("The one with this id.", "Rf-EcZvW1K_abohaZQpGMw"),
        "prefix": _text("Those whose addresses begin so.", "jo"),
        "after": _text("Those behind this address: `next` of the page before.", "jo@example.com"),
        "disabled": Field(
            about="`true` is those alone who may not sign in.", example="true", one_of=("true",)
        ),
        "limit": _page_size("How many at most; default 50."),
    }
)
EVENT_QUERY = Fields(
    {
        "before": Field(
            about="Older than the event with this id: `next` of the page before.",
            example="34ab5c8000000001",
            shortest=16,
            longest=16,
            also={"pattern": "^[0-7][0-9a-f]{15}$"},
        ),
        "limit": _page_size("How many at most; default 50."),
    }
)


CHANGE_FIELDS = Fields(
    {
        "name": Field(
            about="What to call them, in one line; empty takes it away.",
            example="Jo",
            longest=MAX_NAME,
            also={"pattern": f"^[^{CONTROL}{LINE_ENDS}{BIDI}]*$"},
        ),
        "language": Field(
            about="The code of theirs, of one that is offered now; empty takes it away.",
            example="de",
        ),
        "disabled": Field(
            kind="boolean",
            about="True signs the user out everywhere, and lets them in no more.",
            example=True,
        ),
    }
)
CREATE_FIELDS = Fields(
    {
        "email": Field(
            about="Their address, as somebody types it.",
            example="jo@example.com",
            required=True,
            shortest=1,
            longest=254,
            also={"format": "email"},
        ),
        "name": CHANGE_FIELDS.fields["name"],
        "language": CHANGE_FIELDS.fields["language"],
        "invite": Field(
            kind="boolean",
            about="True tells them by an email with the sign-in page's address, and no secret.",
            example=True,
        ),
    }
)


LIST = Operation(
    id="listUsers",
    summary="Users by address, page by page, or the one of an address or id",
    security=_SECURITY,
    query=QUERY,
    answers={
        200: Fields(
            {
                "users": Field(kind="objects", about="A page.", required=True, fields=_USER),
                "next": Field(
                    about="For `after` of the next page; absent on the last.",
                    example="jo@example.com",
                ),
            }
        )
    },
    errors=(Unauthenticated, ForbiddenOrigin),
    next={"getUser": ("id", "$response.body#/users/0/id")},
)
GET = Operation(
    id="getUser",
    summary="One user",
    parameters=_WHO,
    security=_SECURITY,
    answers={200: _ONE},
    errors=_ERRORS,
)
EXPORT = Operation(
    id="exportUser",
    summary="Everything that is kept about a user",
    about="What is kept opens nothing: no secrets, no keys.",
    parameters=_WHO,
    security=_SECURITY,
    answers={200: Fields({})},
    errors=_ERRORS,
)
END_SESSION = Operation(
    id="endUserSession",
    summary="End one session of a user",
    parameters={**_WHO, "session": "The public id of a session."},
    security=_SECURITY,
    answers={204: None},
    errors=_ERRORS,
)
DELETE = Operation(
    id="deleteUser",
    summary="Erase everything about a user",
    about="Sessions end, and what happened stays in the events without who it was.",
    parameters=_WHO,
    security=_SECURITY,
    answers={204: None},
    errors=_ERRORS,
)
LIST_SESSIONS = Operation(
    id="listUserSessions",
    summary="A user's sessions, the last used first",
    parameters=_WHO,
    security=_SECURITY,
    answers={
        200: Fields(
            {
                "sessions": Field(
                    kind="objects", about="All that live.", required=True, fields=SESSION
                )
            }
        )
    },
    errors=_ERRORS,
)
END_SESSIONS = Operation(
    id="endUserSessions",
    summary="Sign a user out everywhere",
    parameters=_WHO,
    security=_SECURITY,
    answers={204: None},
    errors=_ERRORS,
)
LIST_EVENTS = Operation(
    id="listUserEvents",
    summary="What happened to a user, the newest first",
    parameters=_WHO,
    security=_SECURITY,
    query=EVENT_QUERY,
    answers={
        200: Fields(
            {
                "events": Field(kind="objects", about="A page.", required=True, fields=EVENT),
                "next": Field(
                    about="For `before` of the next page; absent on the last.",
                    example="34ab5c8000000001",
                ),
            }
        )
    },
    errors=_ERRORS,
)
CHANGE = Operation(
    id="changeUser",
    summary="Name or language, or whether they may sign in",
    about="What is not sent stays as it is.",
    parameters=_WHO,
    security=_SECURITY,
    body=CHANGE_FIELDS,
    answers={200: _ONE},
    errors=_ERRORS,
)
CREATE = Operation(
    id="createUser",
    summary="Make a user who may sign in",
    about="Whoever has the address already is answered as they are.",
    security=_SECURITY,
    body=CREATE_FIELDS,
    answers={200: _ONE},
    errors=(Unauthenticated, ForbiddenOrigin, RateLimited),
    next={"getUser": ("id", "$response.body#/user/id")},
)
