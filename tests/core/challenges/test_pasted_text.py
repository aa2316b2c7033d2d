"""What people type and paste: one code or token comes out, in one spelling, or nothing.

Security rules 12 and 23.
"""

from __future__ import annotations

import time
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import ID_BYTES, SALT_BYTES, Challenge, ChallengeId
from pwless_middleware.core.challenges.codes import HIGH_ALPHABET, CodeStyle
from pwless_middleware.core.challenges.pasted_text import MAX_CODE, MAX_LINK, code_in, link_token_in
from pwless_middleware.core.keys.keyring import LINK_CHARACTERS, Keyring
from tests.support import KEY

CODE, HIGH = "123456", "BCDFGHJK"
TOKEN = ("bcd2e3fg" * 12)[:LINK_CHARACTERS]
STYLES: tuple[CodeStyle, ...] = ("standard", "high")
few = settings(max_examples=10)  # of each of many cases
codes = st.text("0123456789", min_size=6, max_size=6)
highs = st.text(HIGH_ALPHABET, min_size=8, max_size=8)
tokens = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=96, max_size=96)
ZEROS = "0\uff10\u0660\u06f0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0"
AROUND = [
    "{}", " {} ", "\t{}\r\n", "\u00a0{}", "{}\u00a0", "\u200b{}\u200b", "{}\ufeff",
    "\u2066{}\u2069", "\u202a{}\u202c", "\u200f{}", "\u061c{}", "Your code: {}",
    "Your code is {}.", "{} is your code",
    "Ihr Code lautet: {}", "@app.example.com #{}", "“{}”", "({})", "code={}", "Code:{}, 5 minutes",
    "{}\n\n@app.example.com #{}", "Приветствуем, ваш код: {}", "رمزك هو {}", "コード：{}。",
    "您的验证码是{}，5分钟内有效", "コード{}です", "인증번호는{}입니다", "รหัส{}ค่ะ",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
@few
@given(code=codes)
def test_words_and_invisible_characters_around_a_code_are_no_part_of_it(
    around: str, code: str
) -> None:
    assert code_in(around.format(code, code), "standard") == code


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("shape", ["{}{}", "{}-{}"])
@few
@given(high=highs)
def test_the_same_of_letters(around: str, shape: str, high: str) -> None:
    shown = shape.format(high[:4], high[4:])
    assert code_in(around.format(shown, shown), "high") == high
    assert code_in(around.format(shown.lower(), shown), "high") == high


@pytest.mark.parametrize("zero", ZEROS)
@few
@given(code=codes)
def test_digits_of_other_keyboards_are_read_as_ours(zero: str, code: str) -> None:
    there = "".join(chr(ord(zero) + int(digit)) for digit in code)
    assert code_in(there, "standard") == code
    assert code_in(f"\u2067{there[:3]}\u00a0{there[3:]}\u2069", "standard") == code


@pytest.mark.parametrize(
    "between",
    [" ", "-", "  ", " - ", "\u2011", "\u2013", "\u2212", "\uff0d", "\u2009", "\u202f", "\u3000",
     "\u200b", "\u200d", "\u00ad", "\u2060", "\t", "\n", "\u2028"],
)  # fmt: skip
def test_a_code_is_cut_in_two_by_any_space_dash_or_invisible_character(between: str) -> None:
    assert code_in(f"123{between}456", "standard") == CODE
    assert code_in(between.join(CODE), "standard") == CODE
    assert code_in(f"BCDF{between}GHJK", "high") == HIGH
    assert code_in(between.join(HIGH.lower()), "high") == HIGH
    wide = HIGH.translate({ord(c): chr(ord(c) + 0xFEE0) for c in HIGH})
    assert code_in(f"{wide[:4]}{between}{wide[4:].lower()}", "high") == HIGH


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "12345", "1234567", "123456 7", "123 456 78", "123456 654321", "123456 or 654321",
        "Your code: 123456. Or 654321", "12 34 5", "a123456", "123456a", "1_23456",
        "１２３４５", "¹²³⁴⁵⁶", "①②③④⑤⑥", "Ⅰ23456", "12345六", "０x123456", "123.456", "1e5",
        "+123456", "123456.0", "0.123456", "1,123456", "123456.a",
        "\x00123456\x00"[1:6], "123456" + "x", "é123456", "12345\u0301", "x" * 95 + "123456",
    ],
)  # fmt: skip
def test_what_is_no_code_or_two_of_them_is_none(text: str) -> None:
    assert code_in(text, "standard") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "BCDFGHJ", "BCDFGHJKL", "BCDF-GHJKL", "BCDF-GHJK or GHJK-BCDF", "BCDF-GHJK-BCDF",
        "xBCDFGHJK", "BCDFGHJA", "ſCDFGHJK", "BCDFGHJ\u212a", "ﬀBCDFGH", "BCDF1GHJK",
        "HTML BCDF GHJK", "1BCDFGHJK", "BCDF_GHJK", "Your code is BCDF GHJ", "please sign in",
    ],
)  # fmt: skip
def test_what_are_no_letters_of_a_code_is_none(text: str) -> None:
    assert code_in(text, "high") is None


@given(st.text(max_size=MAX_CODE + 5), st.sampled_from(STYLES))
def test_whatever_is_typed_a_code_comes_out_in_one_spelling_or_not_at_all(
    text: str, style: CodeStyle
) -> None:
    code = code_in(text, style)
    if code is not None:
        alphabet, length = ("0123456789", 6) if style == "standard" else (HIGH_ALPHABET, 8)
        assert len(code) == length
        assert set(code) <= set(alphabet)
        assert code_in(code, style) == code


def test_a_text_of_a_hundred_characters_is_searched_and_no_longer_one() -> None:
    assert code_in("x" * 93 + " " + CODE, "standard") == CODE
    assert code_in("x" * 94 + " " + CODE, "standard") is None


def test_the_tables_are_closed_and_hold_what_they_say() -> None:
    """Digits that are none to a person (superscripts, circled) are none here either."""
    others = [chr(n) for n in range(0x110000) if chr(n).isdigit() and not chr(n).isdecimal()]
    assert [c for c in others if code_in(c + "23456", "standard")] == []
    for zero in ZEROS:
        assert [unicodedata.decimal(chr(ord(zero) + n)) for n in range(10)] == list(range(10))


# --- links ---------------------------------------------------------------------------------------

URL = "https://app.example.com/auth/link?link_token="
DAMAGES = [
    "{}", "{}.", "{}>", "{})", "{}]", '{}"', "{}'", "{},", "{};", "{}!", "{}…", "{}&gt;", "{}%20",
    "{}%3E", "{}\u200b", "{}&utm_source=mail", "{}&amp;utm_source=a", "{}?utm_source=mail&x=1",
    "{}%3Futm_source=mail", "{}#top", "<{}>", "({})", '"{}"', " {} ", "{}/", "{}\\", "{}=", "{}*",
]  # fmt: skip
CUTS = [
    " ", "\n", "\r\n", "=\r\n", "=\n", "\r\n> ", "\n>> ", "%20", "%0D%0A", "%0A", "+", "\t",
    "%C2%A0", "\u00a0", "\u200b", "%E2%80%8B", "\u00ad", "%2520", "  ",
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("before", ["", URL, "link_token=", f"Open this: {URL}"])
@few
@given(token=tokens)
def test_a_token_is_found_in_what_mail_clients_make_of_a_link(
    before: str, damage: str, token: str
) -> None:
    text = before + damage.format(token)
    assert link_token_in(text) == token
    assert link_token_in(text.upper()) == token
    assert link_token_in(quote(text)) == token


@pytest.mark.parametrize("cut", CUTS)
@few
@given(token=tokens, at=st.integers(1, LINK_CHARACTERS - 1))
def test_a_token_is_put_together_where_a_line_was_broken(cut: str, token: str, at: int) -> None:
    assert link_token_in(URL + token[:at] + cut + token[at:] + "&x=1") == token
    assert link_token_in(token[:at] + cut + token[at:]) == token


@pytest.mark.parametrize(
    "name",
    ["link_token=", "link_token%3D", "link_token%253D", "link_token=3D", "LINK_TOKEN=",
     "amp;link_token=", "link_token==", "link_token = ", "utm_source=a?link_token=",
     "link_token=%22", "link_token=<"],
)  # fmt: skip
@few
@given(token=tokens)
def test_a_token_is_found_however_its_name_was_written(name: str, token: str) -> None:
    assert link_token_in(name + token) == token
    assert link_token_in(f"?a=b&{name}{token}&c=d") == token


@given(tokens, tokens)
def test_two_tokens_are_none_and_one_of_them_twice_is_one(token: str, other: str) -> None:
    twice = f"link_token={token}&link_token={{}}"
    assert link_token_in(twice.format(token)) == token
    assert link_token_in(twice.format(other)) == (token if token == other else None)


@given(tokens)
def test_a_token_that_begins_like_an_encoded_sign_keeps_its_beginning(token: str) -> None:
    token = "3d" + token[2:]
    for text in (
        URL + token,
        URL + token + ".",
        URL + "3D" + token,
        token,
        "link_token%3D" + token,
    ):
        assert link_token_in(text) == token


@pytest.mark.parametrize(
    "text",
    ["", "a", TOKEN[:-1], "link_token=", URL, TOKEN[:-1] + "1", TOKEN[:-1] + "é", "%", "%zz",
     TOKEN[:-1] + "\u212a", "x" * (MAX_LINK + 1)],
)  # fmt: skip
def test_what_holds_no_token_is_none(text: str) -> None:
    assert link_token_in(text) is None


@given(st.text(max_size=300))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    found = link_token_in(text)
    assert found is None or len(found) == LINK_CHARACTERS


def test_a_text_that_names_a_token_over_and_over_costs_no_search_for_each() -> None:
    """A stranger can send 32 KiB of names to the link's page, as often as they like."""
    assert link_token_in(" ".join(["link_token=" + TOKEN] * 8)) == TOKEN
    assert link_token_in(" ".join(["link_token=" + TOKEN] * 9)) is None


@pytest.mark.parametrize(
    "piece", ["link_token=", "link_token=a", "\n", "=\r\n", "> ", "%25", "a ", "3d", "\u200b"]
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    text = (piece * MAX_LINK)[:MAX_LINK]
    began = time.process_time()
    assert link_token_in(text) in (None, "a" * 96, "3d" * 48)
    assert time.process_time() - began < 2, "CPU of this process; 0.03 s on an idle machine"


def test_a_real_token_opens_in_upper_case_as_in_lower() -> None:
    ring = Keyring(KEY, realm="r")
    challenge = Challenge(
        id=ChallengeId(b"i" * ID_BYTES), key_id=ring.current, salt=b"s" * SALT_BYTES, generation=0,
        address=Address("jo@example.com"), kind="LINK", template="SIGNIN", caller="browser",
        asked_at=0, started_at=0, expires_at=300, lifetime=300,
    )  # fmt: skip
    token = link_token_in((URL + ring.link_token(challenge)).upper())
    link = ring.open_link(token or "")
    assert link is not None
    assert ring.is_link_of(link, challenge)
