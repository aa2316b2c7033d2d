"""An event of the database as the JSON API tells of it."""

from __future__ import annotations

from collections.abc import Mapping

from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.web.requests.fields import Field, Fields


def public_event(stored: StoredEvent) -> Mapping[str, object]:
    """Return an event, ready for JSON; `EVENT` describes it."""
    told = stored.to_dict()
    return {"id": told.pop("id"), **told, "at": str(stored.event.at)}


EVENT = Fields(
    {
        "id": Field(about="Its id.", example="34ab5c8000000001", required=True),
        "at": Field(
            about="When, unix seconds.",
            example="1767225600",
            required=True,
            also={"pattern": "^[0-9]+$"},
        ),
        "kind": Field(about="What happened.", example="session.created", required=True),
        "attempt": Field(about="Ties the events of one login together."),
        "user_id": Field(about="The user's id."),
        "organization": Field(about="The organization's id."),
        "address": Field(about="Keyed digest of the address."),
        "email": Field(about="The address, where addresses are kept."),
        "by": Field(about="Who changed it."),
        "caller": Field(about="What kind of caller."),
        "client": Field(about="Keyed digest of the client's network."),
        "device": Field(about="The browser in our own words."),
        "country": Field(about="Where the client is, ISO 3166-1, if that is known."),
        "method": Field(about="The login method."),
        "methods": Field(kind="strings", about="Several login methods, in order."),
        "session": Field(about="The session's public id."),
        "reason": Field(about="Why, or which."),
        "wait": Field(kind="integer", about="Seconds until it may be tried again, or is."),
        "tries": Field(kind="integer", about="How many tries there were."),
        "tries_left": Field(kind="integer", about="How many tries are left."),
        "details": Field(kind="object", about="Fields of a kind's own.", fields=Fields({})),
    }
)
