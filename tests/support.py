"""A whole site for a test: an app behind the middleware, its mailbox, a clock, and its visitors.

    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")

Everything is the real thing but the time, the network and the mail server. Secrets are read from
the mailbox, as a person would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware import EmailLogin, Outbox, Passwordless, PasswordlessMiddleware, SendLimits
from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId
from pwless_middleware.core.challenges.codes import HIGH_ALPHABET
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.storage.format_v1 import unpack_challenge
from pwless_middleware.delivery.outbox import OutboxMessage
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.pytest_plugin.clock import START as START
from pwless_middleware.pytest_plugin.clock import Clock as Clock
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.mounting.shared_doors import _STANDING
from pwless_middleware.web.routing.routes import Route

KEY = "mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6pTk1"
OTHER_KEY = "zP4kWq9sBd2fGh6jKl8mNv3cXr5tYu7iOa0"
API_KEY = "pwk_" + "Zk3vQ8sLw2Yt6Rb9Xn4Mc7Jd1Hg5Fp0a"
BASE = "https://app.example.com"
ROOMY = SendLimits(per_minute=9000, per_quarter=9000, per_day=18000, client_per_minute=9000,
                   client_per_hour=9000)  # fmt: skip
"""Limits that do not matter, for tests about something else."""
JSON_BASE = "/auth/api/v1/passwordless/email"


def cookie_name(passwordless: Passwordless, part: str = "session") -> str:
    """Name one of our cookies: `session`, `flow`, `device` or `pending`."""
    name: bytes = getattr(passwordless.cookies.names, part or "session")
    return name.decode().removesuffix("=")


def our_paths(passwordless: Passwordless) -> dict[str, Route]:
    """Return a path of each of our routes, below the prefix, with an `x` for each name in it."""
    return {re.sub(r"\{\w+\}", "x", route.path): route for route in passwordless.routes.all}


def led_to(answer: Any) -> str:
    """Return where a redirect leads, without the origin, which must be there."""
    parts = urlsplit(answer.headers["location"])
    assert parts.scheme in ("http", "https"), answer.headers["location"]
    assert parts.netloc, answer.headers["location"]
    return str(urlunsplit(parts._replace(scheme="", netloc="")))


class WhoAmI:
    """Be the app behind the login: answer with what it was told, and remember every scope."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    @property
    def scope(self) -> Scope:
        """The newest scope."""
        return self.scopes[-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer http with JSON, and a websocket with one text."""
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        self.scopes.append(scope)
        user = scope["state"]["user"]
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": user.email or "nobody"})
            await send({"type": "websocket.close"})
            return
        body = json.dumps({"email": user.email, "id": user.id, "path": scope["path"]}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Site:
    """Hold one wrapped app and what stands around it."""

    app: PasswordlessMiddleware
    passwordless: Passwordless
    outbox: Outbox
    store: Store
    clock: Clock
    base_url: str
    inner: WhoAmI = field(default_factory=WhoAmI)

    def browser(
        self,
        *,
        ip: str = "203.0.113.7",
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        root_path: str = "",
    ) -> Browser:
        """Open a new browser, without cookies unless some are given."""
        return Browser(self, ip, dict(cookies or {}), dict(headers or {}), root_path)

    def backend(self, key: str = API_KEY, *, ip: str = "198.51.100.1") -> Backend:
        """Be a server with an API key."""
        return Backend(self.browser(ip=ip, headers={"authorization": f"Bearer {key}"}))

    def mail(self, to: str | None = None) -> OutboxMessage:
        """Read the newest mail."""
        mail = self.outbox.latest(to)
        assert mail is not None, "no mail has come"
        return mail

    @property
    def keeper(self) -> Sessions:
        """Return the keeper of the sessions; hosts and features get a view of it only."""
        return self.passwordless.identities._sessions

    def forget_sessions(self) -> None:
        """Let this process forget every session record that it has read."""
        self.keeper._cache.forget(None)

    @property
    def sessions(self) -> int:
        """Count the live sessions of everybody."""
        return len(self._keys("s", 22))

    @property
    def pending(self) -> list[str]:
        """Return the keys of the live pending logins."""
        return self._keys("p", 16)

    def _keys(self, letter: str, name: int) -> list[str]:
        assert isinstance(self.store, MemoryStore)
        shape = re.compile(rf"\{{[\w-]{{22}}\}}{letter}[\w-]{{{name}}}")
        live = [k for k, put in self.store._records.items() if put.until > self.clock.now]
        return [key for key in live if shape.fullmatch(key)]

    def snapshot(self) -> tuple[object, ...]:
        """Return everything that the memory store holds, to compare before and after."""
        assert isinstance(self.store, MemoryStore)
        store = self.store
        return (dict(store._records), dict(store._ledgers), len(store.jobs), len(store.jobs.dead))


def make_site(
    app: ASGIApp | None = None,
    *,
    features: Sequence[Any] | None = None,
    base_url: str = BASE,
    outbox: Outbox | None = None,
    store: Any = None,
    clock: Clock | None = None,
    roomy: bool = False,
    **options: Any,
) -> Site:
    """Make a site, in memory where no store or database is named.

    `options` are those of `Passwordless`, `roomy` lifts the limits on sends.
    """
    inner = WhoAmI()
    outbox = outbox or Mailbox(max_messages=100_000)
    clock = clock or Clock()
    if store is None and "database" not in options:
        store = MemoryStore()
    if features is None and roomy:
        features = [EmailLogin(send_limits=ROOMY)]
    given: dict[str, Any] = {
        "secret_key": KEY,
        "mailer": outbox,
        "api_keys": {"backend": API_KEY},
        **options,
    }
    _STANDING.clear()  # each site is a process of its own
    passwordless = Passwordless(
        base_url=base_url, store=store, features=features, clock=clock, **given
    )
    wrapped = PasswordlessMiddleware(app or inner, passwordless=passwordless)
    return Site(
        wrapped, passwordless, outbox, passwordless.store, clock, base_url.rstrip("/"), inner
    )


def challenge_of(site: Site) -> Challenge:
    """Read the one challenge that stands in a memory store, with the key."""
    assert isinstance(site.store, MemoryStore)
    keyring = site.passwordless.cookies._keyring
    ((key, put),) = site.store._records.items()
    slot, _, rest = key[1:].partition("}")
    id = ChallengeId((unb64(slot) or b"") + (unb64(rest) or b""))
    opened = keyring.unbind("challenge", key, put.value)
    assert opened is not None
    return unpack_challenge(id, opened.payload, key_id=opened.key_id)


class Browser:
    """Visit a site as a browser does: keep cookies, send `Origin` with every post."""

    def __init__(
        self,
        site: Site,
        ip: str,
        cookies: dict[str, str],
        headers: dict[str, str],
        root_path: str = "",
    ) -> None:
        self.home = site
        self.cookies = cookies
        self.headers = headers
        parts = urlsplit(site.base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._transport = httpx.ASGITransport(site.app, client=(ip, 50123), root_path=root_path)

    async def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> httpx.Response:
        """Send one request; a redirect is not followed."""
        sent = [*self.headers.items()]
        if self.cookies:
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            sent.append(("cookie", cookie))
        given = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name for name, _ in given}
        is_write = method not in ("GET", "HEAD", "OPTIONS")
        if is_write and not {"origin", "authorization"} & (names | self.headers.keys()):
            sent.append(("origin", self.origin))
        sent = [pair for pair in sent if pair[0] not in names] + [p for p in given if p[1]]
        request = httpx.Request(
            method,
            url if "://" in url else self.home.base_url + url,
            headers=sent,
            data=form,
            content=content,
            json=json,
        )
        response = await self._transport.handle_async_request(request)
        await response.aread()
        response.request = request
        self._keep(response)
        return response

    def _keep(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if "max-age=0" in line.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    async def get(self, url: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return await self.request("GET", url, **more)

    async def post(self, url: str, form: Mapping[str, str], **more: Any) -> httpx.Response:
        """Post a form."""
        return await self.request("POST", url, form=form, **more)

    async def call(self, verb: str, body: object, **more: Any) -> httpx.Response:
        """Call `send`, `resend` or `verify` of the JSON API."""
        return await self.request("POST", f"{JSON_BASE}/{verb}", json=body, **more)

    # --- what a person does --------------------------------------------------------------------

    async def ask(self, email: str, next: str = "") -> httpx.Response:
        """Ask for a mail."""
        form = {"email": email, **({"next": next} if next else {})}
        return await self.post("/auth/login", form)

    async def type_code(self, code: str | None) -> httpx.Response:
        """Type a code."""
        return await self.post("/auth/verify", {"code": code or ""})

    async def press_link(self, link: str | None) -> httpx.Response:
        """Open a link's page and press its button, whatever the page says."""
        await self.get(link or "")
        return await self.post("/auth/link", {"link_token": token_of(link)})

    async def sign_in(self, email: str, *, by: str = "code") -> httpx.Response:
        """Ask for a mail and sign in by its code or link."""
        asked = await self.ask(email)
        assert asked.status_code == 303, asked.text
        mail = self.home.mail(email.lower())
        done = await (self.type_code(mail.code) if by == "code" else self.press_link(mail.link))
        assert done.status_code == 303, done.text
        return done

    async def who(self) -> str | None:
        """Return the address as which the app greets this browser; `None` if it is stopped."""
        answer = await self.get("/private")
        return str(answer.json()["email"]) if answer.status_code == 200 else None

    # --- what it holds -------------------------------------------------------------------------

    def cookie(self, part: str = "") -> str | None:
        """Return one of our cookies: `` (the session), `flow`, `device`, `pending`."""
        return self.cookies.get(self.cookie_name(part))

    def cookie_name(self, part: str = "") -> str:
        """Name one of our cookies."""
        return cookie_name(self.home.passwordless, part)


class Backend:
    """Call the JSON API as a server with a key."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def send(self, email: str, **fields: object) -> httpx.Response:
        """Send."""
        return await self.browser.call("send", {"email": email, **fields})

    async def resend(self, request_id: str) -> httpx.Response:
        """Resend."""
        return await self.browser.call("resend", {"auth_request_id": request_id})

    async def verify(self, request_id: str, **fields: object) -> httpx.Response:
        """Verify."""
        return await self.browser.call("verify", {"auth_request_id": request_id, **fields})


# --- small things ------------------------------------------------------------------------------


def token_of(link: str | None) -> str:
    """Return the token of a mailed link."""
    return parse_qs(urlsplit(link or "").query)["link_token"][0]


def wrong(code: str | None, n: int = 0) -> str:
    """Return a code of the right shape that is not this one; another one for each `n` below 9."""
    assert code is not None
    if code.isdigit():
        return f"{(int(code) + 1 + n) % 1_000_000:06d}"
    last = HIGH_ALPHABET.index(code[-1]) + 1 + n
    return code[:-1] + HIGH_ALPHABET[last % len(HIGH_ALPHABET)]


def holds(text: str, secret: str) -> bool:
    """Whether a text holds a secret; a code or a short word only where it stands by itself.

    In ids, digests and times they stand by chance: six digits once in some hundred pages.
    """
    if not re.fullmatch(r"\w{3,8}", secret, re.ASCII):
        return secret in text
    alone = rf"(?<![\w-])(?<!\d\.){secret}(?![\w-])"
    return re.search(rf"{alone}|\\n{secret}(?![\w-])", text) is not None


def error_code(response: httpx.Response) -> str:
    """Return the `error_code` of a JSON error."""
    return str(response.json()["details"][0]["error_code"])


def said(response: httpx.Response) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text))


def retry_after(response: httpx.Response) -> int:
    """Return the seconds of `Retry-After`."""
    return int(response.headers["retry-after"])


def http_scope(path: str = "/private", **more: Any) -> Scope:
    """Make an http scope by hand, as a server would."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("203.0.113.7", 50123),
        "server": ("app.example.com", 443),
        **more,
    }


def socket_scope(path: str = "/private", **more: Any) -> Scope:
    """Make a websocket scope by hand."""
    scope = http_scope(path, **{"scheme": "wss", "subprotocols": [], **more})
    scope["type"] = "websocket"
    del scope["method"]
    return scope


def cookie_header(browser: Browser) -> list[tuple[bytes, bytes]]:
    """Return a browser's cookies as raw headers."""
    text = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return [(b"cookie", text.encode())]


async def run(app: ASGIApp, scope: Scope, received: Iterable[Message] = ()) -> list[Message]:
    """Run an ASGI app on one connection and give what it sent.

    Args:
        app: any.
        scope: of the connection.
        received: what the client sends, in order; then it disconnects.
    """
    kind = scope["type"]
    first: dict[str, list[Message]] = {
        "http": [{"type": "http.request", "body": b"", "more_body": False}],
        "websocket": [{"type": "websocket.connect"}],
        "lifespan": [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}],
    }
    waiting = list(received) or first.get(kind, [])
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": f"{kind}.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


class Slow:
    """Wrap a store so that a test can stop its verbs, or let them fail.

    `before[verb]` is awaited before the verb, `after[verb]` between it and its answer.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.feed, self.jobs = store.feed, store.jobs
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        self.after: dict[str, Callable[[], Awaitable[None]]] = {}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)

        async def verb(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if name in self.before:
                await self.before[name]()
            answer = await found(*args, **kwargs)
            if name in self.after:
                await self.after[name]()
            return answer

        return verb
