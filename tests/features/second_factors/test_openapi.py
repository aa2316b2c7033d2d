"""The resource of second factors, held against what the OpenAPI document says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection
from starlette.testclient import TestClient

from tests.features.second_factors.enrolled import API, make_factor_site
from tests.features.second_factors.people import JO, App
from tests.support import API_KEY, JSON_BASE, Site

# Schemathesis knows any address; ours is the part of the grammar that mailboxes use.
schemathesis.openapi.format(
    "email", st.from_regex(r"[a-z0-9_-]{1,20}@[a-z0-9]{1,20}\.example", fullmatch=True)
)

USER: Final = "/auth/api/v1/users/{id}/factors"
CASES: Final = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
OPERATIONS: Final[dict[tuple[str, str], set[int]]] = {
    ("GET", API): {200},
    ("POST", f"{API}/totp"): {200},
    ("POST", f"{API}/totp/confirm"): {400, 410},
    ("POST", f"{API}/recovery-codes"): {200},
    ("PATCH", f"{API}/{{id}}"): {200, 400},
    ("GET", f"{API}/trusted-browsers"): {200},
    ("DELETE", f"{API}/trusted-browsers"): {204},
    ("DELETE", f"{API}/trusted-browsers/{{id}}"): {404},
    ("DELETE", f"{API}/{{id}}"): {404},
    ("GET", USER): {200},
    ("DELETE", USER): {200},
}
"""Each operation, and what random calls of it are answered."""


class Person:
    """Somebody with an app, who uses a program that holds a session token."""

    def __init__(self, client: TestClient, site: Site) -> None:
        self._client, self._site = client, site
        key = {"authorization": f"Bearer {API_KEY}"}
        sent = client.post(f"{JSON_BASE}/send", json={"email": JO}, headers=key).json()
        body = {"auth_request_id": sent["auth_request_id"], "code": site.mail(JO).code}
        done = client.post(f"{JSON_BASE}/verify", json=body, headers=key).json()
        self.user_id = done["user_id"]
        self.headers = {"authorization": f"Bearer {done['session_token']}"}
        self.add_app()

    def add_app(self) -> None:
        """Add an app; the session is renewed."""
        begun = self.ask("POST", "/totp")
        body = {
            "enrollment_id": begun["enrollment_id"],
            "code": App(self._site, begun["secret"]).next_code(),
        }
        added = self.ask("POST", "/totp/confirm", body)
        self.factor_id = added["factor"]["id"]
        self.headers = {"authorization": f"Bearer {added['session_token']}"}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Call an operation of the resource."""
        done = self._client.request(method, API + path, headers=self.headers, json=body)
        assert done.status_code < 300, done.text
        return done.json() if done.content else None


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, trusted_days=30, bearer=True)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    """A client of the site, in one event loop."""
    with TestClient(site.app, base_url=site.base_url) as client:
        yield client


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/auth/api/v1/openapi.json").json())


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_it_answers_what_the_document_says(
    client: TestClient, site: Site, document: dict[str, Any], method: str, path: str
) -> None:
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"with-security-parameters": False},
            "checks": {
                # The document cannot know which ids are live, and what is made up is too late.
                "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "410"]},
            },
        }
    )
    operation: Any = schemathesis.openapi.from_dict(document, config=config)[path][method]
    person = Person(client, site)
    of_server = {"authorization": f"Bearer {API_KEY}"}
    seen = set()

    @CASES
    @given(
        case=operation.as_strategy()
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def hold(case: Any) -> None:
        own = of_server if path == USER else person.headers
        id = {"PATCH": person.factor_id, USER: person.user_id}
        url = path.replace("{id}", id.get(method) or id.get(path) or "made-up")
        sent: dict[str, Any] = {"headers": {**(case.headers or {}), **own}}
        if operation.body:
            is_json = isinstance(case.body, dict | list | str | int | float | bool | None)
            sent["content"] = json.dumps(case.body) if is_json else b"\x00"
            sent["headers"]["content-type"] = "application/json"
        response = client.request(method, url, **sent)
        # The check of credentials asks again without them, over a network that there is not; a
        # bad id is not sent, since the path has one of ours.
        left_out = [ignored_auth, *([] if operation.body else [negative_data_rejection])]
        case.validate_response(response, headers=own, excluded_checks=left_out)
        seen.add(response.status_code)

    hold()
    assert seen == OPERATIONS[method, path]


def test_all_of_it_is_described(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item.keys() - {"parameters"}
        if path.startswith(API) or path == USER
    }
    assert described == {*OPERATIONS, ("POST", f"{API}/trusted-browsers")}


def test_it_describes_every_field_that_it_answers(
    client: TestClient, site: Site, document: dict[str, Any]
) -> None:
    person = Person(client, site)
    person.ask("POST", "/recovery-codes")
    server = {"authorization": f"Bearer {API_KEY}"}
    of_user = client.get(USER.replace("{id}", person.user_id), headers=server).json()
    for path, told in ((API, person.ask("GET", "")), (USER, of_user)):
        answers = document["paths"][path]["get"]["responses"]["200"]["content"]
        schema = answers["application/json"]["schema"]
        for described, one in (
            (schema, told),
            (schema["properties"]["factors"]["items"], told["factors"][0]),
        ):
            assert one.keys() <= described["properties"].keys()
            assert set(described["required"]) <= one.keys()


def test_what_makes_a_change_takes_the_session_and_the_origin(document: dict[str, Any]) -> None:
    """A generated client knows that a cookie alone does nothing, and which key a server needs."""
    for method, path in OPERATIONS:
        ways = document["paths"][path][method.lower()]["security"]
        if path == USER:
            assert ways == [{"apiKey": []}]
        else:
            also: dict[str, list[str]] = {} if method == "GET" else {"origin": []}
            assert ways == [{"sessionToken": []}, {"sessionCookie": [], **also}]
