"""What is sent to webhooks, in the database: each event on its way, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from pwless_middleware.core.operators.webhook import TRIES, DeliveryState, NextTry, WebhookDelivery
from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Query, Row, Statement, Steps

AT_ONCE: Final = 100
"""Rows of one transaction, at most, where there may be any number of them."""
_LAST: Final = "~"  # behind every id


class WebhookDeliveryRepository(Protocol):
    """Keep deliveries. Every verb is atomic, and raises `StoreError` where it cannot be asked."""

    async def add(self, deliveries: Sequence[WebhookDelivery]) -> None:
        """Keep new ones, at most `AT_ONCE`; one that is there already stays as it is."""
        ...

    async def find(self, webhook_id: str, event_id: str) -> WebhookDelivery | None:
        """Return a delivery, or `None`."""
        ...

    async def list(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries to a webhook, the newest event first.

        Args:
            webhook_id: which webhook.
            state: of one state; `None` for all.
            before: the event id of the last one of the page before; `None` begins.
            limit: how many at most.
        """
        ...

    async def take(self, one: NextTry, *, at: int, again_at: int) -> WebhookDelivery | None:
        """Begin a try, if nobody else has; returns the delivery with this try counted.

        Args:
            one: which.
            at: unix seconds of now.
            again_at: when it is looked at again, should whoever tries not come back.
        """
        ...

    async def settle(self, delivery: WebhookDelivery) -> None:
        """Write how a try ended, unless another one has begun."""
        ...

    async def due(self, *, now: int, again_at: int, limit: int) -> Sequence[NextTry]:
        """Return what is to be tried now, and have it wait until `again_at`."""
        ...

    async def replay(self, webhook_id: str, event_id: str, *, again_at: int) -> NextTry | None:
        """Have a delivery that is not waiting tried anew, as often as a new one; `None` if it is.

        Args:
            webhook_id, event_id: which.
            again_at: when it is looked at, should nobody try it at once.
        """
        ...

    async def delete_before(self, webhook_id: str, event_id: str | None) -> bool:
        """Delete up to `AT_ONCE` of a webhook's, whose event is older; whether there may be more.

        Args:
            webhook_id: which webhook.
            event_id: older than this one; `None` for all.
        """
        ...

    async def list_about(
        self, user_id: str, *, after: tuple[str, str] = ("", ""), limit: int = AT_ONCE
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries of events about a person, by webhook and event."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all that tell of a person, or of what they did as an operator."""
        ...


class SQLWebhookDeliveries:
    """Keep deliveries in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, deliveries: Sequence[WebhookDelivery]) -> None:
        """Keep new ones; one that is there already stays as it is."""
        await self._database.transact(lambda: _run(*(_ADD(*_values(one)) for one in deliveries)))

    async def find(self, webhook_id: str, event_id: str) -> WebhookDelivery | None:
        """Return a delivery, or `None`."""
        rows = await self._database.fetch(_FIND(webhook_id, event_id))
        return _delivery(rows[0]) if rows else None

    async def list(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries to a webhook, the newest event first."""
        before = before or _LAST
        query = (
            _LIST(webhook_id, before, limit)
            if state is None
            else _LIST_STATE(webhook_id, state, before, limit)
        )
        return [_delivery(row) for row in await self._database.fetch(query)]

    async def take(self, one: NextTry, *, at: int, again_at: int) -> WebhookDelivery | None:
        """Begin a try, if nobody else has."""
        take = _TAKE(one.webhook_id, one.event_id, one.tries, at, again_at)
        rows = await self._database.transact(lambda: _ask(take))
        return _delivery(rows[0]) if rows else None

    async def settle(self, delivery: WebhookDelivery) -> None:
        """Write how a try ended, unless another one has begun."""
        settle = _SETTLE(
            *(delivery.webhook_id, delivery.event_id, delivery.tries, delivery.state),
            *(delivery.tries_left, delivery.next_at, delivery.status, delivery.fault),
            *(delivery.answer, delivery.milliseconds),
        )
        await self._database.transact(lambda: _run(settle))

    async def due(self, *, now: int, again_at: int, limit: int) -> Sequence[NextTry]:
        """Return what is to be tried now, and have it wait until `again_at`."""
        if not await self._database.fetch(_ANY_DUE(now)):
            return []  # and nobody waits for the one who writes
        rows = await self._database.transact(lambda: _ask(_DUE(now, again_at, limit)))
        return [NextTry(*row) for row in rows]

    async def replay(self, webhook_id: str, event_id: str, *, again_at: int) -> NextTry | None:
        """Have a delivery that is not waiting tried anew, as often as a new one."""
        replay = _REPLAY(webhook_id, event_id, TRIES, again_at)
        rows = await self._database.transact(lambda: _ask(replay))
        return NextTry(*rows[0]) if rows else None

    async def delete_before(self, webhook_id: str, event_id: str | None) -> bool:
        """Delete up to `AT_ONCE` of a webhook's, whose event is older."""
        delete = _DELETE_BEFORE(webhook_id, event_id or _LAST, AT_ONCE)
        return len(await self._database.transact(lambda: _ask(delete))) == AT_ONCE

    async def list_about(
        self, user_id: str, *, after: tuple[str, str] = ("", ""), limit: int = AT_ONCE
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries of events about a person, by webhook and event."""
        rows = await self._database.fetch(_LIST_ABOUT(user_id, *after, limit))
        return [_delivery(row) for row in rows]

    async def erase(self, user_id: str) -> None:
        """Forget all that tell of a person, or of what they did as an operator."""
        for query in (
            _DELETE_ABOUT(user_id, AT_ONCE),
            _DELETE_BY(f"operator:{user_id}"[:100], AT_ONCE),
        ):
            while await self._database.transact(partial(_ask, query)):
                pass


def _run(*queries: Query) -> Steps[None]:
    for query in queries:  # noqa: UP028 # a transaction sends rows, which no tuple takes
        yield query


def _ask(query: Query) -> Steps[list[Row]]:
    return (yield query)


def _values(one: WebhookDelivery) -> tuple[str | int | None, ...]:
    return (
        *(one.webhook_id, one.event_id, one.kind, one.at, one.body, one.user_id, one.by),
        *(one.state, one.tries, one.tries_left, one.next_at, one.tried_at, one.status, one.fault),
        *(one.answer, one.milliseconds),
    )


def _delivery(row: Row) -> WebhookDelivery:
    webhook_id, event_id, kind, at, body, user_id, by, state, tries, tries_left, *more = row
    next_at, tried_at, status, fault, answer, milliseconds = more
    return WebhookDelivery(
        webhook_id=webhook_id,
        event_id=event_id,
        kind=kind,
        at=at,
        body=body,
        user_id=user_id,
        by=by,
        state=state,
        tries=tries,
        tries_left=tries_left,
        next_at=next_at,
        tried_at=tried_at,
        status=status,
        fault=fault,
        answer=answer,
        milliseconds=milliseconds,
    )


_ADD = Statement(
    "INSERT INTO pwless_webhook_deliveries (webhook_id, event_id, kind, at, body, user_id, "
    "performed_by, state, tries, tries_left, next_at, tried_at, status, fault, answer, "
    "milliseconds) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
    "ON CONFLICT DO NOTHING"
)
_FIND = Statement(
    "SELECT webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, tries_left, "
    "next_at, tried_at, status, fault, answer, milliseconds FROM pwless_webhook_deliveries "
    "WHERE webhook_id = $1 AND event_id = $2"
)
_LIST = Statement(
    "SELECT webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, tries_left, "
    "next_at, tried_at, status, fault, answer, milliseconds FROM pwless_webhook_deliveries "
    "WHERE webhook_id = $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3"
)
_LIST_STATE = Statement(
    "SELECT webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, tries_left, "
    "next_at, tried_at, status, fault, answer, milliseconds FROM pwless_webhook_deliveries "
    "WHERE webhook_id = $1 AND state = $2 AND event_id < $3 ORDER BY event_id DESC LIMIT $4"
)
_TAKE = Statement(
    "UPDATE pwless_webhook_deliveries SET tries = tries + 1, tries_left = tries_left - 1, "
    "tried_at = $4, next_at = $5 "
    "WHERE webhook_id = $1 AND event_id = $2 AND tries = $3 AND state = 'waiting' "
    "RETURNING webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, "
    "tries_left, next_at, tried_at, status, fault, answer, milliseconds"
)
_SETTLE = Statement(
    "UPDATE pwless_webhook_deliveries SET state = $4, tries_left = $5, next_at = $6, status = $7, "
    "fault = $8, answer = $9, milliseconds = $10 "
    "WHERE webhook_id = $1 AND event_id = $2 AND tries = $3 AND state = 'waiting'"
)
_ANY_DUE = Statement("SELECT 1 FROM pwless_webhook_deliveries WHERE next_at <= $1 LIMIT 1")
_DUE = Statement(
    "UPDATE pwless_webhook_deliveries SET next_at = $2 WHERE (webhook_id, event_id) IN "
    "(SELECT webhook_id, event_id FROM pwless_webhook_deliveries WHERE next_at <= $1 "
    "ORDER BY next_at LIMIT $3) RETURNING webhook_id, event_id, tries"
)
_REPLAY = Statement(
    "UPDATE pwless_webhook_deliveries SET state = 'waiting', tries_left = $3, next_at = $4 "
    "WHERE webhook_id = $1 AND event_id = $2 AND state <> 'waiting' "
    "RETURNING webhook_id, event_id, tries"
)
_DELETE_BEFORE = Statement(
    "DELETE FROM pwless_webhook_deliveries WHERE (webhook_id, event_id) IN "
    "(SELECT webhook_id, event_id FROM pwless_webhook_deliveries "
    "WHERE webhook_id = $1 AND event_id < $2 ORDER BY event_id LIMIT $3) RETURNING event_id"
)
_LIST_ABOUT = Statement(
    "SELECT webhook_id, event_id, kind, at, body, user_id, performed_by, state, tries, tries_left, "
    "next_at, tried_at, status, fault, answer, milliseconds FROM pwless_webhook_deliveries "
    "WHERE user_id = $1 AND (webhook_id, event_id) > ($2, $3) "
    "ORDER BY webhook_id, event_id LIMIT $4"
)
_DELETE_ABOUT = Statement(
    "DELETE FROM pwless_webhook_deliveries WHERE (webhook_id, event_id) IN "
    "(SELECT webhook_id, event_id FROM pwless_webhook_deliveries WHERE user_id = $1 LIMIT $2) "
    "RETURNING event_id"
)
_DELETE_BY = Statement(
    "DELETE FROM pwless_webhook_deliveries WHERE (webhook_id, event_id) IN "
    "(SELECT webhook_id, event_id FROM pwless_webhook_deliveries WHERE performed_by = $1 LIMIT $2) "
    "RETURNING event_id"
)
