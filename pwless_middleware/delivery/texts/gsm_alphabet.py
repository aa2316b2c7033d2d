"""The alphabet of the short message service, which decides how much fits into one part.

3GPP TS 23.038 §6.2.1 (the default alphabet) and §6.2.1.1 (its extension): a text of these
characters alone goes out in 7 bits each, 160 to a part; any other in UCS-2, 70 to a part.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"
_GSM: Final = frozenset(_DEFAULT + _EXTENSION)


def is_gsm(text: str) -> bool:
    """Whether a text can be written in the default alphabet and its extension."""
    return _GSM.issuperset(text)


class Length(NamedTuple):
    """How long a text is, as it is sent and paid for.

    Attributes:
        used: characters, those of the extension twice; of UCS-2, its units of 16 bits.
        parts: how many parts it is sent in.
        room: characters that so many parts have room for.
        is_gsm: whether it is in the default alphabet.
    """

    used: int
    parts: int
    room: int
    is_gsm: bool


def measure(text: str) -> Length:
    """Return how long a text is.

    A text of several parts has 6 bytes less in each, for the header that puts them together
    (3GPP TS 23.040 §9.2.3.24.1).
    """
    if is_gsm(text):
        used, alone, joined = len(text) + sum(map(text.count, _EXTENSION)), 160, 153
    else:
        used, alone, joined = len(text.encode("utf-16-le")) // 2, 70, 67
    if used <= alone:
        return Length(used, 1, alone, is_gsm(text))
    parts = -(-used // joined)
    return Length(used, parts, parts * joined, is_gsm(text))
