"""Find the one code or link token in what people type and paste.

A code comes with the words of the mail around it, in the digits of another keyboard, with invisible
characters of a web mail; a link comes cut in two, with the full stop of its sentence, or decoded
once too often. All of it is cleaned here and nowhere else, by closed tables, and what comes out is
the one canonical spelling or nothing. `str.isdigit` and `int` know more digits than people type.
"""

from __future__ import annotations

import re
from itertools import islice
from string import ascii_lowercase, ascii_uppercase
from urllib.parse import unquote

from pwless_middleware.core.challenges.codes import HIGH_ALPHABET, CodeStyle
from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.keys.keyring import LINK_CHARACTERS

MAX_CODE = 100
"""Characters of a text that is searched for a code, words around it included."""
MAX_LINK = 16_384
"""Characters of a text that is searched for a link token; servers take about as long addresses."""

_ZEROS = (
    "\uff10"  # full-width, as East Asian keyboards write
    "\u0660\u06f0"  # Arabic-Indic; Persian and Urdu
    "\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66"  # Devanagari to Malayalam
    "\u0e50\u0ed0\u0f20\u1040\u17e0\u1810"  # Thai, Lao, Tibetan, Myanmar, Khmer, Mongolian
)
_SPACES = (
    " \t\n\v\f\r\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f"
    "\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u20e3\u2800\u3164\uffa0\ufe0e\ufe0f\ufeff"
)
_PLAIN = {
    **{ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)},
    **{ord(wide): chr(ord(wide) - 0xFEE0) for wide in map(chr, range(0xFF21, 0xFF3B))},
    **{ord(wide): chr(ord(wide) - 0xFEE0) for wide in map(chr, range(0xFF41, 0xFF5B))},
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _INVISIBLE), None),
}

_LETTER = f"[{HIGH_ALPHABET}{HIGH_ALPHABET.lower()}]"
_WHOLE: dict[CodeStyle, re.Pattern[str]] = {
    "standard": re.compile("[0-9]{6}"),
    "high": re.compile(f"{_LETTER}{{8}}"),
}
# Among words: all digits that hang together by spaces and dashes, so that 12 of them are no code,
# and none that are part of another number or name (`+123456`, `123456.50`, `app123456.example`);
# letters only as the mail shows them, since words hang together by spaces too.
_UNSPACED = "\u0e01-\u0e4e\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"  # Thai; Chinese to Korean
_LETTERS = rf"[^\W{_UNSPACED}]"  # of scripts that put a space between a word and a number
# Compiled with the first use, which takes 3 ms each.
_AMONG_WORDS: dict[CodeStyle, str] = {
    "standard": rf"(?<!{_LETTERS})(?<!\+)(?<!\w[.,])[0-9](?:[ -]*[0-9])*(?!{_LETTERS}|[.,]\w)",
    "high": rf"(?<!{_LETTERS})(?<!-){_LETTER}{{4}}-?{_LETTER}{{4}}(?!{_LETTERS}|-)",
}
_BETWEEN = re.compile("[ -]")
_CONTROL = re.compile(f"[{CONTROL}]")


def to_plain_text(text: str) -> str:
    """Return a text with ASCII digits and letters, spaces and dashes, and nothing invisible.

    By the closed tables: what they do not know stays as it is, for the caller's grammar to refuse.
    """
    return text.translate(_PLAIN)


def code_in(text: str, style: CodeStyle) -> str | None:
    """Return the one code in a text, bare and in ASCII, or `None`.

    Args:
        text: as typed or pasted, e.g. `123 456`, `Your code: 123-456`, `bcdf ghjk`.
        style: `standard` finds 6 digits, `high` 8 letters of the alphabet in either case.

    Returns:
        `None` if there is none, if there are two that differ, over `MAX_CODE` characters, or
        beside a control character.
    """
    plain = to_plain_text(text)
    if len(text) > MAX_CODE or _CONTROL.search(plain):
        return None
    whole = _WHOLE[style]
    bare = _BETWEEN.sub("", plain)
    if whole.fullmatch(bare):
        return bare.upper()
    found = (_BETWEEN.sub("", match) for match in re.findall(_AMONG_WORDS[style], plain))
    codes = {bare.upper() for bare in found if whole.fullmatch(bare)}
    return codes.pop() if len(codes) == 1 else None


# --- links ---------------------------------------------------------------------------------------

# What a mail client or a program may leave between two characters of a long address: the end of a
# line (of quoted-printable, RFC 2045 §6.7, or of a quoted mail), spaces, what is invisible.
_GAP = re.compile(rf"=?\r?\n(?:> ?)*|[+{re.escape(_SPACES + _INVISIBLE)}]")
_NAME = re.compile("link_token", re.ASCII | re.IGNORECASE)
# `=3D` is an undecoded `=` of quoted-printable, and not the first two of 96 characters.
_TOKEN = re.compile(
    f"[^a-z2-7]*(?:3d(?=[a-z2-7]{{{LINK_CHARACTERS}}}(?![a-z2-7])))?([a-z2-7]{{{LINK_CHARACTERS}}})"
)
# Of ASCII alone: `str.lower` makes a `k` of the Kelvin sign.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_NEAR = 4 * LINK_CHARACTERS
"""Characters behind its name, or the beginning of a text, in which a token must end."""
_MOST_NAMES = 8
"""How often a text may name a token: each place costs a search, and anybody can send a text."""


def link_token_in(text: str) -> str | None:
    """Return the one link token in a text, in lower case, or `None`.

    Args:
        text: a token, the query of an address, a whole address, or words with one in them.

    Returns:
        `None` if there is none, if there are two that differ, if its name stands there more than
        eight times, or over `MAX_LINK` characters.
    """
    if len(text) > MAX_LINK:
        return None
    for _ in range(2):  # what passes links on has at times encoded them a second time
        text = unquote(text)
    starts = [name.end() for name in islice(_NAME.finditer(text), _MOST_NAMES + 1)] or [0]
    if len(starts) > _MOST_NAMES:
        return None
    near = (_GAP.sub("", text[start : start + _NEAR]) for start in starts)
    found = (_TOKEN.match(tail.translate(_LOWER)) for tail in near)
    tokens = {match[1] for match in found if match is not None}
    return tokens.pop() if len(tokens) == 1 else None
