"""What an administrator enters of their provider, and what a connection keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.sso.oidc.presets import PRESETS, Preset
from pwless_middleware.features.sso.setup.providers import Provider
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text

SECRET: Final = "client_secret"  # noqa: S105  # the name of a field
"""The field of the client secret, which is no part of a connection's `config`."""
METADATA: Final = "metadata"
"""The field that metadata are pasted into, or read into from a file."""
BY_HAND: Final = ("entity_id", "sso_url", "certificates")
"""The fields for who has no metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field as the page shows it; what is for people is translated.

    Attributes:
        name: of the field.
        title: beside it.
        hint: below it; empty for none.
        type: of the input; `long` for several lines.
        value: what stands in it.
        error: what is wrong with it; empty for nothing.
    """

    name: str
    title: str
    hint: str = ""
    type: str = "text"
    value: str = ""
    error: str = ""


def show_fields(
    provider: Provider,
    connection: Connection,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[FormField]:
    """Return the fields of a provider's form.

    Args:
        provider: which.
        connection: what is kept.
        typed: what was entered just now; `None` shows what is kept.
        errors: what is wrong with it, by field, translated.
    """
    values = {**_values_of(provider, connection), **(typed or {}), SECRET: ""}
    rows = _SAML if provider.kind == "saml" else _oidc_rows(PRESETS[provider.id], connection)
    return [
        FormField(
            name=name,
            title=translate(title),
            hint=translate(hint) if hint else "",
            type=type,
            value=values.get(name, ""),
            error=(errors or {}).get(name, ""),
        )
        for name, title, hint, type in rows
    ]


_Row = tuple[str, str, str, str]
"""Name, title, hint and type of a field."""


def _oidc_rows(preset: Preset, connection: Connection) -> list[_Row]:
    secret = (
        Text("One is kept. Leave this empty to keep it.")
        if connection.has_secret
        else Text("It is kept encrypted, and never shown again.")
    )
    example = Text("Such as %(example)s", example=preset.example)
    return [
        *([("issuer", preset.label, example, "text")] if preset.label else []),
        ("client_id", Text("Client ID"), "", "text"),
        (SECRET, Text("Client secret"), secret, "password"),
    ]


_SAML: Final[list[_Row]] = [
    (
        "metadata_url",
        Text("Address of the provider’s metadata"),
        Text("This is best, where there is one."),
        "url",
    ),
    (
        METADATA,
        Text("Or the metadata themselves"),
        Text("Paste what is in the file: XML that begins with EntityDescriptor."),
        "long",
    ),
    ("entity_id", Text("Or by hand: entity ID (issuer) of the provider"), "", "text"),
    ("sso_url", Text("Sign-on URL of the provider"), "", "url"),
    (
        "certificates",
        Text("Signing certificate of the provider"),
        Text("From BEGIN CERTIFICATE to END CERTIFICATE; several one below the other."),
        "long",
    ),
]


def _values_of(provider: Provider, connection: Connection) -> dict[str, str]:
    config = connection.config
    names = ("issuer", "client_id", "metadata_url", "entity_id", "sso_url")
    found = {name: str(config[name]) for name in names if name in config}
    certificates = config.get("certificates")
    if isinstance(certificates, list | tuple):
        found["certificates"] = "\n".join(str(one).strip() for one in certificates)
    if "issuer" in found:
        head, _, tail = PRESETS[provider.id].issuer.partition("{}")
        found["issuer"] = found["issuer"].removeprefix(head).removesuffix(tail)
    return found


def read_fields(
    provider: Provider, connection: Connection, form: Mapping[str, str]
) -> dict[str, object]:
    """Return what the connection's `config` is to be; what has no field on the form stays.

    Metadata that were pasted are for the caller to read.

    Args:
        provider: whose form it is.
        connection: what is kept.
        form: what was entered.

    Raises:
        InvalidArgument: what was entered is no issuer of this provider.
    """
    config: dict[str, object] = {**connection.config, "preset": provider.id}
    if provider.kind == "saml":
        typed = {name: form.get(name, "").strip() for name in ("metadata_url", *BY_HAND)}
        return {**config, **typed}
    config["client_id"] = form.get("client_id", "").strip()
    config["issuer"] = PRESETS[provider.id].issuer_of(form.get("issuer", "").strip())
    return config
