"""`api-reference.md`: every operation of the JSON API, from its OpenAPI document."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from pwless_middleware import (
    OIDC,
    SSO,
    Dashboard,
    EmailLogin,
    Metrics,
    Organizations,
    Outbox,
    Passkeys,
    Passwordless,
    PasswordlessMiddleware,
    SecondFactors,
    TextOutbox,
    Tracing,
    Webhooks,
)
from tests.reference.markdown import NOTE, link, table

Schema = Mapping[str, Any]

GROUPS = {
    "passwordless": "Sign in by email",
    "passkeys": "Passkeys",
    "factors": "Second factors",
    "step": "Steps of a login",
    "session": "The session",
    "sessions": "A person's own sessions",
    "account": "A person's own account",
    "users": "Users",
    "organizations": "Organizations",
    "organizations/policy": "Policy of an organization",
    "organizations/domains": "Domains of an organization",
    "organizations/members": "Members of an organization",
    "organizations/invitations": "Invitations to an organization",
    "organizations/connections": "Connections of an organization",
    "organizations/setup-links": "Set-up links of an organization",
    "events": "Events",
    "oauth": "API keys",
    "health": "Health and numbers",
    "metrics": "Health and numbers",
    "openapi.json": "The OpenAPI document",
}
"""The first part of a path, and what its operations are about, in the order of the page."""
WAYS = {
    "apiKey": "an [API key](json-api.md#api-keys)",
    "sessionToken": "a session token",
    "origin": "the header `Origin`",
    "sessionCookie": "the session's cookie",
    "flowCookie": "the cookie that send has set",
    "pendingCookie": "the cookie of a login that waits",
    "passkeyCookie": "the cookie of a passkey's challenge",
}
"""What proves who calls."""
ANYWHERE = {
    "STORE_UNAVAILABLE",
    "USERS_UNAVAILABLE",
    "CONTENT_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
}
"""Errors that every operation has which reads a body, or the store."""


def make_app(database: str) -> PasswordlessMiddleware:
    """Return an app with everything on.

    Args:
        database: where; it is opened when the app starts.
    """
    passwordless = Passwordless(
        secret_key="5d2c8e1f7a9b4c3d6e0f8a1b2c3d4e5f",
        base_url="http://localhost:8000",
        mailer=Outbox(),
        database=database,
        features=[
            EmailLogin(),
            Passkeys(),
            SecondFactors(sms=TextOutbox(), sms_countries=["DE", "US"]),
            Organizations(),
            SSO(),
            OIDC("google", client_id="an-id", client_secret="a-secret-of-google"),
            Dashboard(operators=["ops@example.com"]),
            Webhooks(),
            Metrics(),
            Tracing(),
        ],
    )
    return PasswordlessMiddleware(Starlette(), passwordless=passwordless)


def document() -> dict[str, Any]:
    """Return the OpenAPI document of an app with everything on."""
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(f"sqlite:///{folder}/reference.db")
        with TestClient(app, base_url="http://localhost:8000") as client:
            answer = client.get("/auth/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def api_reference() -> str:
    """Return the page."""
    described = document()
    groups: dict[str, list[tuple[str, str, Schema, list[Schema]]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                one = (method.upper(), path, operation, methods.get("parameters", []))
                groups.setdefault(GROUPS[_resource(path)], []).append(one)
    titles = [title for title in dict.fromkeys(GROUPS.values()) if title in groups]
    parts = [
        "# JSON API, every operation",
        NOTE,
        "Every operation with what it takes, what it answers and how it fails, as the OpenAPI "
        "document tells it (`GET /auth/api/v1/openapi.json`), with all features on and under the "
        "prefix `/auth`. How one calls them, and with which keys, is told in "
        "[JSON API](json-api.md); what to do about an error in [Errors](errors.md).",
        "An operation that reads a body also answers 413 `CONTENT_TOO_LARGE` and 415 "
        "`UNSUPPORTED_MEDIA_TYPE`; one that asks the store answers 503 `STORE_UNAVAILABLE` or "
        "`USERS_UNAVAILABLE` while that is down.",
    ]
    for title in titles:
        rows = [
            (f"`{method} {path}`", link(operation["summary"], operation["summary"]))
            for method, path, operation, _ in groups[title]
        ]
        parts += [f"## {title}", table(["operation", "what it does"], rows)]
        for one in groups[title]:
            parts += _operation(*one)
    return "\n\n".join(parts) + "\n"


def _resource(path: str) -> str:
    parts = [
        part
        for part in path.removeprefix("/auth").removeprefix("/api/v1").split("/")
        if part and not part.startswith("{")
    ]
    two = "/".join(parts[:2])
    return two if two in GROUPS else parts[0]


def _operation(method: str, path: str, operation: Schema, in_path: list[Schema]) -> Iterator[str]:
    yield f"### {operation['summary']}"
    yield f"`{method} {path}`"
    if "description" in operation:
        yield operation["description"]
    yield _callers(operation["security"])
    if in_path:
        yield "In the path:"
        rows = [(f"`{one['name']}`", one["description"]) for one in in_path]
        yield table(["name", "what it is"], rows)
    if operation.get("parameters"):
        yield "Behind the `?`:"
        taken = [
            (
                f"`{one['name']}`" + (", required" if one["required"] else ""),
                _type(one["schema"]),
                _about(one["schema"]),
            )
            for one in operation["parameters"]
        ]
        yield table(["name", "type", "what it is"], taken)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "Takes:" if media_type == "application/json" else f"Takes, as `{media_type}`:"
        yield _fields(content["schema"], with_required=True)
        if media_type == "application/json":
            yield _json(content["example"])
    errors: list[tuple[str, str, str]] = []
    for status, answer in operation["responses"].items():
        if int(status) < 300:
            yield from _answer(status, answer)
        else:
            examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
            errors += [
                (status, f"`{code}`", example["value"]["message"])
                for code, example in examples.items()
                if code not in ANYWHERE
            ]
    if errors:
        yield "Fails:"
        yield table(["status", "error code", "message"], errors)


def _callers(security: list[Mapping[str, object]]) -> str:
    ways = [" and ".join(WAYS[scheme] for scheme in way) for way in security]
    if not all(ways):
        return "Anybody may call it."
    return f"Needs {', or '.join(ways)}."


def _answer(status: str, answer: Schema) -> Iterator[str]:
    cookies = ", and sets cookies in a browser" if "Set-Cookie" in answer.get("headers", {}) else ""
    content = answer.get("content", {})
    if not content:
        yield f"Answers {status}, without a body{cookies}."
        return
    for media_type, one in content.items():
        if media_type != "application/json":
            yield f"Answers {status} as `{media_type}`{cookies}."
        elif not one["schema"].get("properties"):
            yield f"Answers {status}{cookies}."
        else:
            yield f"Answers {status}{cookies}:"
            yield _fields(one["schema"], with_required=False)
            yield _json(one["example"])


def _fields(schema: Schema, *, with_required: bool) -> str:
    rows = [
        (
            f"`{name}`" + (", required" if with_required and is_required else ""),
            _type(one),
            _about(one),
        )
        for name, one, is_required in _flat(schema, "")
    ]
    return table(["field", "type", "what it is"], rows)


def _flat(schema: Schema, prefix: str) -> Iterator[tuple[str, Schema, bool]]:
    """Return every field, those of objects within by their whole names: `steps[].kind`."""
    for name, one in schema.get("properties", {}).items():
        yield f"{prefix}{name}", one, name in schema.get("required", ())
        inner, mark = one, ""
        while "items" in inner:
            inner, mark = inner["items"], f"{mark}[]"
        yield from _flat(inner, f"{prefix}{name}{mark}.")


def _type(schema: Schema) -> str:
    """Return a schema's type and bounds in words."""
    if "oneOf" in schema:
        return " or ".join(_type(one) for one in schema["oneOf"])
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    kind = next((each for each in kinds if each != "null"), "anything")
    if schema.get("enum"):
        return " or ".join(f"`{each}`" for each in schema["enum"] if each is not None)
    if kind == "array":
        inner = _type(schema["items"]) if schema.get("items") else "anything"
        return f"list of {inner}"
    found = [schema.get("format", kind) if kind == "string" else kind]
    for least, most, unit in (
        ("minLength", "maxLength", " characters"),
        ("minimum", "maximum", ""),
    ):
        low, high = schema.get(least), schema.get(most)
        if high is not None:
            found.append(f"{low or 0}–{high}{unit}" if low else f"at most {high}{unit}")
        elif low and unit == "":
            found.append(f"{low} or more")
    return ", ".join(found)


def _about(schema: Schema) -> str:
    return str(schema.get("description", ""))


def _json(example: object) -> str:
    return "```json\n" + json.dumps(example, indent=2, ensure_ascii=False) + "\n```"
