"""What test addresses add to the email login: pages, rules, events, and the noise about them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.features.email_login.test_addresses.addresses import TestAddresses
from pwless_middleware.features.email_login.test_addresses.changes import TestAddressChanges
from pwless_middleware.features.email_login.test_addresses.events import KINDS
from pwless_middleware.features.email_login.test_addresses.pages import TestAddressPages
from pwless_middleware.features.email_login.test_addresses.secrets import TestSecrets
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from pwless_middleware.features.email_login.python import EmailVerbs

logger = logging.getLogger("pwless.test_addresses")


class TestAddressPart:
    """Put test addresses into an email login.

    Args:
        kit: everything below.
        challenges: finds what a link stands for.
        rules: how challenges behave.

    Raises:
        ConfigError: there is no database, or the extra `[crypto]` is not installed.
    """

    __test__ = False  # its name is a noun to pytest, too

    def __init__(self, kit: Kit, challenges: Challenges, rules: CurrentRules) -> None:
        if kit.repositories is None:
            raise ConfigError(
                "test_users", 'they are kept in a database: add database="sqlite:///pwless.db"'
            )
        try:
            import_module("cryptography")
        except ImportError as error:
            raise ConfigError(
                "test_users", "it needs: pip install 'pwless-middleware[crypto]'"
            ) from error
        repository = kit.repositories.test_addresses
        self._secrets = TestSecrets(kit.secrets, repository)
        self.addresses = TestAddresses(kit, repository, self._secrets, challenges, rules)
        self.changes = TestAddressChanges(
            kit, kit.repositories, self.addresses, self._secrets, rules
        )
        self._pages = TestAddressPages(kit, self.changes)

    def add_to(self, mounted: Mounted[EmailVerbs]) -> Mounted[EmailVerbs]:
        """Return what is mounted, with all of it."""
        return replace(
            mounted,
            routes=(*mounted.routes, *self._pages.routes),
            dashboard_pages=(*mounted.dashboard_pages, self._pages.page),
            dashboard_banners=(*mounted.dashboard_banners, self.warn),
            before_session=(*mounted.before_session, self.addresses.before_session),
            on_session=(*mounted.on_session, self.addresses.on_session),
            event_kinds=(*mounted.event_kinds, *KINDS),
            findings=(*mounted.findings, self.find),
            lifespan=self.announce,
            rewrap=self._secrets.encrypt_all_anew,
        )

    @asynccontextmanager
    async def announce(self) -> AsyncIterator[None]:
        """Say at the start how many there are."""
        with suppress(StoreError):  # which is told by whoever needs it
            logger.warning(
                "test_users=True: %d test addresses sign in by a fixed code",
                await self.addresses.count_live(),
                extra={"event": "test_addresses"},
            )
        yield

    async def warn(self) -> Text | None:
        """Return the line above every page of the dashboard; `None` while there are none."""
        count = await self.addresses.count_live()
        if not count:
            return None
        return Text.for_count(
            "%(n)s test address signs in by a fixed code.",
            "%(n)s test addresses sign in by a fixed code.",
            count,
        )

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        if not may_ask:
            return [Finding("warn", "test_users", Text("test addresses are switched on"))]
        text = Text(
            "test addresses are switched on; %(count)s of them sign in by a fixed code",
            count=await self.addresses.count_live(),
        )
        return [Finding("warn", "test_users", text)]
