"""Turn off a webhook that has failed for days, or is gone, and tell all admins by mail."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.links import break_links
from pwless_middleware.core.operators.webhook import OffReason, Webhook
from pwless_middleware.database.operators.webhooks import WebhookRepository
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import Unavailable
from pwless_middleware.features.webhooks.held import HeldWebhooks
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.web.kit import Kit

logger = logging.getLogger("pwless.webhooks")

MAIL: Final = "webhook_off"
"""The topic of the jobs, and the name of the mail."""


class TurnOff:
    """Turn webhooks off.

    Args:
        kit: the feature's.
        webhooks: keeps them.
        held: are told.
    """

    def __init__(self, kit: Kit, webhooks: WebhookRepository, held: HeldWebhooks) -> None:
        self._kit = kit
        self._webhooks = webhooks
        self._held = held
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    async def __call__(self, webhook: Webhook, reason: OffReason) -> None:
        """Turn one off, unless an operator has just changed it.

        Raises:
            StoreError: the database cannot be asked.
        """
        events = self._kit.events
        audit = events.make(
            "webhook.turned_off", by="pwless", reason=reason, details={"id": webhook.id}
        )
        off = replace(webhook, off_reason=reason, version=webhook.version + 1)
        if await self._webhooks.put(off, seen=webhook.version, audit=audit) != "done":
            return
        events.publish(audit)
        logger.error(
            "webhook %s is off: %s",
            webhook.id,
            "it answered 410" if reason == "gone" else "it has failed for days",
            extra={"event": "webhook_off", "webhook": webhook.id},
        )
        with suppress(Unavailable):  # the dashboard and `check` tell it too
            await self._held.tell()
            await self._queue_mails(webhook, reason)

    async def _queue_mails(self, webhook: Webhook, reason: OffReason) -> None:
        host, now = urlsplit(webhook.url).hostname or "", self._kit.clock()
        for address, language in await self._kit.operators.admins():
            body = json.dumps([address, language, host, reason, now]).encode()
            await self._kit.jobs.put(MAIL, body)

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell one admin."""
        to, language, host, reason, at = json.loads(job.body)
        address = parse_address(to)
        if address is None:
            return Outcome.DROPPED
        variables = {"webhook_host": break_links(host), "webhook_reason": reason}
        return self._notices.deliver(MAIL, address, at=at, language=language, variables=variables)
