"""The OpenAPI document, held against the running server by schemathesis.

All of its checks, many hundreds of cases. The server is asked as a server, as a browser and with a
session token; some of the random bodies get an id and a code that are real, so that what follows a
good one is seen too. Which cases there are also depends on what else is imported (Hypothesis tries
constants of the code), so what must be seen is walked through once, by hand.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from pwless_middleware import EmailLogin
from pwless_middleware.errors import ApiError
from tests.sqlite_file import sqlite_url
from tests.support import API_KEY, BASE, JSON_BASE, ROOMY, Site, make_site, wrong

DOCUMENT = "/auth/api/v1/openapi.json"


def _cases(count: int) -> settings:
    """Ask for the same cases in every run."""
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# Schemathesis knows any address; ours is the part of the grammar that mailboxes use.
_atom = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=20)
schemathesis.openapi.format(
    "email", st.builds("{}@{}.example".format, _atom, st.text("abcxyz09", min_size=1, max_size=30))
)
# Which pages may be named is the deployment's own business and not in the document.
LINK_PAGE = "https://www.example.com/magic"
schemathesis.openapi.format("uri", st.just(LINK_PAGE))


def _config(*, with_credentials: bool, with_bounds: bool) -> SchemathesisConfig:
    """Return which answers a good request may get: the document cannot know which ids are live.

    Args:
        with_credentials: make some up for every case.
        with_bounds: begin with the bounds of each field, which are made at collection, a second for
            each operation with a body.
    """
    good = ["2xx", "401", "403", "404", "410", "429"]
    # Without a session or key, bad data is 401 or 403, whatever it is.
    bad = ["400", "401", "403", "404", "405", "410", "413", "415"]
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"with-security-parameters": with_credentials},
            "phases": {"coverage": {"enabled": with_bounds}},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": good},
                "negative_data_rejection": {"expected-statuses": bad},
            },
        }
    )


def _site() -> Site:
    return make_site(features=[EmailLogin(send_limits=ROOMY, link_uris=[LINK_PAGE])])


HOME = _site()


def _document(*, with_credentials: bool = False, with_bounds: bool = False) -> OpenApiSchema:
    config = _config(with_credentials=with_credentials, with_bounds=with_bounds)
    schema = schemathesis.openapi.from_asgi(DOCUMENT, HOME.app, config=config)
    if with_bounds:
        # Half a second for each bound, to find no address that has exactly so many characters;
        # test_api_fields.py has one that is too long.
        body = schema.raw_schema["paths"][f"{JSON_BASE}/send"]["post"]["requestBody"]
        email = body["content"]["application/json"]["schema"]["properties"]["email"]
        del email["minLength"], email["maxLength"]
    return schema


SCHEMA = _document(with_bounds=True)
WITHOUT_BOUNDS = _document()
MADE_UP = _document(with_credentials=True)
LOGIN, SESSIONS = "passwordless", "/sessions?"
SEEN: Counter[tuple[str, str]] = Counter()
LIVE: set[str] = set()
"""Every request id that was given out: a wrong code for one of these may be 400."""
_number = itertools.count()


def _ask(verb: str, headers: Mapping[str, str], **body: object) -> dict[str, Any]:
    """Call one of the three, outside the checks."""
    operation: Any = SCHEMA[f"{JSON_BASE}/{verb}"]["POST"]
    case = operation.Case(body=body, media_type="application/json", headers=dict(headers))
    response = case.call()
    assert response.status_code == 200, response.text
    if "auth_request_id" in response.json():
        LIVE.add(response.json()["auth_request_id"])
    cookies = [line.partition(";")[0] for line in response.headers.get("set-cookie", [])]
    return {**response.json(), "cookie": "; ".join(c for c in cookies if not c.endswith("="))}


class Visitor:
    """Make what the document cannot: live request ids, right codes, sessions.

    Args:
        headers: who calls.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        self._turn = 0
        self._sent: dict[str, Any] = {}
        self._code = ""
        self._uses = 0
        self._blocks = 0

    def call(self, case: Case[Any]) -> None:
        """Send a case, every other one with a live id, a few with the right code as well."""
        self._turn += 1
        headers = dict(self.headers)
        body: dict[str, Any] = {}
        if isinstance(case.body, dict):
            body = case.body = dict(case.body)  # an example of the document's is made once for all
        is_good = case.meta is not None and case.meta.generation.mode.is_positive
        is_live = is_good and self._turn % 2 == 0 and "auth_request_id" in body
        if is_live:
            headers |= self._make_live(body)
        response = case.call(headers=headers)
        # A wrong code is 400, as it should be; schemathesis brings ids that it has seen, too.
        is_of_ours = is_live or str(body.get("auth_request_id")) in LIVE
        excluded: list[Any] = [positive_data_acceptance] if is_of_ours else []
        case.validate_response(response, excluded_checks=excluded, headers=headers)
        error = "" if response.status_code < 400 else response.json()["details"][0]["error_code"]
        if is_live:
            assert error != "INVALID_ARGUMENT", response.text
        SEEN[case.operation.label, error] += 1

    def _make_live(self, body: dict[str, Any]) -> dict[str, str]:
        """Put a live id in; one for seven uses, so that its tries and resends run out.

        Every other one is met with the right code at last, if its tries allow.
        """
        if self._uses == 0:
            email = f"a{next(_number)}@example.com"
            self._sent = _ask("send", self.headers, email=email)
            self._code = HOME.mail(email).code or ""
            self._blocks += 1
        body["auth_request_id"] = self._sent["auth_request_id"]
        if "link_token" not in body:  # a link token costs no try
            self._uses = (self._uses + 1) % 7
        if "code" in body and self._blocks % 2 and self._uses == 4:
            body["code"] = self._code
        return {"Cookie": self._sent["cookie"]} if self._sent["cookie"] else {}


SERVER = Visitor({"Authorization": f"Bearer {API_KEY}"})
BROWSER = Visitor({"Origin": BASE})


def test_the_document_is_openapi_3_1() -> None:
    SCHEMA.validate()
    assert SCHEMA.raw_schema["openapi"] == "3.1.0"
    assert SCHEMA.raw_schema["servers"] == [{"url": BASE}]


def test_every_json_route_is_described_with_every_method() -> None:
    documented = SCHEMA.raw_schema["paths"]
    routes = [r for r in HOME.passwordless.routes.all if r.kind == "api"]
    assert len(routes) == len(documented) == 9
    for route in routes:
        methods = {method.upper() for method in documented["/auth" + route.path]} - {"PARAMETERS"}
        assert methods == set(route.methods) == set(route.operations)


def test_the_list_of_error_codes_is_closed_and_whole() -> None:
    """Whatever our JSON answers is in the list."""
    described = SCHEMA.raw_schema["components"]["schemas"]["Error"]["properties"]
    detail = described["details"]["items"]["properties"]
    # The latter two where there are passkeys, and a database with people.
    elsewhere = ("INTERNAL", "INVALID_CREDENTIAL", "NOT_PERMITTED")
    raised = {error for error in _tree(ApiError) if error.code not in elsewhere}
    assert detail["error_code"]["enum"] == sorted({error.code for error in raised})
    assert described["code"]["enum"] == sorted({error.grpc for error in raised})


def test_what_a_deployment_sets_is_in_its_document() -> None:
    options: dict[str, Any] = {
        "kind": "LINK",
        "lifetime": 900,
        "max_lifetime": 1800,
        "same_browser": False,
    }
    site = make_site(features=[EmailLogin(code="high", **options)], prefix="/in", cookie_name="me")
    schema = schemathesis.openapi.from_asgi("/in/api/v1/openapi.json", site.app)
    schema.validate()
    calls = {path.rpartition("/")[2]: item for path, item in schema.raw_schema["paths"].items()}
    body = {
        verb: calls[verb]["post"]["requestBody"]["content"]["application/json"]["schema"]
        for verb in ("send", "verify")
    }
    assert body["send"]["properties"]["expires_in"]["maximum"] == 1800
    assert body["verify"]["properties"]["code"]["pattern"].count("BCDFGHJKLMNPQRSTVWXZ") == 1
    assert body["verify"]["oneOf"][1]["required"] == ["link_token"]
    schemes = schema.raw_schema["components"]["securitySchemes"]
    assert schemes["sessionCookie"]["name"] == "__Host-me"
    assert schemes["flowCookie"]["name"] == "__Host-me-flow"


@pytest.mark.anyio
async def test_it_is_the_first_that_a_process_is_asked_for(tmp_path: Path) -> None:
    """What operators have set is not known yet then, and is read before."""
    site = make_site(database=sqlite_url(tmp_path), features=[EmailLogin()])
    first = await site.browser().get("/auth/api/v1/openapi.json")
    assert first.status_code == 200, first.text
    assert first.json()["openapi"] == "3.1.0"


def test_every_example_is_valid() -> None:
    for operation in SCHEMA.raw_schema["paths"].values():
        for method in operation.values():
            if isinstance(method, dict) and "requestBody" in method:
                (content,) = method["requestBody"]["content"].values()
                jsonschema_rs.validate(content["schema"], content["example"])


def test_generators_of_clients_can_merge_what_is_narrowed() -> None:
    """They leave out an answer whose parts are of unknown types, or fixed by `const` in one."""
    narrowed = [
        part
        for schema in _below(SCHEMA.raw_schema)
        for part in schema.get("allOf", ())
        if "$ref" not in part
    ]
    assert narrowed
    for part in narrowed:
        for schema in _below(part):
            if schema.keys() & {"properties", "items", "enum"}:
                assert "type" in schema, schema
            assert "const" not in schema


def _below(node: object) -> Iterator[dict[str, Any]]:
    """Go through all objects of a document."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for one in node.values() if isinstance(node, dict) else node:
            yield from _below(one)


def _tree(error: type[ApiError]) -> set[type[ApiError]]:
    below = [_tree(child) for child in error.__subclasses__()]
    return {error, *(found for tree in below for found in tree)}


def _test_each(
    name: str, document: BaseSchema, where: str, cases: int, call: Callable[[Case[Any]], object]
) -> None:
    """Make a test of each operation, and name it after the operation.

    As parameters of one function they may all have the same name, and pytest-xdist, which tells
    tests by their names, runs one of them.
    """
    for found in document.include(path_regex=where).get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # the document is valid
        alone = document.include(path=operation.path, method=operation.method)

        @_cases(cases)
        def test(case: Case[Any]) -> None:
            call(case)

        called = re.sub(r"\W+", "_", operation.label.replace("/auth/api/v1/", "").lower())
        globals()[f"test_{called}_{name}"] = alone.parametrize()(test)


def _as_a_browser(case: Case[Any]) -> None:
    if isinstance(case.body, dict):
        case.body.pop("template_variables", None)  # a server's alone
    BROWSER.call(case)


_test_each("as_a_server", SCHEMA, LOGIN, 60, SERVER.call)
_test_each("as_a_browser", WITHOUT_BOUNDS, LOGIN, 60, _as_a_browser)
_test_each("as_nobody", MADE_UP, "", 15, lambda case: case.call_and_validate())


def _session(headers: Mapping[str, str]) -> dict[str, str]:
    """Sign in, and give the headers of the session."""
    email = "jo@example.com"
    sent = _ask("send", headers, email=email)
    more = {"Cookie": sent["cookie"]} if sent["cookie"] else {}
    code = HOME.mail(email).code
    id = sent["auth_request_id"]
    done = _ask("verify", {**headers, **more}, auth_request_id=id, code=code)
    if "session_token" in done:
        return {"Authorization": f"Bearer {done['session_token']}"}
    return {**headers, "Cookie": done["cookie"]}


_SIGNED_IN: dict[int, dict[str, str]] = {}


def _call_with_session(case: Case[Any], by: Mapping[str, str]) -> None:
    held = _SIGNED_IN.get(id(by))
    headers = _SIGNED_IN[id(by)] = held or _session(by)
    if "id" in (case.path_parameters or {}) and next(_number) % 2:
        listed = SCHEMA["/auth/api/v1/sessions"]["GET"].Case(headers=headers).call()
        case.path_parameters["id"] = listed.json()["sessions"][-1]["id"]
    response = case.call_and_validate(headers=headers)
    SEEN[case.operation.label, "" if response.status_code < 300 else "refused"] += 1
    if case.method == "DELETE":
        del _SIGNED_IN[id(by)]


_by_token = functools.partial(_call_with_session, by=SERVER.headers)
_by_cookie = functools.partial(_call_with_session, by=BROWSER.headers)
_test_each("with_a_session_token", SCHEMA, SESSIONS, 20, _by_token)
_test_each("with_a_session_cookie", WITHOUT_BOUNDS, SESSIONS, 20, _by_cookie)


FOLLOWED: set[tuple[str, int]] = set()


class Links(SCHEMA.as_state_machine()):  # type: ignore[misc]  # made at run time
    """Follow the document's links: send, then resend and verify; list, then end one."""

    def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
        return {"headers": _session(SERVER.headers) if "session" in case.path else SERVER.headers}

    def validate_response(self, response: Any, case: Case[Any], *more: Any, **and_: Any) -> None:
        """Expect a 400 where a link has brought a live id, and chance a wrong code."""
        is_wrong_code = "INVALID_CODE" in response.text
        excluded: list[Any] = [positive_data_acceptance] if is_wrong_code else []
        case.validate_response(response, excluded_checks=excluded)
        FOLLOWED.add((case.operation.label, response.status_code))


def test_along_the_links() -> None:
    steps = settings(_cases(10), stateful_step_count=8)
    run_state_machine_as_test(Links, settings=steps)
    for step in (
        (f"POST {JSON_BASE}/resend", 200),
        (f"POST {JSON_BASE}/verify", 400),
        ("DELETE /auth/api/v1/sessions/{id}", 204),
    ):
        assert step in FOLLOWED


def _walk(verb: str, *, media_type: str = "application/json", **body: object) -> str:
    """Call one of the three, hold the answer against the document, and return its error code."""
    operation: Any = SCHEMA[f"{JSON_BASE}/{verb}"]["POST"]
    headers = {**SERVER.headers, "Content-Type": media_type}
    case = operation.Case(body=body, media_type="application/json", headers=headers)
    response = case.call()
    case.validate_response(response, excluded_checks=[positive_data_acceptance])
    error = response.json()["details"][0]["error_code"] if response.status_code >= 400 else ""
    SEEN[case.operation.label, error] += 1
    return str(error)


def test_along_the_way_of_a_caller_who_uses_everything_up() -> None:
    email = f"a{next(_number)}@example.com"
    id = _ask("send", SERVER.headers, email=email)["auth_request_id"]
    wrong_codes = [wrong(HOME.mail(email).code, n) for n in range(6)]
    said = [_walk("verify", auth_request_id=id, code=code) for code in wrong_codes]
    assert said == ["INVALID_CODE"] * 5 + ["TOO_MANY_ATTEMPTS"]

    email = f"a{next(_number)}@example.com"
    id = _ask("send", SERVER.headers, email=email)["auth_request_id"]
    assert [_walk("resend", auth_request_id=id) for _ in range(4)] == [""] * 3 + ["RATE_LIMITED"]
    code = HOME.mail(email).code
    assert _walk("verify", auth_request_id=id, code=code) == ""
    assert _walk("verify", auth_request_id=id, code=code) == "REQUEST_EXPIRED"
    assert _walk("resend", auth_request_id=id) == "REQUEST_EXPIRED"
    assert _walk("send", email=email) == ""
    for verb in ("send", "resend", "verify"):
        assert _walk(verb) == "INVALID_ARGUMENT"
        assert _walk(verb, media_type="text/plain") == "UNSUPPORTED_MEDIA_TYPE"


def test_along_the_way_of_somebody_who_is_signed_in() -> None:
    session, sessions = "/auth/api/v1/session", "/auth/api/v1/sessions"
    for by in (SERVER.headers, BROWSER.headers):
        headers = _session(by)
        listed = SCHEMA[sessions]["GET"].Case(headers=headers).call_and_validate(headers=headers)
        id = listed.json()["sessions"][0]["id"]
        for method, path in (
            ("GET", session),
            ("GET", sessions),
            ("DELETE", f"{sessions}/{{id}}"),
            ("DELETE", sessions),
            ("DELETE", session),
        ):
            operation: Any = SCHEMA[path][method]
            headers = headers if method == "GET" else _session(by)
            case = operation.Case(path_parameters={"id": id} if "{" in path else {})
            assert case.call_and_validate(headers=headers).status_code < 300
            SEEN[case.operation.label, ""] += 1


def test_what_the_document_promises_has_been_seen() -> None:
    """The cases above went deep: every success, and every error that a caller can cause alone."""
    for verb, errors in {
        "send": {"INVALID_ARGUMENT"},
        "resend": {"INVALID_ARGUMENT", "REQUEST_EXPIRED", "RATE_LIMITED"},
        "verify": {"INVALID_ARGUMENT", "INVALID_CODE", "REQUEST_EXPIRED", "TOO_MANY_ATTEMPTS"},
    }.items():
        label = f"POST {JSON_BASE}/{verb}"
        assert {"", "UNSUPPORTED_MEDIA_TYPE", *errors} <= {e for at, e in SEEN if at == label}
    session = "/auth/api/v1/session"
    calls = ("GET", session), ("DELETE", session), ("GET", f"{session}s"), ("DELETE", f"{session}s")
    for method, path in (*calls, ("DELETE", f"{session}s/{{id}}")):
        assert SEEN[f"{method} {path}", ""] > 0
    assert SEEN.total() > 500
