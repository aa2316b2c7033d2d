"""A month of logins, for a dashboard that is alive: `python -m demo_app --sample-data`.

Nothing is written by hand: people sign in by the demo's own pages, a month of them within a minute,
under a clock that runs ahead. So what the dashboard shows is what the product records. The same
logins are made each time; the month is the one before now.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pyotp

from pwless_middleware import DeliveryError, Message, PasswordlessMiddleware, SecondFactors

DAYS: Final = 30
ATTEMPTS: Final = 2400
"""Logins in a month; a third of them at the weekend's pace."""
_DAY: Final = 86_400
_STEP: Final = "/auth/step/second-factor"

_FIRST: Final = (
    *("amina", "ben", "carla", "david", "elif", "farid", "grace", "hugo", "ines", "jonas"),
    *("kofi", "lena", "marco", "nadia", "oskar", "priya", "quentin", "rosa", "sven", "tamar"),
)
_LAST: Final = (
    *("adler", "brandt", "costa", "diallo", "evans", "fischer"),
    *("gupta", "hansen", "ito", "jensen", "kaya", "lopez"),
)
_DOMAINS: Final = (
    *("acme.example", "northwind.example", "contoso.example"),
    *("example.com", "example.org", "example.net"),
)
_GREYLISTING: Final = "contoso.example"
"""Whose server takes an email only at the second try."""
_SCANNING: Final = "acme.example"
"""Where a scanner opens every link before the person does."""
_BROWSERS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/18.0 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Version/18.0 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
)


class Clock:
    """Run ahead of the world, by itself or to a given second."""

    def __init__(self, start: float) -> None:
        self.now = start

    def __call__(self) -> float:
        """Return unix seconds."""
        return self.now


class SampleMailer:
    """Take emails as mail servers do: some at once, some at the second try, some never."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._tried: set[str] = set()
        self.newest: dict[str, Message] = {}

    async def send(self, message: Message) -> None:
        """Take a message, or say why not."""
        self._clock.now += self._chance.choice((1, 1, 1, 2, 3, 6))
        if message.to.startswith("gone."):
            raise DeliveryError("550 5.1.1 no such user here", permanent=True)
        if message.to.endswith(_GREYLISTING) and message.to not in self._tried:
            self._tried.add(message.to)
            raise DeliveryError("451 4.7.1 greylisted, try again later", permanent=False)
        self.newest[message.to] = message


@dataclass
class Visitor:
    """One browser of one person."""

    app: PasswordlessMiddleware
    origin: str
    email: str
    user_agent: str
    ip: str
    accept: str = "text/html"
    secret: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> int:
        """Send a request to the demo, keep its cookies, and return the status."""
        path, _, query = path.partition("?")
        body = urlencode(form or {}).encode()
        headers = [
            (b"host", urlsplit(self.origin).netloc.encode()),
            (b"user-agent", self.user_agent.encode()),
        ]
        headers += [(b"accept", self.accept.encode()), (b"accept-language", b"en")]
        if self.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers.append((b"cookie", pairs.encode()))
        if method == "POST":
            headers += [
                (b"origin", self.origin.encode()),
                (b"content-type", b"application/x-www-form-urlencoded"),
            ]
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": (self.ip, 40000),
            "server": ("localhost", 8000),
        }
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                for name, value in message["headers"]:
                    if name == b"set-cookie":
                        self._keep(value.decode())

        await self.app(scope, receive, send)
        return status

    def _keep(self, line: str) -> None:
        name, _, rest = line.partition("=")
        value = rest.partition(";")[0]
        if "max-age=0" in line.lower():
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


class Month:
    """Have people sign in, one after another.

    Args:
        app: the demo, made with this clock and mailer.
        origin: of the demo's address.
        clock, mailer, chance: what it works with.
    """

    def __init__(
        self,
        app: PasswordlessMiddleware,
        origin: str,
        clock: Clock,
        mailer: SampleMailer,
        chance: random.Random,
    ) -> None:
        self._app = app
        self._origin = origin
        self._clock = clock
        self._mailer = mailer
        self._chance = chance
        self._visitors = [self._make_visitor(number) for number in range(180)]

    async def run(self, attempts: int = ATTEMPTS) -> None:
        """Make these many logins, up to now."""
        for at in self._times(attempts):
            self._clock.now = max(self._clock.now, at)
            visitor = self._visitors[min(int(self._chance.expovariate(0.022)), 179)]
            await self._sign_in(visitor)
        await self._attack()

    def _times(self, attempts: int) -> list[float]:
        """Return when logins begin: on working days, in the day's hours, most of them."""
        now = time.time()
        found: list[float] = []
        while len(found) < attempts:
            at = now - self._chance.random() * DAYS * _DAY
            day = datetime.fromtimestamp(at, UTC)
            weight = (0.35 if day.weekday() >= 5 else 1.0) * (0.12 + 0.88 * (7 <= day.hour < 20))
            if self._chance.random() < weight:
                found.append(at)
        return sorted(found)

    def _visitor(self, email: str, user_agent: str, ip: str) -> Visitor:
        return Visitor(self._app, self._origin, email, user_agent, ip)

    def _make_visitor(self, number: int) -> Visitor:
        chance = self._chance
        first, last = _FIRST[number % len(_FIRST)], _LAST[number // 3 % len(_LAST)]
        domain = _DOMAINS[min(int(chance.expovariate(0.5)), len(_DOMAINS) - 1)]
        name = f"gone.{first}" if number % 41 == 40 else f"{first}.{last}"
        ip = f"203.0.113.{number % 250 + 1}"
        return self._visitor(f"{name}@{domain}", chance.choice(_BROWSERS), ip)

    async def _sign_in(self, visitor: Visitor) -> None:
        chance = self._chance
        if chance.random() < 0.3:
            await visitor.ask("POST", "/auth/logout")
        if await visitor.ask("POST", "/auth/login", {"email": visitor.email}) != 303:
            return
        mail = await self._deliver(visitor.email)
        if mail is None or chance.random() < 0.03:  # it never came, or nobody looked
            return
        self._clock.now += chance.randint(4, 60)
        code, link = _read(mail)
        if visitor.email.endswith(_SCANNING) and link:
            scanner = self._visitor("", "python-requests/2.32", "198.51.100.9")
            scanner.accept = "*/*"
            await scanner.ask("HEAD", link)
        if chance.random() < 0.02:
            self._clock.now += 400  # too late
        if link and chance.random() < 0.35:
            if chance.random() < 0.1:
                elsewhere = self._visitor("", chance.choice(_BROWSERS), visitor.ip)
                await elsewhere.ask("GET", link)
            token = link.partition("link_token=")[2]
            await visitor.ask("POST", "/auth/link", {"link_token": token})
            await self._use_app(visitor)
            return
        while chance.random() < 0.07:
            await visitor.ask("POST", "/auth/verify", {"code": f"{chance.randrange(10**6):06}"})
            self._clock.now += 5
        await visitor.ask("POST", "/auth/verify", {"code": code})
        await self._use_app(visitor)

    async def _use_app(self, visitor: Visitor) -> None:
        """Answer with the code of an authenticator app, or add one: some people do."""
        chance = self._chance
        if not visitor.secret and visitor.email[0] in "abk" and chance.random() < 0.5:
            await self._add_app(visitor)
        elif visitor.secret:
            while chance.random() < 0.08:
                code = f"{chance.randrange(10**6):06}"
                await visitor.ask("POST", _STEP, {"method": "totp", "code": code})
            self._clock.now += 30  # each code is good once
            code = pyotp.TOTP(visitor.secret).at(int(self._clock.now))
            await visitor.ask("POST", _STEP, {"method": "totp", "code": code})

    async def _add_app(self, visitor: Visitor) -> None:
        person = await self._app.passwordless.people.find(visitor.email)
        if person is None:
            return
        verbs = self._app.passwordless.verbs(SecondFactors)
        begun = await verbs.begin_totp(person.id)
        code = pyotp.TOTP(begun.secret).at(int(self._clock.now))
        await verbs.confirm_totp(person.id, enrollment_id=begun.enrollment_id, code=code)
        visitor.secret = begun.secret

    async def _deliver(self, email: str) -> Message | None:
        self._mailer.newest.pop(email, None)
        deliveries = self._app.passwordless.deliveries
        for _ in range(3):
            await deliveries.run_due()
            await asyncio.sleep(0)
            if email in self._mailer.newest:
                return self._mailer.newest[email]
            self._clock.now += 20
        return None

    async def _attack(self) -> None:
        """Be a stranger who tries codes for an address that is not theirs."""
        email = self._visitors[0].email
        stranger = self._visitor(email, "curl/8.14", "192.0.2.66")
        for _ in range(4):
            await stranger.ask("POST", "/auth/login", {"email": email})
            await self._deliver(email)
            for _ in range(6):
                code = f"{self._chance.randrange(10**6):06}"
                await stranger.ask("POST", "/auth/verify", {"code": code})
                self._clock.now += 1


def _read(mail: Message) -> tuple[str, str]:
    """Return the code and the path of the link that stand in an email."""
    code = re.search(r"^\s*(\d{6})\s*$", mail.text, re.MULTILINE)
    link = re.search(r"https?://[^/\s]+(/\S*link_token=[^\s>]+)", mail.text)
    return code[1] if code else "", link[1] if link else ""


@asynccontextmanager
async def _running(app: PasswordlessMiddleware) -> AsyncIterator[None]:
    """Start the app and end it, as a server does, so that everything is written."""
    inbox: asyncio.Queue[str] = asyncio.Queue()
    told: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> dict[str, Any]:
        return {"type": f"lifespan.{await inbox.get()}"}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.put_nowait(message["type"])

    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, receive, send))
    inbox.put_nowait("startup")
    await told.get()
    try:
        yield
    finally:
        inbox.put_nowait("shutdown")
        await told.get()
        await task


async def make_sample_data(
    make_app: Callable[[Clock, SampleMailer], PasswordlessMiddleware],
    *,
    base_url: str,
    attempts: int = ATTEMPTS,
) -> bool:
    """Fill the demo's database, unless somebody has signed in there before.

    Args:
        make_app: makes the demo with a clock and a mailer.
        base_url: where the demo is.
        attempts: how many logins.

    Returns:
        Whether it was filled.
    """
    chance = random.Random(20)  # noqa: S311 # the same month each time; nothing is secret in it
    clock = Clock(time.time() - (DAYS + 1) * _DAY)
    mailer = SampleMailer(clock, chance)
    app = make_app(clock, mailer)
    async with _running(app):
        if await app.passwordless.people.list(limit=1):
            return False
        await Month(app, base_url, clock, mailer, chance).run(attempts)
    return True
