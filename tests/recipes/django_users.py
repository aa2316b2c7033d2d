"""`users=` over Django's ORM: your user model, whose `email` is unique."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from pwless_middleware import User


class DjangoUsers:
    """Put a user model behind the login. Who is not active is nobody.

    Args:
        model: `get_user_model()`.
    """

    def __init__(self, model: type[Any]) -> None:
        self._all = model._default_manager
        self._active = self._all.filter(is_active=True)

    async def find(self, email: str) -> User | None:
        return self._user(await self._active.filter(email=email).afirst())

    async def create(self, email: str) -> User | None:
        try:
            return self._user(await self._all.acreate(email=email))
        except IntegrityError:  # somebody else has just made it, or it is not active
            return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        try:
            return self._user(await self._active.filter(pk=user_id).afirst())
        except (ValueError, ValidationError):  # of a session from before there was a table
            return None

    async def change_email(self, user_id: str, email: str) -> User | None:
        try:
            await self._active.filter(pk=user_id).aupdate(email=email)
        except IntegrityError:  # it is somebody else's
            return None
        return await self.load(user_id)

    async def search(self, prefix: str, after: str = "") -> list[User]:
        rows = self._all.filter(email__startswith=prefix, email__gt=after).order_by("email")[:50]
        found = [self._user(row) async for row in rows]
        return [user for user in found if user is not None]

    def _user(self, row: Any) -> User | None:
        return row and User(id=row.pk, email=row.email, display_name=row.name)
