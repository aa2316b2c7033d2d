"""FastMCP: a program calls tools with a session token, and the tool knows for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.apps.person import Person
from tests.apps.places import ROOT, Site, needs, served

needs("fastmcp")

API_KEY = "pwk_Mx3vQ8sLw2Yt6Rb9Xn4Mc7Jd"
KEY = {"authorization": f"Bearer {API_KEY}"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve the guide's recipe."""
    recipe = {"PWLESS_TEST_RECIPE": "frameworks#FastMCP", "PWLESS_API_KEY": API_KEY}
    with served("tests.apps.served.guide_app:app", ROOT, recipe) as site:
        yield site


def token_of(person: Person, email: str) -> str:
    """Sign a program in: a code by mail, and a session token for it."""
    api = person.url("/auth/api/v1/passwordless/email")
    sent = httpx.post(f"{api}/send", json={"email": email}, headers=KEY, timeout=30).json()
    body = {"auth_request_id": sent["auth_request_id"], "code": person.newest_code()}
    return str(
        httpx.post(f"{api}/verify", json=body, headers=KEY, timeout=30).json()["session_token"]
    )


async def _call(url: str, token: str | None) -> str:
    from fastmcp import Client  # seconds, which only who comes here should wait

    async with Client(url, auth=token) as client:
        result = await client.call_tool("whoami")
        return str(result.data)


def test_a_tool_knows_for_whom_a_program_calls(site: Site, stranger: Person) -> None:
    token = token_of(stranger, "robot@example.com")
    assert asyncio.run(_call(site.base_url + "/mcp", token)) == "robot@example.com"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer pws_wrong"}, KEY])
def test_without_a_session_token_nobody_calls(site: Site, headers: dict[str, str]) -> None:
    """An API key is a backend's, and no person's session."""
    answer = httpx.post(site.base_url + "/mcp", json={}, headers=headers, timeout=30)
    assert answer.status_code == 401
