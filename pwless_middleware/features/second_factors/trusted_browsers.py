"""Browsers in which a person is not asked for a second factor for some days (security rule 45).

A cookie names them, and a row of the database says whose they are: forgetting the row is all that
it takes. A row is good for its user, with the address that they had then, where the second factor
counts by which the browser was trusted, under the generation that was read before that proof: who
forgets all browsers in that very moment has forgotten this one too. And who is signed out
everywhere trusts none of those that they trusted before.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.logins.authentication import Authentication, strength_of
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.proven_factors import is_login_only
from pwless_middleware.core.logins.session import DAY, Session
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.organizations.policy_decision import uses_break_glass
from pwless_middleware.core.people.factor import TrustedBrowser
from pwless_middleware.core.storage.store_keys import device_mark, user_slot
from pwless_middleware.errors import NotFound
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, SMS, TOTP
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository
    from pwless_middleware.database.factors.trusted_browsers import TrustedBrowserRepository

MOST: Final = 20
"""Trusted browsers of one person; the oldest goes where another comes."""
_ID_BYTES: Final = 16
ANY: Final = ""
"""Stands for whichever second factor it was: rows of older versions do not say it."""
_RANKS: Final = {"passkey": 0, TOTP: 1, SMS: 3}
"""The methods, the one that most policies count first; those of other features stand at 2."""


class TrustedBrowsers:
    """Trust browsers, and forget them.

    Args:
        kit: everything below.
        browsers: keeps them.
        factors: knows the generation.
    """

    def __init__(
        self,
        kit: Kit,
        browsers: TrustedBrowserRepository,
        factors: FactorRepository,
    ) -> None:
        self._kit = kit
        self._browsers = browsers
        self._factors = factors

    async def days_of_login(self, login: Login) -> int:
        """Return for how many days a browser can be trusted by a login; 0 for never.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        return _days(await self._kit.policies.of(login), login.authentications, login.email)

    async def days_of_session(self, session: Session) -> int:
        """Return for how many days a browser can be trusted by a session; 0 for never.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        policy = await self._kit.policies.of_session(session)
        return _days(policy, session.authentications, session.email)

    async def admits(self, login: Login, *, days: int, methods: Sequence[str] = (ANY,)) -> bool:
        """Whether a login needs no second factor: it is in a browser that its person trusts.

        Args:
            login: what is proven so far.
            days: for how many days a browser is trusted, at most; 0 for never.
            methods: by which it was trusted. What has trusted it for one organization is no second
                factor for another that does not count it (security rule 55).

        Raises:
            StoreError, Unavailable: database or store cannot be asked.
        """
        now = self._kit.clock()
        if days == 0:
            return False
        addresses = [_address_digest(login.email, method) for method in methods]
        for id in login.trusted:
            browser = await self._browsers.find(id)
            if (
                browser is not None
                and browser.user_id == login.user_id
                and browser.address in addresses
                and now < min(browser.expires_at, browser.created_at + days * DAY)
                and browser.created_at > await self._signed_out_at(login.user_id)
            ):
                await self._browsers.note_use(id, now)
                return True
        return False

    async def generation(self, user_id: str) -> int:
        """Return the generation of a person's browsers, to be read before a proof is tried."""
        return (await self._factors.state(user_id)).generation

    async def trust(
        self, session: Session, caller: Caller, *, generation: int, by: str = "person"
    ) -> str | None:
        """Trust the browser of a session that a second factor has proven.

        Args:
            session: just begun or renewed.
            caller: the browser; what it trusts already stays.
            generation: as of before the proof.
            by: who does it, for the event.

        Returns:
            The `Set-Cookie` of the browser; `None` where it is not trusted: nobody's may be, the
            session is worth too little, or all browsers were forgotten meanwhile.

        Raises:
            StoreError, Unavailable: database or store cannot be asked.
        """
        days, now = await self.days_of_session(session), self._kit.clock()
        # A recovery code is of who has lost their factors, or of who has found a list of them.
        proven = [one for one in session.authentications if one.method != RECOVERY_CODE]
        method = _best_of(proven)
        if days == 0 or strength_of(proven) == "any" or method is None:
            return None
        browser = TrustedBrowser(
            id=secrets.token_bytes(_ID_BYTES),
            user_id=session.user_id,
            address=_address_digest(session.email, method),
            device=session.device,
            created_at=now,
            expires_at=now + days * DAY,
        )
        audit = self._kit.events.make("browser.trusted", caller, user_id=session.user_id, by=by)
        if not await self._browsers.trust(browser, generation=generation, most=MOST, audit=audit):
            return None
        self._kit.events.publish(audit)
        ids = (browser.id, *caller.trusted)
        return self._kit.cookies.set_trusted(ids, max_age=days * DAY)

    async def _signed_out_at(self, user_id: str) -> int:
        """Return when all sessions of a person were ended at last; -1 for never.

        Whoever signs out everywhere, or is disabled, is asked again everywhere.
        """
        mark = device_mark(user_slot(self._kit.keyring.realm, user_id))
        value = await self._kit.store.read(mark, now=self._kit.clock())
        return -1 if value is None else int.from_bytes(value, "big")

    async def list(self, user_id: str) -> Sequence[TrustedBrowser]:
        """Return a person's trusted browsers, newest first.

        Raises:
            StoreError, Unavailable: database or store cannot be asked.
        """
        found = await self._browsers.list(user_id, now=self._kit.clock())
        since = await self._signed_out_at(user_id) if found else -1
        return [browser for browser in found if browser.created_at > since]

    async def distrust(
        self, user_id: str, id: bytes, *, caller: Caller | None = None, by: str = "person"
    ) -> None:
        """Trust a browser no more.

        Args:
            user_id: whose.
            id: of the browser.
            caller: who asks, for the event.
            by: who does it, for the event.

        Raises:
            NotFound: the person has no such browser.
            StoreError: the database cannot be asked.
        """
        audit = self._make_end(user_id, 1, caller, by)
        if not await self._browsers.distrust(user_id, id, audit=audit):
            raise NotFound
        self._kit.events.publish(audit)

    async def distrust_all(
        self, user_id: str, *, caller: Caller | None = None, by: str = "person"
    ) -> int:
        """Trust no browser of a person any more, and return how many there were.

        Args:
            user_id: whose.
            caller: who asks, for the event.
            by: who does it, for the event.

        Raises:
            StoreError: the database cannot be asked.
        """
        audit = self._make_end(user_id, len(await self.list(user_id)), caller, by)
        count = await self._browsers.distrust_all(user_id, audit=audit)
        self._kit.events.publish(audit)
        return count

    async def sweep(self) -> None:
        """Forget those whose days are over."""
        await self._browsers.sweep(self._kit.clock())

    def _make_end(self, user_id: str, count: int, caller: Caller | None, by: str) -> Event:
        details = {"count": count}
        return self._kit.events.make(
            "browser.distrusted", caller, user_id=user_id, by=by, details=details
        )


def _days(policy: Policy, authentications: Sequence[Authentication], email: str) -> int:
    """Return for how many days a browser can be trusted: never by a break-glass address's login."""
    if uses_break_glass(policy, authentications, email=Address(email)):
        return 0
    return policy.trusted_days or 0


def _best_of(authentications: Sequence[Authentication]) -> str | None:
    """Return the second factor by which a browser is trusted; `None` where there is no other than
    the word of a provider, who says it anew with each login."""
    own = [one.method for one in authentications if not is_login_only(one)]
    return min(own, key=lambda method: _RANKS.get(method, 2), default=None)


def _address_digest(email: str, method: str) -> bytes:
    """Return what a row is good for; of one by `ANY`, the address alone."""
    return digest("trusted-address", email if method == ANY else f"{email} {method}")
