"""The connection: how the people of an organization sign in with their company's login (SSO)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Authentication

ID_PREFIX: Final = "conn_"
SSO_METHOD: Final = "sso"
"""The method of an authentication by a connection, whichever kind it is."""
SOCIAL_METHOD: Final = "social"
"""The method of an authentication by a provider that is configured in code."""
SUBJECT_LENGTH: Final = 255
"""Characters of a subject, at most (OpenID Connect Core section 2)."""

ConnectionKind = Literal["oidc", "saml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One identity provider of one organization.

    Attributes:
        id: `conn_…`.
        organization: its id.
        kind: the protocol.
        name: what people and operators read.
        is_enabled: whether people can sign in by it.
        config: what its protocol needs, as JSON; nothing secret.
        has_secret: whether a client secret or private key is kept for it, encrypted; it is given
            out nowhere.
        tested_at: unix seconds at which a whole login by it has worked; `None` before.
        created_at: unix seconds.
        version: counts its changes, from 1.
    """

    id: str
    organization: str
    kind: ConnectionKind
    name: str
    is_enabled: bool = False
    config: Mapping[str, object] = field(default_factory=dict)
    has_secret: bool = False
    tested_at: int | None = None
    created_at: int = 0
    version: int = 1

    @property
    def provider(self) -> object:
        """What the provider calls itself; `None` where that is not set yet.

        Subjects are that provider's: at another one they are other people.
        """
        return self.config.get("issuer" if self.kind == "oidc" else "entity_id")

    def leads_elsewhere(self, before: Connection) -> bool:
        """Whether it is at another provider than it was before.

        Who people are there is then forgotten (security rule 50), and so is the secret that the
        provider before has given: a changed address would else have it sent to whoever is there
        (security rule 56). The key of a connection by SAML is ours, and goes to nobody.
        """
        return before.provider is not None and self.provider != before.provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is at an identity provider: never an address.

    Attributes:
        connection: its id, or the name of a provider that is configured in code.
        subject: as the provider has it; it never changes there.
        user_id: whose.
        email: the address that the provider said last; empty for none. For people to read: nothing
            is found by it.
        created_at, seen_at: unix seconds of the first and the last login.
    """

    connection: str
    subject: str = field(repr=False)
    user_id: str
    email: str = field(default="", repr=False)
    created_at: int
    seen_at: int


def sso_factor(connection: str) -> str:
    """Return the factor that a login by a connection proves; a login by another does not."""
    return f"{SSO_METHOD}:{connection}"


def connection_of(authentication: Authentication) -> str | None:
    """Return the connection that an authentication was made by, or `None` if it was by none."""
    if authentication.method != SSO_METHOD:
        return None
    prefix = f"{SSO_METHOD}:"
    named = (factor for factor in authentication.factors if factor.startswith(prefix))
    return next((factor.removeprefix(prefix) for factor in named), None)
