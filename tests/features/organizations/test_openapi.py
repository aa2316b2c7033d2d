"""One's own organizations, held against what the OpenAPI document says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection
from starlette.testclient import TestClient

from tests.features.organizations.scene import API, JO, make_scene
from tests.support import API_KEY, JSON_BASE, Site

CASES: Final = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
OPERATIONS: Final[dict[tuple[str, str], set[int]]] = {
    ("GET", API): {200},
    ("POST", API): {400, 403},
    ("DELETE", f"{API}/{{id}}"): {404},
}
"""Each operation, and what random calls of it are answered."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    """A client of the site, in one event loop."""
    with TestClient(site.app, base_url=site.base_url) as client:
        yield client


def sign_in(client: TestClient, site: Site) -> dict[str, str]:
    """Return the headers of an app that holds a session token."""
    key = {"authorization": f"Bearer {API_KEY}"}
    sent = client.post(f"{JSON_BASE}/send", json={"email": JO}, headers=key).json()
    body = {"auth_request_id": sent["auth_request_id"], "code": site.mail(JO).code}
    done = client.post(f"{JSON_BASE}/verify", json=body, headers=key).json()
    return {"authorization": f"Bearer {done['session_token']}"}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_it_answers_what_the_document_says(
    client: TestClient, site: Site, method: str, path: str
) -> None:
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"with-security-parameters": False},
            "checks": {
                # The document cannot know what somebody is a member of.
                "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "403", "404"]},
            },
        }
    )
    document = client.get("/auth/api/v1/openapi.json").json()
    operation: Any = schemathesis.openapi.from_dict(document, config=config)[path][method]
    headers, seen = sign_in(client, site), set()

    @CASES
    @given(
        case=operation.as_strategy()
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def hold(case: Any) -> None:
        sent: dict[str, Any] = {"headers": {**(case.headers or {}), **headers}}
        if operation.body:
            is_json = isinstance(case.body, dict | list | str | int | float | bool | None)
            sent["content"] = json.dumps(case.body) if is_json else b"\x00"
            sent["headers"]["content-type"] = "application/json"
        response = client.request(method, path.replace("{id}", "made-up"), **sent)
        left_out = [ignored_auth, *([] if operation.body else [negative_data_rejection])]
        case.validate_response(response, headers=headers, excluded_checks=left_out)
        seen.add(response.status_code)

    hold()
    assert seen == OPERATIONS[method, path]
