"""Where a middleware may hide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Host, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from pwless_middleware import Outbox, PasswordlessMiddleware
from pwless_middleware.discovery import find
from pwless_middleware.errors import ConfigError
from tests.cli.conftest import KEY

OPTIONS: dict[str, Any] = {
    "secret_key": KEY,
    "base_url": "http://localhost:8000",
    "mailer": Outbox(),
}

OURS: Any = PasswordlessMiddleware


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotImplementedError


@pytest.fixture
def ours() -> PasswordlessMiddleware:
    return PasswordlessMiddleware(inner, **OPTIONS)


def mounts(app: object) -> list[str]:
    return [found.mount for found in find(app)]


def test_outermost(ours: PasswordlessMiddleware) -> None:
    [found] = find(ours)
    assert (found.middleware, found.mount) == (ours, "")


def test_inside_other_wrappers(ours: PasswordlessMiddleware) -> None:
    assert find(GZipMiddleware(GZipMiddleware(ours)))[0].middleware is ours


def test_inside_a_function(ours: PasswordlessMiddleware) -> None:
    def wrap(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)

        return wrapped

    assert mounts(wrap(wrap(ours))) == [""]


def test_behind_a_method(ours: PasswordlessMiddleware) -> None:
    class Wrapper:
        def __init__(self) -> None:
            self.app = ours

        async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise NotImplementedError

    assert mounts(Wrapper().serve) == [""]


@pytest.mark.parametrize("framework", [Starlette, FastAPI])
def test_added_to_a_framework_and_then_the_one_that_serves(
    framework: type[Starlette],
) -> None:
    app = framework()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(OURS, **OPTIONS)
    [found] = find(app)
    assert [again.middleware for again in find(app)] == [found.middleware]


def test_below_mounts(ours: PasswordlessMiddleware) -> None:
    app = Starlette(
        routes=[
            Route("/", inner),
            Mount("/a", Router([Mount("/b", ours)])),
            Host("c.example.com", PasswordlessMiddleware(inner, **OPTIONS)),
            Mount("/d", routes=[], middleware=[Middleware(OURS, **OPTIONS)]),
        ]
    )
    assert sorted(mounts(app)) == ["", "/a/b", "/d"]


def test_in_the_protocol_table_of_channels(ours: PasswordlessMiddleware) -> None:
    class ProtocolTypeRouter:
        application_mapping = {"http": ours}  # noqa: RUF012 # as theirs

    assert mounts(ProtocolTypeRouter()) == [""]


def test_two_of_them_outermost_first(ours: PasswordlessMiddleware) -> None:
    outer = PasswordlessMiddleware(ours, **{**OPTIONS, "prefix": "/outer", "cookie_name": "o"})
    assert [found.middleware for found in find(outer)] == [outer, ours]


def test_nowhere() -> None:
    assert find(inner) == []


def test_a_bad_option_shows_when_the_framework_makes_its_middleware() -> None:
    app = Starlette()
    app.add_middleware(OURS, **{**OPTIONS, "secret_key": "short"})
    with pytest.raises(ConfigError, match="secret_key"):
        find(app)


def test_an_app_that_is_another_one_at_each_look_does_not_keep_us() -> None:
    class Hall:
        @property
        def app(self) -> Callable[..., None]:
            return Hall()

        @property
        def routes(self) -> Iterator[object]:
            return iter(())

        def __call__(self) -> None: ...

    assert find(Hall()) == []


def test_what_a_function_names_but_never_bound_is_passed_over() -> None:
    def make() -> Callable[..., Awaitable[None]]:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await later(scope, receive, send)
            print(number, kind)

        number, kind = 7, Starlette
        if number == 8:
            later = inner
        return app

    assert find(make()) == []
