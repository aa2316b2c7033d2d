"""Providers that many companies have: what their issuer looks like, and what to do there.

The steps are for the IT department of a customer, who has the provider's own pages open beside
ours; in quotes stands what is written there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.oidc.settings import OIDCSettings, clean_issuer
from pwless_middleware.text import Text

_TENANT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\.[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider, as far as it is the same for all its customers.

    Attributes:
        id: as `OIDCSettings.preset` has it.
        name: its own.
        issuer: of every customer, with `{}` for what each has of its own; empty where all of it is.
        label: what is asked for to know the issuer; empty where it is the same for all.
        example: of what is asked for.
        pattern: of it, in lower case; `None` for any.
        problem: what to tell who has typed something else.
        asks_anew: whether it can be told to have somebody sign in again, who is signed in.
        steps: what is to be done at the provider, in order.
        role_steps: what is to be done besides, for groups that give roles.
        role_scopes: what is asked for besides, for the same.
    """

    id: str
    name: str
    issuer: str = ""
    label: str = ""
    example: str = ""
    pattern: re.Pattern[str] | None = None
    problem: str = ""
    asks_anew: bool = True
    steps: tuple[str, ...] = ()
    role_steps: tuple[str, ...] = ()
    role_scopes: tuple[str, ...] = ()

    def issuer_of(self, typed: str) -> str:
        """Return the issuer of a customer.

        Args:
            typed: what is asked for; whole addresses that hold it are good as well.

        Raises:
            InvalidArgument: it is none; the field is `issuer`.
        """
        if "{}" not in self.issuer:
            return self.issuer or clean_issuer(typed)
        found = clean_issuer(typed).lower().removeprefix("https://")
        head, tail = self.issuer.removeprefix("https://").split("{}")
        found = found.removeprefix(head).removesuffix(tail).rstrip("/")
        if self.pattern is not None and not self.pattern.fullmatch(found):
            raise InvalidArgument.of("issuer", self.problem, "format")
        return self.issuer.replace("{}", found)


_SECRET_STEP: Final = Text(
    "Copy the client ID and the client secret, and enter them here. The secret is shown there only "
    "once."
)

PRESETS: Final[Mapping[str, Preset]] = {
    one.id: one
    for one in (
        Preset(
            id="google",
            name="Google Workspace",
            issuer="https://accounts.google.com",
            # Its page says that `prompt=login` is invalid, and leads nowhere (Google Identity,
            # "OpenID Connect", authentication URI parameters).
            asks_anew=False,
            steps=(
                Text(
                    "Open the Google Cloud console, choose a project of your company, and open "
                    "“Google Auth Platform”."
                ),
                Text(
                    "At “Audience”, choose “Internal”, so that only people of your company can "
                    "sign in."
                ),
                Text("At “Clients”, create a client of the type “Web application”."),
                Text("Add the redirect URI below to its “Authorized redirect URIs”."),
                _SECRET_STEP,
            ),
        ),
        Preset(
            id="entra",
            name="Microsoft Entra ID",
            issuer="https://login.microsoftonline.com/{}/v2.0",
            label=Text("Directory (tenant) ID"),
            example="8f0e1d2c-3b4a-4c5d-9e6f-7a8b9c0d1e2f",
            pattern=_TENANT,
            problem=Text(
                "Enter the directory (tenant) ID: 32 hexadecimal digits with hyphens, from the "
                "overview of the app registration."
            ),
            steps=(
                Text(
                    "Open the Microsoft Entra admin center, go to “App registrations”, and choose "
                    "“New registration”."
                ),
                Text("As “Supported account types”, choose the accounts of your directory only."),
                Text("As “Redirect URI”, choose “Web”, and enter the one below."),
                Text(
                    "At “Token configuration”, choose “Add optional claim”, “ID”, and tick "
                    "“auth_time” and “email”."
                ),
                Text(
                    "At “Certificates & secrets”, choose “New client secret”, and copy its value "
                    "(not its ID). Note the day on which it expires."
                ),
                Text(
                    "At “Overview”, copy the application (client) ID and the directory (tenant) "
                    "ID, and enter all three here."
                ),
            ),
            role_steps=(
                Text(
                    "At “Token configuration”, choose “Add groups claim”, and let only the groups "
                    "that are assigned to the application be sent. Entra names them by their "
                    "object IDs."
                ),
            ),
        ),
        Preset(
            id="okta",
            name="Okta",
            issuer="https://{}",
            label=Text("Okta domain"),
            example="acme.okta.com",
            pattern=_DOMAIN,
            problem=Text("Enter your company’s Okta domain, such as acme.okta.com."),
            steps=(
                Text(
                    "Open the Okta admin console, go to “Applications”, and choose “Create App "
                    "Integration”."
                ),
                Text("Choose “OIDC - OpenID Connect”, and “Web Application”."),
                Text("Add the redirect URI below to the “Sign-in redirect URIs”."),
                Text("At “Assignments”, choose the people who may sign in."),
                _SECRET_STEP,
            ),
            role_steps=(
                Text(
                    "At “Sign On”, edit “OpenID Connect ID Token”, and let the groups claim "
                    "“groups” match the regular expression “.*”."
                ),
            ),
            role_scopes=("groups",),
        ),
        Preset(
            id="oidc",
            name="OpenID Connect",
            label=Text("Issuer"),
            example="https://login.acme.com",
            steps=(
                Text(
                    "At your provider, create an application (client) for the authorization code "
                    "flow; it is often called “Web application”, “regular” or “confidential”."
                ),
                Text("Add the redirect URI below to the ones that it may use."),
                Text("Allow it the scopes openid, email and profile."),
                Text("Copy the client ID, the client secret and the issuer, and enter them here."),
            ),
            role_steps=(
                Text("Let the provider put the person’s groups into a claim, and enter its name."),
            ),
        ),
    )
}
"""By id, in the order in which they are offered."""


def scopes_of(settings: OIDCSettings) -> tuple[str, ...]:
    """Return the scopes to ask for: those that are set, and those that groups need there."""
    preset = PRESETS.get(settings.preset)
    besides = preset.role_scopes if preset is not None and settings.roles else ()
    return tuple(dict.fromkeys((*settings.scopes, *besides)))


def asks_anew(issuer: object) -> bool:
    """Whether the provider of an issuer can be told to have somebody sign in again."""
    return all(one.asks_anew or one.issuer != issuer for one in PRESETS.values())
