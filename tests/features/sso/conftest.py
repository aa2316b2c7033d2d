"""An organization with a connection to a provider of the tests' own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.sso.sites import SSOSite
from tests.identity_providers.own_oidc import OwnProvider, own_oidc


@pytest.fixture
async def provider() -> AsyncIterator[OwnProvider]:
    """The tests' own OpenID provider."""
    async with own_oidc() as provider:
        yield provider


@pytest.fixture
async def acme(provider: OwnProvider, tmp_path: Path) -> SSOSite:
    """Acme, with a connection to it."""
    return await SSOSite.make(tmp_path, provider.config())
