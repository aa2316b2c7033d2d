"""A page of the guide: its anchors are a code host's, its links are the site's, and no HTML is."""

from __future__ import annotations

import pytest

from demo_app.guide_site.markdown import LANGUAGES, parse, render, site_address
from tests.guide_checks.test_blocks import CHECKED_BY

PAGES = {"options", "security", "grafana.json"}


def html(text: str) -> str:
    """Return what a page with this text shows below its title."""
    page = parse("page", f"# Page\n\n{text}\n")
    return render(page.tokens, is_there=PAGES.__contains__).split("</h1>\n", 1)[1]


def test_an_anchor_is_the_one_that_a_code_host_makes() -> None:
    titles = ("`pwless check module:app`", "When it's down – what then?", "Twice", "Twice", "A_b C")
    page = parse("page", "# Page\n\n" + "\n\n".join(f"## {title}" for title in titles))
    assert [heading.anchor for heading in page.headings] == [
        "page",
        "pwless-check-moduleapp",
        "when-its-down--what-then",
        "twice",
        "twice-1",
        "a_b-c",
    ]


def test_a_heading_links_itself() -> None:
    shown = html('## The "key"')
    assert shown == (
        '<h2 id="the-key">The &quot;key&quot; <a class="anchor" href="#the-key" '
        'aria-label="Link to The &quot;key&quot;">#</a></h2>\n'
    )


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("options.md", "/guide/options"),
        ("./options.md#emaillogin", "/guide/options#emaillogin"),
        ("README.md", "/guide"),
        ("#here", "#here"),
        ("grafana.json", "/guide/grafana.json"),
        ("../static/screenshot.png", "/static/screenshot.png"),
        ("https://example.com/a.md#b", "https://example.com/a.md#b"),
        ("nothing.md", None),
        ("../../tests/test_costs.py", None),
        ("../../README.md", None),
        ("../guide_site/options.md", None),
    ],
)
def test_a_link_leads_to_what_is_served(href: str, address: str | None) -> None:
    assert site_address(href, PAGES.__contains__) == address


def test_a_file_that_is_not_served_is_told_by_its_place() -> None:
    assert html("[the tables](../../tests/benchmarks/README.md#stores)") == (
        "<p>the tables (<code>tests/benchmarks/README.md</code>)</p>\n"
    )
    assert html("[`tests/test_costs.py`](../../tests/test_costs.py)") == (
        "<p><code>tests/test_costs.py</code></p>\n"
    )


def test_a_picture_is_where_the_demo_serves_it() -> None:
    assert '<img src="/static/dashboard.png" alt="A &quot;view&quot;"' in html(
        '![A "view"](../static/dashboard.png)'
    )


def test_html_is_text_and_a_comment_is_nothing() -> None:
    shown = html("<!-- a marker -->\n| a |\n|---|\n| <b onclick=x>1</b> |\n\n<script>2</script>")
    assert "marker" not in shown
    assert "<td>&lt;b onclick=x&gt;1&lt;/b&gt;</td>" in shown
    assert "&lt;script&gt;2&lt;/script&gt;" in shown
    assert "<script" not in html("<!-- a --><script>2</script>")
    assert "<script" not in html("text <!-- a --> <script>2</script>")
    assert "javascript:" not in html("[x](javascript:alert)").replace("(javascript:alert)", "")


def test_a_column_is_aligned_by_a_class() -> None:
    shown = html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert '<th class="left">a</th>\n<th class="right">b</th>' in shown
    assert '<div class="table" role="group" aria-label="Table" tabindex="0"><table>' in shown


def test_code_is_colored_by_classes_and_copied_as_it_is() -> None:
    shown = html('```python\nx = "<b>"  # why\n```')
    assert "<figcaption>Python</figcaption>" in shown
    assert '<span class="s">&lt;b&gt;</span>' in shown
    assert '<span class="c"># why</span></code></pre>' in shown
    assert "style=" not in shown
    assert "<code>a &lt; b</code></pre>" in html("```\na < b\n```")
    assert "<code>a &lt; b</code></pre>" in html("```nonsense\na < b\n```")


def test_a_note_is_one_as_on_a_code_host() -> None:
    assert html("> [!WARNING]\n> Keep it.").startswith(
        '<blockquote class="alert warning">\n<p><strong>Warning</strong>'
    )
    assert "class" not in html("> [!OTHER]\n> Keep it.")
    assert "class" not in html("> Keep it.")


def test_a_page_is_described_by_its_first_paragraph() -> None:
    assert parse("page", "# Page\n\n- a\n\nSee `this`\n[one](x.md).").description == "See this one."
    long = parse("page", "# Page\n\n" + "word, " * 60).description
    assert len(long) <= 162
    assert long.endswith("word …")
    assert parse("page", "# Page").description == ""


@pytest.mark.parametrize("text", ["", "text", "## Page"])
def test_a_page_begins_with_its_title(text: str) -> None:
    with pytest.raises(ValueError, match=r"page\.md: begin the page with its title"):
        parse("page", text)


def test_every_language_that_is_checked_has_a_name() -> None:
    assert set(CHECKED_BY) <= {*LANGUAGES, "text"}
