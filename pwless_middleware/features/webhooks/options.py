"""The feature itself: its option, checked, and what it mounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.webhooks.events import KINDS
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from pwless_middleware.features.webhooks.outgoing import OutgoingEvents
    from pwless_middleware.features.webhooks.sender import Sender

_LOOK = 5
"""Seconds between two looks for what is to be tried again."""
_HOUR = 3600


@named_options()
class Webhooks:
    """Send events to servers that operators name on the dashboard, signed (Standard Webhooks).

    Needs a database, `Dashboard(...)`, and the extra `[webhooks]`. Requests go to public addresses
    alone, by https.

    Args:
        unsafe_loopback: take addresses of this machine too, by http or https: for development. An
            operator can then have this machine's own services asked. Default off.

    Raises:
        ConfigError: an option is none, or a library is not installed.
    """

    def __init__(self, *, unsafe_loopback: bool = False) -> None:
        check_flag("unsafe_loopback", unsafe_loopback)
        self._unsafe_loopback = unsafe_loopback
        try:
            import_module("cryptography")
        except ImportError as error:
            raise ConfigError(
                "features", "Webhooks needs: pip install 'pwless-middleware[webhooks]'"
            ) from error
        from pwless_middleware.safe_http.client import SafeHTTPClient

        self._client = SafeHTTPClient(
            "features", extra="webhooks", allow_loopback=unsafe_loopback, most_bytes=16_384
        )

    def mount(self, kit: Kit) -> Mounted:
        """Return the pages, and what sends.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.webhooks.changes import WebhookChanges
        from pwless_middleware.features.webhooks.findings import WebhookFindings
        from pwless_middleware.features.webhooks.held import HeldWebhooks
        from pwless_middleware.features.webhooks.old_deliveries import OldDeliveries
        from pwless_middleware.features.webhooks.outgoing import TRY, OutgoingEvents
        from pwless_middleware.features.webhooks.pages import WebhookPages
        from pwless_middleware.features.webhooks.secrets import WebhookSecrets
        from pwless_middleware.features.webhooks.sender import Sender
        from pwless_middleware.features.webhooks.turned_off import MAIL, TurnOff

        kit.require_database()
        kept = kit.repositories
        if kept is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the webhooks: mount Webhooks(...) itself, not a "
                "subclass, and not from within another feature",
            )
        held = HeldWebhooks(kept.webhooks, kit.signals)
        secrets = WebhookSecrets(kit.secrets, kept.webhooks)
        turn_off = TurnOff(kit, kept.webhooks, held)
        outgoing = OutgoingEvents(kit, held, kept.webhook_deliveries)
        sender = Sender(kit, kept, self._client, secrets, turn_off)
        changes = WebhookChanges(
            *(kit, kept.webhooks, kept.webhook_deliveries, held, self._client, secrets, outgoing)
        )
        pages = WebhookPages(kit, kept.webhooks, kept.webhook_deliveries, changes)
        findings = WebhookFindings(kept.webhooks)
        old = OldDeliveries(kept.webhooks, kept.webhook_deliveries, kit.clock)
        return Mounted(
            routes=pages.routes,
            dashboard_pages=pages.dashboard_pages,
            dashboard_banners=(findings.banner,),
            findings=(findings.find,),
            event_kinds=KINDS,
            on_event=outgoing.note,
            jobs={TRY: sender.read, MAIL: turn_off.read},
            lifespan=partial(_hold, outgoing, sender),
            periodic=(
                Periodic("try_again", _LOOK, outgoing.queue_due),
                Periodic("delete_old", _HOUR, old.delete),
            ),
            rewrap=secrets.encrypt_all_anew,
            check=partial(_check, kit),
        )


@asynccontextmanager
async def _hold(outgoing: OutgoingEvents, sender: Sender) -> AsyncIterator[None]:
    """Send for as long as the context lasts; at its end what is collected is in the database."""
    async with sender.opened():
        task = asyncio.get_running_loop().create_task(outgoing.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await outgoing.close()


def _check(kit: Kit) -> None:
    if not kit.operators.is_mounted:
        raise ConfigError("features", "add Dashboard(...): webhooks are made on its page")
