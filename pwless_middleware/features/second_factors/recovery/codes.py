"""Recovery codes: how they look, how they are read, what is kept of them. Pure.

Ten codes of 80 random bits (security rule 44): so many bits need no slow hash. They are written in
Crockford's Base32, which leaves out the letters that look like others, and read whatever case,
dashes and look-alikes they are typed with.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from typing import Final

from pwless_middleware.core.challenges.pasted_text import MAX_CODE, to_plain_text

COUNT: Final = 10
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHARACTERS: Final = 16
"""Of a code without its dashes: five bits each."""
_GROUP: Final = 4
_LOOK_ALIKES: Final = str.maketrans("OoIiLlUu", "001111VV")
_CODE: Final = re.compile(f"[{ALPHABET}{ALPHABET.lower()}]{{{CHARACTERS}}}")
_BETWEEN: Final = re.compile("[ -]")


def make_codes() -> list[str]:
    """Return a new set of codes, as people are shown them: `XXXX-XXXX-XXXX-XXXX`."""
    return [_make_code() for _ in range(COUNT)]


def read_code(text: str) -> str | None:
    """Return the code in a text, bare and in upper case; `None` where it is none.

    Args:
        text: as typed or pasted.
    """
    if len(text) > MAX_CODE:
        return None
    bare = _BETWEEN.sub("", to_plain_text(text)).translate(_LOOK_ALIKES)
    return bare.upper() if _CODE.fullmatch(bare) else None


def digest_of(code: str) -> bytes:
    """Return what is kept of a code: 32 bytes.

    Args:
        code: bare, as `read_code` returns it, or as it was shown.
    """
    bare = code.replace("-", "")
    return sha256(f"pwless\x00recovery-code\x00{bare}".encode()).digest()


def _make_code() -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
    return "-".join(code[at : at + _GROUP] for at in range(0, CHARACTERS, _GROUP))
