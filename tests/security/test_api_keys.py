"""API keys of the database: guessed, cut, foreign, revoked, rotated; and what of them is seen
(security rule 62)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import SQLStore
from pwless_middleware.core.operators.api_key import new_key_text
from pwless_middleware.database.database import Database
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.operators.api_keys import ApiKeys, NewApiKey
from pwless_middleware.flows.operators.stored_keys import StoredKeys
from tests.support import API_KEY, Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A file: how each kind of database keeps keys is the contract's to say."""
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield database
    await database.aclose()


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database=database, roomy=True)


def beside(site: Site, database: Database, **options: Any) -> Site:
    """Make another process of the same installation."""
    options.update(store=site.store, clock=site.clock, outbox=site.outbox)
    return make_site(database=database, roomy=True, **options)


def keys_of(site: Site) -> ApiKeys:
    return site.passwordless.api_keys


async def make_key(site: Site, name: str = "shop", *scopes: str, **options: Any) -> NewApiKey:
    return await keys_of(site).create(name, scopes=scopes or ("passwordless",), **options)


async def status(site: Site, key: str) -> int:
    return (await site.backend(key).send(EMAIL)).status_code


async def token(site: Site, key: str, name: str = "shop") -> str:
    """Exchange a key for an access token; empty if that is refused."""
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": key}
    answer = await site.browser().post("/auth/oauth/token", form)
    return str(answer.json().get("access_token", ""))


# --- what opens, and what does not ----------------------------------------------------------------


async def test_a_key_works_wherever_one_in_code_does(site: Site) -> None:
    key = (await make_key(site)).text
    backend = site.backend(key)
    sent = await backend.send(EMAIL)
    assert sent.status_code == 200
    verified = await backend.verify(sent.json()["auth_request_id"], code=site.mail().code)
    assert verified.status_code == 200
    assert await status(site, await token(site, key)) == 200
    assert await status(site, API_KEY) == 200


async def test_what_is_near_a_key_opens_nothing(site: Site) -> None:
    """Its id is public: a secret that is cut, changed, another's or none does not go with it."""
    key, other = (await make_key(site)).text, (await make_key(site, "other")).text
    start = key.partition(".")[0]
    swapped = f"{start}.{other.partition('.')[2]}"
    last = "A" if key[-1] != "A" else "B"
    wrong = [key[:-1], key[:-1] + last, start, f"{start}.", swapped, key.upper(), new_key_text()]
    for text in (*wrong, f"{key}x", f"{key}\x00", f"{key} {key}"):
        assert await status(site, text) == 401, text
        assert await token(site, text) == ""
    assert await token(site, other, "shop") == ""
    assert await status(site, key) == 200


async def test_a_key_of_another_deployment_opens_nothing(site: Site, tmp_path: Path) -> None:
    other = make_site(database=f"sqlite:///{tmp_path}/other.db", base_url="https://b.example.com")
    key = (await make_key(other)).text
    assert await status(site, key) == 401
    assert await status(other, key) == 200
    # Nor does an access token for a key that both have: it is signed for one of them.
    copied = await token(other, key)
    assert await status(site, copied) == 401
    assert other.passwordless.database is not None
    await other.passwordless.database.aclose()


async def test_a_guess_never_asks_the_database_for_a_secret(site: Site) -> None:
    """What is looked up is the public id: the time of a lookup tells nothing of any secret."""
    key = (await make_key(site)).text
    asked: list[str] = []
    stored = stored_of(site)
    find = stored._repository.find

    async def watch(id: str) -> Any:
        asked.append(id)
        return await find(id)

    stored._repository.find = watch  # type: ignore[method-assign]
    secret = key.partition(".")[2]
    for text in (key, f"{key[:-1]}A", new_key_text(), "pwk_" + secret, "pwk_" + "a" * 16):
        await status(site, text)
    assert asked
    assert all(len(id) == 16 and secret not in id for id in asked)


# --- scopes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "sends", "reads"),
    [(["passwordless"], 200, 403), (["events"], 403, 200), (["users", "users:read"], 403, 403)],
)
async def test_a_key_does_only_what_it_is_for(
    scopes: list[str], sends: int, reads: int, site: Site
) -> None:
    key = (await make_key(site, "shop", *scopes)).text
    for credential in (key, await token(site, key)):
        backend = site.backend(credential)
        sent = await backend.send(EMAIL)
        assert sent.status_code == sends
        answer = await backend.browser.get("/auth/api/v1/events")
        assert answer.status_code == reads
        if sends == 403:
            (detail,) = sent.json()["details"]
            assert detail["error_code"] == "MISSING_SCOPE"
            assert sent.json()["message"] == "This API key lacks the scope passwordless."


# --- the end of a key -----------------------------------------------------------------------------


async def test_a_revoked_key_ends_everywhere_with_its_access_tokens(
    site: Site, database: Database
) -> None:
    other = beside(site, database)
    key = (await make_key(site)).text
    access = await token(other, key)
    assert {await status(one, key) for one in (site, other)} == {200}
    assert await status(other, access) == 200
    await keys_of(site).revoke("shop")
    for one in (site, other):
        assert await status(one, key) == 401
        assert await status(one, access) == 401
        assert await token(one, key) == ""


async def test_a_revocation_is_heard_through_the_file_that_two_processes_share(
    tmp_path: Path,
) -> None:
    """Each with its own connections: nothing but the file lies between them."""
    url = f"sqlite:///{tmp_path}/shared.db"
    one, other = (make_site(database=url, store=SQLStore(Database(url))) for _ in range(2))
    key = (await make_key(one)).text
    async with asyncio.timeout(30):
        assert await token(other, key)
        await keys_of(one).revoke("shop")
        while await token(other, key):
            pass
    for site in (one, other):
        await site.passwordless.lifetime.close()


async def test_a_key_is_held_only_while_a_revocation_would_be_heard(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request with a held key asks no database; without the feed, each one does."""
    key = (await make_key(site)).text
    for _ in range(2):  # the store may be opened behind the first, which forgets what is held
        assert await status(site, key) == 200
    stored = stored_of(site)
    find, asked = stored._repository.find, []

    async def watch(id: str) -> Any:
        asked.append(id)
        return await find(id)

    monkeypatch.setattr(stored._repository, "find", watch)
    await status(site, key)
    assert asked == []
    monkeypatch.setattr(type(site.store.feed), "is_live", lambda feed: False)
    for count in (1, 2):
        await status(site, key)
        assert len(asked) == count


async def test_a_key_that_was_read_while_it_was_revoked_is_not_held(site: Site) -> None:
    made = await make_key(site)
    stored = stored_of(site)
    find = stored._repository.find

    async def find_and_be_late(id: str) -> Any:
        found = await find(id)
        await keys_of(site).revoke("shop")
        return found

    stored._repository.find = find_and_be_late  # type: ignore[method-assign]
    assert await stored.find(made.text) is not None  # it was read before
    stored._repository.find = find  # type: ignore[method-assign]
    assert await stored.find(made.text) is None


async def test_a_key_ends_by_itself_when_it_expires(site: Site) -> None:
    key = (await make_key(site, expires_in=3600)).text
    access = await token(site, key)
    site.clock.advance(3599)
    assert (await status(site, key), await status(site, access)) == (200, 200)
    site.clock.advance(1)
    assert (await status(site, key), await status(site, access)) == (401, 401)


async def test_a_rotation_gives_a_new_key_and_the_old_one_its_overlap(site: Site) -> None:
    old = await make_key(site, expires_in=86400)
    access = await token(site, old.text)
    new = await keys_of(site).rotate("shop", overlap=60)
    assert new.key.scopes == old.key.scopes
    assert new.key.expires_at == site.clock.now + 86400
    assert {await status(site, key) for key in (old.text, new.text, access)} == {200}
    site.clock.advance(60)
    assert [await status(site, key) for key in (old.text, access, new.text)] == [401, 401, 200]
    at_once = await keys_of(site).rotate("shop")
    assert [await status(site, key) for key in (new.text, at_once.text)] == [401, 200]


async def test_rotations_at_the_same_time_each_give_a_key(site: Site) -> None:
    await make_key(site)
    made = await asyncio.gather(*(keys_of(site).rotate("shop", overlap=60) for _ in range(4)))
    assert sorted(new.key.generation for new in made) == [2, 3, 4, 5]
    assert {await status(site, new.text) for new in made} == {200}


async def test_an_access_token_is_none_where_there_is_no_database_any_more(site: Site) -> None:
    access = await token(site, (await make_key(site)).text)
    without = make_site(store=site.store, clock=site.clock)
    assert await status(without, access) == 401


async def test_revoking_twice_is_told_once(database: Database) -> None:
    told: list[str] = []
    site = make_site(database=database, on_event=lambda event: told.append(event.kind))
    await make_key(site)
    for _ in range(2):
        await keys_of(site).revoke("shop")
    await asyncio.sleep(0)
    assert told.count("api_key.revoked") == 1


async def test_a_challenge_goes_on_with_the_next_key_of_its_name_and_no_other(site: Site) -> None:
    old, stranger = await make_key(site), await make_key(site, "other")
    request_id = (await site.backend(old.text).send(EMAIL)).json()["auth_request_id"]
    code = site.mail().code
    new = await keys_of(site).rotate("shop", overlap=60)
    refused = await site.backend(stranger.text).verify(request_id, code=code)
    assert refused.status_code == 410
    assert (await site.backend(new.text).verify(request_id, code=code)).status_code == 200


# --- names ----------------------------------------------------------------------------------------


async def test_a_name_is_never_given_to_somebody_else(site: Site, database: Database) -> None:
    """Challenges belong to the name: who gets it would find what was another's."""
    keys = keys_of(site)
    await make_key(site)
    await keys.revoke("shop")
    with pytest.raises(ConfigError, match="taken"):
        await make_key(site)
    with pytest.raises(ConfigError, match="revoked"):
        await keys.rotate("shop")
    with pytest.raises(ConfigError, match="key in code"):
        await make_key(site, "backend")
    for act in (keys.rotate("nobody"), keys.revoke("nobody")):
        with pytest.raises(ConfigError, match="no key 'nobody'"):
            await act


async def test_a_key_whose_name_code_has_taken_since_is_refused(
    site: Site, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    key = (await make_key(site)).text
    later = beside(site, database, api_keys={"shop": API_KEY})
    with caplog.at_level(logging.WARNING, "pwless.api_keys"):
        assert await status(later, key) == 401
    assert "code has a key of that name" in caplog.text
    assert await status(later, API_KEY) == 200


# --- what is seen of a key ------------------------------------------------------------------------


async def test_no_secret_stands_in_database_log_event_or_repr(
    site: Site, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    with caplog.at_level(logging.DEBUG):
        other = beside(site, database, on_event=told.append)
        made = await make_key(other)
        again = await keys_of(other).rotate("shop", overlap=9)
        for text in (made.text, again.text, made.text[:-1]):
            await status(other, text)
        await keys_of(other).revoke("shop")
        await asyncio.sleep(0)
    seen = [repr(made), repr(again), str(await keys_of(other).list()), caplog.text, repr(told)]
    seen += [(tmp_path / name).read_bytes().decode("latin-1") for name in os.listdir(tmp_path)]
    for key in (made, again):
        secret = key.text.partition(".")[2]
        assert all(secret not in text for text in seen)
        assert repr(key.key.digest) not in "".join(seen[:5])
    assert {event.kind for event in told} >= {
        f"api_key.{w}" for w in ("created", "rotated", "revoked")
    }
    await database.aclose()


async def test_the_time_of_use_is_noted_once_an_hour(site: Site) -> None:
    key = (await make_key(site)).text
    begun = site.clock.now
    for seconds in (0, 10, 3590):
        site.clock.advance(seconds)
        await status(site, key)
    (one,) = await keys_of(site).list()
    assert one.used_at == begun + 3600


# --- what goes wrong ------------------------------------------------------------------------------


async def test_a_database_that_is_down_is_503_and_keys_in_code_go_on(site: Site) -> None:
    key = (await make_key(site)).text
    stored = stored_of(site)

    async def fail(id: str) -> Any:
        raise StoreError("the database cannot be asked")

    stored._repository.find = fail  # type: ignore[method-assign]
    assert await status(site, key) == 503
    assert await status(site, API_KEY) == 200
    assert await status(site, "pwk_short") == 401


async def test_a_use_that_cannot_be_noted_lets_in_all_the_same(site: Site) -> None:
    key = (await make_key(site)).text
    stored = stored_of(site)

    async def fail(id: str, *, at: int) -> None:
        raise StoreError("the disk is full")

    stored._repository.note_use = fail  # type: ignore[method-assign]
    assert await status(site, key) == 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "a b"}, "name keys by"),
        ({"scopes": []}, "give at least one"),
        ({"scopes": ["everything"]}, "'everything' is none; there are passwordless, "),
        ({"expires_in": 59}, "expires_in: set whole seconds, 60"),
        ({"expires_in": "1d"}, "expires_in: set whole seconds"),
        ({"by": ""}, "by: say"),
    ],
)
async def test_bad_input_says_what_to_set(options: dict[str, Any], says: str, site: Site) -> None:
    given: dict[str, Any] = {"name": "shop", "scopes": ["events"], **options}
    with pytest.raises(ConfigError, match=says):
        await keys_of(site).create(given.pop("name"), **given)
    assert await keys_of(site).list() == []


async def test_without_a_database_it_says_how_to_add_one() -> None:
    with pytest.raises(ConfigError, match="add database="):
        await make_key(make_site())


def stored_of(site: Site) -> StoredKeys:
    """Return what finds the keys of the database."""
    stored = site.passwordless.routes._callers.servers._stored
    assert stored is not None
    return stored
