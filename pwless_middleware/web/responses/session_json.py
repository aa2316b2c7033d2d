"""A session as the JSON API tells of it."""

from __future__ import annotations

from collections.abc import Mapping

from pwless_middleware.core.logins.session import Session
from pwless_middleware.web.requests.fields import Field, Fields


def public_session(session: Session) -> Mapping[str, object]:
    """Return a session, ready for JSON; `SESSION` describes it."""
    return {
        "id": session.id,
        "created_at": str(session.created_at),
        "authenticated_at": str(session.authenticated_at),
        "seen_at": str(session.seen_at),
        "expires_at": str(session.expires_at),
        "methods": list(session.methods),
        "device": session.device,
        "organization": session.organization or "",
    }


def time_field(about: str, *, required: bool = True) -> Field:
    """Describe a time in an answer: unix seconds as text.

    Args:
        about: what it is the time of.
        required: whether it is always there.
    """
    also = {"pattern": "^[0-9]+$"}
    about = f"{about}, unix seconds."
    return Field(about=about, example="1767225600", required=required, also=also)


SESSION = Fields(
    {
        "id": Field(about="Its public id.", example="AhVYWQw2o6mzunDOx_bV4A", required=True),
        "created_at": time_field("When it began"),
        "authenticated_at": time_field("When the person last proved who they are"),
        "seen_at": time_field("When it was last used, within a twenty-fourth of its idle time"),
        "expires_at": time_field("When it ends whatever happens"),
        "methods": Field(
            kind="strings", about="How it was proven.", example=["email_code"], required=True
        ),
        "device": Field(
            about="The browser in our own words; empty for programs.",
            example="Firefox on Linux",
            required=True,
        ),
        "organization": Field(
            about="The id of the organization that it is in; empty outside of one.",
            example="org_AhVYWQw2o6mzunDOx_bV4A",
            required=True,
        ),
    }
)
