"""The JSON fields of the three calls: one table that validates, and that OpenAPI is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.web.bodies import Json


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field.

    Attributes:
        kind: its JSON type; `texts` is an object of strings.
        required: missing, or null, is an error.
        shortest, longest: characters, for strings.
        one_of: the closed list of values, for strings; empty is open.
        about: one line for the reader of the OpenAPI document.
    """

    kind: Literal["string", "integer", "texts"]
    about: str
    required: bool = False
    shortest: int = 0
    longest: int = 0
    one_of: tuple[str, ...] = ()


class Values:
    """Hold the fields of one request after they were judged."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """Give a string, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def text(self, name: str) -> str:
        """Give a required string."""
        return self.get(name) or ""

    def integer(self, name: str) -> int | None:
        """Give a number, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, int) else None

    def texts(self, name: str) -> Mapping[str, str] | None:
        """Give an object of strings, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Fields:
    """Describe the body of one call. Unknown fields are ignored; null is "not sent"."""

    fields: Mapping[str, Field]

    def read(self, body: Mapping[str, Json]) -> Values:
        """Judge a body.

        Raises:
            InvalidArgument: every bad field, named.
        """
        bad: list[FieldViolation] = []
        values: dict[str, object] = {}
        for name, field in self.fields.items():
            value = body.get(name)
            if value is None:
                if field.required:
                    bad.append(FieldViolation(name, "This field is required.", "required"))
                continue
            problem = _problem(field, value)
            if problem is None:
                values[name] = value
            else:
                bad.append(FieldViolation(name, *problem))
        if bad:
            raise InvalidArgument(bad)
        return Values(values)


def _problem(field: Field, value: Json) -> tuple[str, str] | None:
    if field.kind == "integer":
        if type(value) is not int:
            return "This must be an integer.", "integer"
        return None
    if field.kind == "texts":
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            return "This must be an object of strings.", "object"
        return None
    if not isinstance(value, str):
        return "This must be a string.", "string"
    if field.one_of and value not in field.one_of:
        return f"Send one of {', '.join(field.one_of)}.", "enum"
    if not field.shortest <= len(value) <= field.longest:
        return f"Send {field.shortest} to {field.longest} characters.", "length"
    return None


_REQUEST_ID = Field(
    "string", "The id that send or resend gave.", required=True, shortest=1, longest=200
)

SEND = Fields(
    {
        "email": Field("string", "One e-mail address.", required=True, shortest=1, longest=254),
        "template": Field(
            "string",
            "The mail's wording; SIGNIN if not sent.",
            shortest=1,
            longest=6,
            one_of=("SIGNIN", "SIGNUP"),
        ),
        "magiclink_auth_uri": Field(
            "string",
            "The page that the link opens; one of the configured list.",
            shortest=1,
            longest=1000,
        ),
        "state": Field("string", "Your own text; verify returns it unchanged.", longest=1000),
        "expires_in": Field("integer", "Seconds that code and link live, from 60."),
        "template_variables": Field("texts", "Words for the mail's template; servers only."),
    }
)
RESEND = Fields({"auth_request_id": _REQUEST_ID})
VERIFY = Fields(
    {
        "auth_request_id": Field(
            "string", "The id that send or resend gave.", shortest=1, longest=200
        ),
        "code": Field("string", "The code from the mail.", shortest=1, longest=20),
        "link_token": Field("string", "The token from the link.", shortest=1, longest=200),
    }
)
