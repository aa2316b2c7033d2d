"""How one message goes over an SMTP connection (`opening` has how that is opened).

These two and `pool` alone import aiosmtplib; `SMTPMailer` imports them as it is made.

Theory. A connection is *busy* with one message or *idle*, at most `idle` seconds. The states of one
message, and what an error means in each:

    connect, TLS, AUTH   nothing was said about the message: temporary
    MAIL, RCPT           nothing was handed over. On a reused connection, trouble with the
                         connection itself says only that it was dead: a new one is tried, once
    DATA                 a reply decides; without one the server may have accepted the message,
                         and nothing here may send it again (`MaybeDelivered`)

A server's reply text often quotes the recipient or the user name, so only its numbers go into a
reason; for the same reason the library's exceptions are not chained.
"""

from __future__ import annotations

from typing import TypeGuard

import aiosmtplib

from pwless_middleware.delivery.base import MaybeDelivered, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.smtp.opening import Opening, Server, numbers, trouble, within
from pwless_middleware.delivery.smtp.pool import Pool, discard
from pwless_middleware.errors import DeliveryError
from pwless_middleware.per_loop import PerLoop

_CLOSING = 421  # RFC 5321 §3.8: the server may say so to any command, and hangs up


def _is_refusal(error: Exception) -> TypeGuard[aiosmtplib.SMTPResponseException]:
    """Whether a reply is about the message, and not about the connection."""
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
        return kind(f"the server refuses the recipient: {numbers(error)}")
    return DeliveryError(
        f"the server refuses the envelope: {numbers(error)}", permanent=is_permanent
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
        self._opening = Opening(server)
        self._pools: PerLoop[Pool] = PerLoop(
            lambda: Pool(connections=server.connections, idle=server.idle)
        )

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
                client = await self._opening.open()
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
        client = await self._opening.open()
        try:
            await within(self._server.timeout, client.quit())
        except (aiosmtplib.SMTPException, OSError):
            pass  # what was asked has been answered
        finally:
            discard(client)

    async def aclose(self) -> None:
        """Quit the idle connections of the running loop."""
        pool = self._pools.pop()
        if pool is not None:
            await pool.aclose()

    async def _pool(self) -> Pool:
        pool = self._pools.find()
        if pool is None:
            pool = self._pools.here()
            await pool.watch_loop()
        return pool

    async def _envelope(
        self, pool: Pool, client: aiosmtplib.SMTP, sender: str, recipient: str
    ) -> None:
        """Send MAIL and RCPT. On an error the connection is already given back or dropped."""
        failure: DeliveryError | _Dead
        try:
            await within(self._server.timeout, client.mail(sender))
            await within(self._server.timeout, client.rcpt(recipient))
        except (aiosmtplib.SMTPException, OSError) as error:
            if _is_refusal(error):
                failure = _refusal(error)
                await self._reset(pool, client)
            else:
                failure = _Dead(f"the connection broke before the message: {trouble(error)}")
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
            await within(self._server.timeout, client.rset())
        except (aiosmtplib.SMTPException, OSError):
            discard(client)
        except BaseException:
            discard(client)
            raise
        else:
            pool.give(client)

    async def _hand_over(self, client: aiosmtplib.SMTP, data: bytes) -> None:
        """Send DATA and the message. Any failure costs the connection, which is the rare case."""
        failure: DeliveryError
        try:
            await within(2 * self._server.timeout, client.data(data))
        except aiosmtplib.SMTPDataError as error:
            discard(client)
            refusal = f"the server refuses the message: {numbers(error)}"
            if 400 <= error.code < 500 and error.code != _CLOSING:
                failure = RecipientDeferred(refusal)
            else:
                failure = DeliveryError(refusal, permanent=error.code >= 500)
        except (aiosmtplib.SMTPException, OSError) as error:
            discard(client)
            failure = MaybeDelivered(
                f"no word on whether the message was accepted: {trouble(error)}"
            )
        except BaseException:
            discard(client)
            raise
        else:
            return
        raise failure
