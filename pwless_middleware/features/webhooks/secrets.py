"""The secrets of webhooks: encrypted in the database, in clear only to sign (security rule 62)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.operators.webhooks import WebhookRepository
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets

_PURPOSE: Final = "webhook"


class WebhookSecrets:
    """Encrypt and decrypt them.

    Args:
        secrets: of the feature.
        webhooks: keeps what is encrypted.
    """

    def __init__(self, secrets: FeatureSecrets, webhooks: WebhookRepository) -> None:
        self._secrets = secrets
        self._webhooks = webhooks

    def encrypt(self, webhook_id: str, secret: bytes) -> bytes:
        """Return a secret as the database may keep it, in the row of this webhook alone."""
        return self._secrets.encrypt(_PURPOSE, webhook_id, secret)

    def of(self, webhook: Webhook, *, now: int) -> list[bytes]:
        """Return what signs for a webhook, the newest first; nothing where no key decrypts it."""
        stored = [webhook.secret]
        if webhook.old_secret is not None and now < (webhook.old_until or 0):
            stored.append(webhook.old_secret)
        opened = [self._secrets.decrypt(_PURPOSE, webhook.id, one) for one in stored]
        return [one.secret for one in opened if one is not None]

    async def encrypt_all_anew(self) -> int:
        """Encrypt with the newest key what is not, and return how many webhooks that were.

        Raises:
            ConfigError: some cannot be decrypted by any key of the list; all others are done.
            StoreError: the database cannot be asked.
        """
        count = lost = 0
        for webhook in await self._webhooks.list():
            opened = self._secrets.decrypt(_PURPOSE, webhook.id, webhook.secret)
            if opened is None:
                lost += 1
                continue
            old = webhook.old_secret and self._secrets.decrypt(
                _PURPOSE, webhook.id, webhook.old_secret
            )
            if opened.is_current and (not old or old.is_current):
                continue
            anew = replace(
                webhook,
                secret=self.encrypt(webhook.id, opened.secret),
                old_secret=self.encrypt(webhook.id, old.secret) if old else None,
                version=webhook.version + 1,
            )
            # What somebody changes meanwhile is encrypted anew by that, or with the next run.
            count += await self._webhooks.put(anew, seen=webhook.version) == "done"
        if lost:
            raise ConfigError(
                "secret_key",
                f"no key of the list decrypts the secrets of some webhooks ({lost}): put the one "
                "back that they are encrypted under, and try again, or rotate those secrets. All "
                "others are under the newest key",
            )
        return count
