"""What a directory wants of a user: read from a resource, and from the operations of a PATCH.

Directories differ from the RFC, and from each other, in small things: Entra writes the operation
with a capital letter and a flag as the text "False", Okta leaves the path out. All of that is read.
What a directory knows of a person and is not kept here is passed over, as RFC 7644 section 3.3 has
it for a resource: a whole synchronization would else fail for a phone number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.scim.errors import ScimRefused
from pwless_middleware.features.sso.scim.schemas import USER

MOST_OPERATIONS: Final = 100
_PATH: Final = re.compile(
    r"(?:(?P<schema>urn:[A-Za-z0-9:._-]{1,200}):)?(?P<name>[A-Za-z$][A-Za-z0-9_$-]{0,100})"
    r"(?P<rest>(?:\[[^\[\]]{1,300}\])?(?:\.[A-Za-z$][A-Za-z0-9_$-]{0,100})?)"
)
_FLAGS: Final = {"true": True, "false": False}
_KEPT: Final = ("username", "externalid", "active")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to become of a user; `None` leaves it.

    Attributes:
        user_name: as the directory has it.
        external_id: the directory's own key; empty takes it away.
        active: whether the person may sign in to the organization.
        name: what the person is called.
    """

    user_name: str | None = None
    external_id: str | None = None
    active: bool | None = None
    name: str | None = None


def read_user(resource: Mapping[str, object]) -> UserChange:
    """Return what a resource says.

    Raises:
        ScimRefused: a value is malformed.
    """
    given = _lower(resource)
    return UserChange(
        user_name=_text(given, "username"),
        external_id=_text(given, "externalid"),
        active=_flag(given.get("active")) if given.get("active") is not None else None,
        name=_name(given),
    )


def read_operations(body: Mapping[str, object]) -> UserChange:
    """Return what the operations of a PATCH come to, one after the other (section 3.5.2).

    Raises:
        ScimRefused: one of them is none.
    """
    operations = _lower(body).get("operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MOST_OPERATIONS:
        raise ScimRefused(400, "invalidSyntax", "Send a list of Operations.")
    found: dict[str, object] = {}
    for operation in operations:
        if not isinstance(operation, dict):
            raise ScimRefused(400, "invalidSyntax", "An operation is an object.")
        given = _lower(operation)
        verb = str(given.get("op", "")).lower()
        if verb not in ("add", "replace", "remove"):
            raise ScimRefused(400, "invalidSyntax", "An operation is add, replace or remove.")
        found |= _values_of(given, is_removal=verb == "remove")
    return read_user(found)


def _values_of(operation: Mapping[str, object], *, is_removal: bool) -> dict[str, object]:
    """Return the attributes that an operation sets, by their names in lower case."""
    path, value = operation.get("path"), operation.get("value")
    if path is None:
        if is_removal:
            raise ScimRefused(400, "noTarget", "To remove something, name its path.")
        if not isinstance(value, dict):
            raise ScimRefused(400, "invalidValue", "Without a path the value is an object.")
        whole = _lower(value)
        inner = whole.get(USER.lower())
        return whole | (_lower(inner) if isinstance(inner, dict) else {})
    named = _PATH.fullmatch(path) if isinstance(path, str) else None
    if named is None:
        raise ScimRefused(400, "invalidPath", "The path of an operation is none.")
    name, schema = named["name"].lower(), named["schema"]
    is_ours = schema is None or schema.lower() == USER.lower()
    if named["rest"] or name not in _KEPT or not is_ours:
        return {}
    if not is_removal:
        return {name: value}
    if name != "externalid":
        raise ScimRefused(400, "mutability", f"{named['name']} cannot be removed.")
    return {name: ""}


def _lower(given: Mapping[str, object]) -> dict[str, object]:
    """Return an object with its names in lower case: they are the same in any (RFC 7643 2.1).

    The schema may stand before a name (RFC 7644 section 3.10).
    """
    schema = f"{USER.lower()}:"
    return {name.lower().removeprefix(schema): value for name, value in given.items()}


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    if value is None or isinstance(value, str):
        return value
    raise ScimRefused(400, "invalidValue", f"{name} is a text.")


def _flag(value: object) -> bool:
    found = _FLAGS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ScimRefused(400, "invalidValue", "active is true or false.")
    return found


def _name(given: Mapping[str, object]) -> str | None:
    """Return what a person is called: `displayName`, or what `name` says."""
    shown, whole = given.get("displayname"), given.get("name")
    if isinstance(shown, str) and shown.strip():
        return shown
    if not isinstance(whole, dict):
        return None
    parts = _lower(whole)
    formatted = parts.get("formatted")
    if isinstance(formatted, str) and formatted.strip():
        return formatted
    both = [parts.get("givenname"), parts.get("familyname")]
    return " ".join(one for one in both if isinstance(one, str) and one.strip()) or None
