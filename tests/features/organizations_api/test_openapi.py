"""The resource of organizations, held against what the OpenAPI document says of it."""

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
from schemathesis.specs.openapi.checks import ignored_auth
from starlette.testclient import TestClient

from pwless_middleware import EmailLogin
from pwless_middleware.features.organizations import Organizations
from tests.organizations import make_organization_site
from tests.support import API_KEY, ROOMY

# Schemathesis knows any address; ours is the part of the grammar that mailboxes use.
schemathesis.openapi.format(
    "email", st.from_regex(r"[a-z0-9_-]{1,20}@[a-z0-9]{1,20}\.example", fullmatch=True)
)

BASE: Final = "/auth/api/v1/organizations"
KEY: Final = {"authorization": f"Bearer {API_KEY}"}
LISTS: Final = ("policy", "domains", "members", "invitations", "connections", "setup-links")
CALLS: Final = (
    *(("post", BASE), ("patch", f"{BASE}/{{id}}"), ("patch", f"{BASE}/{{id}}/policy")),
    *(("post", f"{BASE}/{{id}}/members"), ("post", f"{BASE}/{{id}}/connections")),
)
"""Those that are called with random bodies: one of each kind of body."""
CASES: Final = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CONFIG: Final = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "generation": {"with-security-parameters": False},
        "checks": {
            # What a policy, a domain or a configuration may hold is more than a schema says.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404"]},
            "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415"]},
        },
    }
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a site with an organization, whose own key is `7`, and all that it can have."""
    folder: Path = tmp_path_factory.mktemp("organizations")
    features = [EmailLogin(send_limits=ROOMY), Organizations()]
    site = make_organization_site(folder, features=features)
    with TestClient(site.app, base_url=site.base_url) as client:
        for path, body in (
            ("", {"name": "Acme", "external_id": "7", "logo": "/a.svg", "color": "#123"}),
            ("/7/domains", {"domain": "acme.example"}),
            ("/7/invitations", {"email": "jo@acme.example"}),
            ("/7/connections", {"kind": "saml", "name": "Okta", "secret": "x"}),
            ("/7/setup-links", {}),
        ):
            made = client.post(BASE + path, json=body, headers=KEY)
            assert made.status_code == 200, made.text
        user = client.post("/auth/api/v1/users", json={"email": "jo@acme.example"}, headers=KEY)
        body = {"user_id": user.json()["user"]["id"], "external_id": "e-1"}
        assert client.post(f"{BASE}/7/members", json=body, headers=KEY).status_code == 200
        yield client


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/auth/api/v1/openapi.json").json())


@pytest.mark.parametrize(
    "path",
    ["", "/{id}", *(f"/{{id}}/{one}" for one in LISTS)],
)
def test_it_describes_every_field_that_it_answers(
    client: TestClient, document: dict[str, Any], path: str
) -> None:
    told = client.get(BASE + path.replace("{id}", "7"), headers=KEY).json()
    item = document["paths"][BASE + path]["get"]
    assert item["security"] == [{"apiKey": []}]
    schema = item["responses"]["200"]["content"]["application/json"]["schema"]
    pairs = [(schema, told)]
    for name, value in told.items():
        inner = schema["properties"][name]
        if isinstance(value, list):
            pairs += [(inner["items"], one) for one in value]
            assert value
        elif "properties" in inner:
            pairs.append((inner, value))
    for described, one in pairs:
        assert one.keys() <= described["properties"].keys()
        assert set(described.get("required", ())) <= one.keys()


def test_random_bodies_are_answered_as_the_document_says(
    client: TestClient, document: dict[str, Any]
) -> None:
    short = json.loads(json.dumps(document))
    for method, path in CALLS:
        body = short["paths"][path][method]["requestBody"]["content"]["application/json"]
        for name in body["schema"]["properties"].keys() & {"logo", "secret"}:
            del body["schema"]["properties"][name]  # long texts take half a second each
    described = schemathesis.openapi.from_dict(short, config=CONFIG)
    seen = set()
    for method, path in CALLS:
        seen |= hold(client, described[path][method.upper()], method, path)
    assert {path for path, _ in seen} == {path for _, path in CALLS}
    assert {(BASE, 200), (BASE, 400)} <= seen


def id_of(client: TestClient) -> str:
    """Return the id of the organization, whose own key a random body may have changed."""
    (acme,) = client.get(f"{BASE}?domain=acme.example", headers=KEY).json()["organizations"]
    return str(acme["id"])


def hold(client: TestClient, operation: Any, method: str, path: str) -> set[tuple[str, int]]:
    """Call an operation with random bodies; return which statuses came."""
    url = path.replace("{id}", id_of(client))
    seen = set()

    @CASES
    @given(
        case=operation.as_strategy()
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def call(case: Any) -> None:
        is_json = isinstance(case.body, dict | list | str | int | float | bool | None)
        content = json.dumps(case.body) if is_json else b"\x00"
        headers = {**(case.headers or {}), **KEY, "content-type": "application/json"}
        answer = client.request(method.upper(), url, content=content, headers=headers)
        case.validate_response(answer, headers=KEY, excluded_checks=[ignored_auth])
        seen.add((path, answer.status_code))

    call()
    return seen
