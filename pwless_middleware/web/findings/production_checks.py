"""The checks that need nothing but the options."""

from __future__ import annotations

from collections.abc import Iterator

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.delivery.base import Mailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.text import Text
from pwless_middleware.web.routing.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How a login is set up.

    Attributes:
        origin: its public address.
        session_cookie: the name of its cookie.
        mailer, text_senders, store: what it works with.
        believes_proxies: whether `trusted_proxies` is set.
        is_all_public: whether every path of the app is open.
        identity_header: what is handed on to the app; `None` for nothing.
    """

    origin: Origin
    session_cookie: str
    mailer: Mailer
    text_senders: TextSenders
    store: Store
    believes_proxies: bool
    is_all_public: bool
    identity_header: str | None


def check_deployment(deployment: Deployment, *, mount: str, workers: int) -> Iterator[Finding]:
    """Check the options of one login.

    Args:
        deployment: how it is set up.
        mount: the path below which the middleware is mounted; empty for the root.
        workers: how many processes serve it.
    """
    origin = deployment.origin
    yield Finding("ok", "secret_key", Text("set, 32 bytes or more each"))  # else it would not run
    yield _base_url(origin, mount)
    yield _cookies(deployment.session_cookie, origin)
    yield _outbox(deployment.mailer, origin)
    if any(isinstance(sender, TextOutbox) for sender in deployment.text_senders.flatten()):
        yield _text_outbox(origin)
    yield _memory(deployment.store, workers)
    yield _proxies(origin, believes_proxies=deployment.believes_proxies)
    yield _public(is_all_public=deployment.is_all_public)
    yield _identity(deployment.identity_header)


def _base_url(origin: Origin, mount: str) -> Finding:
    if not origin.path.endswith(mount):
        text = Text(
            "the login is mounted below %(mount)s, which %(url)s does not end in: the links in its "
            "emails lead nowhere; set base_url to %(url)s%(mount)s",
            mount=mount,
            url=origin.url,
        )
        return Finding("fail", "base_url", text)
    if not origin.is_secure and not origin.is_development:
        text = Text(
            "%(url)s is served over http (unsafe_http): whoever shares the network can take over "
            "every session; set an https address",
            url=origin.url,
        )
        return Finding("fail", "base_url", text)
    if not origin.is_secure:
        text = Text("%(url)s is for development; set the https address", url=origin.url)
        return Finding("warn", "base_url", text)
    if origin.path.removesuffix(mount):
        text = Text(
            "%(url)s; its path must also be the server's root path (--root-path)", url=origin.url
        )
        return Finding("ok", "base_url", text)
    return Finding("ok", "base_url", origin.url)


def _cookies(name: str, origin: Origin) -> Finding:
    if origin.is_secure:
        text = Text("%(name)s: Secure, HttpOnly, SameSite=Lax, no other domain", name=name)
        return Finding("ok", "cookies", text)
    text = Text("%(name)s: without Secure and __Host-, since base_url is http", name=name)
    return Finding("warn", "cookies", text)


def _outbox(mailer: Mailer, origin: Origin) -> Finding:
    if not isinstance(mailer, Outbox):
        return Finding("ok", "mailer", type(mailer).__name__)
    if not origin.is_development:
        text = Text("Outbox sends nothing: nobody can sign in; set SMTPMailer(...)")
        return Finding("fail", "mailer", text)
    text = Text("Outbox sends nothing; set SMTPMailer(...) for production")
    return Finding("warn", "mailer", text)


def _text_outbox(origin: Origin) -> Finding:
    text = Text(
        "TextOutbox sends nothing: nobody gets a code on their phone; set a gateway, e.g. "
        "TwilioTexts(...)"
    )
    return Finding("warn" if origin.is_development else "fail", "text_messages", text)


def _memory(store: Store, workers: int) -> Finding:
    if not isinstance(store, MemoryStore):
        text = Text("%(store)s serves any number", store=type(store).__name__)
        return Finding("ok", "workers", text)
    if workers > 1:
        text = Text(
            "MemoryStore is not shared by %(workers)s processes: logins get lost between them; set "
            'database="sqlite:///pwless.db", or store=RedisStore(...) for several machines',
            workers=workers,
        )
        return Finding("fail", "workers", text)
    text = Text(
        "MemoryStore: right for exactly one process, and a restart signs everybody out; set "
        'database="sqlite:///pwless.db" to keep sessions, or store=RedisStore(...)'
    )
    return Finding("warn", "workers", text)


def _proxies(origin: Origin, *, believes_proxies: bool) -> Finding:
    if believes_proxies:
        text = Text("set; see that nobody reaches the app but through these proxies")
        return Finding("ok", "proxies", text)
    if origin.is_development:
        return Finding("ok", "proxies", Text("none, as on one's own machine"))
    text = Text(
        "trusted_proxies is 0: right only if browsers reach this server directly. Behind a proxy "
        "all people count as one client and share its limits; set trusted_proxies=1"
    )
    return Finding("warn", "proxies", text)


def _public(*, is_all_public: bool) -> Finding:
    if is_all_public:
        text = Text("'*' lets everybody reach every path; the app itself must refuse")
        return Finding("warn", "public", text)
    return Finding("ok", "public", Text("what is not listed needs a login"))


def _identity(header: str | None) -> Finding:
    if header is None:
        return Finding("ok", "identity", Text("request.state.user; no header is handed on"))
    text = Text("header %(header)s; see that nobody reaches the app but through us", header=header)
    return Finding("ok", "identity", text)
