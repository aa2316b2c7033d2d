"""The guide is true: what the code cites is in it, and what it says is in the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, SendLimits, SessionPolicy, TryLimits
from pwless_middleware.core.addresses.address_change import UNDO_SECONDS
from pwless_middleware.core.challenges.challenge import MAX_RESENDS, RESEND_WINDOW
from pwless_middleware.core.challenges.codes import HIGH_ALPHABET
from pwless_middleware.core.keys.keyring import LINK_CHARACTERS
from pwless_middleware.core.keys.secret_key import MIN_KEY_BYTES
from pwless_middleware.core.logins.device_cookie import MAX_DEVICE
from pwless_middleware.core.logins.login import (
    PENDING_LIFETIME,
    RECOVERY_TRIES,
    STEP_TRIES,
    USER_TRIES,
)
from pwless_middleware.core.paths import MAX_NEXT
from pwless_middleware.core.people.passkey import MAX_ID_BYTES
from pwless_middleware.features.email_login.address_changes import pages
from pwless_middleware.features.email_login.settings import LONGEST, LONGEST_LINK
from pwless_middleware.features.passkeys import own_passkeys
from pwless_middleware.features.passkeys.ceremonies import ceremonies
from pwless_middleware.features.passkeys.ceremonies.options_budget import PER_MINUTE
from pwless_middleware.features.passkeys.settings import MOST
from pwless_middleware.features.second_factors import enrollments, new_sign_in
from pwless_middleware.features.sso.oidc.providers import AGAIN_SECONDS
from pwless_middleware.features.sso.saml.responses import SKEW
from pwless_middleware.flows.challenges.limits import DEVICES
from pwless_middleware.flows.people.change_budget import PER_DAY
from pwless_middleware.flows.store_deadline import STORE_SECONDS
from pwless_middleware.stores.redis.feed import LEASE
from pwless_middleware.web.gates.operators import CHANGE_SECONDS, LOOK_SECONDS
from pwless_middleware.web.requests.bodies import MAX_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_FORM_BYTES
from pwless_middleware.web.requests.cookies import MAX_FLOW
from pwless_middleware.web.responses.responses import ON_PAGES
from tests.guide import PAGES, README, ROOT, TEXT
from tests.test_floors import LAYERS

SECURITY_PAGE = PAGES["security"]
RULES = {
    int(block.split(".", 1)[0]): block.split("\n## ")[0]
    for block in re.split(r"^### (?=\d)", SECURITY_PAGE, flags=re.MULTILINE)[1:]
}
SUFFIXES = {".py", ".lua", ".js", ".html", ".txt", ".css", ".md"}


def texts() -> list[tuple[Path, str]]:
    """Return every file of ours that may cite a rule, but this one."""
    files = [
        path
        for folder in ("pwless_middleware", "demo_app", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in SUFFIXES and path != Path(__file__)
    ]
    return [(path, path.read_text("utf-8")) for path in (*files, ROOT / "README.md")]


def cited(text: str) -> set[int]:
    """Return the numbers of the security rules that a text cites."""
    gap = r"[\s#]+"  # a citation may go over the end of a comment's line
    found = re.findall(rf"security{gap}rules?{gap}(\d+(?:(?:,|{gap}and){gap}\d+)*)", text, re.I)
    return {int(number) for numbers in found for number in re.findall(r"\d+", numbers)}


def named_tests(rule: int) -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py)`", RULES[rule].partition("- Tests:")[2])


def test_a_rule_has_one_number() -> None:
    assert len(re.findall(r"^### \d", SECURITY_PAGE, re.MULTILINE)) == len(RULES) > 20


def test_every_rule_that_is_cited_is_in_the_guide() -> None:
    assert cited("(security rule 3)") == {3}
    assert cited("(security\n    # rules 3, 4 and 15)") == {3, 4, 15}
    for path, text in texts():
        assert cited(text) <= set(RULES), path


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_names_its_sources_and_tests_that_name_it(rule: int) -> None:
    assert re.search(r"^- Sources: .*(ASVS|RFC|NIST|OWASP)", RULES[rule], re.MULTILINE)
    assert named_tests(rule)
    for name in named_tests(rule):
        text = (ROOT / name).read_text()
        assert re.search(r"^(async )?def test_", text, re.MULTILINE), name
        assert rule in cited(text), name


def test_no_book_is_cited_that_is_not_here() -> None:
    for path, text in texts():
        assert not re.search(
            r"(?<!\.github/)\b(SECURITY|DESIGN|CONTRACT|STYLE)(\.md|,|\s+rule| \d|\))", text
        ), path


# --- the numbers ---------------------------------------------------------------------------------


def row(name: str) -> str:
    """Return what the table of numbers has of one thing."""
    rows = [line for line in SECURITY_PAGE.splitlines() if line.startswith(f"| {name}")]
    assert len(rows) == 1, name
    return rows[0]


def default(option: str) -> object:
    return inspect.signature(EmailLogin).parameters[option].default


SENDS, TRIES, SESSION, STRICT = SendLimits(), TryLimits(), SessionPolicy(), SessionPolicy.strict()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("code |", f"8 of `{HIGH_ALPHABET}`"),
        ("life of a challenge", f"| {default('lifetime')} s | 60–{LONGEST} s; "),
        ("life of a challenge", f"links alone to {LONGEST_LINK} s"),
        ("resend", f"at most {MAX_RESENDS} times, until {RESEND_WINDOW} s after"),
        ("wrong attempts per challenge", f"| {default('attempts')}, then 429 | 3–10 |"),
        ("wrong attempts per address", f"| {TRIES.per_quarter} in 15 minutes, {TRIES.per_day} a"),
        ("wrong attempts per address", f"together {TRIES.per_day * DEVICES} a day"),
        ("wrong attempts per client", f"| {TRIES.client_per_ten_minutes} in 10 minutes"),
        (
            "mails per address",
            f"| {SENDS.per_minute} a minute, {SENDS.per_quarter} in 15 minutes, {SENDS.per_day} a",
        ),
        (
            "mails per client",
            f"| {SENDS.client_per_minute} a minute, {SENDS.client_per_hour} an hour |",
        ),
        (
            "session |",
            f"{SESSION.idle // 86400} days idle, {SESSION.absolute // 86400} days in all",
        ),
        ("session |", f"{STRICT.idle // 60} minutes, {STRICT.absolute // 3600} hours"),
        ("flow cookie", f"the {MAX_FLOW} newest challenges"),
        ("device cookie", f"{MAX_DEVICE} addresses; 1 year"),
        ("login that waits", f"{PENDING_LIFETIME} s, {STEP_TRIES} attempts at its steps"),
        (
            "wrong answers to steps",
            f"| {USER_TRIES[0][0]} in 15 minutes, {USER_TRIES[1][0]} a day; by recovery codes "
            f"{RECOVERY_TRIES[0][0]} in 15 minutes, {RECOVERY_TRIES[1][0]} a day |",
        ),
        (
            "challenge of a passkey",
            f"{ceremonies.CHALLENGE_BYTES} random bytes, {ceremonies.LIFETIME} s",
        ),
        (
            "answers with a passkey",
            f"| {ceremonies.TRIES[0]} in {ceremonies.TRIES[1] // 60} minutes; ",
        ),
        ("changes of passkeys and second factors", f"| {PER_DAY} a day; "),
        ("asking for a challenge", f"| {PER_MINUTE} a minute |"),
        ("passkeys of a person", f"| {MOST} | 1–{MOST} |"),
        ("credential id", f"| {MAX_ID_BYTES} bytes |"),
        ("`next`", f"{MAX_NEXT} bytes"),
        ("JSON body", f"{MAX_BYTES // 1024} KiB, {MAX_DEPTH} levels"),
        ("JSON body", f"{MAX_FORM_BYTES // 1024} KiB, {MAX_FIELDS} fields"),
        ("`secret_key`", f"{MIN_KEY_BYTES} bytes or more"),
        ("a revoked session", f"after {round(LEASE * 1000)} ms"),
        ("a store that does not answer", f"({STORE_SECONDS} s for all steps"),
    ],
)
def test_the_numbers_are_those_of_the_code(name: str, told: str) -> None:
    assert told in row(name)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (26, f"{pages.FRESH_WITHIN} seconds"),
        (26, f"{UNDO_SECONDS // 3600} hours"),
        (34, f"{own_passkeys.FRESH_WITHIN} seconds"),
        (43, f"{enrollments.LIFETIME // 60} minutes"),
        (46, {7 * 86_400: "a week"}[new_sign_in.LIFETIME]),
        (51, f"{AGAIN_SECONDS} seconds"),
        (52, f"{SKEW} seconds"),
        (60, {12 * 3600: "twelve hours"}[LOOK_SECONDS]),
        (60, {300: "five minutes"}[CHANGE_SECONDS]),
    ],
)
def test_the_numbers_in_a_rule_are_those_of_the_code(rule: int, told: str) -> None:
    """Most tests take a number from the code, and hold whatever stands there."""
    assert told in " ".join(RULES[rule].split())


def test_a_link_token_is_as_short_as_the_table_says() -> None:
    assert LINK_CHARACTERS <= 100
    assert "at most 100 characters" in row("link token")


def test_the_headers_of_pages_are_those_that_the_guide_names() -> None:
    told = SECURITY_PAGE.split("\nPages carry", 1)[1]
    assert f"`Referrer-Policy: {ON_PAGES['referrer-policy']}`" in told
    assert f"`X-Frame-Options: {ON_PAGES['x-frame-options']}`" in told
    assert f"`X-Robots-Tag: {ON_PAGES['x-robots-tag']}`" in told
    assert ON_PAGES["content-security-policy"].startswith("default-src 'none'")


# --- floors and words ----------------------------------------------------------------------------

CONTRIBUTING = PAGES["contributing"]


def table(marker: str) -> list[list[str]]:
    """Return the rows of the table behind a marker."""
    lines = CONTRIBUTING.split(f"<!-- {marker} -->\n", 1)[1].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_floors_are_those_that_are_checked_and_all_there_are() -> None:
    rows = [set(re.findall(r"`(\w+)(?:/|\.py)`", row[1])) for row in table("floors")]
    places = []
    for line in LAYERS:
        names = {part.strip().split(".")[1] for part in line.split("|")}
        places.append(next((n for n, row in enumerate(rows) if names <= row), -1))
    assert -1 not in places
    assert places == sorted(places)
    there = {path.stem for path in (ROOT / "pwless_middleware").iterdir()}
    assert there - set.union(*rows) <= NOT_CODE


NOT_CODE = {"__init__", "__main__", "__pycache__", "py", "static", "templates"}


@pytest.mark.parametrize("word", [row[0] for row in table("glossary")])
def test_a_word_of_the_glossary_is_in_use(word: str) -> None:
    package = "".join(text for path, text in texts() if "pwless_middleware" in path.parts)
    assert re.search(rf"\b{word}s?\b", package, re.IGNORECASE)


# --- the pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_somebody_links_to_it(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert f"{page}.md)" in TEXT or f"{page}.md#" in TEXT


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200
