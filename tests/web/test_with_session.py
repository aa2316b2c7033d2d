"""Jobs that begin with a session: all or nothing with it."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.kit import (
    Caller,
    Delivery,
    Kit,
    Login,
    Mounted,
    Outcome,
    QueuedJob,
    Session,
    Writes,
)
from tests.support import make_site

pytestmark = pytest.mark.anyio


class Greeter:
    """Note whom a session began for."""

    def __init__(self) -> None:
        self.greeted: list[bytes] = []

    def mount(self, kit: Kit) -> Mounted:
        self._kit = kit
        return Mounted(with_session=(self.queue,), jobs={"greet": self.read})

    def queue(self, login: Login, session: Session, caller: Caller) -> Writes:
        return self._kit.jobs.writes("greet", f"{login.email} {session.id}".encode())

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        self.greeted.append(job.body)
        return Outcome.DONE


async def test_a_job_is_queued_as_a_session_begins_and_not_for_a_wrong_code() -> None:
    greeter = Greeter()
    site = make_site(features=[EmailLogin(), greeter])
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code("000000")).status_code == 400
    assert greeter.greeted == []
    await jo.type_code(site.mail().code)
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert greeter.greeted == [f"jo@example.com {session.id}".encode()]
