"""Known and unknown, allowed and refused addresses get the same answer (security rule 14)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from pwless_middleware import EmailLogin, Outbox, User
from pwless_middleware.delivery.base import Message
from pwless_middleware.stores.memory import MemoryStore
from tests.support import Clock, Site, Slow, make_site, wrong

pytestmark = pytest.mark.anyio


class Table:
    """A user table with one row; and one whose address does not canonicalise to what was asked."""

    async def find(self, email: str) -> User | None:
        if email == "mismatch@example.com":
            return User(id="7", email="other@example.com")
        return User(id="1", email=email) if email == "known@example.com" else None

    async def create(self, email: str) -> User | None:
        raise AssertionError("signup is off")

    async def load(self, user_id: str) -> User | None:
        return User(id="1", email="known@example.com")


ADDRESSES = {
    "known": "known@example.com",
    "unknown": "nobody@example.com",
    "refused": "known@example.net",
    "mismatch": "mismatch@example.com",
}


def guarded(**options: Any) -> Site:
    feature = EmailLogin(allow=["*@example.com"], signup=False)
    return make_site(features=[feature], users=Table(), **options)


def shape(answer: httpx.Response, email: str) -> tuple[object, ...]:
    """Return what an onlooker sees: status, headers and body, less what is random for everybody."""
    body = answer.text.replace(email, "<email>")
    body = re.sub(r'name="request_id" value="[^"]*"', 'name="request_id"', body)
    body = re.sub(r'"auth_request_id":"[^"]*"', '"auth_request_id"', body)
    headers = sorted(
        (name, re.sub(r"=[^;]{20,};", "=<random>;", value))
        for name, value in answer.headers.items()
        if name != "content-length"
    )
    return answer.status_code, tuple(headers), body


async def journey(site: Site, email: str) -> list[tuple[object, ...]]:
    """Walk the whole way as somebody who cannot read the mail, with both skins."""
    jo = site.browser()
    answers = [await jo.ask(email), await jo.get("/auth/verify")]
    answers += [await jo.type_code("000000"), await jo.type_code("nonsense")]
    answers += [await jo.post("/auth/resend", {}), await jo.get("/auth/verify")]
    answers += [await jo.post("/auth/resend", {})]  # two a minute are over
    answers += [await jo.type_code("000000") for _ in range(6)]
    site.clock.advance(300)
    answers += [await jo.get("/auth/verify"), await jo.type_code("000000")]
    backend = site.backend()
    sent = await backend.send(email)
    request_id = sent.json()["auth_request_id"]
    answers += [sent, await backend.verify(request_id, code="000000")]
    answers += [await backend.resend(request_id), await backend.resend(request_id)]
    site.clock.advance(900)
    answers += [await backend.resend(request_id)]
    return [shape(answer, email) for answer in answers]


async def test_nobody_can_tell_who_is_known_allowed_or_refused() -> None:
    journeys = {kind: await journey(guarded(), email) for kind, email in ADDRESSES.items()}
    for kind, walked in journeys.items():
        for step, (there, here) in enumerate(zip(walked, journeys["known"], strict=True)):
            assert there == here, (kind, step)
    statuses = [answer[0] for answer in journeys["known"]]
    assert set(statuses) == {303, 200, 400, 429, 410}


async def test_only_who_is_served_gets_a_mail() -> None:
    for kind, email in ADDRESSES.items():
        site = guarded()
        await site.browser().ask(email)
        assert len(site.outbox.messages) == (1 if kind == "known" else 0)


async def test_every_send_asks_the_store_for_the_same_and_queues_a_job() -> None:
    calls = {}
    for kind, email in ADDRESSES.items():

        class Post:
            """Deliver by the worker, as a real mailer does, and not in the request."""

            async def send(self, message: Message) -> None: ...
            async def aclose(self) -> None: ...

        store = Slow(MemoryStore())
        site = guarded(store=store, mailer=Post())
        answer = await site.browser().ask(email)
        assert answer.status_code == 303
        calls[kind] = store.calls
        assert len(store.store.jobs) == 1  # type: ignore[arg-type]
    assert all(made[:1] == ["admit"] for made in calls.values())
    assert len({tuple(made) for made in calls.values()}) == 1


@pytest.mark.parametrize("kind", ["unknown", "refused"])
async def test_the_right_code_of_somebody_who_is_not_served_is_a_wrong_code(kind: str) -> None:
    """A person who was served when the mail went out, and is not any more."""
    open_house = make_site(users=Table(), store=MemoryStore())
    email = ADDRESSES[kind]
    jo = open_house.browser()
    await jo.ask(email)
    code = open_house.mail().code
    closed = guarded(store=open_house.store, clock=open_house.clock)
    right = closed.browser(cookies=jo.cookies)
    request_page = await right.type_code(code)
    assert request_page.status_code == 400
    assert "That code is not right" in request_page.text
    assert "4 tries left" in request_page.text
    assert (await right.type_code(wrong(code))).status_code == 400
    assert closed.sessions == 0
    link = await right.press_link(open_house.mail().link)
    assert link.status_code == 410


async def test_the_allow_list_alone_refuses_a_mail_a_code_and_a_link() -> None:
    """With signup on and everybody known: nothing but the list stands in the way."""
    open_house = make_site()
    jo = open_house.browser()
    await jo.ask("jo@example.net")
    mail = open_house.mail()
    feature = EmailLogin(allow=["*@example.com", "kim@example.net"])
    closed = make_site(features=[feature], store=open_house.store, clock=open_house.clock)
    for email, mails in (("jo2@example.net", 0), ("kim@example.net", 1), ("jo@example.com", 2)):
        assert (await closed.browser().ask(email)).status_code == 303
        assert len(closed.outbox.messages) == mails
    visitor = closed.browser(cookies=jo.cookies)
    assert (await visitor.press_link(mail.link)).status_code == 410
    assert (await visitor.type_code(mail.code)).status_code == 400
    assert closed.sessions == 0


async def test_a_full_queue_is_full_for_everybody() -> None:
    answers = {}
    for kind, email in ADDRESSES.items():

        class Post(Outbox):
            delivers_inline = False

        site = guarded(store=MemoryStore(max_jobs=1), outbox=Post(), clock=Clock())
        site.store.jobs.add(b"x", now=site.clock.now + 9999)  # type: ignore[attr-defined]
        before = site.snapshot()
        answer = await site.browser().ask(email)
        assert answer.status_code == 503
        assert site.snapshot() == before, "nothing was counted"
        answers[kind] = shape(answer, email)
    assert len(set(answers.values())) == 1


async def test_signing_up_is_not_told_from_signing_in_before_the_proof() -> None:
    class Growing(Table):
        async def create(self, email: str) -> User | None:
            return User(id="2", email=email)

    shapes = []
    for email in ("known@example.com", "nobody@example.com"):
        site = make_site(users=Growing())
        jo = site.browser()
        answers = [await jo.ask(email), await jo.get("/auth/verify"), await jo.type_code("000000")]
        shapes.append([shape(answer, email) for answer in answers])
        assert len(site.outbox.messages) == 1
    assert shapes[0] == shapes[1]
