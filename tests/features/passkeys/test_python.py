"""Passkeys by the host's own code: `passwordless.verbs(Passkeys)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Passkeys
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import (
    InvalidArgument,
    InvalidCredential,
    NotFound,
    PersonNotFound,
    RateLimited,
    RequestExpired,
)
from pwless_middleware.features.passkeys.python import PasskeyVerbs
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import JO, KIM, enroll, make_passkey_site, newest_event, sign_in
from tests.support import BASE, Site, cookie_name

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path)


@pytest.fixture
def verbs(site: Site) -> PasskeyVerbs:
    return site.passwordless.verbs(Passkeys)


async def person(site: Site, email: str = JO) -> str:
    """Make somebody, and return their id."""
    return (await site.passwordless.people.create(email, by="python")).id


async def add(verbs: PasskeyVerbs, user_id: str, authenticator: Authenticator) -> bytes:
    """Make a passkey for somebody, and return its id."""
    prompt = await verbs.creation_options(user_id)
    credential = authenticator.create(prompt.options, origin=BASE)
    made = await verbs.add(user_id, ceremony_id=prompt.ceremony_id, credential=credential)
    return made.id


async def test_a_host_makes_a_passkey_and_signs_its_person_in(
    site: Site, verbs: PasskeyVerbs
) -> None:
    user_id, authenticator = await person(site), Authenticator()
    id = await add(verbs, user_id, authenticator)
    assert newest_event(site, "passkey.added").by == "python"
    prompt = await verbs.login_options(client="192.0.2.1")
    credential = authenticator.get(prompt.options, origin=BASE)
    done = await verbs.verify(
        ceremony_id=prompt.ceremony_id,
        credential=credential,
        client="192.0.2.1",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    )
    assert (done.user.id, done.email, done.session.methods) == (user_id, JO, ("passkey",))
    assert done.session.device == "Firefox on Linux"
    assert done.session_token.startswith("pws_")
    name, _, value = done.set_cookie.partition(";")[0].partition("=")
    assert name == cookie_name(site.passwordless)
    assert await site.browser(cookies={name: value}).who() == JO
    assert [passkey.id for passkey in await verbs.list(user_id)] == [id]
    with pytest.raises(RequestExpired):
        await verbs.verify(ceremony_id=prompt.ceremony_id, credential=credential)


async def test_a_host_renames_removes_and_resets(site: Site, verbs: PasskeyVerbs) -> None:
    user_id, kim = await person(site), await person(site, KIM)
    first, second = [await add(verbs, user_id, Authenticator()) for _ in range(2)]
    await verbs.rename(user_id, b64(first), "Old phone")
    names = {passkey.id: passkey.name for passkey in await verbs.list(user_id)}
    assert names == {first: "Old phone", second: "Google Password Manager"}
    for unfit in ("", "x" * 61, "a\nb"):
        with pytest.raises(InvalidArgument):
            await verbs.rename(user_id, first, unfit)
    for stranger, id in ((kim, first), (user_id, b"nobody's"), (user_id, "???")):
        with pytest.raises(NotFound):
            await verbs.rename(stranger, id, "Mine")
        with pytest.raises(NotFound):
            await verbs.remove(stranger, id)
    await verbs.remove(user_id, first)
    assert [passkey.id for passkey in await verbs.list(user_id)] == [second]
    assert await verbs.reset(user_id) == 1
    assert await verbs.list(user_id) == []


async def test_a_challenge_is_one_persons(site: Site, verbs: PasskeyVerbs) -> None:
    jo, kim = await person(site), await person(site, KIM)
    prompt = await verbs.creation_options(jo)
    credential = Authenticator().create(prompt.options, origin=BASE)
    with pytest.raises(RequestExpired):
        await verbs.add(kim, ceremony_id=prompt.ceremony_id, credential=credential)
    assert await verbs.list(kim) == []
    for id in ("nobody", ""):
        with pytest.raises(PersonNotFound):
            await verbs.creation_options(id)


async def test_a_challenge_over_http_is_no_challenge_in_python(
    site: Site, verbs: PasskeyVerbs
) -> None:
    _, authenticator = await enroll(site)
    server = site.backend().browser
    asked = (await server.request("POST", "/auth/api/v1/passkeys/login/options", json={})).json()
    credential = authenticator.get(asked["options"], origin=BASE)
    with pytest.raises(RequestExpired):
        await verbs.verify(ceremony_id=asked["ceremony_id"], credential=credential)


async def test_what_is_no_argument_is_named(site: Site, verbs: PasskeyVerbs) -> None:
    prompt = await verbs.login_options()
    good: dict[str, Any] = {"ceremony_id": prompt.ceremony_id, "credential": {"id": "AA"}}
    wrongs: tuple[tuple[str, object], ...] = (
        ("ceremony_id", 5),
        ("ceremony_id", ""),
        ("credential", None),
        ("credential", "x"),
        ("credential", {"id": "\ud800"}),
        ("client", "x"),
        ("client", 5),
        ("user_agent", 5),
        ("ends", "x"),
    )
    for name, value in wrongs:
        with pytest.raises(InvalidArgument) as raised:
            await verbs.verify(**{**good, name: value})
        assert raised.value.violations[0].field.startswith(name), name


async def test_the_limits_of_a_client_hold_for_hosts_too(verbs: PasskeyVerbs) -> None:
    for _ in range(120):
        await verbs.login_options(client="192.0.2.1")
    with pytest.raises(RateLimited):
        await verbs.login_options(client="192.0.2.1")
    await verbs.login_options()


class Table:
    """A host's own users."""

    def __init__(self) -> None:
        self.users = {JO: User(id="u-1", email=JO), KIM: User(id="u-2", email=KIM)}

    async def find(self, email: str) -> User | None:
        return self.users.get(email)

    create = find

    async def load(self, user_id: str) -> User | None:
        return next((user for user in self.users.values() if user.id == user_id), None)


async def test_passkeys_hang_on_the_ids_of_a_hosts_own_table(tmp_path: Path) -> None:
    table = Table()
    site = make_passkey_site(tmp_path, users=table)
    verbs, authenticator = site.passwordless.verbs(Passkeys), Authenticator()
    await add(verbs, "u-1", authenticator)
    done = await sign_in(site.browser(), authenticator)
    assert (done.json()["user_id"], done.json()["email"]) == ("u-1", JO)
    moved = User(id="u-1", email="new@example.com")
    table.users = {"new@example.com": moved, JO: User(id="u-3", email=JO)}
    done = await sign_in(site.browser(), authenticator)
    assert (done.json()["user_id"], done.json()["email"]) == ("u-1", "new@example.com")
    del table.users["new@example.com"]
    prompt = await verbs.login_options()
    credential = authenticator.get(prompt.options, origin=BASE)
    with pytest.raises(InvalidCredential):
        await verbs.verify(ceremony_id=prompt.ceremony_id, credential=credential)
