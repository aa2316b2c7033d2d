"""The OpenAPI 3.1 document, put together from what the routes say of themselves.

A feature describes each operation beside the handler, with the table that validates its body and
the errors that it raises; nothing here knows a feature. The tests hold the document against the
running server (schemathesis), so an operation that answers what it does not say fails there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.path_table import path_names
from pwless_middleware.errors import ApiError, MethodNotAllowed, NotFound, StepUpRequired
from pwless_middleware.web.requests.bodies import JSON, MAX_BYTES
from pwless_middleware.web.requests.cookie_names import CookieNames
from pwless_middleware.web.requests.fields import Fields
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.routing.operations import (
    API_KEY,
    FLOW_COOKIE,
    ORIGIN,
    PASSKEY_COOKIE,
    PENDING_COOKIE,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

PATH = "/api/v1/openapi.json"
ERROR_TYPE = "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo"

Schema = dict[str, object]


def openapi_route(
    routes: Sequence[Route],
    *,
    url: str,
    prefix: str,
    names: CookieNames,
    require: Callable[[], Awaitable[None]],
) -> Route:
    """Return the route that serves the document of these routes, itself included.

    The document is made when somebody asks for it, since few processes are ever asked, and then
    kept as it was written: anybody may ask, and no other answer of ours takes as long to make.

    Args:
        routes: of all features.
        url: the base URL of the app.
        prefix: where we are mounted.
        names: of our cookies.
        require: returns once it is known what operators have set, which some tables follow; raises
            `Unavailable` where that cannot be read.
    """
    itself = Operation(
        id="getOpenApi",
        summary="This document",
        answers={200: Fields({})},
        uses_store=False,
    )
    operations = {route.path: route.operations for route in routes}
    operations[PATH] = {"GET": itself}
    cookies = {
        SESSION_COOKIE: names.session,
        FLOW_COOKIE: names.flow,
        PENDING_COOKIE: names.pending,
        PASSKEY_COOKIE: names.passkeys,
    }
    cookie_names = {scheme: name.decode().rstrip("=") for scheme, name in cookies.items()}
    bodies = [o.body for methods in operations.values() for o in methods.values()]
    changing = [body for body in bodies if body is not None and not isinstance(body, Fields)]

    # The tables that follow what operators set, and the document as it was written by them.
    kept: tuple[Sequence[Fields], bytes] | None = None

    async def show(request: Request) -> Response:
        nonlocal kept
        await require()
        tables = [table() for table in changing]
        if kept is None or kept[0] != tables:
            made = document(operations, url=url, prefix=prefix, cookie_names=cookie_names)
            kept = tables, bytes(json_response(made).body)
        return Response(kept[1], 200, EVERYWHERE, JSON)

    return Route(PATH, {"GET": show}, "api", operations[PATH])


def document(
    operations: Mapping[str, Mapping[str, Operation]],
    *,
    url: str,
    prefix: str,
    cookie_names: Mapping[str, str],
) -> Schema:
    """Return the whole document.

    Args:
        operations: path below the prefix, then method in capitals.
        url: the base URL of the app.
        prefix: where we are mounted.
        cookie_names: scheme to the name of its cookie.
    """
    described = {
        prefix + path: _path(path, methods) for path, methods in operations.items() if methods
    }
    raised = {error for ms in operations.values() for o in ms.values() for error in o.raises()}
    # On any path of ours, and where a host or a feature asks for a fresh proof.
    raised |= {MethodNotAllowed, NotFound, StepUpRequired}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Passwordless login",
            "version": "1",
            "description": (
                "Three calls, send, verify and resend, and the session that comes of them.\n\n"
                "A *server* sends an API key and nothing else of itself: no cookie of it is read "
                "or set. A *browser* sends `Origin`, and cookies bind verify to the send. Every "
                f"body is one JSON object in UTF-8 of at most {MAX_BYTES} bytes, without duplicate "
                "keys; fields that are not named here are ignored. As in protobuf's JSON mapping, "
                "`null` is a field that is not given, `authRequestId` is read like "
                "`auth_request_id` (not both), and an integer may come as text. Another method "
                "than those listed is answered with 405 and `Allow`."
            ),
        },
        "servers": [{"url": url}],
        "paths": described,
        "components": {
            "schemas": {"Error": _error_schema(raised)},
            "headers": {
                "RetryAfter": {
                    "description": "Seconds to wait before the next try.",
                    "required": True,
                    "schema": {"type": "integer", "minimum": 1},
                },
                "Bearer": {
                    "description": "How to authenticate.",
                    "required": True,
                    "schema": {"type": "string", "const": "Bearer"},
                },
            },
            "securitySchemes": _security_schemes(cookie_names),
        },
    }


def _path(path: str, methods: Mapping[str, Operation]) -> Schema:
    item: Schema = {method.lower(): _operation(o) for method, o in methods.items()}
    names = path_names(path)
    if names:
        about = {n: text for o in methods.values() for n, text in o.parameters.items()}
        schema = {"type": "string", "minLength": 1}
        item["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": about.get(name, ""),
                "schema": schema,
            }
            for name in names
        ]
    return item


def _operation(operation: Operation) -> Schema:
    found: Schema = {"operationId": operation.id, "summary": operation.summary}
    if operation.about:
        found["description"] = operation.about
    found["security"] = [{scheme: [] for scheme in way} for way in operation.security]
    if operation.body is not None:
        body = operation.body if isinstance(operation.body, Fields) else operation.body()
        schema = body.schema(is_body=operation.body_type == JSON)
        content = {"schema": schema, "example": body.example()}
        found["requestBody"] = {"required": True, "content": {operation.body_type: content}}
    if operation.query is not None:
        found["parameters"] = [
            {
                "name": name,
                "in": "query",
                "required": field.required,
                "schema": field.schema(),
                **({"example": field.example} if field.example is not None else {}),
            }
            for name, field in operation.query.fields.items()
        ]
    responses: dict[str, Schema] = {}
    for status, fields in operation.answers.items():
        responses[str(status)] = _answer(operation, status, fields)
    by_status: dict[int, list[type[ApiError]]] = {}
    for error in operation.raises():
        by_status.setdefault(error.status, []).append(error)
    for status, errors in sorted(by_status.items()):
        responses.setdefault(str(status), _failure(errors))
    found["responses"] = responses
    return found


def _answer(operation: Operation, status: int, fields: Fields | None) -> Schema:
    refused = {400: "The request is not right.", 401: "Nobody has these credentials."}
    found: Schema = {"description": "Done."}
    if status >= 300:
        found["description"] = refused.get(status, "Not available right now.")
    if fields is not None:
        content: Schema = {
            "application/json": {"schema": fields.schema(), "example": fields.example()}
        }
        if operation.lines and status < 300:
            content[operation.lines] = {"schema": {"type": "string"}}
        found["content"] = content
    if operation.text and status < 300:
        found["content"] = {operation.text: {"schema": {"type": "string"}}}
    if operation.sets_cookie:
        about = "Cookies, for browsers only."
        found["headers"] = {"Set-Cookie": {"description": about, "schema": {"type": "string"}}}
    if operation.next and status < 300:
        found["links"] = {
            id: {
                "operationId": id,
                **(
                    {"parameters": {name: expression}}
                    if name == "id"
                    else {"requestBody": {name: expression}}
                ),
            }
            for id, (name, expression) in operation.next.items()
        }
    return found


def _failure(errors: Sequence[type[ApiError]]) -> Schema:
    """Describe the answer of one status: the shape of every error, with this one's codes."""
    codes = sorted({error.code for error in errors})
    # With its types, and no `const`: generators of clients leave out what they cannot merge.
    detail = {"type": "object", "properties": {"error_code": {"type": "string", "enum": codes}}}
    narrowed = {
        "type": "object",
        "properties": {
            "code": {"type": "integer", "enum": [errors[0].grpc]},
            "details": {"type": "array", "items": detail},
        },
    }
    examples = {error.code: {"value": _error_example(error)} for error in errors}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]},
        "examples": examples,
    }
    found: Schema = {
        "description": " ".join(dict.fromkeys(error.message for error in errors)),
        "content": {"application/json": content},
    }
    status = errors[0].status
    if status in (429, 503):
        found["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    if status == 401:
        found["headers"] = {"WWW-Authenticate": {"$ref": "#/components/headers/Bearer"}}
    return found


def _error_schema(raised: set[type[ApiError]]) -> Schema:
    violation = {name: {"type": "string"} for name in ("field", "description", "constraint")}
    violations = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "object", "properties": violation, "required": list(violation)},
    }
    return {
        "type": "object",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {
                "type": "integer",
                "enum": sorted({error.grpc for error in raised}),
                "description": "The gRPC number.",
            },
            "message": {"type": "string", "description": "For people."},
            "details": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["@type", "error_code"],
                    "properties": {
                        "@type": {"type": "string", "const": ERROR_TYPE},
                        "error_code": {
                            "description": "For programs; a closed list.",
                            "type": "string",
                            "enum": sorted({error.code for error in raised}),
                        },
                        "validation_error_info": {
                            "description": "With INVALID_ARGUMENT: the bad fields.",
                            "type": "object",
                            "required": ["field_violations"],
                            "properties": {"field_violations": violations},
                        },
                        "attempts_left": {
                            "description": "How many more codes this request takes.",
                            "type": "integer",
                            "minimum": 0,
                        },
                        "login_id": {
                            "description": "With STEP_REQUIRED: the login that waits.",
                            "type": "string",
                        },
                        "steps": {
                            "description": "With STEP_REQUIRED: what is asked for, in order.",
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string"},
                        },
                        "expires_at": {
                            "description": "With STEP_REQUIRED: when the login ends, unix seconds.",
                            "type": "string",
                            "pattern": "^[0-9]+$",
                        },
                    },
                },
            },
        },
    }


def _error_example(error: type[ApiError]) -> Schema:
    detail: Schema = {"@type": ERROR_TYPE, "error_code": error.code}
    return {"code": error.grpc, "message": error.message, "details": [detail]}


def _security_schemes(cookie_names: Mapping[str, str]) -> Schema:
    found: Schema = {
        API_KEY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pwk_…",
            "description": "A server's API key.",
        },
        SESSION_TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pws_…",
            "description": "The session token that verify gave to a server.",
        },
        ORIGIN: {
            "type": "apiKey",
            "in": "header",
            "name": "Origin",
            "description": "Set by browsers: the app's own origin, or an allowed one.",
        },
    }
    for scheme, name in cookie_names.items():
        found[scheme] = {
            "type": "apiKey",
            "in": "cookie",
            "name": name,
            "description": "Set by us, sent by browsers.",
        }
    return found
