"""The providers that an administrator can choose from, by both protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection, ConnectionKind
from pwless_middleware.features.sso.oidc.presets import PRESETS as OIDC_PRESETS
from pwless_middleware.features.sso.oidc.presets import Preset as OIDCPreset
from pwless_middleware.features.sso.saml.presets import PRESETS as SAML_PRESETS
from pwless_middleware.features.sso.saml.presets import Preset as SAMLPreset
from pwless_middleware.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One choice.

    Attributes:
        id: the word for it, which a connection keeps as its `preset`.
        title: for who chooses.
        name: its own, which people read where they sign in; empty for any provider.
        kind: the protocol.
        steps: what is to be done there, in order.
        role_steps: what is to be done besides, for groups that give roles.
    """

    id: str
    title: str
    name: str
    kind: ConnectionKind
    steps: tuple[str, ...]
    role_steps: tuple[str, ...]


_TITLES: Final[Mapping[str, str]] = {"oidc": Text("Another provider, by OpenID Connect")}
_NAMES: Final[Mapping[str, str]] = {
    "google": "Google Workspace",
    "entra": "Microsoft Entra ID",
    "okta": "Okta",
    "google_saml": "Google Workspace",
    "entra_saml": "Microsoft Entra ID",
    "okta_saml": "Okta",
    "adfs": "AD FS",
}


def _all() -> Iterator[Provider]:
    kinds: tuple[tuple[ConnectionKind, Iterable[OIDCPreset | SAMLPreset]], ...] = (
        ("oidc", OIDC_PRESETS.values()),
        ("saml", SAML_PRESETS.values()),
    )
    for kind, presets in kinds:
        for preset in presets:
            yield Provider(
                id=preset.id,
                title=_TITLES.get(preset.id, preset.name),
                name=_NAMES.get(preset.id, ""),
                kind=kind,
                steps=preset.steps,
                role_steps=preset.role_steps,
            )


PROVIDERS: Final[Mapping[str, Provider]] = {
    one.id: one for one in sorted(_all(), key=lambda one: not one.name)
}
"""All of them, by id, in the order in which they are shown: those that fit any provider last."""


def provider_of(connection: Connection) -> Provider:
    """Return which provider a connection is set to; any of its protocol for one not known here."""
    found = PROVIDERS.get(str(connection.config.get("preset", "")))
    return found if found and found.kind == connection.kind else PROVIDERS[connection.kind]
