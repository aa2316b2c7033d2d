"""The events of what is changed of organizations; each says who did it, and from what to what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.organizations.policy_json import policy_to_json

_OF: Final = ("by", "organization", "details")
_OF_MEMBER: Final = ("by", "organization", "user_id", "details")

KINDS: Final = (
    EventKind(
        "organization.created",
        "an organization was made; `details` has its `name`",
        _OF,
        details=("name",),
    ),
    EventKind(
        "organization.changed",
        "its name, key, brand or language was changed; `details` has what was and is",
        _OF,
        details=("from", "to"),
    ),
    EventKind(
        "organization.policy_changed",
        "its policy was changed; `details` has what was and is, and how many break-glass addresses"
        " were `added` and `removed`",
        _OF,
        details=("from", "to", "added", "removed"),
    ),
    EventKind(
        "organization.policy_applied",
        "sessions that were proven before are held to the policy as it is now",
        ("by", "organization"),
    ),
    EventKind(
        "organization.deleted",
        "an organization was deleted, with all that is its own; `details` has its `name`",
        _OF,
        details=("name",),
    ),
    EventKind(
        "domain.added",
        "an organization says that a `domain` is its own; that binds nobody yet",
        _OF,
        details=("domain",),
    ),
    EventKind(
        "domain.verified",
        "a `domain` was verified: it is the organization's own",
        _OF,
        details=("domain",),
    ),
    EventKind(
        "domain.missing",
        "the DNS record of a verified `domain` is not found any more; it stays verified",
        _OF,
        details=("domain",),
    ),
    EventKind(
        "domain.found",
        "the DNS record of a verified `domain` is found again",
        _OF,
        details=("domain",),
    ),
    EventKind("domain.removed", "an organization has a `domain` no more", _OF, details=("domain",)),
    EventKind(
        "connection.created",
        "a connection to an identity provider was made; `details` has its `id`, `kind` and `name`",
        _OF,
        details=("id", "kind", "name"),
    ),
    EventKind(
        "connection.changed",
        "a connection was changed; `details` has its `id`, and what was and is",
        _OF,
        details=("id", "from", "to"),
    ),
    EventKind(
        "connection.secret_changed",
        "another client secret or private key is kept for a connection, or none",
        _OF,
        details=("id",),
    ),
    EventKind("connection.enabled", "people can sign in by a connection", _OF, details=("id",)),
    EventKind(
        "connection.disabled",
        "people cannot sign in by a connection any more",
        _OF,
        details=("id",),
    ),
    EventKind(
        "connection.tested",
        "a whole login by a connection has worked for the first time",
        _OF,
        details=("id",),
    ),
    EventKind(
        "connection.scim_token_created",
        "a token for SCIM was made for a connection; an older one is none any more",
        _OF,
        details=("id",),
    ),
    EventKind(
        "connection.scim_token_revoked",
        "the token for SCIM of a connection is none any more",
        _OF,
        details=("id",),
    ),
    EventKind(
        "connection.deleted",
        "a connection was deleted, and who people are at it",
        _OF,
        details=("id", "name"),
    ),
    EventKind(
        "member.added",
        "somebody became a member; `details` has the `role`, and by what (`origin`)",
        _OF_MEMBER,
        details=("role", "origin"),
    ),
    EventKind(
        "member.changed",
        "a member's role, or their id in a directory, was changed; `details` has what was and is",
        _OF_MEMBER,
        details=("from", "to"),
    ),
    EventKind(
        "member.deactivated",
        "a member cannot sign in to the organization any more, and was signed out of it; `details` "
        "has what else was changed with that",
        _OF_MEMBER,
        details=("from", "to"),
    ),
    EventKind(
        "member.activated",
        "a member can sign in to the organization again; `details` has what else was changed with "
        "that",
        _OF_MEMBER,
        details=("from", "to"),
    ),
    EventKind(
        "member.removed",
        "somebody is no member any more, and was signed out of the organization",
        ("by", "organization", "user_id"),
    ),
    EventKind(
        "member.invited",
        "an address was invited; `details` has the `id` of the invitation, and the `role`",
        ("by", "organization", "address", "details"),
        details=("id", "role"),
    ),
    EventKind(
        "member.joined",
        "somebody accepted an invitation; `details` has its `id`, and the `role`",
        _OF_MEMBER,
        details=("id", "role"),
    ),
    EventKind("member.uninvited", "an invitation was taken back", _OF, details=("id",)),
    EventKind(
        "identity.removed",
        "who somebody is at an identity provider was forgotten here; `details` has the"
        " `connection`",
        ("by", "organization", "user_id", "details"),
        details=("connection",),
    ),
    EventKind(
        "setup_link.created",
        "a link was made by which the organization sets up its login itself",
        _OF,
        details=("id",),
    ),
    EventKind("setup_link.opened", "a set-up link was opened", _OF, details=("id",)),
    EventKind("setup_link.finished", "all is set up, says who opened a link", _OF, details=("id",)),
    EventKind("setup_link.revoked", "a set-up link was taken back", _OF, details=("id",)),
)
"""Every kind that the keepers record."""

_LONGEST: Final = 100
"""Characters of a value in an event; a certificate is longer."""


def describe_values(values: Mapping[str, object]) -> str:
    """Return what was or is, as an event holds it: JSON, without what is longer than a line."""
    return json.dumps({name: _shorten(value) for name, value in values.items()})


def describe_policy(policy: Policy) -> str:
    """Return a policy as an event holds it: no address stands in one (security rule 13)."""
    found = policy_to_json(policy)
    found["break_glass"] = None if policy.break_glass is None else len(policy.break_glass)
    return json.dumps({name: value for name, value in found.items() if value is not None})


def _shorten(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= _LONGEST:
        return value
    return f"{text[:_LONGEST]}…"
