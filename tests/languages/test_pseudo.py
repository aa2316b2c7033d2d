"""No text escapes the catalogue: pages, mails, errors and JSON in a pseudo-language."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import pwless_middleware
from pwless_middleware import EmailLogin, errors
from pwless_middleware.errors import ApiError
from pwless_middleware.languages.current import use_language
from pwless_middleware.languages.languages import Languages
from pwless_middleware.rendering.renderer import Renderer
from pwless_middleware.text import Text
from tests.languages.extraction import extract
from tests.languages.pseudo import (
    LEFT_TO_RIGHT,
    RIGHT_TO_LEFT,
    plain_words,
    plain_words_of_page,
)
from tests.rendering.test_renderer import MAIL, PAGES, render, renderer
from tests.support import Site, make_site, wrong

EMAIL = "jo@example.com"
PACKAGE = Path(pwless_middleware.__file__).parent


@pytest.fixture(scope="module")
def languages(folder: Path) -> Languages:
    return Languages([LEFT_TO_RIGHT, RIGHT_TO_LEFT], folder=folder)


@pytest.fixture(scope="module")
def pages() -> Renderer:
    return renderer()


def values_of(value: object) -> Iterator[str]:
    """Return every string in a template's values: they are not the template's to translate."""
    if isinstance(value, str):
        yield value
        yield value[:1].upper() + value[1:]
    elif isinstance(value, dict):
        for part in value.values():
            yield from values_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from values_of(part)
    elif hasattr(value, "__dict__"):
        yield from values_of(vars(value))
    elif hasattr(value, "__slots__"):
        yield from values_of([getattr(value, name) for name in value.__slots__])


@pytest.mark.parametrize(
    ("template", "context"), [page[1:] for page in PAGES], ids=[page[0] for page in PAGES]
)
def test_a_page_says_nothing_past_the_catalogue(
    template: str, context: dict[str, Any], pages: Renderer, languages: Languages
) -> None:
    with use_language(languages.default):
        html = render(pages, template, context)
    assert plain_words_of_page(html, ["Acme", *values_of(context)]) == []
    assert f'<html lang="{LEFT_TO_RIGHT}" dir="ltr"' in html
    with use_language(languages[RIGHT_TO_LEFT]):
        assert f'<html lang="{RIGHT_TO_LEFT}" dir="rtl"' in render(pages, template, context)


@pytest.mark.parametrize("name", ["signin", "signup"])
@pytest.mark.parametrize("kind", ["LINK_OTP", "LINK", "OTP"])
@pytest.mark.parametrize("subject_code", [None, "481902"])
def test_a_mail_says_nothing_past_the_catalogue(
    name: str, kind: str, subject_code: str | None, pages: Renderer, languages: Languages
) -> None:
    context = MAIL | {"kind": kind, "subject_code": subject_code}
    context |= {"code": None} if kind == "LINK" else {}
    values = ["Acme", *values_of(MAIL)]
    with use_language(languages.default):
        mail = pages.email(name, **context)
    assert plain_words(mail.subject, values) == []
    assert plain_words(mail.text, values) == []
    assert plain_words_of_page(mail.html, values) == []
    with use_language(languages[RIGHT_TO_LEFT]):
        html = pages.email(name, **context).html
    assert f'<html lang="{RIGHT_TO_LEFT}" dir="rtl"' in html
    assert "text-align:right" in html
    assert kind == "LINK" or "<bdi>481902</bdi>" in html


NOTICES = sorted(
    file.name.removesuffix(".subject.txt")
    for file in (PACKAGE / "templates" / "email").glob("*.subject.txt")
)


@pytest.mark.parametrize("factor", ["totp", "sms"])
@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_says_nothing_past_the_catalogue(
    name: str, factor: str, pages: Renderer, languages: Languages
) -> None:
    if factor == "sms" and "factor_" not in name:
        return  # the same mail once more
    context = MAIL | {"kind": "LINK", "code": None}
    variables = {"left": "2", "passkey": "iCloud Keychain", "factor": factor, "ending": "34"}
    values = ["Acme", *values_of(MAIL), *variables.values()]
    with use_language(languages.default):
        mail = pages.email(name, variables=variables, **context)
    assert plain_words(mail.subject, values) == []
    assert plain_words(mail.text, values) == []
    assert plain_words_of_page(mail.html, values) == []
    assert [line for line in mail.text.splitlines() if len(line) > 78 and "://" not in line] == []


def test_a_text_that_escapes_is_seen(pages: Renderer, languages: Languages) -> None:
    """The test above can fail: in English every page is plain."""
    assert "Email" in plain_words_of_page(render(pages, *PAGES[0][1:]), ["Acme"])
    assert plain_words_of_page('<p title="Close">x</p>') == ["Close"]
    assert plain_words("Close", [""]) == ["Close"]


def test_a_line_of_a_text_mail_is_not_too_long(pages: Renderer, languages: Languages) -> None:
    """Whatever the language's length: RFC 5322 §2.1.1 wants 78 characters; links stay whole."""
    with use_language(languages.default):
        lines = pages.email("signup", **MAIL).text.splitlines()
    assert [line for line in lines if len(line) > 78 and "://" not in line] == []


# --- what a person meets ---------------------------------------------------------------------


@pytest.fixture
def site(folder: Path) -> Site:
    login = EmailLogin(kind="LINK_OTP")
    return make_site(features=[login], templates=folder, languages=[LEFT_TO_RIGHT])


VALUES = [EMAIL, "jo@gmial.com", "jo@gmail.com", "app.example.com", "https://", "Firefox",
          "Linux", "UTC", "EmailLogin", "link_uris"]  # fmt: skip
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


def check(answer: httpx.Response) -> None:
    """Assert that a page of ours says nothing in plain letters."""
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    assert answer.headers["content-language"] == LEFT_TO_RIGHT
    assert plain_words_of_page(answer.text, VALUES) == []


@pytest.mark.anyio
async def test_a_person_reads_no_english_on_the_way_in_and_out(site: Site) -> None:
    browser = site.browser(headers=FIREFOX)
    check(await browser.get("/auth/login"))
    check(await browser.post("/auth/login", {"email": "no address"}))
    await browser.ask("jo@gmial.com")
    check(await browser.get("/auth/verify"))
    await browser.ask(EMAIL)
    check(await browser.get("/auth/verify"))
    check(await browser.post("/auth/verify", {"code": "what"}))
    check(await browser.post("/auth/verify", {"code": wrong(site.mail().code)}))
    site.clock.advance(61)
    await browser.post("/auth/resend", {})
    check(await browser.get("/auth/verify"))
    check(await site.browser(headers=FIREFOX).get(site.mail().link or ""))
    check(await browser.get(site.mail().link or ""))
    check(await browser.get("/auth/link?link_token=x"))
    await browser.type_code(site.mail().code)
    for path in ("/auth/login", "/auth/sessions", "/auth/logout"):
        check(await browser.get(path))
    check(await browser.post("/auth/sessions/revoke", {"id": "x"}))
    check(await browser.post("/auth/logout", {}, headers={"origin": "https://evil.example"}))
    await browser.post("/auth/logout", {})
    check(await browser.get("/auth/logout"))
    navigation = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    check(await browser.post("/private", {"a": "b"}, headers=navigation))
    check(await browser.get("/auth/sso"))
    check(await browser.request("DELETE", "/auth/login"))


@pytest.mark.anyio
async def test_a_locked_and_an_expired_login_say_nothing_in_english(site: Site) -> None:
    browser = site.browser(headers=FIREFOX)
    await browser.ask(EMAIL)
    for n in range(6):
        answer = await browser.type_code(wrong(site.mail().code, n))
        check(answer)
    site.clock.advance(700)
    check(await browser.get("/auth/verify"))
    check(await browser.get(site.mail().link or ""))
    for _ in range(8):
        answer = await browser.ask(EMAIL)
    assert answer.status_code == 429
    check(answer)


@pytest.mark.anyio
async def test_a_delivered_mail_is_in_one_language(site: Site) -> None:
    """The device, the dates and the life of the code too."""
    await site.browser(headers=FIREFOX).ask(EMAIL)
    mail = site.mail()
    values = [*VALUES, mail.link or ""]
    assert plain_words(mail.subject, values) == []
    assert plain_words(mail.text, values) == []
    assert plain_words_of_page(mail.html, values) == []


def said_in_json(body: dict[str, Any]) -> Iterator[str]:
    yield body["message"]
    info = body["details"][0].get("validation_error_info", {"field_violations": []})
    yield from (violation["description"] for violation in info["field_violations"])


@pytest.mark.anyio
async def test_what_json_tells_people_is_in_the_language(site: Site) -> None:
    backend, browser = site.backend(), site.browser()
    variables: dict[str, object] = {"otp": "x" * 300, "x" * 30: "www.", **{
        f"name{n}": "" for n in range(40)
    }}  # fmt: skip
    answers = [
        await backend.send("no address", template_variables=variables, expires_in=1),
        await backend.send(EMAIL, magiclink_auth_uri="https://evil.example/", template="OTHER"),
        await backend.send(EMAIL, expires_in="soon", state=7),
        await backend.send(EMAIL, state="x" * 1001, template_variables=[]),
        await backend.send(EMAIL, expiresIn=100, expires_in=100),
        await backend.verify("x", code="what", link_token="x"),
        await backend.verify("x", code="123456"),
        await browser.call("send", {"email": EMAIL, "template_variables": {}}),
        await browser.call("verify", {}),
        await browser.call("send", []),
        await browser.request("POST", "/auth/api/v1/passwordless/email/send", content=b"x"),
        await site.backend("pwk_unknown").send(EMAIL),
        await browser.call("send", {"email": EMAIL}, headers={"origin": "https://evil.example"}),
        await browser.get("/auth/api/v1/session"),
        await browser.get("/auth/api/v1/nothing"),
        await browser.get("/private"),
    ]
    names = [*VALUES, "SIGNIN", "SIGNUP", "expires_in", "expiresIn", "application/json"]
    for answer in answers:
        assert answer.status_code >= 400
        for text in said_in_json(answer.json()):
            assert plain_words(text, names) == [], text
            assert text


# --- what no request of these tests meets --------------------------------------------------------


def test_every_message_of_an_error_is_in_the_catalogue() -> None:
    known = {m.id if isinstance(m.id, str) else m.id[0] for m in extract()}

    def kinds(kind: type[ApiError]) -> Iterator[type[ApiError]]:
        yield kind
        for below in kind.__subclasses__():
            if below.__module__.startswith("pwless_middleware"):
                yield from kinds(below)

    for kind in kinds(ApiError):
        assert isinstance(kind.message, Text), kind
        assert kind.message in known, kind


def is_text(node: ast.expr) -> bool:
    """Whether an expression is a string, and not an empty one."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def test_code_gives_people_no_words_past_the_catalogue() -> None:
    """Every refusal and every field is described by a `Text`, never by a plain string."""
    # What these say is the cause, for the log; visitors read the class's message.
    causes = {"Unavailable", "StoreError", "StoreTimeout", "QueueFull", "UsersUnavailable"}
    kinds = {name for name, kind in vars(errors).items()
             if isinstance(kind, type) and issubclass(kind, ApiError)} - causes  # fmt: skip
    names = {*kinds, "FieldViolation", "InvalidArgument.of"}
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\(")
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.name in ("python.py", "python_calls.py"):
            continue  # what it refuses is read by who calls it, in Python
        source = file.read_text("utf-8")
        for node in ast.walk(ast.parse(source)) if named.search(source) else ():
            # A name, or two of them: to write out all that is called takes seconds.
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)):
                continue
            if (name := ast.unparse(node.func)) in names:
                # Of a field: its name, its description, the rule.
                is_field = name in ("FieldViolation", "InvalidArgument.of")
                arguments = node.args[1:2] if is_field else node.args[:1]
                words = [a for a in arguments if isinstance(a, ast.JoinedStr) or is_text(a)]
                found += [f"{file.relative_to(PACKAGE)}: {ast.unparse(node)}"] * len(words)
    assert found == []


def test_the_script_has_no_words_of_its_own() -> None:
    """What scripts show stands in the page."""
    for file in sorted((PACKAGE / "static").glob("*.js")):
        code = re.sub(r"(?s)/\*.*?\*/|(?m:^\s*//.*$)", "", file.read_text("utf-8"))
        strings = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
        texts = [a or b for a, b in strings if re.search(r"[A-Z][a-z]+ |[a-z] [a-z]", a or b)]
        assert [text for text in texts if json.dumps(text) != '"use strict"'] == [], file.name
        assert 'textContent = "' not in code, file.name
