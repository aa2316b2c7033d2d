"""Our own templates in the closed language: they say what ours say."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from pwless_middleware.core.brand import Brand
from pwless_middleware.languages.current import use_language
from pwless_middleware.languages.languages import COMPLETE, Languages
from pwless_middleware.rendering.environment import make_environment
from pwless_middleware.rendering.mail_templates.defaults import TooFree, write_defaults
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.mails import MAILS, Mail
from pwless_middleware.rendering.mail_templates.template import Texts, find_warnings, read_texts
from pwless_middleware.rendering.renderer import Renderer

RULES = LinkRules("https://app.example.com")
EMAILS = [mail for mail in MAILS.values() if mail.channel == "email"]
LANGUAGES = Languages(COMPLETE)


def defaults(mail: Mail, language: str = "en", folder: Path | None = None) -> Texts:
    env = make_environment(folder) if folder else _reading_once()
    return write_defaults(env, mail.name, LANGUAGES[language], fixed=mail.fixed)


@functools.cache
def _reading_once() -> Environment:
    """Return an environment that parses each of our templates once, and not in each language."""
    env = make_environment(None).overlay()
    env.parse = functools.cache(env.parse)  # type: ignore[method-assign] # nobody changes the trees
    return env


def kinds_of(mail: Mail) -> list[str]:
    return ["OTP", "LINK", "LINK_OTP"] if "code" in mail.wanted else ["LINK"]


@pytest.mark.parametrize("language", COMPLETE)
def test_they_are_admitted_and_say_the_same(language: str) -> None:
    for mail in EMAILS:
        check_mail(mail, language)


def check_mail(mail: Mail, language: str) -> None:
    """Assert that a mail as an operator begins to edit it says what ours says."""
    template, faults = read_texts(defaults(mail, language), mail.admits(), RULES)
    assert template is not None, (mail.name, faults)
    assert find_warnings(template, wanted=mail.wanted, size=0) == (), mail.name
    renderer = Renderer(brand=Brand("Acme & Co"), templates=None, prefix="/auth")
    for kind in kinds_of(mail):
        code = "271828" if kind != "LINK" else None
        values: dict[str, Any] = {
            "kind": kind,
            "code": code,
            "otp": code,
            "link": "https://app.example.com/x?a=1&b=2" if "link" in mail.wanted else None,
            "subject_code": None,
            "email": "jo@example.com",
            "host": "app.example.com",
            "device": "Firefox on Linux",
            "asked_at": "3 May 2026, 06:12 UTC",
            "expiry_time_relative": "5 minutes",
            "expire_time": "1",
            "expiry_time": "3 May 2026, 06:17 UTC",
            **{one.name: one.sample for one in mail.own},
        }
        if kind == "OTP":
            values["link"] = None
        with use_language(LANGUAGES[language]):
            ours = renderer.email(mail.name, **values)
        filled = {**values, **renderer.template_values}
        assert template.fill_subject(filled) == ours.subject
        assert template.fill_text(filled).split() == ours.text.split()
        body = re.search(r"<body[^>]*>(.*)</body>", ours.html, re.DOTALL)
        assert body is not None
        assert words(template.fill_html(filled)) == words(body[1])


def words(html: str) -> list[str]:
    """Return HTML in words, written in one way."""
    html = re.sub(r"[;\s]*\"", '"', html).replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    return re.sub(r"([<>])", r" \1 ", html).split()


def test_the_frame_is_not_among_it() -> None:
    html = defaults(MAILS["signin"]).html
    assert not re.search(r"<(?:html|head|style|meta|body)\b", html)


def test_what_a_mail_never_has_is_left_out() -> None:
    texts = defaults(MAILS["account_deleted"])
    assert not re.search(r"\b(?:code|link|kind)\b", texts.text + texts.html)


def write(folder: Path, name: str, text: str) -> None:
    file = folder / "email" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def test_a_host_s_templates_are_begun_with(tmp_path: Path) -> None:
    write(
        tmp_path,
        "signin.txt",
        '{% extends "pwless/email/signin.txt" %}{% block intro %}Hey!{% endblock %}',
    )
    texts = defaults(MAILS["signin"], folder=tmp_path)
    assert "Hey!" in texts.text
    assert "You asked" not in texts.text
    assert "{{ code }}" in texts.text


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in [1] %}{{ x }}{% endfor %}",
        "{{ code|upper }}",
        "{{ code.upper() }}",
        "{% macro m() %}{% endmacro %}",
        "{% extends code %}",
        "{% if code is defined %}{% endif %}",
    ],
)
def test_what_the_language_cannot_say_is_not_made_up(tmp_path: Path, text: str) -> None:
    write(tmp_path, "signin.txt", text)
    with pytest.raises(TooFree):
        defaults(MAILS["signin"], folder=tmp_path)
