"""Numbers come out in one spelling or not at all, and only those of allowed mobile phones.

Security rule 47.
"""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.second_factors.sms.numbers import Numbers, mask_number

NUMBERS = Numbers(("DE", "GB", "US"))
MOBILE = "+4915123456789"


def problem(text: str, country: str = "", *, numbers: Numbers = NUMBERS) -> str:
    """Return which rule a number breaks."""
    with pytest.raises(InvalidArgument) as raised:
        numbers.read(text, country)
    (violation,) = raised.value.violations
    assert violation.field == "phone"
    assert "2345678" not in f"{raised.value!r} {raised.value.detail}"
    return violation.constraint


@pytest.mark.parametrize(
    "text",
    [
        "+4915123456789",
        "+49 151 23456789",
        "+49 (0)151 23456789",
        "+49 (0) 151-2345-6789",
        "+49.151.23456789",
        "0049 151 23456789",
        "0151/23456789",
        "(0151) 234 567 89",
        "  +49151 23456789\u202c ",
        "\u202a+49 151 23456789\u202c",
        "＋４９１５１２３４５６７８９",
        "+٤٩ ١٥١ ٢٣٤٥٦٧٨٩",
        "+49‑151‑23456789",
        "+49\u00a0151\u00a023456789",
    ],
)
def test_one_number_in_many_spellings_is_one(text: str) -> None:
    country = "" if text.strip(" \u202a").startswith(("+", "00", "＋")) else "DE"
    assert NUMBERS.read(text, country).e164 == MOBILE
    assert NUMBERS.read(text, country).country == "DE"
    assert NUMBERS.read(text, country).prefix == "+491512345"


def test_a_national_number_needs_its_country_unless_there_is_only_one() -> None:
    assert problem("0151 23456789") == "phone"
    assert Numbers(("DE",)).read("0151 23456789").e164 == MOBILE
    assert NUMBERS.read("+49 151 23456789", "US").e164 == MOBILE


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("+1 900 555 1234", "mobile"),  # premium rate
        ("+49 900 1 234567", "mobile"),
        ("+44 9012 345678", "mobile"),
        ("+1 800 555 0199", "mobile"),  # toll-free
        ("+49 180 5 123456", "mobile"),  # shared cost
        ("+44 56 1234 5678", "mobile"),  # voice over IP
        ("+49 32 221234567", "mobile"),  # voice over IP
        ("+44 70 1234 5678", "mobile"),  # personal numbers, dearer than any mobile's
        ("+44 7600 123456", "mobile"),  # pagers
        ("+49 30 901820", "mobile"),  # a fixed line
        ("+882 16 1234567", "country"),  # satellites and international networks
        ("+881 6 12345678", "country"),
        ("+979 1 2345 6789", "country"),  # premium rate of no country
        ("+33 6 12 34 56 78", "country"),
        ("+44 7911 123456", "country"),  # Guernsey's
        ("+44 7797 123456", "country"),  # Jersey's
        ("+1 876 555 1234", "country"),  # Jamaica's
        ("+1 604 555 1234", "country"),  # Canada's
        ("110", "phone"),
        ("+49 110", "phone"),
        ("+44 7700 900123", "phone"),  # kept for films
        ("+49 151 2345678901234", "phone"),
    ],
)
def test_only_mobile_phones_of_countries_that_are_named(text: str, rule: str) -> None:
    assert problem(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "+49 151 23456789 ext. 12",
        "+49 151 23456789;ext=12",
        "+49 151 23456789x12",
        "+49 151 23456789#12",
        "+49 151 23456789,,1",
        "tel:+4915123456789",
        "tel:15123456789;phone-context=+49",
        "+1 415 FLOWERS",
        "+49 151 23456789 +49 151 23456780",
        "+49 151 23456789, +49 151 23456780",
        "++4915123456789",
        "49+15123456789",
        "+49 151 2345678\u07c9",  # a nine in N’Ko, which is none in the closed table
        "+49 151 2345678\U0001d7d7",  # a mathematical nine
        "+49 151 2345678⁹",
        "+49 151 2345678Ⅸ",
        "+49 151 23456789\x00",
        "+49 151 23456789 " + " " * 40,
    ],
)
def test_what_is_not_one_plain_number_is_refused(text: str) -> None:
    assert problem(text) == "phone"


def test_nobody_is_written_to_where_no_country_is_named() -> None:
    assert problem("+49 151 23456789", numbers=Numbers(())) == "country"
    assert not Numbers(()).is_allowed(MOBILE)


def test_a_number_of_a_country_that_is_no_longer_named_is_not_written_to() -> None:
    assert NUMBERS.is_allowed(MOBILE)
    assert not Numbers(("GB", "US")).is_allowed(MOBILE)
    assert not NUMBERS.is_allowed("0049 151 23456789")


@given(
    st.text(alphabet="+0123456789 ()-./x٣\u200b", max_size=30), st.sampled_from(["", "DE", "US"])
)
def test_whatever_is_typed_a_number_comes_out_in_one_spelling_or_not_at_all(
    text: str, country: str
) -> None:
    try:
        number = NUMBERS.read(text, country)
    except InvalidArgument:
        return
    assert NUMBERS.read(number.e164) == number
    assert NUMBERS.is_allowed(number.e164)
    assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))


def test_a_number_is_shown_by_its_last_two_digits_alone() -> None:
    assert mask_number(MOBILE) == "•••• 89"
    assert "15123" not in repr(NUMBERS.read(MOBILE))


def test_a_longer_end_makes_no_further_blocks_of_one() -> None:
    """Austria has mobile numbers of 7 to 13 digits: a thousand "blocks" behind one true number."""
    austria = Numbers(["AT"])
    blocks = {austria.read(f"+43664123456{n:04d}").prefix for n in range(0, 10_000, 37)}
    assert blocks == {"+436641234"}
