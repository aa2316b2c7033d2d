"""`users=` over HTTP: a table `users` behind PostgREST, as Supabase has it."""

from __future__ import annotations

import httpx

from pwless_middleware import User

COLUMNS = "id,email,name"


class HTTPUsers:
    """Put a table behind the login. Its column `email` is unique.

    Args:
        client: `httpx.AsyncClient(base_url="https://….supabase.co/rest/v1", headers={"apikey": …},
            timeout=1)`, with the key of the service role; a login waits no longer than two seconds.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def find(self, email: str) -> User | None:
        return await self._one("GET", {"email": f"eq.{email}"})

    async def create(self, email: str) -> User | None:
        made = await self._one("POST", {"on_conflict": "email"}, {"email": email})
        return made or await self.find(email)  # somebody else has just made it

    async def load(self, user_id: str) -> User | None:
        return await self._one("GET", {"id": f"eq.{user_id}"})

    async def change_email(self, user_id: str, email: str) -> User | None:
        return await self._one("PATCH", {"id": f"eq.{user_id}"}, {"email": email})

    async def search(self, prefix: str, after: str = "") -> list[User]:
        like = prefix.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
        where = {"and": f'(email.like."{like}*",email.gt."{after}")', "order": "email.asc"}
        return await self._ask("GET", where | {"limit": "50"})

    async def _one(
        self, method: str, where: dict[str, str], row: dict[str, str] | None = None
    ) -> User | None:
        found = await self._ask(method, where, row)
        return found[0] if found else None

    async def _ask(
        self, method: str, where: dict[str, str], row: dict[str, str] | None = None
    ) -> list[User]:
        answer = await self._client.request(
            method,
            "/users",
            params={"select": COLUMNS} | where,
            json=row,
            headers={"prefer": "return=representation,resolution=ignore-duplicates"},
        )
        if answer.status_code == 409:  # the address is somebody else's
            return []
        answer.raise_for_status()
        return [
            User(id=row["id"], email=row["email"], display_name=row["name"] or "")
            for row in answer.json()
        ]
