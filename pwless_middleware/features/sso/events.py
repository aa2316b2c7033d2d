"""The events of logins at a company's identity provider."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import CALLER, EventKind
from pwless_middleware.core.organizations.sso_faults import FAULTS

KINDS: Final = (
    EventKind(
        "sso.failed",
        "a login at an identity provider did not work; `details` has the `connection`",
        ("attempt", "organization", "reason", "details", *CALLER),
        reasons=tuple(FAULTS),
        details=("connection",),
    ),
    EventKind(
        "sso.tested",
        "an administrator tested a connection, and it worked; `details` has the `connection`",
        ("attempt", "organization", "details", *CALLER),
        details=("connection",),
    ),
    EventKind(
        "sso.break_glass",
        "somebody signed in by email where their company's login is required, as they may",
        ("attempt", "user_id", "organization", *CALLER),
    ),
    EventKind(
        "identity.linked",
        "who somebody is at an identity provider was linked with their account here; `details` has"
        " the `connection`",
        ("attempt", "user_id", "organization", "details", *CALLER),
        details=("connection",),
    ),
    EventKind(
        "identity.address_changed",
        "an identity provider said another address of somebody than before, and the account keeps"
        " its own; `details` has the `connection`",
        ("attempt", "user_id", "organization", "details", *CALLER),
        details=("connection",),
    ),
)
"""Every kind that the feature records."""
