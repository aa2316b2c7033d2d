"""How many text messages may be asked for, and which budgets each one draws on.

A text message costs money, and some of who gets it: "SMS pumping" has a site write to thousands of
numbers at an operator who shares the fee. So there are limits per number, per block of numbers, per
user, per client, and for all together (security rule 47), beside the rule that only who has passed
a first factor can ask for one at all.

A number's budget is kept under a keyed digest of its canonical form: whoever reads the store cannot
tell which numbers are in it by trying all that there are. What has not been confirmed yet draws on
the same buckets, but gets at most half of the day of a number, of its block, and of all together:
a stranger who claims somebody else's number as theirs, the numbers beside it, or as many as there
may be cannot keep the codes from those who sign in with theirs (security rule 4).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import field, fields
from typing import TYPE_CHECKING, Final, Literal

from pwless_middleware.core.challenges.budget import Draw, Limit, draws_on
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.options.given_options import remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.storage.store_keys import text_budget, user_slot, user_text_budget
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.challenges.limits import DAY, HOUR, MINUTE, client_draws

if TYPE_CHECKING:  # whoever sets the numbers need not have the library
    from pwless_middleware.features.second_factors.sms.numbers import PhoneNumber

Scope = Literal["number", "prefix", "user", "client", "overall"]
"""Whose limit a budget is."""

_UNCONFIRMED: Final = 1
"""The tag of a text message to a number that nobody has confirmed yet."""
_HALVED: Final = ("per_day", "prefix_per_day", "overall_per_day")
"""Of which numbers that are not confirmed get at most half, and so not all of one."""
_MOST: Final = {"per_minute": 5, "per_day": 20, "overall_per_day": 1_000_000}
_MOST_OF_OTHERS: Final = 60_000


@named_options()
@remember_given
@dataclass(frozen=True, slots=True, kw_only=True)
class SMSLimits:
    """Limit how many text messages may be requested; sending one again counts like sending it.

    Args:
        per_minute: to one number; 1 to 5, default 1.
        per_day: to one number in 24 hours; 2 to 20, default 5, of which a number that is not
            confirmed gets at most half.
        user_per_day: for one user in 24 hours, whichever numbers; default 10.
        client_per_hour: for one client; default 10. An IPv6 /48, and a proxy with everybody behind
            it, gets ten times as many.
        prefix_per_day: to numbers that differ in their last four digits alone, in 24 hours; at
            least 2, default 20, of which those that are not confirmed get at most half.
        overall_per_day: for everybody together in 24 hours; at least 2, default 500, of which
            numbers that are not confirmed get at most half. Set what a busy day needs: it is what
            an attack can cost at most.

    Raises:
        ConfigError: a number outside its range.
    """

    per_minute: int = 1
    per_day: int = 5
    user_per_day: int = 10
    client_per_hour: int = 10
    prefix_per_day: int = 20
    overall_per_day: int = 500
    _given_options: frozenset[str] = field(
        default=frozenset(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            if not option.init:
                continue
            value, most = getattr(self, option.name), _MOST.get(option.name, _MOST_OF_OTHERS)
            least = 2 if option.name in _HALVED else 1
            if type(value) is not int or not least <= value <= most:
                raise ConfigError(
                    f"sms_limits.{option.name}", f"set a number from {least} to {most}"
                )


@dataclass(frozen=True, slots=True)
class ScopedDraw:
    """One draw of a text message, and whose limit it is.

    Attributes:
        scope: whose.
        draw: what is counted.
    """

    scope: Scope
    draw: Draw


class TextLimits:
    """Name the budgets of a text message. Pure: the store counts.

    Args:
        limits: the numbers.
        secrets: names the numbers' budgets in the store.
        realm: the deployment's.
    """

    def __init__(self, limits: SMSLimits, secrets: FeatureSecrets, *, realm: str) -> None:
        self._limits = limits
        self._key = secrets.derive("sms_budgets").encode()
        self._realm = realm

    @property
    def pause(self) -> int:
        """Seconds between two text messages to one number, where nothing else holds them up."""
        return MINUTE // self._limits.per_minute

    def draws(
        self, number: PhoneNumber, user_id: str, client: Client | None, *, is_confirmed: bool
    ) -> tuple[ScopedDraw, ...]:
        """Return the budgets that one text message draws on.

        Args:
            number: to whom.
            user_id: for whom.
            client: who asks; `None`, a server, is not counted: its address is its backend's.
            is_confirmed: whether the user has confirmed this number.
        """
        return tuple(self._draws(number, user_id, client, is_confirmed=is_confirmed))

    def _draws(
        self, number: PhoneNumber, user_id: str, client: Client | None, *, is_confirmed: bool
    ) -> Iterator[ScopedDraw]:
        limits, tag = self._limits, 0 if is_confirmed else _UNCONFIRMED

        def of_day(count: int) -> tuple[Limit, ...]:
            all = Limit(count, DAY)
            return (all,) if is_confirmed else (all, Limit(count // 2, DAY, _UNCONFIRMED))

        of_number = (Limit(limits.per_minute, MINUTE), *of_day(limits.per_day))
        for draw in draws_on(self._budget("number", number.e164), of_number, tag):
            yield ScopedDraw("number", draw)
        of_prefix = of_day(limits.prefix_per_day)
        for draw in draws_on(self._budget("prefix", number.prefix), of_prefix, tag):
            yield ScopedDraw("prefix", draw)
        of_user = user_text_budget(user_slot(self._realm, user_id))
        for draw in draws_on(of_user, (Limit(limits.user_per_day, DAY),)):
            yield ScopedDraw("user", draw)
        of_client = (Limit(limits.client_per_hour, HOUR),)
        for draw in client_draws(self._realm, client, "m", of_client):
            yield ScopedDraw("client", draw)
        for draw in draws_on(self._budget("overall", ""), of_day(limits.overall_per_day), tag):
            yield ScopedDraw("overall", draw)

    def _budget(self, what: Scope, of: str) -> str:
        text = f"{what}\x00{of}".encode()
        return text_budget(hmac.digest(self._key, text, "sha256"))
