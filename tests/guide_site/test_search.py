"""Whoever searches the guide finds the section that says it: by words, beginnings and errors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from demo_app.guide_site.markdown import parse
from demo_app.guide_site.search import MAX_QUERY, MAX_RESULTS, PER_PAGE, Index
from demo_app.guide_site.site import GENERATED, the_guide
from pwless_middleware import ConfigError, Outbox, Passwordless, SMTPMailer

KEY = "5d2c8e1f7a9b4c3d6e0f8a1b2c3d4e5f"
PASSKEYS = parse(
    "passkeys",
    "# Passkeys\n\nSign in with a fingerprint.\n\n## Hosts\n\nA passkey belongs to one domain.\n\n"
    "```python\nPasskeys(rp_id='example.com')\n```\n",
)
EMAIL = parse(
    "email",
    "# Email\n\nCodes and links. A passkey is quicker.\n\n## Codes\n\nSix digits.\n\n"
    "## Hosts\n\nThe mail has a link to `base_url`, by `EmailLogin`.",
)
TROUBLE = parse(
    "troubleshooting",
    "# Troubleshooting\n\n## `secret_key: set a key of at least … bytes`\n\nMake one.\n\n"
    "## `LOGIN_ELSEWHERE`\n\nThe login goes another way.\n\n## No mail arrives\n\nLook at the log.",
)
EVERYTHING = parse("api-reference", "# Everything\n\n## Codes\n\nCodes, codes, six digits.")
GUIDE = the_guide()
INDEX = Index([EVERYTHING, PASSKEYS, EMAIL, TROUBLE], generated=frozenset({"api-reference"}))


def first(question: str) -> str:
    """Return where the first result is."""
    return INDEX.search(question)[0].address


@pytest.mark.parametrize(
    ("question", "address"),
    [
        ("passkeys", "/guide/passkeys"),
        ("PASSK", "/guide/passkeys"),
        ("hosts passkeys", "/guide/passkeys#hosts"),
        ("host email", "/guide/email#hosts"),
        ("emaillog", "/guide/email#hosts"),
        ("base_url", "/guide/email#hosts"),
        ("rp_id", "/guide/passkeys#hosts"),
        ("codes", "/guide/email#codes"),
        ("LOGIN_ELSEWHERE", "/guide/troubleshooting#login_elsewhere"),
        ("login elsewhere", "/guide/troubleshooting#login_elsewhere"),
        ("no mail arrives", "/guide/troubleshooting#no-mail-arrives"),
        (
            "ConfigError: secret_key: set a key of at least 16 bytes",
            "/guide/troubleshooting#secret_key-set-a-key-of-at-least--bytes",
        ),
        ("“no mail arrives!” (again)", "/guide/troubleshooting#no-mail-arrives"),
    ],
)
def test_the_section_that_says_it_comes_first(question: str, address: str) -> None:
    assert first(question) == address


def test_an_error_that_is_pasted_finds_what_to_do() -> None:
    """As a terminal shows it, with all that is the asker's own in it."""
    shown = [
        'WARNING:pwless:delivery queue out of reach: RedisError("of jo\'s machine") (3rd time)',
        "Error in line 7: PasswordlessMiddleware: alow has no such option; did you mean allow?",
        "KeyError: 'PWLESS_SECRET_KEY'",
        "ModuleNotFoundError: No module named 'pwless_middleware'",
        "ERROR: No matching distribution found for pwless-middleware",
        "ERROR: Package 'pwless-middleware' requires a different Python: 3.10.13 not in '>=3.11'",
    ]
    for key, url in (("short", "http://localhost:8000"), (KEY, "http://example.com")):
        with pytest.raises(ConfigError) as failed:
            Passwordless(secret_key=key, base_url=url, mailer=Outbox())
        shown.append(f"pwless_middleware.errors.ConfigError: {failed.value}")
    mistakes: list[dict[str, Any]] = [
        {},
        {"secret_key": None},
        {"base_url": "localhost:8000"},
        {"mailer": None},
        {"database": "pwless.db"},
        {"store": "redis://localhost"},
        {"allowed_origins": ["*"]},
    ]
    for mistake in mistakes:
        given: dict[str, Any] = {
            "secret_key": KEY,
            "base_url": "http://localhost:8000",
            "mailer": Outbox(),
        }
        with pytest.raises(ConfigError) as failed:
            Passwordless(**({**given, **mistake} if mistake else {}))
        shown.append(f"pwless_middleware.errors.ConfigError: {failed.value}")
    with pytest.raises(ConfigError) as failed:
        SMTPMailer("smtp://smtp.example.com:465", sender="login@acme.example")
    shown.append(f"pwless_middleware.errors.ConfigError: {failed.value}")
    for line in shown:
        assert GUIDE.index().search(line)[0].address.startswith("/guide/troubleshooting#"), line


def test_a_section_with_all_words_hides_those_with_some() -> None:
    assert [result.address for result in INDEX.search("six digits")] == [
        "/guide/email#codes",
        "/guide/api-reference#codes",
    ]


@pytest.mark.parametrize("question", ["", " ", "?!", "kubernetes", "\0", "(", "é" * 1000])
def test_what_nothing_says_finds_nothing(question: str) -> None:
    assert INDEX.search(question) == []


def test_an_excerpt_marks_the_words_and_keeps_the_rest() -> None:
    text = "one " * 100 + "<b>needle</b> in the hay " + "two " * 100
    (result,) = Index([parse("page", f"# Page\n\n## Part\n\n{text}")]).search("need")
    shown = "".join(piece for piece, _ in result.excerpt)
    assert [piece for piece, is_mark in result.excerpt if is_mark] == ["needle"]
    assert "needle" in shown
    assert shown.startswith("… one")
    assert shown.endswith("two …")
    assert len(shown) < 200


def test_one_page_does_not_hide_the_others() -> None:
    long = parse("long", "# Long\n\n" + "\n\n".join(f"## Word {n}" for n in range(50)))
    many = [parse(f"page-{n}", "# Other\n\nword") for n in range(50)]
    found = [result.address for result in Index([long, *many]).search("word")]
    assert sum(address.startswith("/guide/long") for address in found) == PER_PAGE
    assert len(found) == MAX_RESULTS


def test_a_question_takes_a_moment_at_most() -> None:
    """Who asks is a stranger: the longest question costs no more than a page."""
    index = GUIDE.index()
    hard = " ".join("etaoinshrdlcumwfgypbvkjxqz"[:26])
    for question in (hard, "a" * 10_000, "the passkey of a session " * 100, "e_" * 10_000):
        before = time.process_time()
        index.search(question)
        assert time.process_time() - before < 0.5, question[:MAX_QUERY]


def test_the_guide_is_in_the_index() -> None:
    for entry in GUIDE.contents.entries:
        if entry.name not in GENERATED:
            page = GUIDE.read(entry.name)
            found = [result.address for result in GUIDE.index().search(page.title)]
            assert f"/guide/{entry.name}" in found, page.title
