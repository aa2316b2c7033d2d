"""Webhooks as an operator and a receiver have them: made, sent, verified, seen, sent again."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import AsyncExitStack, closing
from html import unescape
from pathlib import Path

import pytest
import standardwebhooks

from pwless_middleware import ConfigError, Dashboard, EmailLogin, Webhooks
from pwless_middleware.core.operators.webhook import WebhookDelivery
from pwless_middleware.database.operators.webhooks import MOST
from tests.delivery.texts.fake_server import reply
from tests.features.dashboard.operators import HELP, LOOK, OPS
from tests.features.webhooks.receivers import (
    PAGE,
    make_webhook_site,
    receiving,
    secret_on,
    until,
)
from tests.own_account import make_kept_site, signed_in
from tests.support import Browser, Site, led_to, make_site

pytestmark = pytest.mark.anyio


async def settled(site: Site, id: str, *, state: str = "delivered") -> WebhookDelivery:
    """Return the newest delivery once it is in a state."""
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    async with asyncio.timeout(30):
        while True:
            for found in await repositories.webhook_deliveries.list(id, limit=1):
                if found.state == state:
                    return found
            await asyncio.sleep(0.01)


async def versions(ops: Browser, id: str) -> str:
    page = await ops.get(f"{PAGE}/{id}/edit")
    return str(re.findall(r'name="version" value="(\d+)"', page.text)[0])


def files_of(folder: Path) -> bytes:
    """Return whatever a database has on the disk."""
    return b"".join(path.read_bytes() for path in folder.glob("pwless.db*"))


# --- what is sent --------------------------------------------------------------------------------


async def test_a_login_is_sent_signed_and_without_what_is_nobodys(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        await receiver.add(ops, "session.created")
        await signed_in(site, "jo@example.com")
        seen = await receiver.next()
        message = receiver.open(seen)
    assert (seen.method, seen.target) == ("POST", "/hook")
    assert seen.headers["content-type"] == "application/json"
    assert message["type"] == "session.created"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", message["timestamp"])
    data = message["data"]
    assert data["methods"] == ["email_code"]
    assert data["user_id"]
    assert data["session"]
    assert seen.headers["webhook-id"] == f"msg_{data['id']}"
    assert data.keys() == {
        *("id", "attempt", "user_id", "methods", "session", "caller", "device"),
    }
    assert "jo@" not in seen.body.decode(), "no address"
    assert not receiver.has_more(), "one kind was asked for"


async def test_all_kinds_are_sent_but_those_of_webhooks(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        await receiver.add(ops)
        await signed_in(site, "jo@example.com")
        kinds = {receiver.open(await receiver.next())["type"] for _ in range(5)}
    assert {"send.requested", "mail.sent", "login.verified", "session.created"} <= kinds
    assert not any(kind.startswith("webhook.") for kind in kinds)


async def test_a_test_is_sent_and_seen(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        receiver.answer = lambda _: reply(200, "thanks\x00\x1b[31m<b>")
        id = await receiver.add(ops, "code.wrong")
        done = await ops.post(f"{PAGE}/{id}/test", {})
        message = receiver.open(await receiver.next())
        assert message["type"] == "webhook.test"
        await settled(site, id)
        page = (await ops.get(led_to(done))).text
    assert "Delivered" in page
    assert "Answer 200" in page
    assert "thanks\ufffd\ufffd[31m&lt;b&gt;" in page, "text, and nothing that a terminal runs"
    assert json.dumps(message, indent=2, ensure_ascii=False) in unescape(page)


async def test_the_same_message_is_signed_by_nobody_else(tmp_path: Path) -> None:
    _, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        id = await receiver.add(ops, "code.wrong")
        await ops.post(f"{PAGE}/{id}/test", {})
        seen = await receiver.next()
        other = secret_on((await ops.post(PAGE, {"url": "https://other.example.com"})).text)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        receiver.open(seen, other)
    changed = seen.body.replace(b"test", b"tent", 1)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(receiver.secret).verify(changed, seen.headers)


async def test_a_new_secret_signs_beside_the_old_one_for_the_overlap(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        id = await receiver.add(ops, "code.wrong")
        form = {"version": await versions(ops, id), "overlap": "3600"}
        rotated = await ops.post(f"{PAGE}/{id}/secret", form)
        new = secret_on(rotated.text)
        assert new != receiver.secret
        await ops.post(f"{PAGE}/{id}/test", {})
        seen = await receiver.next()
        assert receiver.open(seen) == receiver.open(seen, new)
        await settled(site, id)
        # A form that is sent twice rotates once: the secret that was shown stays the one.
        again = await ops.post(f"{PAGE}/{id}/secret", form)
        assert again.status_code == 400
        assert "whsec_" not in again.text
        form = {"version": await versions(ops, id), "overlap": "0"}
        newest = secret_on((await ops.post(f"{PAGE}/{id}/secret", form)).text)
        await ops.post(f"{PAGE}/{id}/test", {})
        seen = await receiver.next()
        receiver.open(seen, newest)
        for old in (receiver.secret, new):
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                receiver.open(seen, old)


async def test_after_the_overlap_the_old_secret_signs_no_more(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        id = await receiver.add(ops, "code.wrong")
        form = {"version": await versions(ops, id), "overlap": "3600"}
        await ops.post(f"{PAGE}/{id}/secret", form)
        site.clock.now += 3600
        ops = await signed_in(site, OPS)
        await ops.post(f"{PAGE}/{id}/test", {})
        seen = await receiver.next()
        assert len(seen.headers["webhook-signature"].split(" ")) == 1


async def is_off(ops: Browser, id: str) -> bool:
    return "it answered that it is gone" in (await ops.get(f"{PAGE}/{id}")).text


async def test_what_failed_can_be_sent_again(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        receiver.answer = lambda _: reply(410, "gone")
        id = await receiver.add(ops, "code.wrong")
        done = await ops.post(f"{PAGE}/{id}/test", {})
        first = await receiver.next()
        await settled(site, id, state="failed")
        assert "Send again" in (await ops.get(led_to(done))).text
        receiver.answer = lambda _: reply(204)
        await until(lambda: is_off(ops, id))
        await ops.post(f"{PAGE}/{id}/on", {})
        path = led_to(done).partition("?")[0]
        again = await ops.post(path, {})
        assert led_to(again) == f"{path}?done=replayed"
        second = await receiver.next()
        delivery = await settled(site, id)
    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert delivery.tries == 2
    kinds = [event.kind for event in site.passwordless.events.recent(kind="webhook.replayed")]
    assert len(kinds) == 1


# --- the pages -----------------------------------------------------------------------------------


async def test_a_webhook_is_made_and_its_secret_shown_once(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    assert "No webhooks yet" in (await ops.get(PAGE)).text
    form = {
        "url": " https://hooks.example.com/x?token=t0ken ",
        "description": "<b>billing</b>",
        "kinds": "session.created\r\ncode.wrong  code.wrong",
    }
    page = await ops.post(PAGE, form)
    secret, (id,) = secret_on(page.text), set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    for path in (PAGE, f"{PAGE}/{id}", f"{PAGE}/{id}/edit", f"{PAGE}/{id}/secret"):
        shown = await ops.get(path)
        assert shown.status_code == 200
        assert secret not in shown.text
    assert "&lt;b&gt;billing" in (await ops.get(PAGE)).text
    assert OPS in (await ops.get(f"{PAGE}/{id}")).text.partition("<main")[2]
    (event,) = site.passwordless.events.recent(kind="webhook.created")
    assert event.by is not None
    assert event.by.startswith("operator:")
    assert event.details == {
        "id": id, "host": "hooks.example.com", "kinds": "code.wrong session.created",
    }  # fmt: skip
    assert secret.removeprefix("whsec_").encode() not in files_of(tmp_path)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"url": ""}, "The address has to begin with https://."),
        ({"url": "http://hooks.example.com"}, "The address has to begin with https://."),
        ({"url": "https://169.254.169.254/latest"}, "This address is not on the public internet."),
        ({"url": "https://10.0.0.1"}, "This address is not on the public internet."),
        ({"url": "https://hooks.example.com:25"}, "Use port 443, or one from 1024."),
        ({"url": "https://jo:pw@hooks.example.com"}, "This is not an address of a server."),
        # What the login refuses is an event, so that each would bring about the next.
        ({"url": "https://app.example.com/auth/login"}, "This is the login itself."),
        ({"url": "https://APP.example.com.:443/x/..//%61uth/"}, "This is the login itself."),
        ({"url": "https://hooks.example.com", "kinds": "no.such"}, "There are no events no.such."),
        ({"url": "https://hooks.example.com", "kinds": "webhook.created"}, "There are no events"),
        ({"url": "https://hooks.example.com", "description": "x" * 201}, "Use up to 200 letters"),
        ({"url": "https://hooks.example.com", "description": "a\x00b"}, "Use up to 200 letters"),
    ],
)
async def test_a_bad_field_is_told_beside_it(
    tmp_path: Path, form: dict[str, str], said: str
) -> None:
    _, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, form)
    assert page.status_code == 400
    assert said in unescape(page.text)
    assert "No webhooks yet" in (await ops.get(PAGE)).text


async def test_a_change_that_somebody_else_has_made_is_not_overwritten(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com"})
    (id,) = set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    version = await versions(ops, id)
    mine = {"url": "https://mine.example.com", "version": version}
    theirs = {"url": "https://theirs.example.com", "kinds": "code.wrong", "version": version}
    done = await ops.post(f"{PAGE}/{id}/edit", theirs)
    assert led_to(done) == f"{PAGE}/{id}?done=changed"
    second = await ops.post(f"{PAGE}/{id}/edit", mine)
    assert second.status_code == 400
    assert "Somebody has changed this webhook meanwhile" in second.text
    assert "theirs.example.com" in (await ops.get(f"{PAGE}/{id}")).text
    (event,) = site.passwordless.events.recent(kind="webhook.changed")
    assert event.details == {
        "id": id, "from": "hooks.example.com: all", "to": "theirs.example.com: code.wrong",
    }  # fmt: skip


async def test_what_is_off_is_sent_nothing_and_what_is_deleted_is_nowhere(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver, AsyncExitStack() as stack:
        other = await stack.enter_async_context(receiving())
        id = await receiver.add(ops, "session.created")
        await other.add(ops, "session.created")
        assert led_to(await ops.post(f"{PAGE}/{id}/off", {})) == f"{PAGE}/{id}?done=off"
        await signed_in(site, "jo@example.com")
        await other.next()
        await ops.post(f"{PAGE}/{id}/on", {})
        await signed_in(site, "kim@example.com")
        kim = receiver.open(await receiver.next())["data"]["user_id"]
        assert kim == site.passwordless.events.recent(kind="session.created")[0].user_id
        assert not receiver.has_more()
        assert "cannot be taken back" in (await ops.get(f"{PAGE}/{id}/delete")).text
        await ops.post(f"{PAGE}/{id}/delete", {})
        await signed_in(site, "ana@example.com")
        for _ in range(2):
            await other.next()
        assert (await ops.get(f"{PAGE}/{id}")).status_code == 404
        assert f"/{id}" not in (await ops.get(PAGE)).text
        assert not receiver.has_more()


async def test_a_list_goes_by_pages_and_states(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com"})
    (id,) = set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    await repositories.webhook_deliveries.add(
        [
            WebhookDelivery(
                webhook_id=id,
                event_id=f"{number:016x}",
                kind="code.wrong",
                at=site.clock.now,
                body="{}",
                state="failed" if number % 2 else "delivered",
            )
            for number in range(60)
        ]
    )
    first = await ops.get(f"{PAGE}/{id}")
    older = unescape(re.findall(r'rel="next" href="([^"]+)"', first.text)[0])
    second = await ops.get(older)
    shown = [re.findall(r"deliveries/([0-9a-f]{16})", text) for text in (first.text, second.text)]
    assert [len(ids) for ids in shown] == [50, 10]
    assert not set(shown[0]) & set(shown[1])
    failed = await ops.get(f"{PAGE}/{id}?state=failed")
    assert len(re.findall(r"deliveries/[0-9a-f]{16}", failed.text)) == 30


@pytest.mark.parametrize(
    "query", ["?state=x", "?before=x", "?before=" + "g" * 16, "?page=2", "?state=failed&state=x"]
)
async def test_a_filter_that_there_is_not_is_refused(tmp_path: Path, query: str) -> None:
    _, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com"})
    (id,) = set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    assert (await ops.get(f"{PAGE}/{id}{query}")).status_code == 400


@pytest.mark.parametrize("id", ["x", "wh_" + "a" * 16, "wh_%00", "wh_'%20OR%201=1", "wh_%0a"])
async def test_what_there_is_not_is_not_found(tmp_path: Path, id: str) -> None:
    _, ops = await make_webhook_site(tmp_path)
    for path in (f"{PAGE}/{id}", f"{PAGE}/{id}/edit", f"{PAGE}/{id}/deliveries/{id}"):
        assert (await ops.get(path)).status_code == 404, path
    for verb in ("on", "off", "test", "delete", "edit", "secret", f"deliveries/{id}"):
        assert (await ops.post(f"{PAGE}/{id}/{verb}", {})).status_code == 404, verb


async def test_who_may_only_look_changes_nothing(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com"})
    (id,) = set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    for email in (LOOK, HELP):
        browser = await signed_in(site, email)
        shown = await browser.get(f"{PAGE}/{id}")
        assert shown.status_code == 200
        assert "Turn off" not in shown.text
        for verb in ("on", "off", "test", "delete", "edit", "secret"):
            assert (await browser.post(f"{PAGE}/{id}/{verb}", {})).status_code == 404
        assert (await browser.post(PAGE, {"url": "https://x.example.com"})).status_code == 404


async def test_the_path_of_an_address_is_for_admins(tmp_path: Path) -> None:
    """With many services whoever has it may write there (security rule 62)."""
    site, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com/T0/s3cr3t?token=t0ken"})
    id = re.findall(r"wh_[a-z2-7]{16}", page.text)[0]
    sent = led_to(await ops.post(f"{PAGE}/{id}/test", {}))
    for path in (PAGE, f"{PAGE}/{id}", sent):
        assert "/T0/s3cr3t?token=t0ken" in (await ops.get(path)).text
        for address in (LOOK, HELP):
            page = await (await signed_in(site, address)).get(path)
            assert "https://hooks.example.com/…" in page.text
            assert "s3cr3t" not in page.text
            assert "t0ken" not in page.text


async def test_for_somebody_else_there_are_none(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path)
    page = await ops.post(PAGE, {"url": "https://hooks.example.com"})
    (id,) = set(re.findall(r"wh_[a-z2-7]{16}", page.text))
    jo = await signed_in(site, "jo@example.com")
    nothing = await jo.get("/auth/dashboard/no-such-page")
    for route in site.passwordless.routes.all:
        if route.path.startswith("/dashboard/webhooks"):
            path = "/auth" + route.path.format(id=id, event="0" * 16)
            for method in route.methods:
                form: dict[str, str] | None = {} if method == "POST" else None
                answer = await jo.request(method, path, form=form)
                assert (answer.status_code, answer.text) == (404, nothing.text), path


async def test_there_are_no_more_than_each_event_can_be_compared_with(tmp_path: Path) -> None:
    _, ops = await make_webhook_site(tmp_path)
    for number in range(MOST):
        page = await ops.post(PAGE, {"url": f"https://x{number}.example.com"})
        assert page.status_code == 200
    page = await ops.post(PAGE, {"url": "https://more.example.com"})
    assert page.status_code == 400
    assert f"There can be {MOST} webhooks" in page.text


# --- set-up --------------------------------------------------------------------------------------


def test_what_it_needs_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Webhooks needs one: add database="):
        make_site(features=[EmailLogin(), Webhooks()])
    with pytest.raises(ConfigError, match=r"add Dashboard\(\.\.\.\)"):
        make_kept_site(tmp_path, features=[EmailLogin(), Webhooks()])
    with pytest.raises(ConfigError, match="unsafe_loopback"):
        Webhooks(unsafe_loopback="no")  # type: ignore[arg-type]


class Twin(Webhooks):
    """A class of somebody else's."""


def test_a_subclass_does_not_reach_the_webhooks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not reach the webhooks"):
        make_kept_site(tmp_path, features=[EmailLogin(), Dashboard(operators=[OPS]), Twin()])


async def test_without_the_option_this_machine_is_refused(tmp_path: Path) -> None:
    from tests.features.dashboard.operators import make_dashboard

    _, ops = await make_dashboard(tmp_path, features=[Webhooks()])
    for url in ("http://localhost:8000", "https://127.0.0.1", "https://[::1]:8000"):
        assert (await ops.post(PAGE, {"url": url})).status_code == 400


async def test_a_deletion_leaves_nothing_that_was_on_its_way_meanwhile(tmp_path: Path) -> None:
    """The end of the person's sessions is an event, which is sent once they are erased."""
    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        await receiver.add(ops, "session.ended")
        await site.browser().sign_in("jo@example.com")
        jo = await site.passwordless.people.find("jo@example.com")
        assert jo is not None
        await site.passwordless.people.delete(jo.id)
        assert jo.id.encode() in (await receiver.next()).body
    writer = site.passwordless.events._writer
    assert writer is not None
    await writer.flush()  # as some seconds later
    with closing(sqlite3.connect(tmp_path / "pwless.db")) as connection:
        left = connection.execute(
            "SELECT body FROM pwless_webhook_deliveries WHERE kind = 'session.ended'"
        ).fetchall()
    assert left == []
