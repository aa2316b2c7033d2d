"""A mail's template as a whole: its three parts, how they are filled, and what they lack."""

from __future__ import annotations

import time

import pytest

from pwless_middleware.languages.catalogue import ENGLISH
from pwless_middleware.rendering.environment import make_environment
from pwless_middleware.rendering.mail_templates.defaults import write_defaults
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.mails import MAILS
from pwless_middleware.rendering.mail_templates.nodes import Refused
from pwless_middleware.rendering.mail_templates.template import (
    MOST,
    MOST_OF_MESSAGE,
    Fault,
    ReadTemplate,
    Texts,
    find_warnings,
    read_message,
    read_texts,
)

RULES = LinkRules("https://app.example.com")
SIGNIN = MAILS["signin"].admits()
GOOD = Texts("Hi {{ brand.name }}", "{{ code }}\n{{ link }}", '<a href="{{ link }}">{{ code }}</a>')
VALUES = {
    "brand.name": "Acme",
    "code": "271828",
    "link": "https://app.example.com/x",
    "kind": "OTP",
}


def read(**parts: str) -> ReadTemplate:
    template, faults = read_texts(GOOD._replace(**parts), SIGNIN, RULES)
    assert template is not None, faults
    return template


def faults(**parts: str) -> list[Fault]:
    template, found = read_texts(GOOD._replace(**parts), SIGNIN, RULES)
    assert template is None
    return list(found)


def test_each_part_is_filled() -> None:
    template = read()
    assert template.fill_subject(VALUES) == "Hi Acme"
    assert template.fill_text(VALUES) == "271828\nhttps://app.example.com/x\n"
    assert template.fill_html(VALUES) == '<a href="https://app.example.com/x">271828</a>'


def test_no_value_becomes_a_second_header() -> None:
    template = read(subject="Hi {{ brand.name }}")
    assert template.fill_subject({"brand.name": "a\r\nBcc: x"}) == "Hi a Bcc: x"


@pytest.mark.parametrize("name", ["code", "link", "otp", "email", "device", "host"])
def test_a_subject_holds_nothing_that_is_secret_or_not_ours(name: str) -> None:
    """Security rule 16."""
    (fault,) = faults(subject="{{ " + name + " }}")
    assert (fault.part, fault.line) == ("subject", 1)


def test_colors_stand_in_html_alone() -> None:
    (fault,) = faults(text="{{ palette.light.link }}")
    assert fault.part == "text"


@pytest.mark.parametrize("nothing", ["", "  \n "])
def test_no_part_can_be_forgotten(nothing: str) -> None:
    found = faults(subject=nothing, text=nothing, html=nothing)
    assert [fault.part for fault in found] == ["subject", "text", "html"]
    assert [fault.part for fault in faults(html="<p><br></p>")] == ["html"]


def test_every_part_is_bounded() -> None:
    found = faults(**{part: "x" * (most + 1) for part, most in MOST.items()})
    assert [fault.part for fault in found] == ["subject", "text", "html"]
    read(html=f"<p>{'x ' * (MOST['html'] // 2 - 4)}</p>")


def test_a_fault_of_each_part_is_told_with_its_line() -> None:
    found = faults(subject="a\nb", text="a\n\n{{ x }}", html="<p>\n<script>")
    assert [(fault.part, fault.line) for fault in found] == [
        ("subject", 2),
        ("text", 3),
        ("html", 2),
    ]


def test_text_is_wrapped_and_links_are_not() -> None:
    link = "https://app.example.com/" + "a" * 100
    template = read(text="word " * 40 + "\n{{ link }}\n\n\n\nend")
    lines = template.fill_text({**VALUES, "link": link}).split("\n")
    assert link in lines
    assert all(len(line) <= 76 for line in lines if line != link)
    assert lines[-4:] == [link, "", "end", ""]


@pytest.mark.parametrize(
    ("parts", "warned"),
    [
        ({}, []),
        ({"text": "{{ code }}"}, [("text", "link")]),
        ({"html": "<b>{{ code }}</b>"}, [("html", "link")]),
        (
            {"text": "hi", "html": "<b>hi</b>"},
            [("text", "code"), ("text", "link"), ("html", "code"), ("html", "link")],
        ),
        ({"html": '<a href="{{ link }}">{{ code }}<img src="/x.png"></a>'}, [("html", "alt")]),
    ],
)  # fmt: skip
def test_what_is_missing_is_warned_of(parts: dict[str, str], warned: list[tuple[str, str]]) -> None:
    found = find_warnings(read(**parts), wanted=("code", "link"), size=100)
    assert [fault.part for fault in found] == [part for part, _ in warned]
    for fault, (_, word) in zip(found, warned, strict=True):
        assert word in fault.reason


def test_a_mail_that_would_be_clipped_is_warned_of() -> None:
    assert find_warnings(read(), wanted=(), size=100_000) == ()
    (fault,) = find_warnings(read(), wanted=(), size=100_001)
    assert "100 KB" in fault.reason


def test_text_messages() -> None:
    names = {"code", "brand.name"}
    assert read_message("{{ code }} for {{ brand.name }}", names, RULES)
    for text in (
        "",
        "x" * (MOST_OF_MESSAGE + 1),
        "{{ link }}",
        "{{ code|x }}",
        "evil.example/{{ code }}",
    ):
        with pytest.raises(Refused):
            read_message(text, names, RULES)


def test_a_template_of_the_largest_size_is_read_in_time() -> None:
    html = "<p class='a' style='color:red'>{{ code }}</p>" * 900
    texts = GOOD._replace(html=html + "<br>" * ((MOST["html"] - len(html)) // 4))
    start = time.process_time()
    assert read_texts(texts, SIGNIN, RULES)[0] is not None
    assert time.process_time() - start < 2


def test_ours_can_be_edited() -> None:
    texts = write_defaults(make_environment(None), "signin", ENGLISH, fixed={})
    assert read_texts(texts, SIGNIN, RULES)[0] is not None
