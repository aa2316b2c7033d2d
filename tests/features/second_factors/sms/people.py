"""What people do with codes by text message, for tests: over the JSON API, with their phones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from pwless_middleware import EmailLogin
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.database.repositories import make_repositories
from pwless_middleware.delivery.texts.outbox import OutboxTextMessage, TextOutbox
from pwless_middleware.features.second_factors.options import SecondFactors
from tests.own_account import make_kept_site
from tests.support import JSON_BASE, ROOMY, Browser, Site

STEP = "/auth/api/v1/step"
JO, KIM = "jo@example.com", "kim@example.com"
PHONE, OTHER_PHONE = "+4915123456789", "+491771234567"
COUNTRIES = ("DE", "GB", "US")


class Phones(TextOutbox):
    """Every phone that there is; refuses messages as long as there is an error to do it with."""

    error: Exception | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.urls: list[str] = []
        """Where each try is reported."""

    async def send(self, message: Any) -> None:
        self.urls.append(message.status_url)
        if self.error is not None:
            raise self.error
        await super().send(message)

    def read_status(self, headers: Any, body: bytes) -> str | None:
        """Read a report whose body is the status, as no gateway has it."""
        status = body.decode()
        return status if status in ("delivered", "undelivered") else None

    def last(self, to: str = PHONE) -> OutboxTextMessage:
        """Read the newest text message."""
        message = self.latest(to)
        assert message is not None, "no text message has come"
        return message

    def code(self, to: str = PHONE) -> str:
        """Read the newest code."""
        return self.last(to).code or ""


class TextSite:
    """A site that sends codes by text message, and the phones.

    Attributes:
        site: the site.
        phones: what they got.
        told: its events.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.phones = Phones(max_messages=1000)
        self.told: list[Event] = []
        given: dict[str, Any] = {"sms": self.phones, "sms_countries": COUNTRIES}
        given |= {key: options.pop(key) for key in list(options) if key.startswith("sms")}
        features = [EmailLogin(send_limits=ROOMY), SecondFactors(**given)]
        self.site: Site = make_kept_site(
            folder, features=features, on_event=self.told.append, **options
        )

    @property
    def clock(self) -> Any:
        """The site's."""
        return self.site.clock

    def browser(self, **more: Any) -> Browser:
        """Open a browser."""
        return self.site.browser(**more)

    @property
    def factors(self) -> Any:
        """What keeps the factors."""
        assert self.site.passwordless.database is not None
        return make_repositories(self.site.passwordless.database).factors

    async def user_id(self, email: str = JO) -> str:
        """Return the id of a person, who is made where there is none."""
        people = self.site.passwordless.people
        assert people is not None
        person = await people.find(email)
        if person is None:
            await self.browser().sign_in(email)
            person = await people.find(email)
        assert person is not None
        return person.id

    async def add_phone(
        self, user_id: str, phone: str = PHONE, *, id: str = "f" * 22, alone: bool = True
    ) -> Factor:
        """Give a person a confirmed number, without telling them."""
        now = self.clock()
        factor = Factor(id=id, user_id=user_id, kind="sms", phone=phone, created_at=now)
        assert await self.factors.add(factor, most=10, may_be_alone=alone) == "added"
        return factor

    async def begin_login(self, email: str = JO, **browser: Any) -> tuple[Browser, str]:
        """Sign in by a mail, as far as that goes, and return the pending login's id."""
        jo = self.browser(**browser)
        sent = (await jo.call("send", {"email": email})).json()
        body = {"auth_request_id": sent["auth_request_id"], "code": self.site.mail(email).code}
        done = await jo.request("POST", f"{JSON_BASE}/verify", json=body)
        assert done.status_code == 403, done.text
        return jo, str(done.json()["details"][0]["login_id"])

    async def send(self, browser: Browser, login_id: str | None, **more: Any) -> httpx.Response:
        """Ask for a text message: for a pending login, or for a live session."""
        body = {"method": "sms", **({"login_id": login_id} if login_id else {}), **more}
        return await browser.request("POST", f"{STEP}/send", json=body)

    async def answer(
        self, browser: Browser, login_id: str | None, code: str, **more: Any
    ) -> httpx.Response:
        """Answer with a code."""
        body = {"method": "sms", "code": code, **({"login_id": login_id} if login_id else {})}
        return await browser.request("POST", STEP, json=body, **more)

    def kinds(self, kind: str) -> list[Event]:
        """Return the events of a kind."""
        return [event for event in self.told if event.kind == kind]
