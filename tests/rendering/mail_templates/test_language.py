"""The closed language: whatever else Jinja2 can do is refused, with line and reason (security rule
64)."""

from __future__ import annotations

import time

import pytest

from pwless_middleware.rendering.mail_templates.language import MOST_NODES, read_template
from pwless_middleware.rendering.mail_templates.nodes import Refused, fill, names_in

NAMES = frozenset({"code", "link", "kind", "device", "brand.name"})
VALUES = {"code": "271828", "link": None, "kind": "OTP", "device": "Firefox", "brand.name": "Acme"}


def filled(template: str, **values: object) -> str:
    return fill(read_template(template, NAMES), {**VALUES, **values}, str)


def refusal(template: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read_template(template, NAMES)
    return caught.value


def test_text_and_variables() -> None:
    assert filled("Hi, {{ code }} for {{ brand.name }}\n") == "Hi, 271828 for Acme\n"


def test_a_variable_that_is_not_there_is_empty() -> None:
    assert filled("[{{ link }}]") == "[]"


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("code", True),
        ("link", False),
        ("not link", True),
        ("code and link", False),
        ("code or link", True),
        ('kind == "OTP"', True),
        ('kind != "OTP"', False),
        ('code and not (link or kind == "LINK")', True),
    ],
)
def test_what_an_if_may_ask(test: str, holds: bool) -> None:
    assert filled("{% if " + test + " %}yes{% else %}no{% endif %}") == ("yes" if holds else "no")


def test_elif() -> None:
    template = "{% if link %}a{% elif code %}b{% elif device %}c{% else %}d{% endif %}"
    assert filled(template) == "b"
    assert filled(template, code="") == "c"
    assert filled(template, code="", device="") == "d"


def test_comments_are_not_sent() -> None:
    assert filled("a{# {{ code }} #}b") == "ab"


def test_raw_text_is_text() -> None:
    assert filled("{% raw %}{{ code }}{% endraw %}") == "{{ code }}"


def test_what_a_choice_asks_about_is_not_shown() -> None:
    assert names_in(read_template("{% if code %}{{ device }}{% endif %}", NAMES)) == {"device"}


ESCAPES = [
    # What sandboxes were left by, each in its turn.
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ code.__class__ }}",
    "{{ brand.__class__ }}",
    "{{ brand.name.__init__.__globals__ }}",
    "{{ brand.color }}",
    "{{ code|attr('__class__') }}",
    "{{ code.format }}",
    "{{ '{0.__class__}'.format(code) }}",
    "{{ '%s' % code }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner() }}",
    "{{ namespace(a=1) }}",
    "{{ range(999999999) }}",
    "{{ request }}",
    "{{ config }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for }}",
    "{{ loop }}",
    "{{ caller() }}",
    "{{ varargs }}",
    "{{ gettext('x') }}",
    "{{ _('x') }}",
    "{{ duration(1) }}",
    "{{ palette }}",
    "{{ undefined_name }}",
    # Expressions.
    "{{ 7*7 }}",
    "{{ 2 ** 99999999 }}",
    "{{ 'a' * 999999999 }}",
    "{{ 'x' }}",
    "{{ 1 }}",
    "{{ none }}",
    "{{ true }}",
    "{{ [code] }}",
    "{{ (code, link) }}",
    "{{ code, link }}",
    "{{ {'a': code} }}",
    "{{ code ~ link }}",
    "{{ code + link }}",
    "{{ -code }}",
    "{{ not code }}",
    "{{ code and link }}",
    "{{ code if link else device }}",
    "{{ code[0] }}",
    "{{ code[:1] }}",
    "{{ code['x'] }}",
    "{{ brand['name'] }}",
    "{{ code == '1' }}",
    "{{ code in link }}",
    "{{ code is defined }}",
    "{{ code() }}",
    "{{ code.upper() }}",
    "{{ link.split('=')[1] }}",
    "{{ code|upper }}",
    "{{ code|safe }}",
    "{{ code|urlencode }}",
    "{{ code|e }}",
    "{{ code|replace('1', '2') }}",
    "{{ code|map('x') }}",
    "{{ code|xmlattr }}",
    # Statements.
    "{% for c in code %}{{ c }}{% endfor %}",
    "{% for c in code recursive %}{% endfor %}",
    "{% set code = 'x' %}",
    "{% set x %}{{ code }}{% endset %}",
    "{% include 'email/base.html' %}",
    "{% include '/etc/passwd' %}",
    "{% import 'email/base.html' as x %}",
    "{% from 'email/base.html' import x %}",
    "{% extends 'email/base.html' %}",
    "{% extends code %}",
    "{% block title %}{% endblock %}",
    "{% macro m() %}{% endmacro %}",
    "{% call code() %}{% endcall %}",
    "{% filter upper %}{{ code }}{% endfilter %}",
    "{% with %}{% endwith %}",
    "{% with x = code %}{% endwith %}",
    "{% autoescape false %}{{ code }}{% endautoescape %}",
    "{% do code.append(1) %}",
    "{% debug %}",
    "{% trans %}x{% endtrans %}",
    "{% print(code|upper) %}",
    "{% break %}",
    # An oracle for the code: which of two pictures is loaded tells a bit of it.
    "{% if code == '271828' %}{% endif %}",
    "{% if code < '5' %}{% endif %}",
    "{% if code != '271828' %}{% endif %}",
    "{% if '1' in code %}{% endif %}",
    "{% if code in ['1'] %}{% endif %}",
    "{% if '271828' == code %}{% endif %}",
    "{% if code == link %}{% endif %}",
    "{% if kind == code %}{% endif %}",
    "{% if kind == 'OTP' == code %}{% endif %}",
    "{% if kind < 'OTP' %}{% endif %}",
    "{% if kind == 'other' %}{% endif %}",
    "{% if kind == 1 %}{% endif %}",
    "{% if device == 'Firefox' %}{% endif %}",
    "{% if code[0] %}{% endif %}",
    "{% if code|int > 5 %}{% endif %}",
    "{% if code.startswith('1') %}{% endif %}",
    "{% if code is divisibleby 2 %}{% endif %}",
    "{% if code is eq '271828' %}{% endif %}",
    "{% if code ~ link %}{% endif %}",
    "{% if 1 %}{% endif %}",
    "{% if (code, link) %}{% endif %}",
    "{% if code %}{% elif code == '1' %}{% endif %}",
    "{% if code %}{{ code|upper }}{% endif %}",
    "{% if code %}{% else %}{{ 7*7 }}{% endif %}",
]  # fmt: skip


@pytest.mark.parametrize("template", ESCAPES)
def test_everything_else_is_refused_where_it_stands(template: str) -> None:
    refused = refusal(f"one\ntwo\n{template}")
    assert refused.line == 3
    assert len(refused.reason) > 10


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{ code", 1),
        ("\n{{ }}", 2),
        ("\n\n{% if code %}", 3),
        ("{% endif %}", 1),
        ("{% if %}{% endif %}", 1),
        ("{{ code }}\n{{ 'a }}", 2),
        ("{# never ended", 1),
        ("{% raw %}x", 1),
        ("{{ " + "(" * 20_000 + " }}", 1),
        ("{{ " + "1" * 20_000 + " }}", 1),
        ("{{ 1e999999 }}", 1),
        ("{{ " + "[" * 3000 + " }}", 1),
        ("{% if " + "not " * 3000 + "code %}{% endif %}", 1),
        ("{% if " + "code and " * 3000 + "code %}{% endif %}", 1),
        ("{% if code %}" * 200 + "{% endif %}" * 200, 1),
        ("{% if code %}" + "{% elif link %}" * 500 + "{% endif %}", 1),
        ("{{ code }}" * (MOST_NODES + 1), 1),
        ("{{ code" + ".a" * 5000 + " }}", 1),
        ('{{ "\\N{x" }}', 1),
    ],
)
def test_what_does_not_parse_is_refused_with_its_line(template: str, line: int) -> None:
    assert refusal(template).line == line


def test_what_is_long_is_refused_in_time() -> None:
    """No template of the size that is read keeps a process busy."""
    start = time.process_time()
    for piece in (
        "{{",
        "{%",
        "{#",
        "{{ code",
        "{% if code %}",
        "{% raw %}",
        "\n{%-",
        "}}",
        "{{ a.",
    ):
        refusal(piece * (100_000 // len(piece)) + "{{")
    assert time.process_time() - start < 5


UNSEEN = ["\x00", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ufffe"]
UNSEEN += ["\ud800", "\U000f0000", "\U0010ffff"]


@pytest.mark.parametrize("character", UNSEEN)
def test_what_no_reader_sees_is_refused(character: str) -> None:
    """The last two are the places of variables while a template is read."""
    refused = refusal(f"a\nb{character}c")
    assert refused.line == 2
    assert f"U+{ord(character):04X}" in refused.reason


def test_line_ends_of_every_system() -> None:
    assert filled("a\r\nb\rc") == "a\nb\nc"
    assert refusal("a\r\nb\r\n{{ x }}").line == 3
