"""End open connections with their session: sockets always, event streams where that is set.

One task in each event loop looks at every open connection, twice a second. A look costs no I/O
while the store's feed vouches for what is held in process; whatever must be asked of the store is
asked beside the looks, once for all connections of a session, so that neither a slow answer nor an
unreadable record delays the others. Each connection is ended in a task of its own, since a peer
that reads nothing can hold up its close.

A connection that has heard from its client since the last look counts as use of its session; one
that only stays open does not, so that a forgotten tab keeps nobody signed in. While the store
cannot be asked, connections stay: that is neither "in" nor "out".

What the store's feed tells of a session or its user is looked at then and there: who was signed out
or disabled does not stay until the next look.

With a user table, the users of open connections are loaded again as well, since a deleted user's
sessions still stand in the store: each user once in a second and a half, eight at a time, and at
most a thousand in one round, the longest unseen first. An app with more people than that online
sees a deleted user's connections end later, in proportion.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from itertools import islice
from typing import TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from pwless_middleware.core.storage.store_keys import user_signal_of
from pwless_middleware.errors import ApiError, StoreError, Unavailable
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.flows.store_deadline import STORE_SECONDS
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.base import Feed
from pwless_middleware.tracebacks import traceback_without_text
from pwless_middleware.web.connections.connection import Connection
from pwless_middleware.web.identity.accounts import Accounts, Identity

logger = logging.getLogger("pwless.connections")

LOOK_SECONDS = 0.5
"""Between two looks; with the feed's 100 ms this closes within a second."""
READS_AT_ONCE = 32
"""Questions to the store that one look has open at a time, at most."""
LOOKS_PER_LOAD = 3
"""From one loading of the users to the next: 1.5 seconds."""
LOADS_PER_ROUND = 1000
LOADS_AT_ONCE = 8
"""Questions to the user table at a time, at most: fewer than a usual pool has connections."""

T = TypeVar("T")


class OpenConnections:
    """End open connections when their sessions end.

    Args:
        sessions: says where a session stands.
        accounts: says whether a session counts, and whether a user of the host's table is there.
        feed: of the store; tells of sessions that were dropped.
        pause: waits between two looks.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        feed: Feed,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = pause
        self._checks: PerLoop[SessionChecks] = PerLoop(
            lambda: SessionChecks(sessions, accounts, self._pause)
        )
        feed.subscribe(self._hear)

    def _hear(self, key: str | None) -> None:
        if key is not None:
            for checks in self._checks:
                checks.hear(key)

    def ask_all(self) -> None:
        """Ask for every connection at once: what counts as signed in has changed."""
        for checks in self._checks:
            checks.hear_all()

    def around(self, app: ASGIApp, identity: Identity) -> ASGIApp:
        """Return an app whose connection ends with the session of whose it is.

        Args:
            app: serves it; a websocket, or an http response that may become a stream.
            identity: whose it is; somebody signed in.
        """

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            is_socket = scope["type"] == "websocket"
            with self._open(receive, send, identity, is_socket=is_socket) as connection:
                await app(scope, connection.receive, connection.send)

        return serve

    @contextmanager
    def _open(
        self, receive: Receive, send: Send, identity: Identity, *, is_socket: bool
    ) -> Iterator[Connection]:
        connection = Connection(
            receive, send, signed=identity.signed, user_id=identity.user.id, is_socket=is_socket
        )
        checks = self._checks.here()
        checks.add(connection)
        try:
            yield connection
        finally:
            checks.discard(connection)
            connection.close()


class SessionChecks:
    """Look at the open connections of one event loop, until the last one is gone."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._by_place: dict[str, set[str]] = {}
        """Cookie values and tokens, by what the feed may say of them: session or user."""
        self._by_session: dict[str, set[Connection]] = {}
        self._by_user: dict[str, set[Connection]] = {}
        """In the order in which they were loaded, the longest unseen first."""
        self._asked: set[str] = set()
        self._looking: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, connection: Connection) -> None:
        """Look at a connection from now on."""
        if connection.signed not in self._by_session:
            for place in self._places(connection.signed):
                self._by_place.setdefault(place, set()).add(connection.signed)
        self._by_session.setdefault(connection.signed, set()).add(connection)
        self._by_user.setdefault(connection.user_id, set()).add(connection)
        if self._looking is None or self._looking.done():
            self._looking = self._start(self._look())

    def discard(self, connection: Connection) -> None:
        """Look at it no more; it may be gone already."""
        for table, key in (
            (self._by_session, connection.signed),
            (self._by_user, connection.user_id),
        ):
            connections = table.get(key, set())
            connections.discard(connection)
            if not connections:
                table.pop(key, None)
        if connection.signed not in self._by_session:
            for place in self._places(connection.signed):
                signed = self._by_place.get(place, set())
                signed.discard(connection.signed)
                if not signed:
                    self._by_place.pop(place, None)

    def _places(self, signed: str) -> Iterator[str]:
        key = self._sessions.key_of(signed)
        if key is not None:
            yield key
            yield user_signal_of(key)

    def hear(self, key: str) -> None:
        """Ask at once for what the feed tells of; may be called from another thread."""
        if key in self._by_place and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ask_at, key)

    def hear_all(self) -> None:
        """Ask at once for all; may be called from another thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ask_all)

    def _ask_all(self) -> None:
        self._ask_soon(set(self._by_session))

    def _ask_at(self, place: str) -> None:
        self._ask_soon(self._by_place.get(place, set()))

    def _ask_soon(self, signed: set[str]) -> None:
        unasked = signed - self._asked
        if unasked:
            self._asked |= unasked
            self._start(_each(list(unasked), self._ask, at_once=READS_AT_ONCE))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        # In a context of its own: not in that of the request that happened to come first.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _look(self) -> None:
        looks = 0
        while self._by_session:
            await self._pause(LOOK_SECONDS)
            looks += 1
            try:
                unsure = [s for s, open in self._by_session.items() if self._is_unsure(s, open)]
            except StoreError as error:
                logger.debug("connections stay open for now, the clock is wrong: %s", error)
                continue
            if unsure:
                self._asked.update(unsure)
                self._start(_each(unsure, self._ask, at_once=READS_AT_ONCE))
            is_due = not self._accounts.is_told and looks % LOOKS_PER_LOAD == 0
            if is_due and (self._loading is None or self._loading.done()):
                self._loading = self._start(self._load_users())

    def _is_unsure(self, signed: str, open: Collection[Connection]) -> bool:
        """Whether the store must be asked for a session; notes its use where it need not be."""
        if signed in self._asked or not any(each.may_stay_open for each in open):
            return False
        used = [each for each in open if each.was_used]
        if used:
            if not self._accounts.surely_in(signed, used=True):
                return True
            for each in used:
                each.was_used = False
            return False
        return not self._accounts.surely_in(signed, used=False)

    async def _ask(self, signed: str) -> None:
        used = [each for each in self._by_session.get(signed, ()) if each.was_used]
        try:
            lives = await self._accounts.is_in(signed, used=bool(used))
            for each in used:
                each.was_used = False
        except Unavailable as error:
            logger.debug("connections stay open for now, the store cannot be asked: %s", error)
            lives = True
        except Exception as error:
            # As for a request: what cannot be read lets nobody in.
            logger.error(
                "the session of an open connection cannot be read:\n%s",
                traceback_without_text(error),
            )
            lives = False
        finally:
            self._asked.discard(signed)
        if not lives:
            self._end(self._by_session.get(signed, ()))

    async def _load_users(self) -> None:
        users = list(islice(self._by_user, LOADS_PER_ROUND))
        for user_id in users:
            self._by_user[user_id] = self._by_user.pop(user_id)
        await _each(users, self._load, at_once=LOADS_AT_ONCE)

    async def _load(self, user_id: str) -> None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                exists = await self._accounts.exists(user_id)
        except (ApiError, TimeoutError):
            return  # the user table cannot be asked: as with the store, connections stay
        if not exists:
            self._end(self._by_user.get(user_id, ()))

    def _end(self, connections: Collection[Connection]) -> None:
        """End those that stay open; a response that has not begun may still become a stream."""
        for connection in [each for each in connections if each.is_stream]:
            self.discard(connection)
            self._start(connection.end())


async def _each(items: Collection[T], do: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do something for each item, some at a time."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await do(item)

    await asyncio.gather(*(work() for _ in range(min(at_once, len(items)))))
