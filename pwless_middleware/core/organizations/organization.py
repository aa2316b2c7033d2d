"""The organization: a customer of the host's, with its domains, its members and its own policy."""

from __future__ import annotations

import secrets
from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.organizations.policy import ANYTHING, Policy

ID_PREFIX: Final = "org_"
_ID_LENGTH: Final = len(ID_PREFIX) + 22
NAME_LENGTH: Final = 100
"""Characters of a name, or of the customer's own key, at most."""
ROLE_LENGTH: Final = 64
"""Characters of a role, at most."""

Origin = Literal["invitation", "domain", "sso", "scim", "api", "operator"]
"""How somebody has become a member."""


def new_id(prefix: str) -> str:
    """Return a new id: the prefix and 128 random bits, in 22 characters."""
    return prefix + b64(secrets.token_bytes(16))


def id_in(given: str | None) -> str | None:
    """Return what a login names as its organization if it looks like an id, else `None`.

    For events: what looks otherwise is an organization's nowhere, and may be anything.
    """
    is_id = given is not None and len(given) == _ID_LENGTH and given.startswith(ID_PREFIX)
    return given if is_id else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A customer whose people sign in by rules of their own.

    Attributes:
        id: `org_…`.
        name: what people read.
        external_id: the host's own key of it, which no other has and which does not begin like an
            id; `None` for none.
        policy: what it asks of logins.
        logo: the address of its picture, as a brand has it; `None` takes the deployment's.
        color: of its buttons, as a brand has it; `None` takes the deployment's.
        language: the code of the language of its pages and mails, where a person has chosen none;
            empty takes the usual one.
        created_at: unix seconds.
        version: counts its changes, from 1; a change names the one that it is made to.
        enforced_at: unix seconds: sessions that were proven before are held to the policy as it is
            now. 0 lets them live to their end.
    """

    id: str
    name: str
    external_id: str | None = None
    policy: Policy = ANYTHING
    logo: str | None = None
    color: str | None = None
    language: str = ""
    created_at: int = 0
    version: int = 1
    enforced_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A mail domain that an organization says is its own.

    Before it is verified it binds nobody, and any number of organizations may say so; verified it
    is one organization's.

    Attributes:
        name: canonical, e.g. `acme.example`.
        organization: whose.
        token: what its DNS record must hold.
        created_at: unix seconds.
        verified_at: unix seconds; `None` before.
        checked_at: unix seconds of the last look at the record; `None` before the first, and for a
            domain that a person has verified until its record is there.
        failing_since: unix seconds since when the record of a verified domain is not found; `None`
            while it is.
    """

    name: str
    organization: str
    token: str
    created_at: int
    verified_at: int | None = None
    checked_at: int | None = None
    failing_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in an organization; one person may be in several.

    Attributes:
        organization: its id.
        user_id: whose.
        role: for the app to read; empty for none.
        origin: how they came in.
        external_id: the id that their directory has for them (SCIM); `None` for none.
        is_active: whether they may sign in to it.
        created_at: unix seconds.
    """

    organization: str
    user_id: str
    role: str = ""
    origin: Origin = "api"
    external_id: str | None = None
    is_active: bool = True
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """What a session has of the organization that it is in.

    Attributes:
        organization: as it is now.
        role: the person's in it; empty for none.
    """

    organization: Organization
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A place in an organization, kept for whoever reads the mail of one address.

    Attributes:
        id: `inv_…`.
        organization: its id.
        email: who is invited, canonical; nobody else can accept.
        role: that they will have; empty for none.
        created_at, expires_at: unix seconds.
        by: who invites, as events have it (`operator:…`, `server:…`, `python`).
        accepted_at: unix seconds; `None` before. It is accepted once.
    """

    id: str
    organization: str
    email: Address = field(repr=False)
    role: str = ""
    created_at: int
    expires_at: int
    by: str
    accepted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLink:
    """A link by which a customer's administrator sets up their login and domains themselves.

    Attributes:
        id: `setup_…`.
        organization: its id; the link opens nothing else.
        created_at, expires_at: unix seconds; what it has opened ends then too.
        by: who made it, as events have it.
        opened_at: unix seconds; `None` before. One browser opens it, once.
        finished_at: unix seconds at which the administrator said that all is done; `None` before.
    """

    id: str
    organization: str
    created_at: int
    expires_at: int
    by: str
    opened_at: int | None = None
    finished_at: int | None = None
