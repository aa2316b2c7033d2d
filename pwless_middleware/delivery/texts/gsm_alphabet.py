"""The alphabet of the short message service, which decides how much fits into one part.

3GPP TS 23.038 §6.2.1 (the default alphabet) and §6.2.1.1 (its extension): a text of these
characters alone goes out in 7 bits each, 160 to a part; any other in UCS-2, 70 to a part.
"""

from __future__ import annotations

from typing import Final

_DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"
_GSM: Final = frozenset(_DEFAULT + _EXTENSION)


def is_gsm(text: str) -> bool:
    """Whether a text can be written in the default alphabet and its extension."""
    return _GSM.issuperset(text)
