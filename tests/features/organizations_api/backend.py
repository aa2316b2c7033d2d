"""The host's own backend, which keeps organizations by the JSON API."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support import API_KEY, Site

ORGANIZATIONS = "/auth/api/v1/organizations"


class Backend:
    """Call the resource with an API key.

    Args:
        site: whose it is.
        key: the API key; the default may do everything.
    """

    def __init__(self, site: Site, key: str = API_KEY) -> None:
        self._browser = site.browser(headers={"authorization": f"Bearer {key}"})

    async def ask(self, method: str, path: str = "", **body: object) -> httpx.Response:
        """Return the answer to a call, below the resource."""
        given: dict[str, Any] = {"json": body} if method in ("POST", "PATCH") else {}
        return await self._browser.request(method, ORGANIZATIONS + path, **given)

    async def get(self, path: str = "") -> Any:
        """Return what a good answer to GET holds."""
        return self._good(await self.ask("GET", path))

    async def post(self, path: str = "", **body: object) -> Any:
        """Return what a good answer to POST holds."""
        return self._good(await self.ask("POST", path, **body))

    async def patch(self, path: str, **body: object) -> Any:
        """Return what a good answer to PATCH holds."""
        return self._good(await self.ask("PATCH", path, **body))

    async def delete(self, path: str) -> None:
        """Delete."""
        answer = await self.ask("DELETE", path)
        assert answer.status_code == 204, answer.text

    async def refusal(self, method: str, path: str = "", **body: object) -> tuple[str, str]:
        """Return the field and the constraint by which a call is refused."""
        answer = await self.ask(method, path, **body)
        assert answer.status_code == 400, answer.text
        (violation,) = answer.json()["details"][0]["validation_error_info"]["field_violations"]
        return violation["field"], violation["constraint"]

    async def create(self, name: str = "Acme", **fields: object) -> str:
        """Make an organization, and return its id."""
        answer = self._good(await self.ask("POST", "", name=name, **fields))
        return str(answer["organization"]["id"])

    def _good(self, answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()
