"""Webhooks made and changed by operators: checked, versioned, each with its event."""

from __future__ import annotations

import base64
import secrets as random_secrets
from collections.abc import Sequence
from dataclasses import replace
from posixpath import normpath
from typing import Final
from urllib.parse import unquote, urlsplit

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import SERIALS, format_event_id
from pwless_middleware.core.operators.webhook import Webhook, WebhookDelivery
from pwless_middleware.database.operators.webhook_deliveries import WebhookDeliveryRepository
from pwless_middleware.database.operators.webhooks import MOST, WebhookRepository
from pwless_middleware.errors import (
    AddressRefused,
    FieldViolation,
    InvalidArgument,
    NotFound,
)
from pwless_middleware.features.webhooks.events import OWN
from pwless_middleware.features.webhooks.held import HeldWebhooks
from pwless_middleware.features.webhooks.messages import make_test
from pwless_middleware.features.webhooks.outgoing import LOOK_SECONDS, OutgoingEvents
from pwless_middleware.features.webhooks.secrets import WebhookSecrets
from pwless_middleware.features.webhooks.signatures import format_secret, new_secret
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.safe_http.urls import SafeURL
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

OVERLAPS: Final = (0, 3600, 86_400, 7 * 86_400)
"""Seconds for which an old secret may sign beside the new one."""
MOST_DESCRIPTION: Final = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class WebhookForm:
    """What an operator typed.

    Attributes:
        url: where to.
        description: for operators.
        kinds: of events, separated by spaces or lines; empty for all.
    """

    url: str
    description: str
    kinds: str


class WebhookChanges:
    """Make and change webhooks.

    Args:
        kit: the feature's.
        webhooks, deliveries: keep them.
        held: are told.
        client: says which addresses requests go to.
        secrets: encrypts theirs.
        outgoing: has tests and replays tried.
    """

    def __init__(
        self,
        kit: Kit,
        webhooks: WebhookRepository,
        deliveries: WebhookDeliveryRepository,
        held: HeldWebhooks,
        client: SafeHTTPClient,
        secrets: WebhookSecrets,
        outgoing: OutgoingEvents,
    ) -> None:
        self._kit = kit
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._held = held
        self._client = client
        self._secrets = secrets
        self._outgoing = outgoing

    @property
    def kinds(self) -> Sequence[str]:
        """Every kind of event that can be sent, sorted."""
        return sorted(kind for kind in self._kit.events.kinds if not kind.startswith(OWN))

    async def find(self, id: str) -> Webhook:
        """Return a webhook.

        Raises:
            NotFound: there is none with this id.
            StoreError: the database cannot be asked.
        """
        webhook = await self._webhooks.find(id)
        if webhook is None:
            raise NotFound(Text("There is no such webhook any more."))
        return webhook

    async def create(self, form: WebhookForm, *, by: str) -> tuple[Webhook, str]:
        """Make a webhook, and return it with its secret, which is shown this once.

        Raises:
            InvalidArgument: a field is bad; each is named. Or there are too many webhooks.
            StoreError: the database cannot be asked.
        """
        url, description, kinds = self._read(form)
        id = "wh_" + base64.b32encode(random_secrets.token_bytes(10)).decode().lower()
        secret, now = new_secret(), self._kit.clock()
        webhook = Webhook(
            id=id,
            url=url,
            description=description,
            kinds=kinds,
            secret=self._secrets.encrypt(id, secret),
            created_at=now,
            by=by,
        )
        details = {"id": id, "host": _host(webhook), "kinds": _describe_kinds(webhook)}
        audit = self._kit.events.make("webhook.created", by=by, details=details)
        await self._outgoing.flush()  # what happened before is for those that were there
        if await self._webhooks.put(webhook, seen=None, audit=audit) == "full":
            problem = Text("There can be %(most)s webhooks. Delete one first.", most=MOST)
            raise InvalidArgument.of("url", problem, "most")
        await self._publish(audit)
        return webhook, format_secret(secret)

    async def edit(self, id: str, form: WebhookForm, *, seen: int, by: str) -> None:
        """Change where to, what for, and which kinds.

        Args:
            id: which.
            form: what was typed.
            seen: the version that the operator saw.
            by: who.

        Raises:
            InvalidArgument: a field is bad, or somebody else has changed it since.
            NotFound, StoreError: as `find`.
        """
        url, description, kinds = self._read(form)
        webhook = await self.find(id)
        new = replace(webhook, url=url, description=description, kinds=kinds)
        if new != webhook:
            details = {"id": id, "from": _describe(webhook), "to": _describe(new)}
            audit = self._kit.events.make("webhook.changed", by=by, details=details)
            await self._put(new, seen, audit)

    async def turn_on(self, id: str, *, by: str) -> None:
        """Have events sent to it again; those of meanwhile are not.

        Raises:
            InvalidArgument, NotFound, StoreError: as `edit`.
        """
        webhook = await self.find(id)
        if not webhook.is_on:
            audit = self._kit.events.make("webhook.turned_on", by=by, details={"id": id})
            await self._put(replace(webhook, off_reason=None), webhook.version, audit)

    async def turn_off(self, id: str, *, by: str) -> None:
        """Have nothing sent to it any more; what waits fails.

        Raises:
            InvalidArgument, NotFound, StoreError: as `edit`.
        """
        webhook = await self.find(id)
        if webhook.is_on:
            audit = self._kit.events.make(
                "webhook.turned_off", by=by, reason="operator", details={"id": id}
            )
            await self._put(replace(webhook, off_reason="operator"), webhook.version, audit)

    async def rotate(self, id: str, *, overlap: int, seen: int, by: str) -> str:
        """Return a new secret, which is shown this once.

        Args:
            id: which.
            overlap: seconds for which the old one signs beside it, of `OVERLAPS`.
            seen: the version that the operator saw: a form that is sent twice rotates once.
            by: who.

        Raises:
            InvalidArgument, NotFound, StoreError: as `edit`.
        """
        if overlap not in OVERLAPS:
            raise InvalidArgument.of("overlap", Text("Choose one of these."), "enum")
        webhook, secret, now = await self.find(id), new_secret(), self._kit.clock()
        new = replace(
            webhook,
            secret=self._secrets.encrypt(id, secret),
            old_secret=webhook.secret if overlap else None,
            old_until=now + overlap if overlap else None,
        )
        details: dict[str, str | int] = {"id": id, "overlap": overlap}
        audit = self._kit.events.make("webhook.secret_rotated", by=by, details=details)
        await self._put(new, seen, audit)
        return format_secret(secret)

    async def delete(self, id: str, *, by: str) -> None:
        """Delete a webhook; what was sent to it goes within the hour.

        Raises:
            InvalidArgument, NotFound, StoreError: as `edit`.
        """
        webhook = await self.find(id)
        details = {"id": id, "host": _host(webhook)}
        audit = self._kit.events.make("webhook.deleted", by=by, details=details)
        new = replace(webhook, deleted_at=self._kit.clock())
        await self._put(new, webhook.version, audit)

    async def test(self, id: str) -> str:
        """Send a test, and return the id of its event.

        Raises:
            NotFound, StoreError: as `find`.
        """
        webhook, now = await self.find(id), self._kit.clock()
        event_id = format_event_id(now, random_secrets.randbelow(SERIALS))
        row = make_test(webhook.id, event_id, at=now, look_at=now + LOOK_SECONDS)
        await self._outgoing.put([row])
        return event_id

    async def replay(self, id: str, event_id: str, *, by: str) -> None:
        """Have something sent once more that was sent, or could not be; not what waits.

        Raises:
            NotFound: there is no such delivery.
            StoreError, Unavailable: it cannot be done now.
        """
        again_at = self._kit.clock() + LOOK_SECONDS
        await self.find_delivery(id, event_id)
        again = await self._deliveries.replay(id, event_id, again_at=again_at)
        if again is not None:
            details = {"id": id, "event": event_id}
            self._kit.events.record("webhook.replayed", by=by, details=details)
            await self._outgoing.queue([again])

    async def find_delivery(self, id: str, event_id: str) -> WebhookDelivery:
        """Return what was sent, or is to be.

        Raises:
            NotFound: there is no such thing.
            StoreError: the database cannot be asked.
        """
        await self.find(id)
        found = await self._deliveries.find(id, event_id)
        if found is None:
            raise NotFound(Text("There is no such delivery any more."))
        return found

    async def _put(self, webhook: Webhook, seen: int, audit: Event) -> None:
        new = replace(webhook, version=seen + 1)
        if await self._webhooks.put(new, seen=seen, audit=audit) != "done":
            problem = Text("Somebody has changed this webhook meanwhile. This is how it is now.")
            raise InvalidArgument.of("version", problem, "version")
        await self._publish(audit)

    async def _publish(self, audit: Event) -> None:
        self._kit.events.publish(audit)
        await self._held.tell()

    def _read(self, form: WebhookForm) -> tuple[str, str, tuple[str, ...]]:
        bad: list[FieldViolation] = []
        url, description = form.url.strip(" "), form.description.strip()
        try:
            if self._is_own(self._client.read_url(url)):
                problem = Text("This is the login itself. What it refuses is an event, too.")
                bad.append(FieldViolation("url", problem, "own"))
        except AddressRefused as error:
            bad.append(FieldViolation("url", error.text, error.fault))
        if len(description) > MOST_DESCRIPTION or not description.isprintable():
            problem = Text("Use up to %(most)s letters on one line.", most=MOST_DESCRIPTION)
            bad.append(FieldViolation("description", problem, "length"))
        kinds = sorted(set(form.kinds.split()))
        unknown = [kind[:60] for kind in kinds if kind not in self.kinds]
        if unknown:
            problem = Text("There are no events %(kind)s.", kind=unknown[0])
            bad.append(FieldViolation("kinds", problem, "enum"))
        if bad:
            raise InvalidArgument(bad)
        return url, description, tuple(kinds)

    def _is_own(self, url: SafeURL) -> bool:
        """Whether an address is a path of ours, which refuses requests of no browser.

        A refusal is an event, so each event would bring about the next, and each try of it one
        more. The app's own paths, beside ours, are good.
        """
        ours = urlsplit(self._kit.origin.url + self._kit.prefix)
        port = ours.port or (443 if ours.scheme == "https" else 80)
        if (url.host.rstrip("."), url.port) != (ours.hostname, port):
            return False
        path = normpath("/" + unquote(url.target.partition("?")[0]).lstrip("/"))
        return path == ours.path or path.startswith(f"{ours.path}/")


def _host(webhook: Webhook) -> str:
    """Return what is told of an address: its path may be a secret of the other side's."""
    return urlsplit(webhook.url).netloc[:260]


def _describe_kinds(webhook: Webhook) -> str:
    return " ".join(webhook.kinds) or "all"


def _describe(webhook: Webhook) -> str:
    return f"{_host(webhook)}: {_describe_kinds(webhook)}"
