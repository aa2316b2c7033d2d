"""`users=` over SQLAlchemy's async session: a model with `id` (an integer), `email` and `name`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from pwless_middleware import User


class SQLAlchemyUsers:
    """Put a mapped class behind the login. Its column `email` is unique.

    Args:
        sessions: makes a session for each question.
        model: the class.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], model: type[Any]) -> None:
        self._sessions = sessions
        self._model = model

    async def find(self, email: str) -> User | None:
        async with self._sessions() as session:
            query = select(self._model).where(self._model.email == email)
            return self._user(await session.scalar(query))

    async def create(self, email: str) -> User | None:
        async with self._sessions() as session:
            session.add(self._model(email=email))
            try:
                await session.commit()
            except IntegrityError:  # somebody else has just made it
                await session.rollback()
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        if not user_id.isdecimal():  # of a session from before there was a table
            return None
        async with self._sessions() as session:
            return self._user(await session.get(self._model, int(user_id)))

    async def change_email(self, user_id: str, email: str) -> User | None:
        async with self._sessions() as session:
            row = await session.get(self._model, int(user_id))
            if row is None:
                return None
            row.email = email
            try:
                await session.commit()
            except IntegrityError:  # it is somebody else's
                await session.rollback()
                return None
        return await self.load(user_id)

    async def search(self, prefix: str, after: str = "") -> list[User]:
        model = self._model
        query = select(model).where(model.email.startswith(prefix, autoescape=True))
        query = query.where(model.email > after).order_by(model.email).limit(50)
        async with self._sessions() as session:
            found = map(self._user, await session.scalars(query))
            return [user for user in found if user is not None]

    def _user(self, row: Any) -> User | None:
        return row and User(id=row.id, email=row.email, display_name=row.name or "")
