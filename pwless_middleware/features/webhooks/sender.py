"""The tries: requests to webhooks, so many at a time, and what became of them.

A job only says that something is to be tried. The requests run in tasks of their own and not in the
worker that reads the job: a webhook that is slow must not keep a mail from going out. One webhook
has a quarter of the places at most, so that one that hangs does not hold up the others.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.operators.webhook import DELAYS, NextTry, Webhook, WebhookDelivery
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.errors import RequestFailed, StoreError
from pwless_middleware.features.webhooks.messages import MESSAGE
from pwless_middleware.features.webhooks.outgoing import read_tries
from pwless_middleware.features.webhooks.secrets import WebhookSecrets
from pwless_middleware.features.webhooks.signatures import sign
from pwless_middleware.features.webhooks.turned_off import TurnOff
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.safe_http.client import SafeAnswer, SafeHTTPClient
from pwless_middleware.tracebacks import traceback_without_text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

logger = logging.getLogger("pwless.webhooks")

PARALLEL: Final = 16
"""Requests at a time, in one event loop."""
SHARE: Final = 4
"""Of those, to one webhook."""
MOST_WAITING: Final = 2_000
"""Tries that wait in one event loop; what finds no room is looked at again later."""
LEASE: Final = 60
"""Seconds after which a try that nobody has settled is made again."""
FAILING_SECONDS: Final = 3 * 86_400
"""For which a webhook may fail, without one success, before it is turned off."""
_LONGEST_WAIT: Final = 3600
"""Seconds that a webhook may ask for in `Retry-After`."""
_ANSWER: Final = 1000  # characters that are kept
_GONE: Final = 410
_NOT_SHOWN: Final = re.compile(rf"(?![\n\t])[{CONTROL}]")
_SECONDS: Final = re.compile(r"[0-9]{1,6}")


class _Waiting:
    """What one event loop has to try, by webhook, and the tasks that try."""

    def __init__(self) -> None:
        self.rows: dict[str, deque[NextTry]] = {}
        self.count = 0
        self.running: dict[asyncio.Task[None], str] = {}
        self.is_open = False


class Sender:
    """Make tries.

    Args:
        kit: the feature's.
        kept: the repositories.
        client: makes the requests.
        secrets: sign them.
        turn_off: turns off what fails for days.
        jitter: a number in [0, 1), evenly spread, so that tries do not come in step.
    """

    def __init__(
        self,
        kit: Kit,
        kept: Repositories,
        client: SafeHTTPClient,
        secrets: WebhookSecrets,
        turn_off: TurnOff,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._kit = kit
        self._webhooks = kept.webhooks
        self._deliveries = kept.webhook_deliveries
        self._client = client
        self._secrets = secrets
        self._turn_off = turn_off
        self._jitter = jitter
        self._here: PerLoop[_Waiting] = PerLoop(_Waiting)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Try what comes, for as long as the context lasts; what runs then is tried again later."""
        here = self._here.here()
        here.is_open = True
        try:
            yield
        finally:
            here.is_open = False
            here.rows.clear()
            running = list(here.running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._here.pop()

    async def read(self, job: QueuedJob) -> Outcome:
        """Take the tries of a job."""
        for one in read_tries(job.body):
            self.add(one)
        return Outcome.DONE

    def add(self, one: NextTry) -> None:
        """Have something tried, here and soon; where too much waits, later."""
        here = self._here.here()
        if here.is_open and here.count < MOST_WAITING:
            here.rows.setdefault(one.webhook_id, deque()).append(one)
            here.count += 1
            self._start(here)

    def _start(self, here: _Waiting) -> None:
        """Begin what finds a place, each webhook in turn."""
        while here.is_open and len(here.running) < PARALLEL:
            busy = list(here.running.values())
            id = next((id for id in here.rows if busy.count(id) < SHARE), None)
            if id is None:
                return
            row = here.rows.pop(id)
            one = row.popleft()
            here.count -= 1
            if row:
                here.rows[id] = row  # behind the others
            task = asyncio.get_running_loop().create_task(self._try(one))
            here.running[task] = id
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        here = self._here.here()
        here.running.pop(task, None)
        self._start(here)

    async def _try(self, one: NextTry) -> None:
        try:
            await self.make(one)
        except StoreError as error:
            # The row is looked at again, and nobody was asked twice without a reason.
            logger.warning("a try of a webhook waits: %s", error, extra={"event": "store_down"})
        except Exception as error:
            logger.error(
                "a try of a webhook failed unexpectedly:\n%s",
                traceback_without_text(error),
                extra={"event": "webhook_crashed"},
            )

    async def make(self, one: NextTry) -> None:
        """Make one try, unless somebody else has, and write how it ended.

        Raises:
            StoreError: the database cannot be asked; the try is made again later.
        """
        now = self._kit.clock()
        delivery = await self._deliveries.take(one, at=now, again_at=now + LEASE)
        if delivery is None:
            return
        webhook = await self._webhooks.find(one.webhook_id)
        if webhook is None or not webhook.is_on or delivery.tries_left < 0:
            # Less than none are left where each process that tried never came back to tell.
            fault = "lost" if delivery.tries_left < 0 else "off"
            gone = replace(
                delivery, state="failed", next_at=None, status=None, fault=fault, answer=""
            )
            await self._deliveries.settle(gone)
            return
        loop = asyncio.get_running_loop()
        begun, answer, fault = loop.time(), None, ""
        keys = self._secrets.of(webhook, now=now)
        try:
            answer = await self._request(webhook, delivery, keys, now) if keys else None
            fault = "" if keys else "secret"
        except RequestFailed as error:
            fault = error.fault
        milliseconds = round((loop.time() - begun) * 1000)
        await self._settle(webhook, delivery, answer, fault, milliseconds)

    async def _request(
        self, webhook: Webhook, delivery: WebhookDelivery, keys: list[bytes], now: int
    ) -> SafeAnswer:
        message_id, body = f"{MESSAGE}{delivery.event_id}", delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(keys, message_id, now, body),
        }
        return await self._client.request("POST", webhook.url, headers=headers, content=body)

    async def _settle(
        self,
        webhook: Webhook,
        delivery: WebhookDelivery,
        answer: SafeAnswer | None,
        fault: str,
        milliseconds: int,
    ) -> None:
        now, is_good = self._kit.clock(), answer is not None and 200 <= answer.status < 300
        is_gone = answer is not None and answer.status == _GONE
        told = replace(
            delivery,
            status=answer.status if answer is not None else None,
            fault=fault,
            answer=_text_of(answer),
            milliseconds=milliseconds,
        )
        if is_good:
            told = replace(told, state="delivered", next_at=None)
        elif is_gone or delivery.tries_left < 1:
            told = replace(told, state="failed", next_at=None)
        else:
            told = replace(told, next_at=now + self._delay(delivery, answer))
        await self._deliveries.settle(told)
        if is_good:
            if webhook.failing_since is not None:
                await self._webhooks.note_success(webhook.id)
            return
        if webhook.failing_since is None:
            await self._webhooks.note_failure(webhook.id, at=now)
        if is_gone:
            await self._turn_off(webhook, "gone")
        elif webhook.failing_since is not None and now >= webhook.failing_since + FAILING_SECONDS:
            await self._turn_off(webhook, "failing")

    def _delay(self, delivery: WebhookDelivery, answer: SafeAnswer | None) -> int:
        """Return the seconds until the next try: more each time, and no less than it asks for."""
        delay = DELAYS[max(0, len(DELAYS) - delivery.tries_left)]
        delay = max(1, round(delay * (0.9 + 0.2 * self._jitter())))
        asked = answer.headers.get("retry-after", "") if answer is not None else ""
        return max(delay, min(int(asked), _LONGEST_WAIT)) if _SECONDS.fullmatch(asked) else delay


def _text_of(answer: SafeAnswer | None) -> str:
    """Return the beginning of an answer, without what no database and no page takes."""
    if answer is None:
        return ""
    text = answer.body[: 4 * _ANSWER].decode("utf-8", "replace")[:_ANSWER]
    return _NOT_SHOWN.sub("\ufffd", text)
