"""What an operator may set of a connection beside what its provider shows.

What a provider shows is read as the set-up reads it (`features.sso.setup.fields`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection, ConnectionKind
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text

ROLES: Final = "roles"
_NAME_ID_FORMATS: Final[Mapping[str, Text]] = {
    "unspecified": Text("As the provider likes"),
    "email": Text("Email address"),
    "persistent": Text("An id that stays"),
}
_CLIENT_AUTH: Final[Mapping[str, Text]] = {
    "": Text("As the provider offers"),
    "basic": Text("In the header (basic)"),
    "post": Text("In the form (post)"),
}
_CLAIM: Final = Text("A dot leads into an object.")
_ATTRIBUTE: Final = Text("Empty takes the usual ones.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionField:
    """One field as the page shows it.

    Attributes:
        name: of the field.
        title: for people, translated.
        kind: `text`, `long`, `flag` or `choice`.
        value: what stands in it; of a flag `on` or empty.
        hint: below it, translated; empty for none.
        choices: pairs of value and text.
        error: what is wrong with it; empty for nothing.
    """

    name: str
    title: str
    kind: str
    value: str
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()
    error: str = ""


_COMMON: Final = (
    (
        ROLES,
        Text("Roles by group"),
        "long",
        Text(
            "One on each line: the group at the provider, an equals sign, the role. The first line "
            "that fits counts."
        ),
    ),
    (
        "default_role",
        Text("Role of everybody else"),
        "text",
        Text("For who is in none of these groups; empty leaves the role as it is."),
    ),
    (
        "counts_mfa",
        Text("A second factor at the provider counts here"),
        "flag",
        Text("Where the provider says that it has asked for one, none is asked for here."),
    ),
)
_OF_KIND: Final[Mapping[ConnectionKind, tuple[tuple[str, Text, str, Text | None], ...]]] = {
    "oidc": (
        ("email_claim", Text("Claim of the address"), "text", _CLAIM),
        ("name_claim", Text("Claim of the name"), "text", None),
        ("groups_claim", Text("Claim of the groups"), "text", None),
        ("scopes", Text("Scopes that are asked for"), "text", Text("With a space between two.")),
        ("client_auth", Text("How the client secret is sent"), "choice", None),
    ),
    "saml": (
        ("email_attribute", Text("Attribute of the address"), "text", _ATTRIBUTE),
        ("name_attribute", Text("Attribute of the name"), "text", None),
        ("groups_attribute", Text("Attribute of the groups"), "text", None),
        (
            "subject_attribute",
            Text("Attribute that names a person for good"),
            "text",
            Text("Empty takes the NameID."),
        ),
        ("name_id_format", Text("Format of the NameID"), "choice", None),
        (
            "sign_requests",
            Text("Sign our requests"),
            "flag",
            Text("Few providers want it. The key is made by itself, and stands in our metadata."),
        ),
        (
            "allow_unsolicited",
            Text("Accept logins that begin at the provider"),
            "flag",
            Text(
                "Less safe: somebody can be signed in as another person without noticing. Leave it "
                "off where people can begin at the sign-in page."
            ),
        ),
    ),
}
_USUAL: Final[Mapping[str, str]] = {
    "email_claim": "email",
    "name_claim": "name",
    "groups_claim": "groups",
    "scopes": "openid email profile",
    "name_id_format": "unspecified",
}
"""What holds where a connection says nothing."""
_CHOICES: Final[Mapping[str, Mapping[str, Text]]] = {
    "client_auth": _CLIENT_AUTH,
    "name_id_format": _NAME_ID_FORMATS,
}


def show_options(
    connection: Connection,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[OptionField]:
    """Return the fields of the form.

    Args:
        connection: what is kept.
        typed: what was entered just now; `None` shows what is kept.
        errors: what is wrong with it, by field, translated.
    """
    values = _kept(connection) if typed is None else typed
    at_provider = provider_of(connection).role_steps
    return [
        OptionField(
            name=name,
            title=translate(title),
            kind=kind,
            value=values.get(name, ""),
            hint=" ".join(
                translate(text)
                for text in (hint, *(at_provider if name == ROLES else ()))
                if text is not None
            ),
            choices=[(one, translate(text)) for one, text in _CHOICES.get(name, {}).items()],
            error=(errors or {}).get(name, ""),
        )
        for name, title, kind, hint in (*_COMMON, *_OF_KIND[connection.kind])
    ]


def read_options(
    connection: Connection, config: Mapping[str, object], form: Mapping[str, str]
) -> dict[str, object]:
    """Return a configuration with what a form says; what has no field here stays.

    Args:
        connection: whose.
        config: as it is otherwise.
        form: what was entered.
    """
    found = dict(config)
    for name, _, kind, _ in (*_COMMON, *_OF_KIND[connection.kind]):
        text = form.get(name, "").strip()
        if name == ROLES:
            found[name] = read_roles(form.get(name, ""))
        elif kind == "flag":
            found[name] = form.get(name) == "on"
        else:
            found[name] = text or None
    return {name: value for name, value in found.items() if value not in (None, [])}


def read_roles(text: str) -> list[list[str]]:
    """Return the pairs of group and role that are written one on each line.

    A line without an equals sign has no role, which who checks the pairs refuses by its length.
    """
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.rpartition("=") if "=" in line else (line, "", "") for line in lines if line)
    return [[group.strip(), role.strip()] for group, _, role in pairs]


def write_roles(roles: object) -> str:
    """Return pairs of group and role as they are written, one on each line."""
    pairs = roles if isinstance(roles, list | tuple) else ()
    return "\n".join(f"{group} = {role}" for group, role in pairs)


def _kept(connection: Connection) -> dict[str, str]:
    found = dict(_USUAL)
    for name, value in connection.config.items():
        if name == ROLES:
            found[name] = write_roles(value)
        elif isinstance(value, bool):
            found[name] = "on" if value else ""
        elif isinstance(value, list | tuple):
            found[name] = " ".join(map(str, value))
        else:
            found[name] = str(value)
    return found
