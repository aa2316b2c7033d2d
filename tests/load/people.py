"""The people of the load test: they sign in, guess, go about, and leave, until it is over.

Each address asks for one challenge, so that what is proved of addresses holds of challenges. Each
request goes to a process picked at random, as a load balancer without affinity does.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.failures.post import Mail, Post
from tests.failures.served import Process
from tests.failures.spread_browser import SpreadBrowser
from tests.load.events import Answer, Kind, Record
from tests.support import token_of, wrong

_COOKIE = "__Host-pwless"
_HELD = 400
_REVOKED = 2000


@dataclass
class Town:
    """Hold what all people share.

    Attributes:
        held: people who are in, with their address; others go on using their sessions.
        thieves: people who have left, with the cookie that was theirs.
    """

    http: httpx.AsyncHTTPTransport
    processes: Sequence[Process]
    post: Post
    record: Record
    until: float
    held: list[tuple[SpreadBrowser, str]] = field(default_factory=list)
    thieves: list[tuple[SpreadBrowser, str]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def is_open(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.until

    def process(self) -> Process:
        """Pick one."""
        return random.choice(self.processes)

    def newcomer(self) -> tuple[SpreadBrowser, str]:
        """Return somebody new: a client and an address that nobody has used."""
        n = next(self._numbers)
        ip = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        return SpreadBrowser(self.http, ip), f"person{n}@example.com"

    async def live(self) -> None:
        """Do one thing after the other until the time is over."""
        deeds = (self.signs_in, self.guesses, self.races, self.goes_about)
        while self.is_open:
            (deed,) = random.choices(deeds, weights=(5, 1, 1, 4))
            await deed()

    # --- what people do --------------------------------------------------------------------------

    async def signs_in(self) -> None:
        """Ask, read the mail, type the code or press the link; go about; perhaps leave."""
        jo, address = self.newcomer()
        mail = await self._asks(jo, address)
        if mail is None:
            return
        kind: Kind = random.choice(("code", "code", "link"))
        if random.random() < 0.3:
            await self._verifies("code", jo, address, wrong(mail.code))
        answer = await self._verifies(kind, jo, address, _secret(mail, kind))
        if not answer.session:
            return
        for _ in range(random.randrange(8)):
            await self._visits(jo, address)
        if random.random() < 0.5:
            await self._leaves(jo, address)
        elif len(self.held) < _HELD:
            self.held.append((jo, address))

    async def guesses(self) -> None:
        """Type eight wrong codes at once, and then the right one."""
        jo, address = self.newcomer()
        mail = await self._asks(jo, address)
        if mail is not None:
            codes = [wrong(mail.code, n) for n in range(8)]
            await asyncio.gather(*(self._once("code", jo, address, each) for each in codes))
            await self._once("code", jo, address, mail.code)

    async def races(self) -> None:
        """Type the right code and press the link in every process at the same time."""
        jo, address = self.newcomer()
        mail = await self._asks(jo, address)
        if mail is None:
            return
        twins = [SpreadBrowser(self.http) for _ in range(4)]
        for twin in twins:
            twin.cookies = dict(jo.cookies)
        kinds: list[Kind] = ["code", "link", "code", "link"]
        await asyncio.gather(
            *(
                self._once(kind, twin, address, _secret(mail, kind))
                for kind, twin in zip(kinds, twins, strict=True)
            )
        )
        self.held += [(twin, address) for twin in twins if _COOKIE in twin.cookies]

    async def goes_about(self) -> None:
        """Use a session that was won long ago, a few times; or one that was stolen."""
        for crowd in (self.held, self.thieves):
            if crowd:
                jo, address = random.choice(crowd)
                for _ in range(6):
                    await self._visits(jo, address)

    async def roll_call(self) -> None:
        """At the end, when all is well: everybody once more, at every process."""
        for jo, address in [*self.held, *self.thieves]:
            for process in self.processes:
                await self._visits(jo, address, process)

    # --- one thing each --------------------------------------------------------------------------

    async def _asks(self, jo: SpreadBrowser, address: str) -> Mail | None:
        """Ask, again while it is closed, and wait for the mail."""
        for _ in range(40):
            answer = await self._send("ask", jo, address, "/auth/login", {"email": address})
            if answer.status == 303:
                break
            await self._closed(answer)
        while self.is_open:
            if mails := self.post.mails(address):
                return mails[-1]
            await asyncio.sleep(0.02)
        return None

    async def _verifies(self, kind: Kind, jo: SpreadBrowser, address: str, secret: str) -> Answer:
        """Verify, again while it is closed, as a person who is told to try again."""
        for _ in range(4):
            answer = await self._once(kind, jo, address, secret)
            if answer.status not in (0, 503):
                break
            await self._closed(answer)
        return answer

    async def _once(self, kind: Kind, jo: SpreadBrowser, address: str, secret: str) -> Answer:
        path, name = ("/auth/verify", "code") if kind == "code" else ("/auth/link", "link_token")
        return await self._send(kind, jo, address, path, {name: secret})

    async def _visits(
        self, jo: SpreadBrowser, address: str, process: Process | None = None
    ) -> None:
        await self._send("request", jo, address, "/private", None, process)

    async def _leaves(self, jo: SpreadBrowser, address: str) -> None:
        """End the session, and go on using its cookie at every process."""
        stolen = dict(jo.cookies)
        session = stolen[_COOKIE]
        answer = await self._send("logout", jo, address, "/auth/logout", {})
        jo.cookies = stolen
        if answer.status != 303:
            self.record.doubtful.add(session)
            return
        self.record.revoked[session] = answer.ended
        while time.monotonic() < answer.ended + 0.25:
            await self._visits(jo, address)
        if len(self.thieves) < _REVOKED:
            self.thieves.append((jo, address))

    async def _closed(self, answer: Answer) -> None:
        await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _send(
        self,
        kind: Kind,
        jo: SpreadBrowser,
        address: str,
        path: str,
        form: dict[str, str] | None,
        process: Process | None = None,
    ) -> Answer:
        process = process or self.process()
        before = jo.cookies.get(_COOKIE, "")
        begun = time.monotonic()
        status, told = 0, ""
        try:
            if form is None:
                response = await jo.get(process, path)
                told = str(response.json()["email"]) if response.status_code == 200 else ""
            else:
                response = await jo.post(process, path, form)
            status = response.status_code
        except httpx.HTTPError:
            pass
        after = jo.cookies.get(_COOKIE, "")
        won = after if kind in ("code", "link") and after != before else ""
        session = before if kind in ("request", "logout") else won
        answer = Answer(kind, process.name, begun, time.monotonic(), status, address, session, told)
        self.record.answers.append(answer)
        return answer


def _secret(mail: Mail, kind: Kind) -> str:
    return mail.code if kind == "code" else token_of(mail.link)
