"""A user table of the host's own, for tests: with a search, or without."""

from __future__ import annotations

from pwless_middleware import User


class Table:
    """A table that knows whoever has an address of these domains."""

    def __init__(self, *emails: str) -> None:
        self.users = {f"u-{email}": email for email in emails}

    async def find(self, email: str) -> User | None:
        return next((self._user(id) for id, one in self.users.items() if one == email), None)

    async def create(self, email: str) -> User | None:
        self.users[f"u-{email}"] = email
        return self._user(f"u-{email}")

    async def load(self, user_id: str) -> User | None:
        return self._user(user_id) if user_id in self.users else None

    def _user(self, id: str) -> User:
        return User(id=id, email=self.users[id])


class SearchedTable(Table):
    """One with a search, two users a page."""

    def __init__(self, *emails: str) -> None:
        super().__init__(*emails)
        self.asked: list[tuple[str, str]] = []

    async def search(self, prefix: str, after: str = "") -> list[User]:
        self.asked.append((prefix, after))
        ids = [id for id, one in sorted(self.users.items()) if one.startswith(prefix)]
        return [self._user(id) for id in ids if self.users[id] > after][:2]
