"""The `events` resource, held against what the OpenAPI document says of it by schemathesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth
from starlette.testclient import TestClient

from tests.support import API_KEY, make_site

# Schemathesis knows any address; ours is the part of the grammar that mailboxes use.
schemathesis.openapi.format(
    "email", st.from_regex(r"[a-z0-9_-]{1,20}@[a-z0-9]{1,20}\.example", fullmatch=True)
)

PATH = "/auth/api/v1/events"
KEY = {"Authorization": f"Bearer {API_KEY}"}
CASES = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a site with a database, in one event loop."""
    site = make_site(database=f"sqlite:///{tmp_path}/pwless.db")
    with TestClient(site.app, base_url=site.base_url) as client:
        client.post(
            "/auth/login", data={"email": "jo@example.com"}, headers={"origin": site.base_url}
        )
        yield client


def test_it_answers_what_the_document_says(client: TestClient) -> None:
    config = SchemathesisConfig.from_dict(
        {"seed": 1, "generation": {"with-security-parameters": False}}
    )
    document = client.get("/auth/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document, config=config)
    operation: Any = schema[PATH]["GET"]
    seen: Counter[int] = Counter()

    @CASES
    @given(
        case=operation.as_strategy()
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def hold(case: Any) -> None:
        headers = {**(case.headers or {}), **KEY}
        response = client.request(case.method, PATH, params=case.query, headers=headers)
        # This one asks again without the key, over a network that there is not.
        case.validate_response(response, headers=KEY, excluded_checks=[ignored_auth])
        seen[response.status_code] += 1

    hold()
    assert seen.keys() == {200, 400}


def test_it_describes_every_field_that_it_answers(client: TestClient) -> None:
    document = client.get("/auth/api/v1/openapi.json").json()
    answers = document["paths"][PATH]["get"]["responses"]["200"]["content"]
    described = answers["application/json"]["schema"]["properties"]["events"]["items"]
    (sent,) = client.get(PATH, params={"kind": "send.requested"}, headers=KEY).json()["events"]
    assert sent.keys() <= described["properties"].keys()
    assert set(described["required"]) <= sent.keys()
    assert "application/x-ndjson" in answers
