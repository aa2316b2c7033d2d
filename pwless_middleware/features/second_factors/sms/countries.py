"""The countries to which text messages go, as a host names them and a person chooses theirs."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import phonenumbers

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.sms.country_names import NAMES
from pwless_middleware.languages.current import translate

OPTION = "sms_countries"
_MEANT = {"UK": "GB", "EL": "GR", "SU": "RU"}
"""Codes that people write for others (ISO 3166-1 has them reserved)."""


@dataclass(frozen=True, slots=True)
class Country:
    """One country to choose.

    Attributes:
        code: ISO 3166-1, e.g. `DE`.
        name: in the language that is being written.
        calling_code: its digits, e.g. `49`; several countries may share one.
    """

    code: str
    name: str
    calling_code: str


def check_countries(countries: Sequence[str]) -> tuple[str, ...]:
    """Return the countries of an option.

    Args:
        countries: ISO 3166-1 codes, in capitals. There is no word for all of them: each one is a
            decision of the host's (security rule 47).

    Raises:
        ConfigError: one of them is no country with phone numbers, or stands there twice.
    """
    check_texts(OPTION, countries, example="['DE', 'AT', 'CH']")
    for code in countries:
        if code in NAMES:
            continue
        meant = _MEANT.get(code.upper(), code.upper())
        if meant in NAMES:
            raise ConfigError(OPTION, f"{code!r} is no country: did you mean {meant!r}?")
        raise ConfigError(
            OPTION, f"{code!r} is no country: name each by two letters (ISO 3166-1), e.g. 'DE'"
        )
    if len(set(countries)) < len(countries):
        raise ConfigError(OPTION, "name each country once")
    return tuple(countries)


def list_countries(codes: Sequence[str]) -> Sequence[Country]:
    """Return countries by their names in the language that is being written, in its order.

    Args:
        codes: of those to list.
    """
    found = [
        Country(code, translate(NAMES[code]), str(phonenumbers.country_code_for_region(code)))
        for code in codes
    ]
    return sorted(found, key=lambda country: _sorting_key(country.name))


def _sorting_key(name: str) -> str:
    """Return what a name is sorted by: without accents, so that Österreich does not come last."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
