"""The one canonical phone number: E.164, of a mobile phone, in a country that is allowed by name.

A number is made canonical once, before anything else looks at it, and budgets, records and the text
message use the canonical form only: ten spellings of one number are one bucket (security rule 47).
The grammar is what people write: digits, of other keyboards too, with spaces, dots, dashes, slashes
and brackets between them, and one `+` in front. No letters, and so no extension, no `tel:` and no
`1-800-FLOWERS`; `phonenumbers` by itself would read them all, and every digit that Unicode has.

Which numbers are mobile, and of which country, is for Google's libphonenumber to say: premium
rates, toll-free and shared-cost numbers, voice over IP, pagers and satellites are none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from pwless_middleware.core.challenges.pasted_text import to_plain_text
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.second_factors.sms.fields import LONGEST
from pwless_middleware.text import Text

FIELD: Final = "phone"
"""The field that errors name."""
_BLOCK_DIGITS: Final = 4
"""Digits at the end of a number that its prefix leaves out: operators get blocks of 10,000."""
_PREFIX_DIGITS: Final = 9
"""Digits of a prefix, at most: where numbers are as long as one likes (Austria's mobile ones have 7
to 13 digits after the 43), those with a longer end are in the block of those with a shorter one."""
_WRITTEN: Final = re.compile(r"(?:\+ ?)?[0-9()][0-9 ()./-]*")
_FILLING: Final = re.compile(r"[ ()./-]")
_MOBILE: Final = (
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,  # all ordinary numbers of the North American plan
)

_NO_NUMBER: Final = Text(
    "This is not a phone number. Write it with its country code, such as +44 7400 123456."
)
_NOT_MOBILE: Final = Text("This is not the number of a mobile phone.")
_OTHER_COUNTRY: Final = Text("We cannot send text messages to this country.")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One phone number.

    Attributes:
        e164: the canonical form, `+` and 7 to 15 digits.
        country: ISO 3166-1 code of the country whose number it is.
    """

    e164: str = field(repr=False)
    country: str

    @property
    def prefix(self) -> str:
        """The number without its last four digits, nine at most: the block that it is one of."""
        return self.e164[:-_BLOCK_DIGITS][: len("+") + _PREFIX_DIGITS]


class Numbers:
    """Read phone numbers.

    Args:
        countries: ISO 3166-1 codes of those to which text messages go; all others are refused. A
            country is what the number says: Guernsey (`GG`) is not Great Britain (`GB`), although
            both have +44.
    """

    def __init__(self, countries: Iterable[str]) -> None:
        self._countries = frozenset(countries)
        self._only = next(iter(self._countries)) if len(self._countries) == 1 else ""

    def read(self, text: str, country: str = "") -> PhoneNumber:
        """Return the number that a text means.

        Args:
            text: as typed: international (`+49 151 …`), or national with a country.
            country: whose national number it may be; empty (default) takes the only one that is
                allowed, if there is but one. A number with a `+` says itself whose it is.

        Raises:
            InvalidArgument: it is no number, none of a mobile phone, or not of these countries.
        """
        digits = _find_digits(text)
        if not country and digits.startswith("00"):
            digits = f"+{digits[2:]}"
        try:
            parsed = phonenumbers.parse(digits, country or self._only or None)
        except phonenumbers.NumberParseException:
            raise _refuse(_NO_NUMBER, "phone") from None
        if not phonenumbers.is_valid_number(parsed):
            raise _refuse(_NO_NUMBER, "phone")
        region = phonenumbers.region_code_for_number(parsed) or ""
        if region not in self._countries:
            raise _refuse(_OTHER_COUNTRY, "country")
        if phonenumbers.number_type(parsed) not in _MOBILE:
            raise _refuse(_NOT_MOBILE, "mobile")
        return PhoneNumber(phonenumbers.format_number(parsed, PhoneNumberFormat.E164), region)

    def is_allowed(self, e164: str) -> bool:
        """Whether a canonical number, read at another time, may still be written to."""
        try:
            return self.read(e164).e164 == e164
        except InvalidArgument:
            return False


def mask_number(e164: str) -> str:
    """Return what is shown of a number, and all that is: its last two digits."""
    return f"•••• {e164[-2:]}"


def format_number(e164: str) -> str:
    """Return a number as people read it, for who has just typed it: `+49 1512 3456789`."""
    parsed = phonenumbers.parse(e164)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def _find_digits(text: str) -> str:
    """Return what was dialed, with a `+` if there is one; nothing else is left in it."""
    plain = to_plain_text(text.replace("\uff0b", "+")) if len(text) <= LONGEST else ""
    plain = plain.strip(" ")
    if not _WRITTEN.fullmatch(plain):
        raise _refuse(_NO_NUMBER, "phone")
    return _FILLING.sub("", plain.replace("(0)", "") if plain.startswith("+") else plain)


def _refuse(text: Text, constraint: str) -> InvalidArgument:
    return InvalidArgument.of(FIELD, text, constraint)
