"""No event holds a secret or an address, in whichever way somebody signs in (security rule 13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from pwless_middleware import EmailLogin, EventRetention, Passwordless
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import InvalidCode
from tests.support import API_KEY, ROOMY, Site, holds, wrong
from tests.test_events import EMAIL, STORIES, Story, a_login

pytestmark = pytest.mark.anyio

COLUMNS = Statement("SELECT name FROM pragma_table_info('pwless_events') ORDER BY cid")


def secrets_of(site: Site) -> set[str]:
    """Return what the mails of a site hold."""
    found = {API_KEY, EMAIL, EMAIL.partition("@")[0] + "@"}
    for mail in site.outbox.messages:
        found |= {mail.to, mail.code or EMAIL, (mail.link or EMAIL).rpartition("=")[2]}
    return found


def check(events: list[Event], secrets: set[str]) -> None:
    """Look for every secret in all that an event shows."""
    assert events
    assert len(secrets) > 3
    told = "\n".join(f"{event!r} {event.to_dict()}" for event in events)
    for secret in secrets:
        assert len(secret) >= 3
        assert not holds(told, secret)
        assert not holds(told, unquote(secret))


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
async def test_no_story_of_a_browser_tells_one(tell: Callable[[], Awaitable[Story]]) -> None:
    story = await tell()
    secrets = secrets_of(story.site) | set(story.jo.cookies.values()) | {"203.0.113"}
    check(await story.events(), secrets | {"jo@example.com", "other@example.com"})


@pytest.mark.parametrize("keeps", [True, False])
async def test_no_row_of_the_database_holds_one(keeps: bool, tmp_path: Path) -> None:
    """The address in clear stands in its own column where it is kept, and nowhere else."""
    story = Story(
        database=f"sqlite:///{tmp_path}/pwless.db",
        event_retention=EventRetention(keep_addresses=keeps),
    )
    await story.jo.ask(EMAIL)
    await story.jo.type_code(wrong(story.code))
    await story.jo.press_link(story.site.mail().link)
    backend = story.site.backend()
    sent = (await backend.send("other@example.com", state="cart-42-of-jo")).json()
    code = story.site.mail("other@example.com").code
    done = (await backend.verify(sent["auth_request_id"], code=code)).json()
    secrets = secrets_of(story.site) | set(story.jo.cookies.values())
    secrets |= {sent["auth_request_id"], done["session_token"], "cart-42-of-jo", "203.0.113"}
    await story.site.passwordless.lifetime.flush_events()
    database = story.site.passwordless.database
    assert database is not None
    rows = await database.fetch(Statement("SELECT * FROM pwless_events")())
    (names,) = [[name for name, *_ in await database.fetch(COLUMNS())]]
    email = names.index("email")
    kept = {row[email] for row in rows} - {None}
    assert kept == ({EMAIL, "other@example.com"} if keeps else set())
    text = "\n".join(repr([*row[:email], *row[email + 1 :]]) for row in rows)
    assert len(rows) > 8
    assert len(secrets) > 8
    for secret in secrets:
        assert not holds(text, secret)
        assert not holds(text, unquote(secret))
    await story.site.passwordless.lifetime.close()


async def test_a_cookie_is_a_secret_that_this_looks_for() -> None:
    story = await a_login()
    assert len(story.jo.cookies) >= 3


async def test_no_story_of_a_backend_tells_one() -> None:
    story = Story()
    backend = story.site.backend()
    answers = [(await backend.send(EMAIL, state="cart-42-of-jo")).json()]
    answers.append((await backend.resend(answers[0]["auth_request_id"])).json())
    request_id = answers[-1]["auth_request_id"]
    assert (await backend.verify(request_id, code=wrong(story.code))).status_code == 400
    answers.append((await backend.verify(request_id, code=story.code)).json())
    bearer = {"authorization": f"Bearer {answers[-1]['session_token']}"}
    ended = await story.site.browser().request("DELETE", "/auth/api/v1/session", headers=bearer)
    assert ended.status_code == 204
    names = ("auth_request_id", "session_token", "device_token", "state", "email")
    secrets = {str(answer[name]) for answer in answers for name in names if name in answer}
    check(await story.events(), secrets | secrets_of(story.site))


async def test_no_story_in_python_tells_one() -> None:
    story = Story(features=[EmailLogin(send_limits=ROOMY, link_uris=["https://a.example/in"])])
    login: Passwordless = story.site.passwordless
    sent = await login.send(EMAIL, client="203.0.113.7", magiclink_auth_uri="https://a.example/in")
    with pytest.raises(InvalidCode):
        await login.verify(auth_request_id=sent.auth_request_id, code=wrong(story.code))
    token = (story.site.mail().link or "").rpartition("=")[2]
    done = await login.verify(auth_request_id=sent.auth_request_id, link_token=token)
    secrets = {sent.auth_request_id, done.session_token, done.device_token, "203.0.113"}
    secrets.add(done.set_cookie.partition("=")[2].partition(";")[0])
    check(await story.events(), secrets | secrets_of(story.site))
