"""A person's own recovery codes: a new set, shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import InvalidArgument, PersonDisabled
from pwless_middleware.features.second_factors.mails import FactorMails
from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.recovery.codes import digest_of, make_codes
from pwless_middleware.features.second_factors.settings import SecondFactorRules
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.recovery_codes import RecoveryCodeRepository


class OwnRecoveryCodes:
    """Make them. How many there are stands in `OwnFactors.state`.

    Args:
        kit: everything below.
        codes: keeps what they are found by.
        own: knows whether the person has a second factor.
        rules: how second factors behave now.
        mails: tell the person.
    """

    def __init__(
        self,
        kit: Kit,
        codes: RecoveryCodeRepository,
        own: OwnFactors,
        rules: LiveSettings[SecondFactorRules],
        mails: FactorMails,
    ) -> None:
        self._kit = kit
        self._codes = codes
        self._own = own
        self._rules = rules
        self._mails = mails

    async def make(
        self, user_id: str, *, caller: Caller | None = None, by: str = "person"
    ) -> list[str]:
        """Return ten new recovery codes, which are never shown again; older ones are void.

        Args:
            user_id: whose.
            caller: who asks, for the event.
            by: who does it, for the event.

        Raises:
            InvalidArgument: the person has no second factor, or the deployment no recovery codes.
            PersonDisabled: nobody can sign in as the person.
            RateLimited: the person has changed too much in 24 hours.
            Unavailable: database or queue cannot take it.
        """
        if not self._rules().recovery_codes:
            raise InvalidArgument.of("recovery_codes", _NO_CODES, "off")
        if not await self._own.has_any(user_id):
            raise InvalidArgument.of("recovery_codes", _NO_FACTOR, "factor")
        codes = make_codes()
        await self._kit.change_budget.spend(user_id, caller)
        await self._mails.queue_recovery_codes_made(user_id, caller)
        audit = self._kit.events.make("recovery_codes.made", caller, user_id=user_id, by=by)
        digests = [digest_of(code) for code in codes]
        if not await self._codes.set(user_id, digests, at=self._kit.clock(), audit=audit):
            raise PersonDisabled
        self._kit.events.publish(audit)
        await self._kit.wake_delivery()
        return codes


_NO_CODES = Text("There are no recovery codes here.")
_NO_FACTOR = Text("Add a second factor first: without one, recovery codes open nothing.")
