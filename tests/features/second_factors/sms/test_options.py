"""Nothing is sent before somebody says who sends it, and to which countries."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.sms.limits import SMSLimits
from pwless_middleware.features.second_factors.sms.options import check_sms


def test_without_a_sender_there_are_no_text_messages() -> None:
    assert check_sms(None, (), None) is None


def test_what_is_not_given_has_its_default() -> None:
    options = check_sms(TextOutbox(), ["DE"], None)
    assert options is not None
    assert options.limits == SMSLimits()
    assert options.countries == ("DE",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((TextOutbox(), (), None), "sms_countries: name the countries"),
        ((TextOutbox(), ("UK",), None), "sms_countries: 'UK' is no country"),
        ((TextOutbox(), "DE", None), "sms_countries: give a list"),
        ((None, ("DE",), None), "sms: say who sends"),
        ((None, (), SMSLimits()), "sms: say who sends"),
        ((TextOutbox, ("DE",), None), "sms: set TwilioTexts"),
        (("twilio", ("DE",), None), "sms: set TwilioTexts"),
        ((TextOutbox(), ("DE",), {"per_day": 3}), "sms_limits: set SMSLimits"),
        ((TextOutbox(), ("DE",), SMSLimits), "sms_limits: set SMSLimits"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_set(given: Any, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_sms(*given)
    assert str(raised.value).startswith(told)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(ConfigError, match=r"pip install 'pwless-middleware\[sms\]'"):
        check_sms(TextOutbox(), ["DE"], None)
