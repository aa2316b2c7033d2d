"""The secrets of webhooks outlive the secret key, once they are encrypted anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import ConfigError
from tests.features.webhooks.receivers import PAGE, make_webhook_site, receiving
from tests.support import KEY, OTHER_KEY

pytestmark = pytest.mark.anyio


async def test_a_secret_is_encrypted_anew_and_still_signs(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path, secret_key=KEY)
    async with receiving() as receiver:
        id = await receiver.add(ops, "code.wrong")
        await site.passwordless.lifetime.close()
        site, _ = await make_webhook_site(tmp_path, secret_key=[KEY, OTHER_KEY])
        assert (await site.passwordless.rewrap())["Webhooks"] == 1
        assert (await site.passwordless.rewrap())["Webhooks"] == 0
        await site.passwordless.lifetime.close()
        site, ops = await make_webhook_site(tmp_path, secret_key=OTHER_KEY)
        await ops.post(f"{PAGE}/{id}/test", {})
        assert receiver.open(await receiver.next())["type"] == "webhook.test"
        await site.passwordless.lifetime.close()


async def test_one_whose_key_is_gone_is_told_and_signs_nothing(tmp_path: Path) -> None:
    site, ops = await make_webhook_site(tmp_path, secret_key=KEY)
    async with receiving() as receiver:
        id = await receiver.add(ops, "code.wrong")
        await site.passwordless.lifetime.close()
        site, ops = await make_webhook_site(tmp_path, secret_key=OTHER_KEY)
        with pytest.raises(ConfigError, match=r"secret_key: .* secrets of some webhooks \(1\)"):
            await site.passwordless.rewrap()
        await ops.post(f"{PAGE}/{id}/test", {})
        await site.passwordless.lifetime.close()
        assert not receiver.has_more()
