"""Strict readers of request bodies (security rule 12).

Strict, because what two readers understand differently is a way in: duplicate keys, `NaN`, lone
surrogates, bytes that are not UTF-8. Bounded, because a body is read before anybody has proven
anything.
"""

from __future__ import annotations

import json
import math
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from pwless_middleware.errors import ContentTooLarge, InvalidArgument, UnsupportedMediaType
from pwless_middleware.text import Text

MAX_BYTES = 16 * 1024
MAX_FORM_BYTES = 32 * 1024
"""A `next` of 8 KiB is up to three times as long in a form: a browser writes `/` as `%2F`."""
MAX_FIELDS = 16
MAX_DEPTH = 8
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


async def read_form(
    request: Request, *, most_bytes: int = MAX_FORM_BYTES, most_fields: int = MAX_FIELDS
) -> dict[str, str]:
    """Read an urlencoded form. No body at all, without a content type, is an empty form.

    Args:
        request: to a route of ours.
        most_bytes: of the body, default 32 KiB; more only behind a gate.
        most_fields: default 16; more only behind a gate.

    Raises:
        UnsupportedMediaType: another content type.
        ContentTooLarge: the body has more bytes.
        InvalidArgument: not UTF-8, a field twice, or more fields.
    """
    if "content-type" not in request.headers:
        if await read_bytes(request, most_bytes):
            raise UnsupportedMediaType(Text("Send %(media_type)s.", media_type=FORM))
        return {}
    _expect(request, FORM)
    body = await read_bytes(request, most_bytes)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=most_fields,
        )
    except ValueError as exc:
        raise InvalidArgument.of(
            "body", Text("The form could not be read."), "urlencoded UTF-8"
        ) from exc
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidArgument.of(name[:50], Text("This field came twice."), "once")
        fields[name] = value
    return fields


async def read_json(request: Request, *, may_be_empty: bool = False) -> dict[str, Json]:
    """Read one JSON object.

    Args:
        request: to a route of ours.
        may_be_empty: whether no body at all, without a content type, is an empty object.

    Raises:
        UnsupportedMediaType: another content type.
        ContentTooLarge: over 16 KiB.
        InvalidArgument: not UTF-8, not one object, a key twice, `NaN` or an infinity, a lone
            surrogate, or nested deeper than 8.
    """
    if may_be_empty and "content-type" not in request.headers:
        if await read_bytes(request, MAX_BYTES):
            raise UnsupportedMediaType(Text("Send %(media_type)s.", media_type=JSON))
        return {}
    _expect(request, JSON)
    return parse_json(await read_bytes(request, MAX_BYTES))


async def read_bytes(request: Request, most: int) -> bytes:
    """Read a body as it is, whatever it says of itself.

    Args:
        request: to a route of ours.
        most: bytes that are read.

    Raises:
        ContentTooLarge: it has more.
        InvalidArgument: it did not arrive whole.
    """
    length = request.headers.get("content-length", "").lstrip("0")
    if length.isascii() and length.isdigit() and (len(length) > 11 or int(length) > most):
        raise ContentTooLarge
    # `bytes` would be copied whole for each piece, and some bodies come in pieces of one byte
    # (security rule 23).
    body = bytearray()
    try:
        async for piece in request.stream():
            body.extend(piece)
            if len(body) > most:
                raise ContentTooLarge
    except ClientDisconnect as exc:
        raise InvalidArgument.of("body", Text("The body did not arrive."), "complete") from exc
    return bytes(body)


def parse_json(body: bytes) -> dict[str, Json]:
    """Read one JSON object from bytes; see `read_json` for what is refused."""
    try:
        # A byte that is not UTF-8 becomes half a character here, and is refused with its field's
        # name below, as an escape that makes one is.
        text = body.decode(errors="surrogateescape")
        _check_depth(text)
        value = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as exc:
        raise InvalidArgument.of(
            "body", Text("The body is not strict JSON in UTF-8."), "json"
        ) from exc
    if not isinstance(value, dict):
        raise InvalidArgument.of("body", Text("The body must be one JSON object."), "object")
    check_strict(value)
    return value


def check_strict(value: dict[str, Json]) -> None:
    """Refuse what parsers and writers of JSON read differently.

    Raises:
        InvalidArgument: half a character, `NaN` or an infinity, or a key twice; the field is named.
    """
    fault = None if _is_strict(value) else _fault(value, "")
    if fault is not None:
        path, description, constraint = fault
        shown = path.encode(errors="replace").decode()[:80]
        raise InvalidArgument.of(shown or "body", description, constraint)


def _expect(request: Request, media_type: str) -> None:
    types = request.headers.getlist("content-type")
    kind, _, parameters = (types[0] if len(types) == 1 else "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != media_type or charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaType(Text("Send %(media_type)s.", media_type=media_type))
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType(Text("Send the body without a content encoding."))


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # what opens less often is no deeper; a look at each character takes ten times this
    depth = 0
    is_string = is_escaped = False
    for c in text:
        if is_string:
            if is_escaped:
                is_escaped = False
            elif c == "\\":
                is_escaped = True
            elif c == '"':
                is_string = False
        elif c == '"':
            is_string = True
        elif c in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deep")
        elif c in "]}":
            depth -= 1


class _Twice(dict[str, Json]):
    """An object in which a key came twice."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            return _Twice(key)
        found[key] = value
    return found


def _is_strict(value: Json) -> bool:
    """Whether `_fault` would find nothing; it makes the path of each part, which takes longer."""
    left: list[Json] = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if not one.isascii() and not _is_text(one):
                return False
        elif isinstance(one, dict):
            if isinstance(one, _Twice):
                return False
            left += one
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, float) and not math.isfinite(one):
            return False
    return True


def _fault(value: Json, path: str) -> tuple[str, str, str] | None:
    """Find what strict JSON does not have: path, description, constraint; or `None`."""
    if isinstance(value, str) and not _is_text(value):
        return path, Text("This is not UTF-8."), "utf-8"
    if isinstance(value, float) and not math.isfinite(value):
        return path, Text("This is not a JSON number in range."), "number"
    if isinstance(value, _Twice):
        return _below(path, value.key), Text("This field came twice."), "once"
    if isinstance(value, dict):
        inner = [(_below(path, key), key, part) for key, part in value.items()]
    elif isinstance(value, list):
        inner = [(path, "", part) for part in value]
    else:
        return None
    for where, key, part in inner:
        fault = _fault(key, where) or _fault(part, where)
        if fault is not None:
            return fault
    return None


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
