"""What is sent to webhooks, in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.operators.webhook import TRIES, NextTry, WebhookDelivery
from pwless_middleware.database.operators.webhook_deliveries import (
    AT_ONCE,
    WebhookDeliveryRepository,
)
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def deliveries(repositories: Repositories) -> WebhookDeliveryRepository:
    return repositories.webhook_deliveries


def delivery(
    number: int = 1, webhook_id: str = "wh_a", user_id: str | None = "jo"
) -> WebhookDelivery:
    return WebhookDelivery(
        webhook_id=webhook_id,
        event_id=format_event_id(NOW, number),
        kind="session.created",
        at=NOW,
        body='{"type":"session.created"}',
        user_id=user_id,
        by=f"operator:kim{number}",
        next_at=NOW + number,
    )


def first_try(one: WebhookDelivery) -> NextTry:
    return NextTry(one.webhook_id, one.event_id, one.tries)


async def test_what_is_kept_is_found_and_what_is_there_stays(
    deliveries: WebhookDeliveryRepository,
) -> None:
    one = delivery()
    await deliveries.add([one, delivery(2)])
    await deliveries.add([replace(one, body="{}"), delivery(3)])
    assert await deliveries.find(one.webhook_id, one.event_id) == one
    assert await deliveries.find("wh_b", one.event_id) is None


async def test_they_are_listed_by_page_and_state(deliveries: WebhookDeliveryRepository) -> None:
    all = [delivery(number) for number in range(1, 6)]
    await deliveries.add([*all, delivery(9, "wh_b")])
    taken = await deliveries.take(first_try(all[2]), at=NOW, again_at=NOW + 60)
    assert taken is not None
    failed = replace(taken, state="failed", next_at=None, status=500, answer="no", milliseconds=9)
    await deliveries.settle(failed)
    found = await deliveries.list("wh_a", limit=2)
    assert found == [all[4], all[3]]
    found = await deliveries.list("wh_a", before=found[-1].event_id, limit=2)
    assert found == [failed, all[1]]
    assert await deliveries.list("wh_a", state="failed") == [failed]
    assert await deliveries.list("wh_a", state="failed", before=failed.event_id) == []
    assert await deliveries.list("wh_a", state="delivered") == []


async def test_of_those_who_know_of_a_try_one_makes_it(
    deliveries: WebhookDeliveryRepository,
) -> None:
    one = delivery()
    await deliveries.add([one])
    taken = await asyncio.gather(
        *(deliveries.take(first_try(one), at=NOW + 7, again_at=NOW + 60) for _ in range(8))
    )
    (won,) = [found for found in taken if found is not None]
    assert won == replace(one, tries=1, tries_left=TRIES - 1, tried_at=NOW + 7, next_at=NOW + 60)


async def test_who_comes_back_late_settles_no_other_try(
    deliveries: WebhookDeliveryRepository,
) -> None:
    one = delivery()
    await deliveries.add([one])
    late = await deliveries.take(first_try(one), at=NOW, again_at=NOW + 60)
    assert late is not None
    second = await deliveries.take(first_try(late), at=NOW + 60, again_at=NOW + 120)
    assert second is not None
    await deliveries.settle(replace(late, state="failed", next_at=None))
    assert await deliveries.find("wh_a", one.event_id) == second
    done = replace(second, state="delivered", next_at=None, status=204)
    await deliveries.settle(done)
    await deliveries.settle(replace(second, state="failed", next_at=None))
    assert await deliveries.find("wh_a", one.event_id) == done


async def test_what_is_due_is_given_out_once_at_a_time(
    deliveries: WebhookDeliveryRepository,
) -> None:
    all = [delivery(number) for number in (1, 2, 3)]
    await deliveries.add(all)
    assert await deliveries.due(now=NOW, again_at=NOW + 60, limit=9) == []
    found = await deliveries.due(now=NOW + 2, again_at=NOW + 60, limit=9)
    assert set(found) == {first_try(all[0]), first_try(all[1])}
    assert await deliveries.due(now=NOW + 2, again_at=NOW + 60, limit=9) == []
    assert await deliveries.due(now=NOW + 60, again_at=NOW + 90, limit=1) == [first_try(all[2])]


async def test_a_replay_begins_anew_but_not_what_waits(
    deliveries: WebhookDeliveryRepository,
) -> None:
    one = delivery()
    await deliveries.add([one])
    assert await deliveries.replay("wh_a", one.event_id, again_at=NOW) is None
    taken = await deliveries.take(first_try(one), at=NOW, again_at=NOW + 60)
    assert taken is not None
    await deliveries.settle(replace(taken, state="failed", next_at=None, tries_left=0))
    assert await deliveries.due(now=NOW + 999, again_at=NOW, limit=1) == []
    again = await deliveries.replay("wh_a", one.event_id, again_at=NOW + 30)
    assert again == NextTry("wh_a", one.event_id, 1)
    found = await deliveries.find("wh_a", one.event_id)
    assert found is not None
    assert (found.state, found.tries, found.tries_left) == ("waiting", 1, TRIES)
    assert found.next_at == NOW + 30
    assert await deliveries.replay("wh_b", one.event_id, again_at=NOW) is None


async def test_old_ones_are_deleted_in_parts(deliveries: WebhookDeliveryRepository) -> None:
    await deliveries.add([delivery(number) for number in range(60)])
    await deliveries.add([delivery(number) for number in range(60, AT_ONCE + 5)])
    await deliveries.add([delivery(1, "wh_b")])
    border = format_event_id(NOW, AT_ONCE + 2)
    assert await deliveries.delete_before("wh_a", border)
    assert not await deliveries.delete_before("wh_a", border)
    assert len(await deliveries.list("wh_a")) == 3
    assert not await deliveries.delete_before("wh_a", None)
    assert await deliveries.list("wh_a") == []
    assert len(await deliveries.list("wh_b")) == 1


async def test_what_tells_of_a_person_is_listed_and_erased(
    deliveries: WebhookDeliveryRepository,
) -> None:
    of_jo = [delivery(1), delivery(2, "wh_b"), delivery(3)]
    others = [delivery(4, user_id="kim"), delivery(5, user_id=None)]
    await deliveries.add([*of_jo, *others])
    first = await deliveries.list_about("jo", limit=2)
    assert first == [of_jo[0], of_jo[2]]
    after = (first[-1].webhook_id, first[-1].event_id)
    assert await deliveries.list_about("jo", after=after) == [of_jo[1]]
    await deliveries.erase("jo")
    assert await deliveries.list_about("jo") == []
    await deliveries.erase("kim4")  # an operator of whose doing one tells
    assert await deliveries.list("wh_a") == [others[1]]
