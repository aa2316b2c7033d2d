"""Rule 24: whatever a feature or a host reaches by public names, none of it makes a session.

The walk finds what is there by itself: a method that is added is tried without an edit here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import anyio
import pytest

from pwless_middleware import EmailLogin, Passwordless
from pwless_middleware.flows.logins import door
from pwless_middleware.flows.logins.door import Entry
from pwless_middleware.kit import Authentication, Caller, Kit, Login, Mounted, Writes
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio
DEEP = 6
UNSUITED = {"aclose", "open", "feed"}
"""Names that stop the walk's own site, or hand out the host's store itself, which has no key."""


class Hostile:
    """A feature that proves nothing and keeps its kit."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted()


def names_of(thing: object, *, private: bool) -> list[str]:
    """Return the attributes of a thing that somebody might write down."""
    start = "__" if private else "_"
    return [name for name in dir(thing) if not name.startswith(start)]


def is_ours(thing: object) -> bool:
    """Whether a thing is of the package: what the event loop and libraries offer is everybody's."""
    home = thing if isinstance(thing, FunctionType | MethodType) else type(thing)
    return (home.__module__ or "").startswith("pwless_middleware")


def walk(start: object, *, private: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield everything that attributes, and what lies in containers, lead to; with its path."""
    seen: set[int] = set()
    kept: list[object] = []  # so that no id is used again
    waiting: list[tuple[str, Any, int]] = [("", start, 0)]
    while waiting:
        path, thing, depth = waiting.pop(0)
        if id(thing) in seen or isinstance(thing, ModuleType | str | bytes | int | float | None):
            continue
        seen.add(id(thing))
        kept.append(thing)
        yield path, thing
        if depth == DEEP or isinstance(thing, type | FunctionType):
            continue
        found: list[tuple[str, Any]] = []
        if isinstance(thing, Mapping):
            found += [(f"{path}[{key!r}]", value) for key, value in list(thing.items())[:200]]
        elif isinstance(thing, list | tuple | set | frozenset):
            found += [(f"{path}[]", value) for value in list(thing)[:200]]
        elif is_ours(thing) and not isinstance(thing, MethodType):
            for name in names_of(thing, private=private):
                if name in UNSUITED:
                    continue
                try:
                    found.append((f"{path}.{name}", getattr(thing, name)))
                except Exception:  # a property that refuses gives nothing
                    continue
        waiting += [(where, value, depth + 1) for where, value in found]


def guesses(site: Site, user_id: str) -> dict[str, list[Any]]:
    """Return what a hostile caller gives for a parameter of a name."""
    now = site.clock.now
    login = Login(user_id, "jo@example.com", False, (Authentication("email_code", now),), "browser")
    caller = Caller()
    entry = Entry(login=login, caller=caller, user=None, takes=None, then=Writes())
    return {
        "login": [login],
        "caller": [caller],
        "entry": [entry],
        "now": [now],
        "user_id": [user_id],
        "purpose": ["session", "token", "pending"],
        "kind": ["session", "pending"],
        "payload": [bytes(48)],
        "secret": [bytes(48)],
        "email": ["jo@example.com"],
    }


async def call(function: Callable[..., Any], known: Mapping[str, list[Any]], turn: int) -> Any:
    """Call something with what fits its parameters by name, or with whatever; return its answer."""
    try:
        parameters = inspect.signature(function).parameters.values()
        args, kwargs = [], {}
        for one in parameters:
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                continue
            if one.default is not one.empty and one.name not in known:
                continue
            among = known.get(one.name, ["x", None, b"x" * 48, 0])
            given = among[turn % len(among)]
            if one.kind is one.KEYWORD_ONLY:
                kwargs[one.name] = given
            else:
                args.append(given)
        with anyio.move_on_after(0.5):
            answer = function(*args, **kwargs)
            return await answer if inspect.isawaitable(answer) else answer
    except Exception:  # a refusal of any kind is what is hoped for
        return None


async def try_everything(site: Site, start: object, user_id: str) -> int:
    """Call all that the walk finds, several times, and show every answer to the door."""
    known, called = guesses(site, user_id), 0
    for _, thing in list(walk(start)):
        if not callable(thing) or isinstance(thing, type) or not is_ours(thing):
            continue
        for turn in range(3):
            answer = await call(thing, known, turn)
            called += 1
            if isinstance(answer, str) and answer.isascii() and ";" not in answer:
                name = site.browser().cookie_name()
                assert await site.browser(cookies={name: answer}).who() is None, thing
    return called


@pytest.mark.parametrize("who", ["feature", "host"])
async def test_nothing_within_reach_makes_a_session(who: str) -> None:
    hostile = Hostile()
    site = make_site(features=[EmailLogin(), hostile])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    user_id = (await jo.get("/private")).json()["id"]
    await site.passwordless.sessions.revoke_all(user_id)
    start: Kit | Passwordless = hostile.kit if who == "feature" else site.passwordless
    called = await try_everything(site, start, user_id)
    assert called > 100, "the walk goes far enough to mean something"
    assert site.sessions == 0


@pytest.mark.parametrize("who", ["feature", "host"])
def test_the_mint_is_in_no_attribute_of_anything_private_ones_too(who: str) -> None:
    hostile = Hostile()
    site = make_site(features=[EmailLogin(), hostile])
    nested = {c.co_name: c for c in door.make_door.__code__.co_consts if isinstance(c, CodeType)}
    start: object = hostile.kit if who == "feature" else site.passwordless
    found = {
        function.__code__
        for _, thing in walk(start, private=True)
        if isinstance(function := getattr(thing, "__func__", thing), FunctionType)
    }
    assert nested["mint"] not in found
    if who == "feature":
        assert nested["enter"] in found, "the walk does reach the door itself"
