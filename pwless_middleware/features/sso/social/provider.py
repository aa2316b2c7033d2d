"""A provider that is configured in code, and for which addresses its word counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import domain_of
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.features.sso.person import ProviderPerson

_GOOGLE_MAIL: Final = frozenset(("gmail.com", "googlemail.com"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SocialProvider:
    """A provider that is configured in code.

    Attributes:
        id: in paths, and of the identities of its people: it must not change.
        title: on its button.
        settings: how it is asked.
        client_secret: `None` for a client that has none.
        signup: whether who is unknown gets an account.
        domains: of the host's own, for whose addresses its word counts.
    """

    id: str
    title: str
    settings: OIDCSettings
    client_secret: str | None = field(default=None, repr=False)
    signup: bool = True
    domains: frozenset[str] = frozenset()

    @property
    def factor(self) -> str:
        """The factor that a login by it proves."""
        return f"{SOCIAL_METHOD}:{self.id}"

    @property
    def start_path(self) -> str:
        """Where a login by it begins, below the mount prefix."""
        return f"/sso/oidc/{self.id}/start"

    @property
    def callback_path(self) -> str:
        """Where its answers come to, below the mount prefix."""
        return f"/sso/oidc/{self.id}/callback"

    @property
    def linked_path(self) -> str:
        """Where a login by mail goes on that has proven an address, below the mount prefix."""
        return f"/sso/oidc/{self.id}/linked"

    def vouches_for(self, person: ProviderPerson) -> bool:
        """Whether an address needs no further proof: it is verified, by whom its domain is.

        Anybody can have an account with a foreign address at many providers, and keeps it when the
        address is somebody else's by then: "verified" alone says too little (security rule 50).
        """
        if person.email is None:
            return False
        domain, is_verified = domain_of(person.email), person.is_email_verified is True
        if self.settings.preset == "google":
            # "Google is authoritative" (Google Identity, "Authenticate with a backend server").
            if is_verified and (domain in _GOOGLE_MAIL or _says(person.claims, "hd", domain)):
                return True
        elif self.settings.preset == "entra" and _is_owner_verified(person.claims):
            return True
        return is_verified and domain in self.domains


def _says(claims: Mapping[str, object], name: str, domain: str) -> bool:
    said = claims.get(name)
    return isinstance(said, str) and said.lower() == domain


def _is_owner_verified(claims: Mapping[str, object]) -> bool:
    """Whether Entra says that the tenant has proven the address's domain to be its own.

    Its `email` is what an administrator of any tenant has typed, without this claim.
    """
    return claims.get("xms_edov") in (True, "true", "True", "1")
