"""Fields of JSON bodies: one table that validates, and that the OpenAPI document is made from.

What the table says, it checks (`Fields.read`) and describes (`Fields.schema`), so that the two
cannot drift apart. Rules that need more than one field or the caller's kind stand in the feature's
flow; a table describes them with `Field.also`, and the schemathesis tests hold both together.

Bodies are read as protobuf's JSON mapping writes them (protobuf.dev, "ProtoJSON Format"), since
clients of Scalekit's API are generated from protobuf: `null` and an enum's zero value are absent,
names may be lowerCamelCase, and an integer may come as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.text import Text
from pwless_middleware.web.requests.bodies import Json

Kind = Literal["string", "integer", "boolean", "texts", "strings", "object", "objects", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    Attributes:
        kind: its JSON type. `texts` is an object of strings, `strings` an array of them, `object`
            and `objects` are made of `fields`; these last three are for answers only. `json` is an
            object that whoever asks for it reads by rules of its own.
        about: one line for the reader of the OpenAPI document.
        example: a value that shows what to send.
        required: missing is an error; in an answer: it is always there.
        shortest, longest: characters, for strings; `longest` 0 is unbounded.
        least, most: for integers; `None` is unbounded.
        one_of: the closed list of values, for strings; empty is open.
        pattern: what a string must match, begin and end written out; empty matches all.
        otherwise: what is said of one that does not.
        fields: what an `object`, or each of `objects`, is made of.
        also: JSON Schema keywords for rules that stand elsewhere.
    """

    kind: Kind = "string"
    about: str
    example: Json = None
    required: bool = False
    shortest: int = 0
    longest: int = 0
    least: int | None = None
    most: int | None = None
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    otherwise: str = ""
    fields: Fields | None = None
    also: Mapping[str, object] = field(default_factory=dict)

    def problem(self, value: Json) -> tuple[str, str] | None:
        """Check a value: what is wrong with it and which rule it breaks, or `None`."""
        if self.kind == "integer":
            number = _whole(value)
            if number is None:
                return Text("This must be an integer."), "integer"
            least = -math.inf if self.least is None else self.least
            most = math.inf if self.most is None else self.most
            return (
                None
                if least <= number <= most
                else (Text("Send %(least)s to %(most)s.", least=least, most=most), "range")
            )
        if self.kind == "texts":
            if not isinstance(value, dict) or not all(
                isinstance(part, str) for pair in value.items() for part in pair
            ):
                return Text("This must be an object of strings."), "object"
            return None
        if self.kind == "json":
            is_object = isinstance(value, dict)
            return None if is_object else (Text("This must be an object."), "object")
        if self.kind == "boolean":
            is_flag = isinstance(value, bool)
            return None if is_flag else (Text("This must be true or false."), "boolean")
        if not isinstance(value, str):
            return Text("This must be a string."), "string"
        if self.one_of and value not in self.one_of:
            return Text(
                "Send one of %(names)s.", names=", ".join(filter(None, self.one_of))
            ), "enum"
        if not self.shortest <= len(value) <= (self.longest or len(value)):
            least, most = self.shortest, self.longest
            return Text("Send %(least)s to %(most)s characters.", least=least, most=most), "length"
        if self.pattern and re.fullmatch(self.pattern, value) is None:
            return self.otherwise, "pattern"
        return None

    def from_json(self, name: str, value: Json) -> Json:
        """Return a value as it was meant: `None` for one that says "not given"."""
        if self.one_of and value in ("UNSPECIFIED", f"{name.upper()}_UNSPECIFIED"):
            return None
        if self.kind == "integer" and isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        return value

    def schema(self, *, nullable: bool = False) -> dict[str, object]:
        """Describe the field in JSON Schema.

        Args:
            nullable: whether `null` may stand for "not given".
        """
        found: dict[str, object] = {"description": self.about}
        if self.kind == "texts":
            found |= {"type": "object", "additionalProperties": {"type": "string"}}
        elif self.kind == "strings":
            found |= {"type": "array", "items": {"type": "string"}}
        elif self.kind == "json":
            found["type"] = "object"
        elif self.kind == "object" and self.fields is not None:
            found |= self.fields.schema()
        elif self.kind == "objects" and self.fields is not None:
            found |= {"type": "array", "items": self.fields.schema()}
        else:
            found["type"] = self.kind
        bounds = {
            "minLength": self.shortest or None,
            "maxLength": self.longest or None,
            "minimum": self.least,
            "maximum": self.most,
            "enum": list(self.one_of) or None,
            "pattern": self.pattern or None,
        }
        found |= {keyword: bound for keyword, bound in bounds.items() if bound is not None}
        if nullable:
            found["type"] = [found["type"], "null"]
            if self.one_of:
                found["enum"] = [*self.one_of, "UNSPECIFIED", None]
        return found | dict(self.also)


class Values:
    """The fields of one request after they were checked."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """Return a string, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def text(self, name: str) -> str:
        """Return a required string."""
        return self.get(name) or ""

    def integer(self, name: str) -> int | None:
        """Return a number, or `None` if it was not sent."""
        return _whole(self._values.get(name))

    def flag(self, name: str) -> bool | None:
        """Return a boolean, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, bool) else None

    def json(self, name: str) -> Mapping[str, Json] | None:
        """Return an object as it came, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, dict) else None

    def texts(self, name: str) -> Mapping[str, str] | None:
        """Return an object of strings, or `None` if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Fields:
    """An object: the body of a call, or of its answer.

    Attributes:
        fields: by name. A body may hold others, which are ignored.
        also: JSON Schema keywords for rules between fields.
    """

    fields: Mapping[str, Field]
    also: Mapping[str, object] = field(default_factory=dict)

    def read_json(self, body: Mapping[str, Json]) -> Values:
        """Check a JSON body in protobuf's mapping.

        Raises:
            InvalidArgument: every bad field, named; or one that came under both of its names.
        """
        found: dict[str, Json] = {}
        for name, one in self.fields.items():
            given = [key for key in dict.fromkeys((name, _camel_case(name))) if key in body]
            if len(given) > 1:
                raise InvalidArgument.of(
                    name,
                    Text("This came as %(one)s and %(other)s.", one=given[0], other=given[1]),
                    "once",
                )
            value = one.from_json(name, body[given[0]]) if given else None
            if value is not None:
                found[name] = value
        return self.read(found)

    def read(self, body: Mapping[str, Json]) -> Values:
        """Check fields by their exact names and types.

        Raises:
            InvalidArgument: every bad field, named.
        """
        bad: list[FieldViolation] = []
        for name, one in self.fields.items():
            if name not in body:
                if one.required:
                    bad.append(FieldViolation(name, Text("This field is required."), "required"))
                continue
            problem = one.problem(body[name])
            if problem is not None:
                bad.append(FieldViolation(name, *problem))
        if bad:
            raise InvalidArgument(bad)
        return Values({name: body[name] for name in self.fields if name in body})

    def schema(self, *, is_body: bool = False) -> dict[str, object]:
        """Describe the object in JSON Schema.

        Args:
            is_body: whether it is a request's. Then `null` stands for an optional field that is
                not given; not where a rule between fields says which of them have to be.
        """
        required = [name for name, one in self.fields.items() if one.required]
        may_be_null = is_body and not self.also
        found: dict[str, object] = {
            "type": "object",
            "properties": {
                name: one.schema(nullable=may_be_null and not one.required)
                for name, one in self.fields.items()
            },
        }
        if required:
            found["required"] = required
        return found | dict(self.also)

    def example(self) -> dict[str, Json]:
        """Return an object as it could be sent: every field that has an example."""
        found: dict[str, Json] = {}
        for name, one in self.fields.items():
            if one.fields is not None:
                inner = one.fields.example()
                found[name] = [inner] if one.kind == "objects" else inner
            elif one.example is not None:
                found[name] = one.example
        return found


_INTEGER = re.compile(r"-?[0-9]{1,18}")


@lru_cache(maxsize=1024)  # names of tables, of which each is written so for every body
def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _whole(value: object) -> int | None:
    """Return an integer: in JSON 300.0 is one (JSON Schema 2020-12 §4.2.3), `true` is none."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if type(value) is int else None
