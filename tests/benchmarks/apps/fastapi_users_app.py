"""fastapi-users on SQLite in memory, as its documentation shows it: a JWT cookie, or a token table.

Its figures contain FastAPI's own cost, which is part of choosing it.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool

from tests.benchmarks.targets import KEY, Place, Target


class Base(DeclarativeBase):
    """Hold the tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A user, as the library has it."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """A session, as the library has it."""


class Users(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """Keep users."""

    reset_password_token_secret = KEY
    verification_token_secret = KEY


def _app(is_jwt: bool) -> Target:
    engine = create_async_engine(
        "sqlite+aiosqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    async def users(opened: AsyncSession = Depends(session)) -> AsyncIterator[Users]:  # noqa: B008
        yield Users(SQLAlchemyUserDatabase(opened, User))

    async def tokens(opened: AsyncSession = Depends(session)) -> AsyncIterator[Any]:  # noqa: B008
        yield SQLAlchemyAccessTokenDatabase(opened, AccessToken)

    def jwt_strategy() -> Any:
        return JWTStrategy(secret=KEY, lifetime_seconds=86400)

    def database_strategy(table: Any = Depends(tokens)) -> Any:  # noqa: B008
        return DatabaseStrategy(table, lifetime_seconds=86400)

    backend = AuthenticationBackend(
        name="cookie",
        transport=CookieTransport(cookie_name="fau", cookie_max_age=86400),
        get_strategy=jwt_strategy if is_jwt else database_strategy,
    )
    current = FastAPIUsers[User, uuid.UUID](users, [backend]).current_user(optional=True)
    app = FastAPI()

    @app.get("/")
    async def site(user: Any = Depends(current)) -> PlainTextResponse:  # noqa: B008
        return PlainTextResponse("nobody" if user is None else user.email)

    async def sign_in(email: str) -> bytes:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with sessions() as opened:
            user = await SQLAlchemyUserDatabase(opened, User).create(
                {"email": email, "hashed_password": "", "is_active": True}
            )
            table = SQLAlchemyAccessTokenDatabase(opened, AccessToken)
            strategy = jwt_strategy() if is_jwt else database_strategy(table)
            return f"fau={await strategy.write_token(user)}".encode()

    return Target(app, sign_in, aclose=engine.dispose)


def jwt(place: Place) -> Target:
    """Keep the session in a JWT; the user is read from the database on each request."""
    return _app(is_jwt=True)


def database(place: Place) -> Target:
    """Keep the session in a table."""
    return _app(is_jwt=False)
