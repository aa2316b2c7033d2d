"""The options of text messages, checked; the library is imported where they are given."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.options import check_kind, check_verbs
from pwless_middleware.delivery.texts.base import TextSender
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.sms.limits import SMSLimits


@dataclass(frozen=True, slots=True)
class SMSOptions:
    """How codes by text message are sent.

    Attributes:
        sender: hands them to a gateway.
        countries: to whose numbers (ISO 3166-1).
        limits: how many.
    """

    sender: TextSender
    countries: tuple[str, ...]
    limits: SMSLimits


def check_sms(
    sender: TextSender | None, countries: Sequence[str], limits: SMSLimits | None
) -> SMSOptions | None:
    """Return the options, or `None` where no text messages are sent.

    Args:
        sender: `sms`; `None` for no text messages.
        countries: `sms_countries`.
        limits: `sms_limits`; `None` takes the defaults.

    Raises:
        ConfigError: one is wrong, lacks another one, or the library is not installed.
    """
    if limits is not None:
        check_kind("sms_limits", limits, SMSLimits, example="SMSLimits(per_day=3), or None")
    if sender is None:
        if countries or limits is not None:
            raise ConfigError("sms", "say who sends the text messages, e.g. TwilioTexts(...)")
        return None
    check_verbs("sms", sender, ("send",), example="TwilioTexts(...), or None")
    try:
        import_module("phonenumbers")
    except ImportError as error:
        raise ConfigError("sms", "it needs: pip install 'pwless-middleware[sms]'") from error
    from pwless_middleware.features.second_factors.sms.countries import check_countries

    named = check_countries(countries)
    if not named:
        raise ConfigError(
            "sms_countries",
            "name the countries to whose numbers text messages go, e.g. ['DE', 'AT']: none is "
            "allowed by itself, since each one costs",
        )
    return SMSOptions(sender, named, limits or SMSLimits())
