"""Strict readers of request bodies (SECURITY rule 12, CONTRACT "JSON").

Strict, because what two readers understand differently is a way in: duplicate keys, `NaN`, lone
surrogates, bytes that are not UTF-8. Bounded, because a body is read before anybody has proven
anything.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from pwless_middleware.errors import ContentTooLarge, InvalidArgument, UnsupportedMediaType

MAX_BYTES = 16 * 1024
MAX_FIELDS = 16
MAX_DEPTH = 8

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


async def read_form(request: Request) -> dict[str, str]:
    """Read an urlencoded form. No body at all, without a content type, is an empty form.

    Raises:
        UnsupportedMediaType: another content type.
        ContentTooLarge: over 16 KiB.
        InvalidArgument: not UTF-8, a field twice, or more than 16 fields.
    """
    if "content-type" not in request.headers:
        if await _read(request):
            raise UnsupportedMediaType("Send application/x-www-form-urlencoded.")
        return {}
    _expect(request, "application/x-www-form-urlencoded")
    body = await _read(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as exc:
        raise InvalidArgument.of("body", "The form could not be read.", "urlencoded UTF-8") from exc
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidArgument.of(name[:50], "This field came twice.", "once")
        fields[name] = value
    return fields


async def read_json(request: Request) -> dict[str, Json]:
    """Read one JSON object.

    Raises:
        UnsupportedMediaType: another content type.
        ContentTooLarge: over 16 KiB.
        InvalidArgument: not UTF-8, not one object, a key twice, `NaN` or an infinity, a lone
            surrogate, or nested deeper than 8.
    """
    _expect(request, "application/json")
    return parse_json(await _read(request))


def parse_json(body: bytes) -> dict[str, Json]:
    """Read one JSON object from bytes; see `read_json` for what is refused."""
    try:
        text = body.decode()
        _check_depth(text)
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        # Escapes may have made half a character, which nothing else could write.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as exc:
        raise InvalidArgument.of("body", "The body is not strict JSON in UTF-8.", "json") from exc
    if not isinstance(value, dict):
        raise InvalidArgument.of("body", "The body must be one JSON object.", "object")
    return value


def _expect(request: Request, media_type: str) -> None:
    types = request.headers.getlist("content-type")
    kind, _, parameters = (types[0] if len(types) == 1 else "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != media_type or charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaType(f"Send {media_type}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without a content encoding.")


async def _read(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 12 and int(length) > MAX_BYTES:
        raise ContentTooLarge
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ContentTooLarge
    except ClientDisconnect as exc:
        raise InvalidArgument.of("body", "The body did not arrive.", "complete") from exc
    return body


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
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


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key came twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value
