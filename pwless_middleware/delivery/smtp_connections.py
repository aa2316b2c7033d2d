"""SMTP connections: opened safely, reused for a while, few at a time, and never across event loops.

The only module that imports aiosmtplib; `SMTPMailer` imports this one as it is made.

Theory. A connection is *busy* with one message or *idle*, at most `idle` seconds. The states of one
message, and what an error means in each:

    connect, TLS, AUTH   nothing was said about the message: temporary
    MAIL, RCPT           nothing was handed over. On a reused connection, trouble with the
                         connection itself says only that it was dead: a new one is tried, once
    DATA                 a reply decides; without one the server may have accepted the message,
                         and nothing here may send it again (`MaybeDelivered`)

A server's reply text often quotes the recipient or the user name, so only its numbers go into a
reason (SECURITY rule 13); for the same reason the library's exceptions are not chained.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from pwless_middleware.delivery.base import MaybeDelivered, RecipientRefused
from pwless_middleware.errors import DeliveryError

_log = logging.getLogger("pwless.delivery")

# RFC 3463 §2: class, subject and detail, at the start of a reply's text.
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])", re.ASCII)
_QUIT_SECONDS = 1.0  # manners at shutdown, not worth more of anybody's time
_CLOSING = 421  # RFC 5321 §3.8: the server may say so to any command, and hangs up


@dataclass(frozen=True, slots=True)
class Server:
    """Say where the mail server is and how to speak to it.

    Attributes:
        host: a name or an address; what its certificate has to show.
        port: its TCP port.
        tls: `implicit` from the first byte, `required` by STARTTLS, `auto` by STARTTLS where the
            server offers it, `never`.
        username: whom to authenticate as; `None` does not.
        password: its secret; never in `repr`.
        helo: how we name ourselves in EHLO.
        timeout: seconds for each operation on the wire.
        connections: how many at a time in one event loop.
        idle: seconds for which an unused connection is kept.
        tls_context: `None` makes one that checks certificates against the system's.
    """

    host: str
    port: int
    tls: Literal["implicit", "required", "auto", "never"]
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    helo: str
    timeout: float
    connections: int
    idle: float
    tls_context: ssl.SSLContext | None = field(repr=False)


def _numbers(error: aiosmtplib.SMTPResponseException) -> str:
    """Reduce a reply to its code and enhanced code: all of it that cannot name a person."""
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _trouble(error: Exception) -> str:
    """Name what went wrong with a connection, without the library's text."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the server answered {_numbers(error)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # aiosmtplib wraps what the operating system said while connecting.
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _trouble(cause)
    return type(cause).__name__


def _is_dead(error: Exception) -> bool:
    """Tell trouble with a connection from a reply about the message."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return error.code == _CLOSING
    return True


def _discard(client: aiosmtplib.SMTP) -> None:
    """Drop a connection at once: no QUIT, and no wait for the peer's TLS farewell."""
    if client.transport is not None:
        client.transport.abort()  # type: ignore[attr-defined] # always a write transport
    client.close()


class _Pool:
    """Hold the connections of one event loop. Made and used inside that loop only."""

    def __init__(self, server: Server) -> None:
        self.slots = asyncio.Semaphore(server.connections)
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._idle: list[tuple[aiosmtplib.SMTP, asyncio.TimerHandle]] = []
        self._is_closed = False
        self._at_exit = self._until_loop_ends()

    async def watch_loop(self) -> None:
        """Have idle connections closed when the loop ends, also where nobody calls `aclose`.

        `asyncio.run` and its like close every started async generator as their last act; a loop
        that lives for one request (Starlette's TestClient) has no other farewell.
        """
        await anext(self._at_exit)

    async def _until_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._is_closed = True
            for client in self._take_all():
                _discard(client)
            await asyncio.sleep(0)  # an abort takes effect in the loop's next round

    def take(self) -> aiosmtplib.SMTP | None:
        """Return the connection used last that still looks alive, or `None`."""
        while self._idle:
            client, timer = self._idle.pop()
            timer.cancel()
            if client.is_connected:
                return client
        return None

    def give(self, client: aiosmtplib.SMTP) -> None:
        """Keep a connection in good order for the next message."""
        if self._is_closed or not client.is_connected:
            _discard(client)
            return
        timer = self._loop.call_later(self._server.idle, self._expire, client)
        self._idle.append((client, timer))

    def _expire(self, client: aiosmtplib.SMTP) -> None:
        self._idle = [kept for kept in self._idle if kept[0] is not client]
        _discard(client)

    def _take_all(self) -> list[aiosmtplib.SMTP]:
        clients = []
        while (client := self.take()) is not None:
            clients.append(client)
        return clients

    async def aclose(self) -> None:
        self._is_closed = True
        for client in self._take_all():
            try:
                await client.quit(timeout=_QUIT_SECONDS)
            except (aiosmtplib.SMTPException, OSError):
                pass  # it was to go anyway
            finally:
                _discard(client)
        await self._at_exit.aclose()


class Connections:
    """Send bytes to one server. Safe to use from several event loops, one after the other or not.

    Args:
        server: where and how.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tls_context = server.tls_context
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}

    async def send(self, *, sender: str, recipient: str, data: bytes) -> None:
        """Hand one message over, with one explicit envelope recipient.

        Raises:
            RecipientRefused: a 5xx reply to RCPT.
            MaybeDelivered: the connection broke, or no reply came, after DATA was begun.
            DeliveryError: anything else; permanent on a 5xx reply to MAIL or DATA.
        """
        pool = await self._pool()
        async with pool.slots:
            client = pool.take()
            if client is not None:
                try:
                    await self._envelope(client, sender, recipient)
                except _Dead:
                    client = None
            if client is None:
                client = await self._open()
                try:
                    await self._envelope(client, sender, recipient)
                except _Dead as dead:
                    raise DeliveryError(str(dead)) from None
            await self._hand_over(client, data)
            pool.give(client)

    async def check(self) -> None:
        """Connect, authenticate and leave.

        Raises:
            DeliveryError: the reason says what failed.
        """
        client = await self._open()
        try:
            await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass  # what was asked has been answered
        finally:
            _discard(client)

    async def aclose(self) -> None:
        """Say goodbye on the idle connections of the running loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _pool(self) -> _Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for stale in [known for known in self._pools if known.is_closed()]:
                del self._pools[stale]
            pool = self._pools[loop] = _Pool(self._server)
            await pool.watch_loop()
        return pool

    async def _open(self) -> aiosmtplib.SMTP:
        server = self._server
        where = f"mail server {server.host}:{server.port}"
        is_implicit = server.tls == "implicit"
        if is_implicit:
            await self._load_tls()
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            local_hostname=server.helo,
            use_tls=is_implicit,
            start_tls=False,  # done below, where an offer can be told from a success
            tls_context=self._tls_context,
        )
        failure: DeliveryError
        try:
            await client.connect()
            await client.ehlo()
            if server.tls in ("auto", "required"):
                await self._upgrade(client, where)
            if server.username is not None:
                await self._sign_in(client, where, server.username, server.password or "")
        except (aiosmtplib.SMTPException, OSError) as error:
            _discard(client)
            failure = DeliveryError(f"{where} cannot be used: {_trouble(error)}")
        except BaseException:
            _discard(client)
            raise
        else:
            return client
        raise failure

    async def _upgrade(self, client: aiosmtplib.SMTP, where: str) -> None:
        if client.supports_extension("starttls"):
            await self._load_tls()
            await client.starttls(tls_context=self._tls_context)
            await client.ehlo()  # RFC 3207 §4.2: what was said in clear is forgotten
        elif self._server.tls == "required":
            raise DeliveryError(
                f"{where} offers no STARTTLS, and a password may not go in clear: "
                "use smtps://, or the port on which it offers STARTTLS"
            )

    async def _sign_in(
        self, client: aiosmtplib.SMTP, where: str, username: str, password: str
    ) -> None:
        try:
            await client.login(username, password)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
            raise
        except aiosmtplib.SMTPException as error:
            # Not permanent: the password can be mended while the mail waits.
            numbers = (
                _numbers(error)
                if isinstance(error, aiosmtplib.SMTPResponseException)
                else "no AUTH method in common"
            )
            reason = f"{where} refuses the user name or password: {numbers}"
            _log.error(
                "mail server refuses the login",
                extra={"event": "smtp_login_refused", "reason": reason},
            )
            raise DeliveryError(reason) from None

    async def _load_tls(self) -> None:
        # Some 30 ms to read the system's certificates: once, when first needed, in a thread.
        if self._tls_context is None:
            self._tls_context = await asyncio.to_thread(ssl.create_default_context)

    async def _envelope(self, client: aiosmtplib.SMTP, sender: str, recipient: str) -> None:
        """Say MAIL and RCPT; on any failure the connection is settled and nothing is pending."""
        failure: DeliveryError | _Dead
        try:
            await client.mail(sender)
            await client.rcpt(recipient)
        except (aiosmtplib.SMTPException, OSError) as error:
            _discard(client)
            if _is_dead(error) or not isinstance(error, aiosmtplib.SMTPResponseException):
                failure = _Dead(f"the connection broke before the message: {_trouble(error)}")
            elif isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code >= 500:
                failure = RecipientRefused(f"the server refuses the recipient: {_numbers(error)}")
            else:
                failure = DeliveryError(
                    f"the server refuses the envelope: {_numbers(error)}",
                    permanent=error.code >= 500,
                )
        except BaseException:
            _discard(client)
            raise
        else:
            return
        raise failure

    async def _hand_over(self, client: aiosmtplib.SMTP, data: bytes) -> None:
        """Say DATA and the message. Any failure costs the connection, which is the rare case."""
        failure: DeliveryError
        try:
            await client.data(data)
        except aiosmtplib.SMTPDataError as error:
            _discard(client)
            failure = DeliveryError(
                f"the server refuses the message: {_numbers(error)}", permanent=error.code >= 500
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            _discard(client)
            failure = MaybeDelivered(
                f"no word on whether the message was accepted: {_trouble(error)}"
            )
        except BaseException:
            _discard(client)
            raise
        else:
            return
        raise failure


class _Dead(Exception):
    """The connection was of no use, and nothing of the message has been handed over."""
