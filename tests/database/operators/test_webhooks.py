"""Webhooks in the database: the contract, over every kind and the double."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.operators.webhooks import MOST, WebhookRepository
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def webhooks(repositories: Repositories) -> WebhookRepository:
    return repositories.webhooks


def webhook(id: str = "wh_a", created_at: int = NOW) -> Webhook:
    return Webhook(
        id=id,
        url="https://hooks.example.com/x",
        description="Zürich",
        kinds=("code.wrong", "session.created"),
        secret=b"\0encrypted",
        created_at=created_at,
        by="operator:jo",
    )


def audit(kind: str = "webhook.created") -> Event:
    return Event(at=NOW, kind=kind, id=format_event_id(NOW, 1), by="operator:jo")


async def test_what_is_kept_is_found_and_listed_in_order(webhooks: WebhookRepository) -> None:
    first, second = webhook("wh_b"), webhook("wh_a", NOW + 1)
    for one in (second, first):
        assert await webhooks.put(one, seen=None) == "done"
    assert await webhooks.list() == [first, second]
    assert await webhooks.find("wh_a") == second
    assert await webhooks.find("wh_c") is None


async def test_a_change_of_what_somebody_else_has_changed_is_stale(
    webhooks: WebhookRepository,
) -> None:
    one = webhook()
    await webhooks.put(one, seen=None)
    mine = replace(one, url="https://mine.example.com/", version=2)
    assert await webhooks.put(replace(one, kinds=(), version=2), seen=1) == "done"
    assert await webhooks.put(mine, seen=1) == "stale"
    assert await webhooks.find("wh_a") == replace(one, kinds=(), version=2)
    assert await webhooks.put(mine, seen=2) == "done"
    assert await webhooks.put(replace(one, id="wh_z"), seen=1) == "stale"
    assert await webhooks.put(one, seen=None) == "stale", "it is there"


async def test_the_event_is_written_with_the_change_or_not_at_all(
    repositories: Repositories,
) -> None:
    webhooks = repositories.webhooks
    assert await webhooks.put(webhook(), seen=7, audit=audit()) == "stale"
    assert await repositories.events.find(EventFilter()) == []
    assert await webhooks.put(webhook(), seen=None, audit=audit()) == "done"
    (found,) = await repositories.events.find(EventFilter())
    assert found.event.kind == "webhook.created"


async def test_there_are_no_more_than_can_be_compared_with_each_event(
    webhooks: WebhookRepository,
) -> None:
    for number in range(MOST):
        assert await webhooks.put(webhook(f"wh_{number:03}"), seen=None) == "done"
    assert await webhooks.put(webhook("wh_more"), seen=None) == "full"
    gone = replace(webhook("wh_000"), deleted_at=NOW, version=2)
    assert await webhooks.put(gone, seen=1) == "done"
    assert await webhooks.put(webhook("wh_more"), seen=None) == "done"


async def test_it_fails_since_the_first_failure_after_the_last_success(
    webhooks: WebhookRepository,
) -> None:
    one = webhook()
    await webhooks.put(one, seen=None)
    for at in (NOW + 1, NOW + 2):
        await webhooks.note_failure("wh_a", at=at)
    assert await webhooks.find("wh_a") == replace(one, failing_since=NOW + 1)
    # A change that was begun before does not take that back, nor is it in the way of one.
    changed = replace(one, description="", version=2)
    assert await webhooks.put(changed, seen=1) == "done"
    assert await webhooks.find("wh_a") == replace(changed, failing_since=NOW + 1)
    await webhooks.note_success("wh_a")
    assert await webhooks.find("wh_a") == changed
    for nobody in ("wh_x",):
        await webhooks.note_failure(nobody, at=NOW)
        await webhooks.note_success(nobody)


async def test_what_is_turned_on_again_begins_anew(webhooks: WebhookRepository) -> None:
    one = webhook()
    await webhooks.put(one, seen=None)
    await webhooks.note_failure("wh_a", at=NOW + 1)
    off = replace(one, off_reason="failing", version=2)
    await webhooks.put(off, seen=1)
    assert await webhooks.find("wh_a") == replace(off, failing_since=NOW + 1)
    on = replace(one, version=3)
    await webhooks.put(on, seen=2)
    assert await webhooks.find("wh_a") == on


async def test_what_is_deleted_is_found_no_more_and_goes_when_it_is_dropped(
    webhooks: WebhookRepository,
) -> None:
    one = webhook()
    await webhooks.put(one, seen=None)
    await webhooks.drop("wh_a")
    assert await webhooks.find("wh_a") == one, "only what is deleted is dropped"
    await webhooks.put(replace(one, deleted_at=NOW, version=2), seen=1)
    assert await webhooks.find("wh_a") is None
    assert await webhooks.list() == []
    assert await webhooks.put(replace(one, version=3), seen=2) == "stale"
    assert await webhooks.list_deleted() == ["wh_a"]
    await webhooks.drop("wh_a")
    assert await webhooks.list_deleted() == []


async def test_who_is_erased_has_made_no_webhook(webhooks: WebhookRepository) -> None:
    await webhooks.put(webhook(), seen=None)
    await webhooks.erase("jo")
    found = await webhooks.find("wh_a")
    assert found is not None
    assert found.by.startswith("operator:erased-")
