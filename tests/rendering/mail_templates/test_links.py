"""Where a template may lead, and what a mail program makes a link of (security rules 16, 64)."""

from __future__ import annotations

import pytest

from pwless_middleware.rendering.mail_templates.language import read_template
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.nodes import Refused

NAMES = frozenset({"code", "link", "email", "host", "asked_at", "device", "brand.name"})
RULES = LinkRules(
    "https://app.acme.example", ["https://www.acme.example:8443", "capacitor://localhost"]
)


def check(text: str) -> None:
    RULES.check_words(read_template(text, NAMES))


ADMITTED = [
    "Your code: {{ code }}.",
    "({{ code }})",
    "Code:{{ code }}",
    "{{ code }}/{{ device }}",
    "{{ brand.name }}'s login",
    "Asked on {{ asked_at }}, from {{ device }}. Was this not you?",
    "{{ link }}",
    "<{{ link }}>",
    "Open ({{ link }}).",
    "“{{ link }}”",
    "a\n{{ link }}\nb",
    "{% if link %}{{ link }}{% endif %}",
    "@{{ host }} #{{ code }}",
    "{{ brand.name }}: {{ code }}",
    "{{ code }}: {{ brand.name }}, {{ email }}. {{ brand.name }}的验证码",
    "{{ email }}",
    "https://app.acme.example",
    "https://app.acme.example/",
    "https://app.acme.example/a?b=c#d.",
    "(https://app.acme.example/a)",
    "HTTPS://APP.acme.example/a",
    "https://app.acme.example:443/",
    "https://www.acme.example:8443/x",
    "https://app.acme.example/go?to=https://evil.example",
    "app.acme.example/help",
    "acme.example",
    "help@acme.example",
    "first.last+x@app.acme.example,",
    "e.g. this, i.e. that, z.B. jenes, 3.5 kg, 12:30, v1.2, U.S.",
    "and so on... {{ code }}",
    "...{{ code }}",
    "Wait…{{ code }}",
    "C# and C++, 50/50, and/or",
    "Skype: jo",
    "コードを確認。次へ進む。",  # a full stop of theirs ends a sentence
    "请确认。然后继续。",
]


@pytest.mark.parametrize("text", ADMITTED)
def test_words_that_lead_nowhere_or_home(text: str) -> None:
    check(text)


FOREIGN = [
    "https://evil.example",
    "evil。example",
    "悪。example",
    "evil。公司",
    "https://悪。例え",
    "www.悪。例え",
    "jo@evil。例え",
    "http://app.acme.example",
    "https://app.acme.example:444",
    "https://app.acme.example.evil.example",
    "https://app.acme.example@evil.example",
    "https://app.acme.example:443@evil.example/",
    "https://evil.example/app.acme.example",
    "https://evil.example#@app.acme.example",
    "https://evil.example\\@app.acme.example",
    "https:///evil.example",
    "https:/\\evil.example",
    "//evil.example",
    "\\\\evil.example\\share",
    "\\\\evil\\share",
    "ftp://app.acme.example",
    "capacitor://localhost/x",
    "data://x",
    "x://app.acme.example",
    "evil.example",
    "(evil.example)",
    "evil.example/app.acme.example",
    "evil.example,app.acme.example",
    "app.acme.example.evil.example",
    "evilacme.example",
    "other.acme.example",
    "example.",
    "jo@evil.example",
    "jo@app.acme.example.evil.example",
    "jo@acme.example@evil.example",
    "evil.example/@acme.example",
    "www.evil",
    "WWW.evil",
    "mailto:jo@acme.example",
    "tel:+4912345",
    "sms:1234",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:x",
    "skype:jo",
    "ms-word:x",
    "192.0.2.1",
    "192.0.2.1/x",
    "bücher.example",
    "xn--bcher-kva.example",
    "evil。example",
    "evil．example",
    "ｅｖｉｌ.ｅｘａｍｐｌｅ",
    "evil.exam\u00adple",
    "evil.exam\u200bple",
    "evil\u2060.example",
    "evil.ex\ufe0fample",
    "end.Next",
    "Node.js",
    "https://app.acme.example/auth/link?link_token=x",
    "https://app.acme.example/auth/link?LINK%5ftoken=x",
    "https://app.acme.example/?x={a}",
]


@pytest.mark.parametrize("text", [one for one in FOREIGN if one != "example."])
def test_words_that_lead_elsewhere(text: str) -> None:
    with pytest.raises(Refused) as caught:
        check(f"see\n{text} there")
    assert caught.value.line == 2


TELLING = [
    "https://app.acme.example/{{ code }}",
    "https://app.acme.example/?c={{ code }}",
    "https://{{ code }}.evil.example",
    "https://{{ host }}/x",
    "{{ code }}.evil.example",
    "evil.example/{{ code }}",
    "evil.{{ brand.name }}",
    "{{ code }}.{{ device }}",
    "{{ code }}@evil.example",
    "mailto:jo?body={{ code }}",
    "sms:{{ code }}",
    "tel:{{ code }}",
    "www.{{ code }}",
    "app.acme.example/{{ code }}",
    "\\\\evil\\{{ code }}",
    "https://evil.example/?u={{ link }}",
    "{{ link }}.evil.example",
    "{{ link }}&to=x",
    "{{ link }}x",
    "x{{ link }}",
    "x:{{ link }}",
    "{{ link }}{{ code }}",
    "{{ code }}{{ link }}",
    "{{ link }}/",
    "{{ link }}#",
    "https://app.acme.example/\u200b{{ code }}",
    # A brand may be called `evil.example/`, and our own host is one.
    "{{ brand.name }}{{ code }}",
    "{{ brand.name }}/{{ code }}",
    "{{ brand.name }}?{{ code }}",
    "{{ brand.name }}/to/{{ code }}",
    "{{ brand.name }}{% if code %}/{% endif %}{{ code }}",
    "{{ host }}/{{ code }}",
    "{{ email }}?body={{ code }}",
    # In pieces, each of which is no link.
    "evil{% if code %}.ex{% endif %}ample/{{ code }}",
    "htt{% if code %}ps:/{% endif %}/evil/{{ code }}",
    "https:{% if code %}//{% endif %}{% if link %}{{ code }}{% endif %}",
    "{% if code %}https://app.acme.example/{% else %} {% endif %}{{ code }}",
    "{% if code %} {% else %}https://app.acme.example/{% endif %}{{ code }}",
    "{% if code %}{% if link %}evil.example/{% endif %}{% endif %}{{ code }}",
    "{% if code %}x {% else %}evil.{% endif %}{{ code }}",
    "evil.{# #}example/{# #}{{ code }}",
    "evil{% raw %}.{% endraw %}example/{{ code }}",
    "a{% if code %}{{ link }}{% endif %}",
    "{% if code %}{{ link }}{% endif %}&x",
    "evil.example{% if code %}/{{ code }}{% endif %}",
]


@pytest.mark.parametrize("text", TELLING)
def test_no_link_holds_a_variable(text: str) -> None:
    with pytest.raises(Refused):
        check(f"see {text} there")


def test_no_word_is_made_of_so_many_choices_that_they_could_not_be_tried() -> None:
    """Else a template of a few hundred bytes would have 2^40 words."""
    with pytest.raises(Refused, match="Too many ifs"):
        check("".join(f"{{% if code %}}{n}{{% endif %}}" for n in range(40)))
    check(" ".join(f"{{% if code %}}{n}{{% endif %}}" for n in range(40)))


def test_no_word_is_so_long_that_its_forms_would_fill_the_memory() -> None:
    with pytest.raises(Refused, match="too long"):
        check("x" * 150_000 + "{{ code }}" * 1000)
    check("x" * 3000 + " {{ code }}")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://app.acme.example/a?b=1&c=2", "https://app.acme.example/a?b=1&c=2"),
        ("/help", "https://app.acme.example/help"),
        ("/", "https://app.acme.example/"),
        ("https://www.acme.example:8443/", "https://www.acme.example:8443/"),
    ],
)
def test_links_are_absolute(url: str, found: str) -> None:
    assert RULES.link(url, 1) == found


ELSEWHERE = [
    "",
    "x",
    "?x",
    "#x",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:\\\\evil.example",
    "https://app.acme.example\\@evil.example",
    "https://app.acme.example@evil.example",
    "https://app.acme.example%2eevil.example",
    "https://app.acme.example\t.evil.example",
    "https://app.acme.example\n.evil.example",
    "https://app.acme.example\u00a0x",
    "https://ａpp.acme.example",
    "http://app.acme.example/",
    "ht\ntps://app.acme.example/",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "vbscript:x",
    "data:text/html,<b>",
    "mailto:jo@acme.example",
    "cid:x",
    "/a b",
    '/a"b',
    "/auth/link?link_token=x",
    "/auth/link?link%5Ftoken=x",
    "/auth/link?link%255Ftoken=x",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_links_that_lead_elsewhere(url: str) -> None:
    with pytest.raises(Refused):
        RULES.link(url, 1)


@pytest.mark.parametrize(
    "url", [*(u for u in ELSEWHERE if "token" not in u), "https://www.acme.example:8443/x.png"]
)
def test_images_come_from_the_app_alone(url: str) -> None:
    with pytest.raises(Refused):
        RULES.image(url, 1)


def test_a_host_with_a_port_is_named_without_it() -> None:
    rules = LinkRules("http://localhost:8000")
    assert rules.link("http://localhost:8000/x", 1)
    rules.check_words(read_template("http://localhost:8000/x", NAMES))
    with pytest.raises(Refused):
        rules.link("http://localhost/x", 1)
