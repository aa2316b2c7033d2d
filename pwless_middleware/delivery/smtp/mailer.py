"""The SMTP mailer: its options, checked; the wire is in `connections`, the bytes in `mime`.

TLS, in one rule: a password never goes in clear. With credentials in the URL, STARTTLS is required
and a server that does not offer it gets nothing, unless the host is this machine. Without them it
is used wherever it is offered (RFC 3207). `smtps://` is TLS from the first byte, which RFC 8314
§3.3 prefers. Certificates are checked; a private authority goes into `tls_context`. The exception
is a relay on this machine, without a password and with nothing set: Postfix there shows a
certificate of its own making, and the same bytes would go to it in clear if it offered no TLS.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from ipaddress import ip_address
from math import inf
from typing import Final, Literal, NamedTuple, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.base import Message
from pwless_middleware.delivery.mime import Sender, compose
from pwless_middleware.errors import ConfigError, DeliveryError

StartTLS = Literal["auto", "required", "never"]

_PORTS: Final = {"smtp": 587, "smtps": 465}  # RFC 6409 §3.1, RFC 8314 §7.3
_STARTTLS: Final = ("auto", "required", "never")
_WANTED: Final = "set smtp://user:password@host:587 or smtps://user:password@host:465"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?", re.ASCII)
# Half characters stand for bytes that are no UTF-8, as an environment variable may hold them.
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class _Place(NamedTuple):
    """What a URL says, decoded."""

    host: str
    port: int
    is_implicit: bool
    username: str | None
    password: str | None
    starttls: StartTLS | None


def _bad_url(problem: str) -> ConfigError:
    # The URL itself holds the password, so that no message quotes any of it.
    return ConfigError("mailer", f"the SMTP URL {problem}; {_WANTED}")


def _split_url(url: str) -> tuple[SplitResult, int | None] | None:
    """Take a URL apart; `None` where the standard library refuses it, since it would quote it."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        return None


def _decode(value: str | None) -> str | None:
    """Percent-decode a user name or password."""
    if value is None:
        return None
    try:
        plain = unquote(value, errors="strict")
    except UnicodeDecodeError:
        plain = "\0"
    if _CONTROL.search(plain):
        raise _bad_url("holds a user name or password that is not UTF-8 text of one line")
    return plain


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    """Whether what is sent to this host stays on this machine."""
    if _is_address(host):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")  # RFC 6761 §6.3


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_starttls(query: str) -> StartTLS | None:
    """Read `?starttls=…`, the one parameter there is."""
    if not query:
        return None
    pairs = parse_qsl(query, keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "starttls" or pairs[0][1] not in _STARTTLS:
        raise _bad_url("takes one parameter, starttls=auto, required or never")
    return cast(StartTLS, pairs[0][1])


def _read_url(url: str) -> _Place:
    """Read the URL.

    Raises:
        ConfigError: something in it is wrong, or missing.
    """
    if not isinstance(url, str):
        raise ConfigError("mailer", f"the SMTP URL is no text; {_WANTED}")
    split = None if _UNPRINTABLE.search(url) else _split_url(url)
    if split is None:
        raise _bad_url("cannot be read (percent-encode what is special in user name and password)")
    parts, port = split
    if parts.scheme not in _PORTS:
        raise _bad_url("has another scheme than smtp or smtps")
    if parts.path not in ("", "/") or parts.fragment or "#" in url:
        raise _bad_url("goes on after the host (percent-encode / ? # @ in user name and password)")
    host = parts.hostname or ""
    if not _NAME.fullmatch(host) and not _is_address(host):
        raise _bad_url("names no host (write IDNA names as xn--…)")
    if port == 0:
        raise _bad_url("has no port that can be used")
    if port is not None and port == _PORTS["smtps" if parts.scheme == "smtp" else "smtp"]:
        other = "smtps" if parts.scheme == "smtp" else "smtp"
        raise _bad_url(f"has port {port}, which speaks {other}://")
    username, password = _decode(parts.username), _decode(parts.password)
    if (username is None) is not (password is None) or "" in (username, password):
        raise _bad_url("has only one of user name and password")
    return _Place(
        host=host,
        port=port or _PORTS[parts.scheme],
        is_implicit=parts.scheme == "smtps",
        username=username,
        password=password,
        starttls=_read_starttls(parts.query),
    )


def _tls(
    place: _Place, starttls: StartTLS | None
) -> Literal["implicit", "required", "auto", "never"]:
    """Decide on TLS by the rule above.

    Raises:
        ConfigError: what is asked for contradicts itself, or would send a password in clear.
    """
    if starttls not in (None, *_STARTTLS):
        raise ConfigError("starttls", 'set "auto", "required" or "never"')
    if starttls and place.starttls and starttls != place.starttls:
        raise ConfigError("starttls", "it contradicts the SMTP URL; set it in one place")
    asked = starttls or place.starttls
    if place.is_implicit:
        if asked is not None:
            raise ConfigError("starttls", "smtps:// is TLS already; leave it out")
        return "implicit"
    is_exposed = place.username is not None and not _is_this_machine(place.host)
    if is_exposed and asked in ("auto", "never"):
        raise ConfigError(
            "starttls", 'the password could go out in clear; set "required", or use smtps://'
        )
    return asked or ("required" if is_exposed else "auto")


@named_options()
class SMTPMailer:
    """Send mail through an SMTP server, over connections that are kept for the next message.

    Safe to use in several event loops: each has its own connections. When a reused connection
    turns out to be dead, a new one is tried once, but only while nothing of the message has been
    handed over, so that no mail goes out twice from here.

    Args:
        url: `smtp://user:password@host:587` (STARTTLS, see above; port 587 when left out) or
            `smtps://user:password@host:465` (TLS; port 465). User name and password
            percent-encoded, or both left out. `?starttls=auto|required|never` as `starttls`.
        sender: whom mails come from, `login@acme.example` or `Acme <login@acme.example>`; its
            address is the envelope sender too.
        timeout: seconds for each operation on the wire.
        starttls: `"required"`, `"auto"` (where the server offers it) or `"never"`; `None` is
            required with credentials in the URL and auto without, or to this machine. The two
            weaker ones are refused where a password would leave this machine.
        tls_context: for a private authority or a client certificate; `None` checks certificates
            against the system's.
        connections: how many at a time in one event loop; further messages wait their turn. Of
            these, the mails to one recipient's domain have at most half.
        idle: seconds for which an unused connection is kept; 0 keeps none for long.
        helo: the name we give in EHLO; `None` gives the sender's domain, which a relay can check,
            rather than a container's host name, which it cannot.
        clock: unix seconds, for the `Date` header.

    Raises:
        ConfigError: `mailer` for a bad URL, `sender`, `starttls`, `timeout`, `tls_context`,
            `connections`, `idle`, `helo` or `clock`; says what to set, quotes nothing of the URL.
    """

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        timeout: float = 10,
        starttls: StartTLS | None = None,
        tls_context: ssl.SSLContext | None = None,
        connections: int = 4,
        idle: float = 30,
        helo: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        place = _read_url(url)
        self._sender = Sender.parse(sender)
        self._clock = clock
        if not _is_number(timeout) or not 0 < timeout < inf:
            raise ConfigError("timeout", "set seconds above 0, e.g. 10")
        if type(connections) is not int or connections < 1:
            raise ConfigError("connections", "set a whole number, at least 1")
        if not _is_number(idle) or not 0 <= idle < inf:
            raise ConfigError("idle", "set seconds, 0 or more, e.g. 30")
        if tls_context is not None and not isinstance(tls_context, ssl.SSLContext):
            raise ConfigError("tls_context", "set an ssl.SSLContext")
        check_verbs("clock", clock, ("__call__",), example="a callable, e.g. time.time")
        is_name = isinstance(helo, str) and re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", helo)
        if helo is not None and not is_name:
            raise ConfigError("helo", "set a host name, or an address in brackets")
        tls = _tls(place, starttls)

        # Here and not above: importing the package must not import aiosmtplib.
        from pwless_middleware.delivery.smtp.connections import Connections
        from pwless_middleware.delivery.smtp.opening import Server

        self._server = Server(
            host=place.host,
            port=place.port,
            tls=tls,
            username=place.username,
            password=place.password,
            helo=helo or self._sender.domain,
            timeout=timeout,
            connections=connections,
            idle=idle,
            tls_context=tls_context,
        )
        self._connections = Connections(self._server)

    @property
    def sender_domain(self) -> str:
        """The domain that mails come from, whose SPF and DMARC records receivers look up."""
        return self._sender.domain

    @property
    def server(self) -> str:
        """What events call it: host and port."""
        host = self._server.host
        return f"[{host}]:{self._server.port}" if ":" in host else f"{host}:{self._server.port}"

    @property
    def parallel(self) -> int:
        """How many messages it sends at a time: its connections."""
        return self._server.connections

    def __repr__(self) -> str:
        server = self._server
        return f"SMTPMailer(host={server.host!r}, port={server.port}, tls={server.tls!r})"

    async def send(self, message: Message) -> None:
        """Return once the server has accepted the message for its one recipient.

        Raises:
            RecipientRefused: a 5xx reply about the recipient; permanent.
            RecipientDeferred: a 4xx reply about the recipient or the message; temporary.
            MaybeDelivered: no reply came after the message was handed over; temporary.
            DeliveryError: permanent on another 5xx reply and on a message that cannot be written
                (`ValueError` of `compose`); else temporary: connection, timeout, TLS, login, 4xx
                to MAIL.
        """
        failure: str
        try:
            data = compose(message, sender=self._sender, now=int(self._clock()))
        except ValueError as error:
            failure = f"the message cannot be written: {error}"
        else:
            await self._connections.send(
                sender=self._sender.address, recipient=message.to, data=data
            )
            return
        raise DeliveryError(failure, permanent=True)

    async def check(self) -> None:
        """Connect and authenticate, without sending anything.

        Raises:
            DeliveryError: the reason tells a person what to mend.
        """
        await self._connections.check()

    async def aclose(self) -> None:
        """Close the connections of the running event loop. A later send opens new ones."""
        await self._connections.aclose()
