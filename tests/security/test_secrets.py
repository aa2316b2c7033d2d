"""Nothing secret at rest, in logs or in URLs; no default secrets (security rules 13 and 17)."""

from __future__ import annotations

import base64
import logging
import re
from pathlib import Path
from typing import Any

import pytest

import pwless_middleware
from pwless_middleware import EmailLogin, Outbox, PasswordlessMiddleware
from pwless_middleware.errors import ConfigError
from tests.guide import TEXT
from tests.security.factor import RIGHT, Factor
from tests.support import KEY, Site, holds, led_to, make_site, token_of, wrong

pytestmark = pytest.mark.anyio


async def walk(site: Site) -> list[str]:
    """Sign in by code, by link and as a backend, with mistakes; give every secret there was."""
    secrets: list[str] = []
    jo = site.browser()
    for by in ("code", "link"):
        await jo.ask("jo.public@example.com")
        mail = site.mail()
        secrets += [str(mail.code), token_of(mail.link), str(jo.cookie("flow"))]
        await jo.type_code(wrong(mail.code))
        await jo.press_link("https://x.example/?link_token=bad")
        await (jo.type_code(mail.code) if by == "code" else jo.press_link(mail.link))
        secrets += [str(jo.cookie("pending"))]
        await jo.post("/auth/step/secret", {"secret": RIGHT})
        secrets += [str(jo.cookie()), str(jo.cookie("device"))]
        site.clock.advance(60)
    backend = site.backend()
    sent = (await backend.send("jo.public@example.com", state="my state")).json()
    secrets += [sent["auth_request_id"], str(site.mail().code)]
    await backend.verify(sent["auth_request_id"], code=site.mail().code)
    return [*secrets, KEY]


def guarded(**options: Any) -> Site:
    return make_site(features=[EmailLogin(), Factor()], **options)


def halves(secret: str) -> list[str]:
    """Return a secret, and what is secret in it: a signature or a MAC, not its id."""
    value, dot, signature = secret.rpartition(".")
    return [secret, signature] + ([value] if dot else [])


async def test_whoever_reads_the_store_finds_nothing_that_opens_a_session() -> None:
    # Codes of letters, since six digits may stand in what is random.
    site = make_site(features=[EmailLogin(code="high"), Factor()])
    secrets = await walk(site)
    jo = site.browser()
    await jo.ask("kim@example.com")  # and one that still lives
    secrets += [str(site.mail().code), token_of(site.mail().link)]
    secrets += [secret.replace("-", "") for secret in secrets if len(secret) == len("XXXX-XXXX")]
    held = repr(site.snapshot()) + repr(vars(site.store))
    jobs = site.store.jobs
    held += repr(vars(jobs))
    for secret in secrets:
        assert secret not in held
        assert base64.b64encode(secret.encode()).decode() not in held


async def test_key_names_hold_digests_and_no_address() -> None:
    site = guarded()
    await walk(site)
    records, ledgers = site.snapshot()[:2]
    names = [*records, *ledgers]  # type: ignore[misc]
    assert len(names) > 8
    for name in names:
        assert "example" not in name
        assert "jo" not in name.lower().split("}")[0] or len(name) >= 22


@pytest.mark.parametrize("email", ["{a}b@example.com", "a}s@example.com", "a}t@x.example"])
async def test_no_input_forms_the_key_of_something_else(email: str) -> None:
    site = make_site()
    await site.browser().ask(email)
    records, ledgers = site.snapshot()[:2]
    for name in [*records, *ledgers]:  # type: ignore[misc]
        assert name.count("{") <= 1
        assert "@" not in name
        assert "example" not in name


async def test_no_log_line_holds_a_secret_or_an_address(caplog: pytest.LogCaptureFixture) -> None:
    site = guarded()
    with caplog.at_level(logging.DEBUG):
        secrets = await walk(site)
        for n in range(25):  # and the limits' own lines
            await site.browser().ask("jo.public@example.com")
            await site.browser().ask(f"jo.public{n}@example.com")
    ours = [record for record in caplog.records if record.name.startswith("pwless")]
    assert {"pwless.logins", "pwless.challenges"} <= {record.name for record in ours}
    # What logging itself adds are numbers, in which six digits stand by chance.
    stamps = {"created", "msecs", "relativeCreated", "thread", "process"}
    text = "\n".join(
        f"{record.getMessage()} { ({k: v for k, v in vars(record).items() if k not in stamps})!r}"
        for record in caplog.records
    )
    for secret in secrets:
        for part in halves(secret):
            assert not holds(text, part)
    assert "jo.public" not in text


async def test_no_repr_holds_a_secret() -> None:
    from pwless_middleware.core.logins.caller import Caller

    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    sent = await site.passwordless.send("jo@example.com")
    done = await site.passwordless.verify(
        auth_request_id=sent.auth_request_id, code=site.mail().code
    )
    caller = Caller(session=str(jo.cookie("flow")), pending="secret-pending")
    cookies = site.passwordless.cookies
    things = [mail, sent, done, caller, site.passwordless, site.store, cookies, cookies._keyring]
    shown = repr(things)
    for secret in (
        mail.code, token_of(mail.link), sent.auth_request_id, done.session_token, done.set_cookie,
        jo.cookie("flow"), "secret-pending", KEY,
    ):  # fmt: skip
        assert not holds(shown, str(secret))


async def test_error_pages_repeat_no_code_and_no_token() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    answers = [
        await jo.type_code(wrong(mail.code)),
        await jo.post("/auth/link", {"link_token": token_of(mail.link) + "x"}),
        await site.browser().post("/auth/link", {"link_token": token_of(mail.link)}),
        await site.browser().get(str(mail.link)),
        await jo.get(f"/auth/nothing?link_token={token_of(mail.link)}"),
    ]
    for answer in answers:
        for secret in (str(mail.code), token_of(mail.link), wrong(mail.code)):
            assert not holds(answer.text, secret)


async def test_after_arrival_no_secret_stands_in_a_url() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com", next="/there")
    mail = site.mail()
    page = await jo.get(str(mail.link))
    assert page.headers["referrer-policy"] == "strict-origin"
    assert page.headers["cache-control"] == "no-store"
    done = await jo.press_link(mail.link)
    assert led_to(done) == "/there"


async def test_the_app_does_not_see_our_cookies_or_tokens() -> None:
    site = make_site(bearer=True, roomy=True, public=["/open"])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    await jo.ask("jo@example.com")
    jo.cookies = {"theirs": "1", **jo.cookies, "more": "2"}
    for path in ("/private", "/open"):
        await jo.get(path)
        cookies = [value for key, value in site.inner.scope["headers"] if key == b"cookie"]
        assert cookies == [b"theirs=1; more=2"]
    sent = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
    verified = await site.backend().verify(sent, code=site.mail().code)
    token = verified.json()["session_token"]
    visitor = site.browser(headers={"authorization": f"Bearer {token}"})
    assert await visitor.who() == "kim@example.com"
    assert b"authorization" not in dict(site.inner.scope["headers"])
    other = site.browser(cookies=jo.cookies, headers={"authorization": "Bearer theirs"})
    await other.get("/private")
    assert dict(site.inner.scope["headers"])[b"authorization"] == b"Bearer theirs"


@pytest.mark.parametrize(
    "path",
    [
        "/auth/login",
        "/auth/verify",
        "/auth/link",
        "/auth/logout",
        "/auth/nothing",
        "/auth/health",
        "/auth/api/v1/session",
    ],
)
async def test_every_answer_of_ours_forbids_caching_framing_and_sniffing(path: str) -> None:
    """A frame of the app itself may show the login, and the way on where a link has expired."""
    answer = await make_site().browser().get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.headers.get("content-type", "").startswith("text/html"):
        policy = answer.headers["content-security-policy"]
        for part in (
            "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self' data:",
            "connect-src 'self'", "base-uri 'none'",
        ):  # fmt: skip
            assert part in policy.split("; ")
        framed = path in ("/auth/login", "/auth/link")
        assert f"frame-ancestors '{'self' if framed else 'none'}'" in policy.split("; ")
        assert answer.headers["x-frame-options"] == ("SAMEORIGIN" if framed else "DENY")
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "unsafe-inline" not in policy
    assert "strict-transport-security" not in answer.headers


# --- no default secrets (security rule 17) -------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "", "short", "x" * 31, "a" * 64, "ab" * 32, "12345678" * 8, "changeme" * 8,
        "please-change-me-1234567890-abcdef", "your-secret-key-0123456789-abcdefg", [], [KEY, "x"],
        None, 5, b"x" * 40, "django-insecure-0123456789abcdefghij",
        "a test's key of thirty-two bytes", "Your secret goes here, 32 bytes long",
        "abcdefghijklmnopqrstuvwxyz012345", KEY + "\n", " " + KEY, KEY + "\r\n", f"{KEY}\n{KEY}",
    ],
)  # fmt: skip
def test_a_missing_short_or_sample_key_serves_nothing(key: object) -> None:
    with pytest.raises(ConfigError, match="secret_key") as raised:
        make_site(secret_key=key)
    assert raised.value.option == "secret_key"
    assert str(key) not in str(raised.value) or key in ("", [], None, 5)


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t"])
def test_white_space_behind_a_key_is_named(end: str) -> None:
    """Another process reads the file without it, and neither knows the other's sessions."""
    for key in (KEY + end, end + KEY):
        with pytest.raises(ConfigError, match="secret_key: white space or a line break"):
            make_site(secret_key=key)
    with pytest.raises(ConfigError, match="api_keys: 'backend': white space or a line break"):
        make_site(api_keys={"backend": "pwk_" + "k" * 30 + end})


def test_no_key_that_the_guide_prints_is_taken() -> None:
    """Who copies an example gets a key of their own, or an error."""
    folder = Path(pwless_middleware.__file__).parent
    texts = [TEXT, *(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))]
    printed = [
        key for text in texts for key in re.findall(r"secret_key=[\"']([^\"'`]+)[\"']", text)
    ]
    for key in printed:
        with pytest.raises(ConfigError, match="secret_key"):
            make_site(secret_key=key)


def test_there_is_no_key_of_ours_behind_a_missing_one() -> None:
    with pytest.raises(ConfigError, match="secret_key"):
        PasswordlessMiddleware(lambda *a: None, base_url="https://x.example", mailer=Outbox())  # type: ignore[arg-type]
