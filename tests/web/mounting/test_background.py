"""What a feature has going beside the requests, as it is mounted in an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request

from pwless_middleware import ConfigError, EmailLogin, Kit, Login, Mounted
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route
from tests.support import make_site, run

pytestmark = pytest.mark.anyio


class Directory:
    """A feature that needs a connection for all that it does."""

    def __init__(self, *, problem: Exception | None = None) -> None:
        self.problem = problem
        self.is_open = False
        self.used: list[str] = []

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(
            routes=(
                Route("/directory", {"GET": self._show}),
                Route("/api/v1/directory", {"GET": self._show}, "api"),
            ),
            before_session=(self._rule,),
            jobs={"directory": self._read},
            lifespan=self._lifespan,
            health={"directory": self._check},
        )

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        if self.problem is not None:
            raise self.problem
        self.is_open = True
        yield
        self.is_open = False

    def _use(self, what: str) -> None:
        assert self.is_open, f"{what} before the connection is open"
        self.used.append(what)

    async def _show(self, request: Request) -> Any:
        self._use("route")
        return json_response({})

    async def _rule(self, login: Login) -> None:
        self._use("rule")

    async def _read(self, job: QueuedJob) -> Outcome:
        self._use("job")
        return Outcome.DONE

    async def _check(self) -> None:
        self._use("check")


async def test_a_lifespan_is_open_from_startup_to_shutdown_of_the_app() -> None:
    feature, seen = Directory(), []
    site = make_site(features=[feature])
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        seen.append((message["type"], feature.is_open))

    await site.app({"type": "lifespan"}, receive, send)
    assert seen == [("lifespan.startup.complete", True), ("lifespan.shutdown.complete", False)]


async def test_a_lifespan_that_fails_stops_the_startup_and_names_the_feature() -> None:
    site = make_site(features=[Directory(problem=OSError("no route"))])
    sent: list[Any] = []
    with pytest.raises(ConfigError):
        sent = await run(site.app, {"type": "lifespan"})
    assert sent == []


async def test_without_a_startup_everything_waits_for_it() -> None:
    feature = Directory()
    site = make_site(features=[EmailLogin(), feature])
    jo = site.browser()
    assert (await jo.get("/auth/directory")).status_code == 200
    await jo.sign_in("jo@example.com")
    await feature.kit.jobs.put("directory", b"")
    health = await site.backend().browser.get("/auth/health")
    assert health.json() == {"status": "ok", "down": []}
    assert feature.used == ["route", "rule", "job", "check"]


async def test_one_that_fails_without_a_startup_closes_its_feature_and_nothing_else() -> None:
    feature = Directory(problem=OSError("no route"))
    site = make_site(features=[EmailLogin(), feature])
    jo = site.browser()
    page = await jo.get("/auth/directory")
    assert page.status_code == 503
    assert "no route" not in page.text
    api = await jo.get("/auth/api/v1/directory")
    assert (api.status_code, api.json()["details"][0]["error_code"]) == (503, "STORE_UNAVAILABLE")
    assert (await jo.ask("jo@example.com")).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 503, "its rule could not be asked"
    assert site.sessions == 0
    health = await site.backend().browser.get("/auth/health")
    assert health.json() == {"status": "down", "down": ["directory"]}
    feature.problem = None


class Checked:
    """A feature with checks of its health."""

    def __init__(self, **checks: Any) -> None:
        self.asked = 0
        self.checks = checks

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(health={name: self._of(name) for name in self.checks})

    def _of(self, name: str) -> Any:
        async def check() -> None:
            self.asked += 1
            await self.checks[name]()

        return check


async def well() -> None: ...


async def ill() -> None:
    raise OSError("10.0.0.5 refused")


async def hung() -> None:
    await asyncio.Event().wait()


async def test_health_names_what_a_feature_finds_down_to_who_has_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pwless_middleware.flows.capabilities.health_checks.SECONDS", 0.05)
    feature = Checked(idp=well, dns=ill, sms=hung)
    site = make_site(features=[EmailLogin(), feature])
    server = site.backend().browser
    answer = await server.get("/auth/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "down", "down": ["dns", "sms"]})
    stranger = await site.browser().get("/auth/health")
    assert stranger.json() == {"status": "ok", "down": []}
    await asyncio.gather(*(server.get("/auth/health") for _ in range(10)))
    assert feature.asked == 3, "once a second"
    site.clock.advance(1)
    await server.get("/auth/health")
    assert feature.asked == 6


@pytest.mark.parametrize("name", ["store", "delivery"])
def test_a_check_named_like_one_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"pwless and Checked both check the health of '{name}'"):
        make_site(features=[Checked(**{name: well})])


class Cleaning:
    """A feature that does something every so often."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.ran = asyncio.Event()

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(periodic=tuple(Periodic(name, 60, self._run) for name in self.names))

    async def _run(self) -> None:
        self.ran.set()


class Post:
    """A mailer that leaves the delivery to the worker."""

    async def send(self, message: object) -> None: ...


async def test_a_periodic_runs_where_there_is_a_worker_and_only_there() -> None:
    feature, inline = Cleaning("sweep"), Cleaning("sweep")
    site = make_site(features=[feature], mailer=Post())
    serverless = make_site(features=[inline], mailer=Post(), delivery="inline")
    serverless.passwordless.lifetime.start()
    site.passwordless.lifetime.start()
    async with asyncio.timeout(30):
        await feature.ran.wait()
    assert not inline.ran.is_set()
    await site.passwordless.lifetime.close()
    await serverless.passwordless.lifetime.close()


def test_two_periodics_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="Cleaning mounts two periodics named 'sweep'"):
        make_site(features=[Cleaning("sweep", "sweep")])


async def test_features_have_records_of_their_own() -> None:
    one, other = Cleaning(), Checked()
    other.name = "other"  # type: ignore[attr-defined]
    second = Cleaning()
    second.name = "second"  # type: ignore[attr-defined]
    make_site(features=[one, second, other])
    await one.kit.records("states").put("k", b"mine", ttl=60)
    assert await second.kit.records("states").read("k") is None
    found = await one.kit.records("states").take("k")
    assert found is not None
    assert found.value == b"mine"
    for name in ("", "A", "a b", "x" * 41, None):
        with pytest.raises(ConfigError, match=r"Cleaning: records\("):
            one.kit.records(name)  # type: ignore[arg-type]
