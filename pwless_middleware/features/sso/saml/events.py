"""The events of what is looked for at SAML providers every day."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.organizations.sso_faults import METADATA_FAULTS

KINDS: Final = (
    EventKind(
        "sso.certificate_ends",
        "the last certificate of a SAML provider ends within 30 days, or has ended; `details` has"
        " the `connection`, and the day on which it `ends`",
        ("organization", "reason", "details"),
        reasons=("certificate_ends", "certificate_ended"),
        details=("connection", "ends"),
    ),
    EventKind(
        "sso.metadata_failed",
        "the metadata of a SAML provider could not be read today, and the connection stays as it"
        " is; `details` has the `connection`",
        ("organization", "reason", "details"),
        reasons=tuple(METADATA_FAULTS),
        details=("connection",),
    ),
)
"""Every kind that is recorded here."""
