"""Every page of people's and every mail in every language: rendered, filled and laid out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pwless_middleware.languages.current import use_language
from pwless_middleware.languages.languages import COMPLETE, Languages
from pwless_middleware.languages.times import format_date, format_time
from pwless_middleware.rendering.renderer import Email, Renderer
from tests.languages.test_pseudo import NOTICES
from tests.rendering.test_renderer import MAIL, PAGES, render, renderer

_LEFT_OVER = re.compile(r"%\(\w+\)|%[sd]\b|\{\{|\{%|%%")
_LONGEST_SUBJECT = 78
"""Characters: RFC 5322 §2.1.1 has lines no longer, and phones show about half of that."""
_WITHOUT_SPACES = ("ja", "zh-Hans", "zh-Hant")
"""A line can end anywhere in these, and is broken by who shows it; the bound is then 998 bytes.

Their full stop has its space within it.
"""
_SPACED = re.compile(r"[。！？：](?:<[^<>]*>)? \S")
LANGUAGES = Languages(COMPLETE)


@pytest.fixture(scope="module")
def pages() -> Renderer:
    return renderer()


def mails(pages: Renderer) -> Iterator[tuple[str, Email]]:
    """Yield every mail, those of a login in each of their kinds."""
    variables = {"left": "2", "passkey": "iCloud Keychain", "factor": "sms", "ending": "34"}
    for kind in ("LINK_OTP", "LINK", "OTP"):
        values: dict[str, Any] = MAIL | {"kind": kind, "subject_code": None}
        values |= {"code": None} if kind == "LINK" else {}
        for name in ("signin", "signup"):
            yield f"{name} {kind}", pages.email(name, **values)
    for name in NOTICES:
        context = MAIL | {"kind": "LINK", "code": None}
        yield name, pages.email(name, variables=variables, **context)


@pytest.mark.parametrize("code", COMPLETE)
def test_pages_and_mails_are_whole(code: str, pages: Renderer) -> None:
    language = LANGUAGES[code]
    head = f'<html lang="{code}" dir="{language.direction}"'
    with use_language(language):
        for name, template, context in PAGES:
            html = render(pages, template, context)
            assert head in html, name
            assert not _LEFT_OVER.search(re.sub(r"(?s)<(script|style).*?</\1>", "", html)), name
            assert not _SPACED.search(html), name
        for name, mail in mails(pages):
            assert head in mail.html, name
            assert 0 < len(mail.subject) <= _LONGEST_SUBJECT, name
            for part in (mail.subject, mail.text, re.sub(r"(?s)<style.*?</style>", "", mail.html)):
                assert not _LEFT_OVER.search(part), (name, part)
            most = 300 if code in _WITHOUT_SPACES else 78
            long = [line for line in mail.text.splitlines() if len(line) > most]
            assert [line for line in long if "://" not in line] == [], name
            assert mail.text.count("\n\n\n") == 0, name


@pytest.mark.parametrize("code", COMPLETE)
def test_times_have_every_part_and_the_script_every_form(code: str) -> None:
    with use_language(LANGUAGES[code]):
        for month in range(12):
            at = 1_767_323_520 + month * 2_629_800  # 2 January 2026, 03:12
            assert "2026" in format_date(at)
            assert format_date(at) != format_date(at + 31 * 86_400)
            assert re.search(r"\d\d:\d\d", format_time(at))
            assert "UTC" in format_time(at)
        durations = json.loads(LANGUAGES[code].durations)
    for units in durations["forms"]:
        assert len(units) == 3
        assert all(units)
    assert set(map(int, durations["of"])) == set(range(len(durations["forms"])))


@pytest.mark.parametrize(
    ("code", "rule"), [("ja", "auto-phrase"), ("ko", "keep-all"), ("de", None), ("zh-Hans", None)]
)
def test_a_mail_breaks_its_lines_where_the_language_does(
    code: str, rule: str | None, pages: Renderer
) -> None:
    """Between phrases in Japanese, between words in Korean: a line of one syllable reads badly."""
    with use_language(LANGUAGES[code]):
        html = pages.email("signin", **MAIL | {"kind": "LINK", "code": None}).html
    found = re.search(r"body \{ word-break: ([\w-]+);", html)
    assert (found[1] if found else None) == rule
