"""Countries are named one by one, and chosen by their names in the language of the page."""

from __future__ import annotations

import phonenumbers
import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.sms.countries import check_countries, list_countries
from pwless_middleware.features.second_factors.sms.country_names import NAMES
from pwless_middleware.languages.current import use_language
from pwless_middleware.languages.languages import Languages


def test_every_country_with_phone_numbers_can_be_named() -> None:
    assert NAMES.keys() == phonenumbers.SUPPORTED_REGIONS


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["UK"], "did you mean 'GB'"),
        (["de"], "did you mean 'DE'"),
        (["Germany"], "two letters"),
        (["+49"], "two letters"),
        (["*"], "two letters"),
        (["001"], "two letters"),
        (["DE", "DE"], "once"),
        ("DE", "list"),
        ([49], "list"),
    ],
)
def test_what_is_no_country_is_refused_with_what_to_write(given: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=r"^sms_countries: ") as raised:
        check_countries(given)
    assert told in str(raised.value)


def test_countries_stand_in_the_order_of_the_language() -> None:
    codes = check_countries(["US", "CH", "AT", "DE", "GB"])
    names = [country.name for country in list_countries(codes)]
    assert names == ["Austria", "Germany", "Switzerland", "United Kingdom", "United States"]
    with use_language(Languages()["de"]):
        shown = [(one.code, one.name, one.calling_code) for one in list_countries(codes)]
    assert shown == [
        ("DE", "Deutschland", "49"),
        ("AT", "Österreich", "43"),
        ("CH", "Schweiz", "41"),
        ("US", "Vereinigte Staaten", "1"),
        ("GB", "Vereinigtes Königreich", "44"),
    ]
