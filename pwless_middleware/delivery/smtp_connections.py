"""What is said on an SMTP connection: how it is opened safely, and how one message goes over it.

This and `smtp_pool` alone import aiosmtplib; `SMTPMailer` imports them as it is made.

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
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

import aiosmtplib

from pwless_middleware.delivery.base import MaybeDelivered, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.smtp_pool import Pool, discard
from pwless_middleware.errors import DeliveryError

_log = logging.getLogger("pwless.delivery")

# RFC 3463 §2: class, subject and detail, at the start of a reply's text.
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])", re.ASCII)
_BAD_CREDENTIALS = 535  # RFC 4954 §6
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
    """Name what went wrong with a connection, in words that cannot name a person."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"it answered {_numbers(error)}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # aiosmtplib wraps what the operating system said while connecting.
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({cause.verify_message})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__


def _is_refusal(error: Exception) -> TypeGuard[aiosmtplib.SMTPResponseException]:
    """Tell a reply about the message from trouble with the connection."""
    return (
        isinstance(error, aiosmtplib.SMTPResponseException)
        and 400 <= error.code < 600
        and error.code != _CLOSING
    )


def _refusal(error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """Turn a 4xx or 5xx reply to MAIL or RCPT into what the queue is told."""
    is_permanent = error.code >= 500
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        kind = RecipientRefused if is_permanent else RecipientDeferred
        return kind(f"the server refuses the recipient: {_numbers(error)}")
    return DeliveryError(
        f"the server refuses the envelope: {_numbers(error)}", permanent=is_permanent
    )


class _Dead(Exception):
    """The connection was of no use, and nothing of the message has been handed over."""


class Connections:
    """Send bytes to one server. Safe to use from several event loops, one after the other or not.

    Args:
        server: where and how.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tls_context = server.tls_context
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}

    async def send(self, *, sender: str, recipient: str, data: bytes) -> None:
        """Hand one message over, with one explicit envelope recipient.

        Raises:
            RecipientRefused: a 5xx reply to RCPT.
            RecipientDeferred: a 4xx reply to RCPT, to DATA or to the message.
            MaybeDelivered: the connection broke, or no reply came, after DATA was begun.
            DeliveryError: anything else; permanent on a 5xx reply to MAIL or DATA.
        """
        pool = await self._pool()
        async with pool.slots:
            client = pool.take()
            if client is not None:
                try:
                    await self._envelope(pool, client, sender, recipient)
                except _Dead:
                    client = None
            if client is None:
                client = await self._open()
                try:
                    await self._envelope(pool, client, sender, recipient)
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
            await self._within(client.quit())
        except (aiosmtplib.SMTPException, OSError):
            pass  # what was asked has been answered
        finally:
            discard(client)

    async def aclose(self) -> None:
        """Say goodbye on the idle connections of the running loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for stale in [known for known in self._pools if known.is_closed()]:
                del self._pools[stale]
            pool = self._pools[loop] = Pool(
                connections=self._server.connections, idle=self._server.idle
            )
            await pool.watch_loop()
        return pool

    async def _within(self, wire: Awaitable[object], *, operations: int = 1) -> None:
        """Wait for the wire as long as may be.

        Not by the library's own timeouts: `asyncio.wait_for`, which they use, loses a cancellation
        on Python 3.11 when it comes in the same round of the loop as the result.
        """
        async with asyncio.timeout(self._server.timeout * operations):
            await wire

    async def _open(self) -> aiosmtplib.SMTP:
        server = self._server
        where = f"mail server {server.host}:{server.port}"
        is_implicit = server.tls == "implicit"
        if is_implicit:
            await self._load_tls()
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=None,  # `_within` keeps the time
            local_hostname=server.helo,
            use_tls=is_implicit,
            start_tls=False,  # done below, where an offer can be told from a success
            tls_context=self._tls_context,
        )
        failure: DeliveryError
        try:
            await self._within(client.connect())
            await self._within(client.ehlo())
            if server.tls in ("auto", "required"):
                await self._upgrade(client, where)
            if server.username is not None:
                await self._sign_in(client, where, server.username, server.password or "")
        except (aiosmtplib.SMTPException, OSError) as error:
            discard(client)
            failure = DeliveryError(f"{where} cannot be used: {_trouble(error)}")
        except BaseException:
            discard(client)
            raise
        else:
            return client
        raise failure

    async def _upgrade(self, client: aiosmtplib.SMTP, where: str) -> None:
        if client.supports_extension("starttls"):
            await self._load_tls()
            await self._within(client.starttls(tls_context=self._tls_context))
            await self._within(client.ehlo())  # RFC 3207 §4.2: what was said in clear is forgotten
        elif self._server.tls == "required":
            raise DeliveryError(
                f"{where} offers no STARTTLS, and a password may not go in clear: "
                "use smtps://, or the port on which it offers STARTTLS"
            )

    async def _sign_in(
        self, client: aiosmtplib.SMTP, where: str, username: str, password: str
    ) -> None:
        # By hand, since the library's `login` takes a refusal for a reason to try the next method:
        # that counts against the account, and ends in a hung-up connection instead of the 535.
        # PLAIN first: it is inside TLS, or stays on this machine, and works with hashed passwords.
        numbers = "no AUTH method in common"
        for method, sign_in in (
            ("plain", client.auth_plain),
            ("login", client.auth_login),
            ("cram-md5", client.auth_crammd5),
        ):
            if method in client.server_auth_methods:
                try:
                    await self._within(sign_in(username, password))
                except aiosmtplib.SMTPAuthenticationError as error:
                    numbers = _numbers(error)
                    if error.code == _BAD_CREDENTIALS:
                        break
                else:
                    return
        # Not permanent: the password can be mended while the mail waits.
        reason = f"{where} refuses the login: {numbers}"
        _log.error(
            "mail server refuses the login: %s",
            reason,
            extra={"event": "smtp_login_refused", "reason": reason},
        )
        raise DeliveryError(reason)

    async def _load_tls(self) -> None:
        # Some 30 ms to read the system's certificates: once, when first needed, in a thread.
        if self._tls_context is None:
            self._tls_context = await asyncio.to_thread(ssl.create_default_context)

    async def _envelope(
        self, pool: Pool, client: aiosmtplib.SMTP, sender: str, recipient: str
    ) -> None:
        """Say MAIL and RCPT. On an error the connection is already given back or dropped."""
        failure: DeliveryError | _Dead
        try:
            await self._within(client.mail(sender))
            await self._within(client.rcpt(recipient))
        except (aiosmtplib.SMTPException, OSError) as error:
            if _is_refusal(error):
                failure = _refusal(error)
                await self._reset(pool, client)
            else:
                failure = _Dead(f"the connection broke before the message: {_trouble(error)}")
                discard(client)
        except BaseException:
            discard(client)
            raise
        else:
            return
        raise failure

    async def _reset(self, pool: Pool, client: aiosmtplib.SMTP) -> None:
        """Clear the envelope of a refused message, so that the connection can serve the next."""
        try:
            await self._within(client.rset())
        except (aiosmtplib.SMTPException, OSError):
            discard(client)
        except BaseException:
            discard(client)
            raise
        else:
            pool.give(client)

    async def _hand_over(self, client: aiosmtplib.SMTP, data: bytes) -> None:
        """Say DATA and the message. Any failure costs the connection, which is the rare case."""
        failure: DeliveryError
        try:
            await self._within(client.data(data), operations=2)
        except aiosmtplib.SMTPDataError as error:
            discard(client)
            refusal = f"the server refuses the message: {_numbers(error)}"
            if 400 <= error.code < 500 and error.code != _CLOSING:
                failure = RecipientDeferred(refusal)
            else:
                failure = DeliveryError(refusal, permanent=error.code >= 500)
        except (aiosmtplib.SMTPException, OSError) as error:
            discard(client)
            failure = MaybeDelivered(
                f"no word on whether the message was accepted: {_trouble(error)}"
            )
        except BaseException:
            discard(client)
            raise
        else:
            return
        raise failure
