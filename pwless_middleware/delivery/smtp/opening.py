"""How an SMTP connection is opened: the address, the greeting, TLS, and the login.

TLS is decided by the rule in `mailer`. Where nobody asked for it and no password goes out ("auto"),
it is opportunistic (RFC 3207, RFC 7435): to this machine also with a certificate that nobody
vouches for, as Debian's Postfix has one, since in clear the same bytes would go the same way. To
any other machine, and with a password, a certificate that does not verify ends the connection.

What old servers need: HELO where EHLO is unknown (RFC 5321 §3.2), offers written as `AUTH=`, and
AUTH LOGIN and PLAIN without an initial response.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from base64 import b64encode
from collections.abc import Awaitable
from dataclasses import field
from ipaddress import ip_address
from time import monotonic
from typing import Final, Literal, TypeVar

import aiosmtplib

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.smtp.pool import discard
from pwless_middleware.dialing import dial
from pwless_middleware.errors import DeliveryError

_log = logging.getLogger("pwless.delivery")

# RFC 3463 §2: class, subject and detail, at the start of a reply's text.
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])", re.ASCII)
_AUTH_LINE = re.compile(r"^\s*AUTH[ \t=](.*)$", re.IGNORECASE | re.MULTILINE)
_GO_ON: Final = 334  # RFC 4954 §4
_WELCOME: Final = 235
_BAD_CREDENTIALS: Final = 535  # RFC 4954 §6
_NO_INITIAL_RESPONSE: Final = 501
_EVERY: Final = 60.0
"""Seconds between two lines about a login that the server refuses."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how to speak to it.

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


def numbers(error: aiosmtplib.SMTPResponseException) -> str:
    """Reduce a reply to its code and enhanced code: all of it that cannot name a person."""
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def trouble(error: Exception) -> str:
    """Name what went wrong with a connection, in words that cannot name a person."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"it answered {numbers(error)}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # aiosmtplib wraps what the operating system said while connecting.
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
        return "it speaks no TLS from the start, which smtps:// wants; smtp:// has STARTTLS"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__


async def within(seconds: float, wire: Awaitable[T]) -> T:
    """Wait for the wire as long as may be.

    Not by the library's own timeouts: `asyncio.wait_for`, which they use, loses a cancellation on
    Python 3.11 when it comes in the same round of the loop as the result.
    """
    async with asyncio.timeout(seconds):
        return await wire


class Opening:
    """Open connections to one server.

    Args:
        server: where and how.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._where = f"mail server {server.host}:{server.port}"
        self._tls_context = server.tls_context
        self._quiet_until = 0.0

    async def open(self) -> aiosmtplib.SMTP:
        """Return a connection that is ready for a message.

        Raises:
            DeliveryError: temporary; the reason tells a person what to mend.
        """
        server = self._server
        failure: DeliveryError
        client: aiosmtplib.SMTP | None = None
        try:
            is_implicit = server.tls == "implicit"
            context = await self._checking() if is_implicit else None
            client = aiosmtplib.SMTP(
                hostname=server.host,
                sock=await within(server.timeout, dial(server.host, server.port)),
                timeout=None,  # `within` keeps the time
                local_hostname=server.helo,
                use_tls=is_implicit,
                start_tls=False,  # done below, where an offer can be told from a success
                tls_context=context,
            )
            await within(server.timeout, client.connect())
            await self._greet(client)
            if server.tls in ("auto", "required"):
                await self._upgrade(client)
            if server.username is not None:
                await self._sign_in(client, server.username, server.password or "")
        except (aiosmtplib.SMTPException, OSError) as error:
            discard(client)
            failure = DeliveryError(f"{self._where} cannot be used: {trouble(error)}")
        except BaseException:
            discard(client)
            raise
        else:
            return client
        raise failure

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        """Send EHLO, and HELO to who does not know it (RFC 5321 §3.2)."""
        try:
            await within(self._server.timeout, client.ehlo())
        except aiosmtplib.SMTPHeloError as error:
            if error.code < 500 or not client.is_connected:
                raise
            await within(self._server.timeout, client.helo())

    async def _upgrade(self, client: aiosmtplib.SMTP) -> None:
        if client.supports_extension("starttls"):
            context = _trusting() if self._is_own_relay(client) else await self._checking()
            await within(self._server.timeout, client.starttls(tls_context=context))
            await self._greet(client)  # RFC 3207 §4.2: what was said in clear is forgotten
        elif self._server.tls == "required":
            raise DeliveryError(
                f"{self._where} offers no STARTTLS, and a password may not go in clear: "
                "use smtps://, or the port on which it offers STARTTLS"
            )

    def _is_own_relay(self, client: aiosmtplib.SMTP) -> bool:
        """Whether what is said stays on this machine, nothing in it is a password, and nobody asked
        for a certificate to be checked."""
        server = self._server
        if server.tls != "auto" or server.username is not None or server.tls_context is not None:
            return False
        return ip_address(client.get_transport_info("peername")[0]).is_loopback

    async def _sign_in(self, client: aiosmtplib.SMTP, username: str, password: str) -> None:
        # By hand, since the library's `login` takes a refusal for a reason to try the next method:
        # that counts against the account, and ends in a hung-up connection instead of the 535.
        # PLAIN first: it is inside TLS, or stays on this machine, and works with hashed passwords.
        cause = "no AUTH method in common"
        offered = _auth_methods(client)
        for method, sign_in in (
            ("PLAIN", self._sign_in_plain),
            ("LOGIN", self._sign_in_login),
            ("CRAM-MD5", self._sign_in_cram_md5),
        ):
            if method in offered:
                try:
                    await sign_in(client, username, password)
                except aiosmtplib.SMTPAuthenticationError as error:
                    cause = numbers(error)
                    if error.code == _BAD_CREDENTIALS:
                        break
                else:
                    return
        # Not permanent: the password can be mended while the mail waits.
        reason = f"{self._where} refuses the login: {cause}"
        # Each mail that waits tries again and again: one line a minute tells it as well.
        if monotonic() >= self._quiet_until:
            self._quiet_until = monotonic() + _EVERY
            _log.error(
                "mail server refuses the login: %s",
                reason,
                extra={"event": "smtp_login_refused", "reason": reason},
            )
        raise DeliveryError(reason)

    async def _sign_in_plain(self, client: aiosmtplib.SMTP, username: str, password: str) -> None:
        response = b64encode(f"\0{username}\0{password}".encode())
        code, message = await self._ask(client, b"AUTH", b"PLAIN", response)
        if code == _NO_INITIAL_RESPONSE:
            code, message = await self._ask(client, b"AUTH", b"PLAIN")
        if code == _GO_ON:
            code, message = await self._ask(client, response)
        if code != _WELCOME:
            raise aiosmtplib.SMTPAuthenticationError(code, message)

    async def _sign_in_login(self, client: aiosmtplib.SMTP, username: str, password: str) -> None:
        # Word by word: not every server takes the user name beside the command.
        code, message = await self._ask(client, b"AUTH", b"LOGIN")
        for word in (username, password):
            if code == _GO_ON:
                code, message = await self._ask(client, b64encode(word.encode()))
        if code != _WELCOME:
            raise aiosmtplib.SMTPAuthenticationError(code, message)

    async def _sign_in_cram_md5(
        self, client: aiosmtplib.SMTP, username: str, password: str
    ) -> None:
        await within(self._server.timeout, client.auth_crammd5(username, password))

    async def _ask(self, client: aiosmtplib.SMTP, *words: bytes) -> tuple[int, str]:
        reply = await within(self._server.timeout, client.execute_command(*words))
        return reply.code, reply.message

    async def _checking(self) -> ssl.SSLContext:
        # Some 30 ms to read the system's certificates: once, when first needed, in a thread.
        if self._tls_context is None:
            self._tls_context = await asyncio.to_thread(ssl.create_default_context)
        return self._tls_context


def _trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate; for a relay on this machine alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _auth_methods(client: aiosmtplib.SMTP) -> frozenset[str]:
    """Return the AUTH methods that a server offers, also in the form `AUTH=` of before RFC 2554."""
    answer = client.last_ehlo_response
    lines = _AUTH_LINE.findall(answer.message if answer is not None else "")
    return frozenset(re.findall(r"[A-Z0-9-]+", " ".join(lines).upper()))
