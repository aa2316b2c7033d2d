"""All writes of a process to one file, in one thread, which groups what waits.

    call ──▶ queue ──▶ turn · BEGIN · each call's steps · COMMIT ──▶ answers, in each call's loop

A commit with its wait for the disk costs ten times what the steps of a call do, so what has come in
meanwhile shares the next one. Nobody is answered before the commit. A call that raises is undone to
its own SAVEPOINT, and harms none of the others.

Nobody waits longer than `PATIENCE` either: the thread may be waiting for a disk, or for a process
that was stopped in mid-write. What nobody waits for any longer is not begun.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread, current_thread
from typing import Any, Final, TypeVar

from pwless_middleware.database.sqlite.connections import open_writer, run_query
from pwless_middleware.database.sqlite.errors import DAMAGED, is_harmless, kind_of, store_error
from pwless_middleware.database.sqlite.file import LOCK, File
from pwless_middleware.database.sqlite.outage import Outage
from pwless_middleware.database.sqlite.patience import Patience
from pwless_middleware.database.sqlite.turn import Turn
from pwless_middleware.database.statement import Steps
from pwless_middleware.errors import ConfigError, PwlessError, StoreError
from pwless_middleware.per_loop import PerLoop

T = TypeVar("T")

PATIENCE: Final = 1.2
"""Seconds until who asked is told that there is no answer; a request has 1.5 for all its steps."""
_MOST: Final = 64
"""Calls in a group; other processes wait meanwhile."""


class Call:
    """One transaction that is asked for, and who waits for it."""

    __slots__ = ("error", "future", "loop", "make", "result")

    def __init__(
        self,
        make: Callable[[], Steps[Any]],
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
    ) -> None:
        self.make = make
        self.loop = loop
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


class Writer:
    """Write to a file, in a thread that lives until `stop`.

    Args:
        file: what is written.
        is_durable: a commit outlasts a power cut.
        on_stop: closes what else is open, before the last connection is.
    """

    def __init__(self, file: File, *, is_durable: bool, on_stop: Callable[[], None]) -> None:
        self._file = file
        self._is_durable = is_durable
        self._on_stop = on_stop
        self.damage: str | None = None
        """Why nothing is asked of the file any more; a restart ends that."""
        self._outage = Outage("written")
        self._connection: sqlite3.Connection | None = None
        self._turn: Turn | None = None
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._patience: PerLoop[Patience] = PerLoop(lambda: Patience(PATIENCE, self._give_up))
        # A daemon: an interpreter that ends does not wait for who is waiting for a disk.
        self._thread = Thread(target=self._run, name="pwless-database", daemon=True)
        self._thread.start()

    async def run(self, make: Callable[[], Steps[T]], *, is_long: bool = False) -> T:
        """Run steps in a transaction, and return what they return.

        Args:
            make: makes the steps.
            is_long: whether it may take longer than `PATIENCE`.

        Raises:
            ConfigError: the file can never be used so.
            StoreError: it cannot be written, or not in time.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put(Call(make, loop, future))
        if is_long:
            return await future
        patience = self._patience.here()
        patience.begin(future)
        try:
            return await future
        finally:
            patience.end(future)

    def stop(self) -> None:
        """Let the thread end, once it has done what was asked for; does not wait."""
        self._calls.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end, so long at most; whether it has ended."""
        if self._thread is not current_thread():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _give_up(self, future: asyncio.Future[Any]) -> None:
        if not future.done():
            reason = f"the database {self._file.path} could not be written within {PATIENCE} s"
            self._outage.begin(reason)
            future.set_exception(StoreError(reason))

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            group: list[Call] = [call]
            while len(group) < _MOST:
                try:
                    following = self._calls.get_nowait()
                except Empty:
                    break
                if following is None:
                    self._calls.put(None)
                    break
                group.append(following)
            self._serve(group)
            # Nothing of theirs is kept while there is nothing to do.
            del call, group
        self._on_stop()
        self._close()

    def _serve(self, group: list[Call]) -> None:
        """Run a group, and answer each of it."""
        try:
            self._write([call for call in group if not call.future.done()])
        except Exception as error:
            told = self._translate(error)
            self._outage.begin(str(told))
            for call in group:
                call.error = call.error or _repeat(told, error)
        loops: dict[asyncio.AbstractEventLoop, list[Call]] = {}
        for call in group:
            loops.setdefault(call.loop, []).append(call)
        for loop, calls in loops.items():
            try:
                loop.call_soon_threadsafe(_answer, calls)
            except RuntimeError:  # it is closed, and with it who asked
                continue

    def _write(self, group: list[Call]) -> None:
        if self.damage is not None:
            raise StoreError(self.damage)
        connection = self._connection or self._open()
        assert self._turn is not None
        with self._turn:
            self._file.check()
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._file.know_log()
                for call in group:
                    self._run_call(connection, call, is_alone=len(group) == 1)
                if connection.in_transaction:
                    connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        self._outage.end()

    def _run_call(self, connection: sqlite3.Connection, call: Call, *, is_alone: bool) -> None:
        """Run the steps of a call, and undo them where they raise."""
        if not is_alone:
            connection.execute("SAVEPOINT pwless")
        try:
            call.result = _run_steps(connection, call.make())
        except sqlite3.Error as error:
            # After some errors SQLite has rolled back, and all calls with it.
            if not (is_harmless(error) and connection.in_transaction):
                raise
            call.error = store_error(error, self._file.path)
        except BaseException as error:
            call.error = error
        if call.error is not None:
            connection.execute("ROLLBACK" if is_alone else "ROLLBACK TO pwless")
        if not is_alone:
            connection.execute("RELEASE pwless")

    def _open(self) -> sqlite3.Connection:
        """Connect, for the first time or after an error; a file that was known must still be it."""
        if self._file.is_known:
            self._file.check()
        self._file.prepare()
        if self._turn is None:
            self._turn = Turn(self._file.path + LOCK, beside=self._file.path)
        with self._turn:
            self._connection = open_writer(self._file.path, is_durable=self._is_durable)
            self._file.know()
        return self._connection

    def _translate(self, error: Exception) -> PwlessError:
        """Return what callers are told of an error, and close what it leaves unfit for use."""
        if isinstance(error, PwlessError):
            return error
        if not isinstance(error, sqlite3.Error):
            return StoreError(f"the database {self._file.path}: {error}")
        if not is_harmless(error):
            self._close()
        told = store_error(error, self._file.path)
        if kind_of(error) in DAMAGED:
            if not self._file.is_known:
                return ConfigError("database", str(told))
            self.damage = str(told)
        return told

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        turn, self._turn = self._turn, None
        self._file.forget_log()
        if connection is not None:
            connection.close()
        if turn is not None:
            turn.close()


def _run_steps(connection: sqlite3.Connection, steps: Steps[T]) -> T:
    try:
        query = next(steps)
        while True:
            query = steps.send(run_query(connection, query))
    except StopIteration as end:
        result: T = end.value
        return result


def _repeat(told: PwlessError, cause: Exception) -> PwlessError:
    """Return an error of its own for each who is told: whoever raises it writes into it."""
    again: PwlessError
    if isinstance(told, ConfigError):
        again = ConfigError(told.option, told.problem)
    else:
        again = StoreError(str(told))
    again.__cause__ = cause
    return again


def _answer(calls: list[Call]) -> None:
    for call in calls:
        if call.future.done():
            continue
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)
