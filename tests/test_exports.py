"""The public surface: the documented names and no others, and every bad option is named."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pwless_middleware
from pwless_middleware import (
    OIDC,
    Brand,
    Dashboard,
    EmailLogin,
    EventRetention,
    FallbackTexts,
    MemoryStore,
    MessageBirdTexts,
    Metrics,
    Organizations,
    Outbox,
    Passkeys,
    Passwordless,
    PasswordlessMiddleware,
    SecondFactors,
    SendLimits,
    SessionPolicy,
    SMSLimits,
    SMTPMailer,
    SNSTexts,
    TextOutbox,
    Tracing,
    TryLimits,
    TwilioTexts,
    VonageTexts,
    Webhooks,
    WebhookTexts,
)
from pwless_middleware.errors import ConfigError
from tests.support import make_site

PROMISED = {
    # What a host needs, and what it takes to write a feature or a mailer.
    "Passwordless", "PasswordlessMiddleware", "EmailLogin", "Passkeys", "SecondFactors",
    "Dashboard", "Metrics", "OIDC", "SSO", "Tracing", "Webhooks", "Organizations", "SMSLimits",
    "SendLimits", "TryLimits",
    "SessionPolicy", "Brand", "MemoryStore", "RedisStore", "SQLStore", "Database", "Outbox",
    "SMTPMailer", "FallbackMailer", "Mailer", "Message", "UserDirectory", "User", "AnonymousUser",
    "Session", "Person", "Store", "Feature", "Kit", "Mounted", "Authentication", "Login", "Step",
    "PwlessError", "Event", "EventRetention", "ConfigError", "ApiError", "DeliveryError",
    "LoginDenied", "SettingsConflict",
    "LoginElsewhere", "Redirect", "ChallengeContext", "Verdict", "requires_fresh",
    # Who sends text messages.
    "TextMessage", "TextSender", "TwilioTexts", "VonageTexts", "MessageBirdTexts", "SNSTexts",
    "WebhookTexts", "FallbackTexts", "TextOutbox",
}  # fmt: skip
SIGNATURES: dict[Callable[..., Any], list[str]] = {
    Passwordless: [
        "secret_key", "base_url", "mailer", "store", "features", "public", "prefix", "users",
        "sessions", "brand", "templates", "api_keys", "allowed_origins", "trusted_proxies",
        "bearer", "cookie_name", "identity_header", "set_scope_user", "preflight",
        "unsafe_http",
    ],
    EmailLogin: [
        "kind", "lifetime", "max_lifetime", "code", "same_browser", "rotate_on_resend", "attempts",
        "allow", "signup", "link_uris", "send_limits", "try_limits",
    ],
    Passkeys: ["rp_id", "origins", "user_verification", "offer", "max_per_user", "required"],
    SecondFactors: ["totp", "sms", "sms_countries", "recovery_codes", "mfa", "trusted_days"],
    MemoryStore: ["max_entries"],
    Metrics: ["registry"],
    OIDC: [
        "client_id", "client_secret", "issuer", "name", "scopes", "signup", "authoritative_for",
        "unsafe_loopback",
    ],
    Tracing: ["tracer_provider"],
    Webhooks: ["unsafe_loopback"],
    Organizations: ["join"],
}  # fmt: skip


def test_all_is_what_is_promised() -> None:
    assert set(pwless_middleware.__all__) == PROMISED
    assert pwless_middleware.__all__ == sorted(pwless_middleware.__all__, key=_isort)
    for name in PROMISED:
        assert getattr(pwless_middleware, name).__name__ == name


def _isort(name: str) -> tuple[bool, str]:
    return (not name.isupper(), name)


def test_everything_public_says_what_it_is_for() -> None:
    for name in pwless_middleware.__all__:
        assert inspect.getdoc(getattr(pwless_middleware, name)), name


def test_the_promised_options_are_there_keyword_only_and_with_defaults() -> None:
    for thing, options in SIGNATURES.items():
        parameters = inspect.signature(thing).parameters
        for option in options:
            assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY, (thing, option)
    required = [
        name
        for name, parameter in inspect.signature(Passwordless).parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    assert required == ["secret_key", "base_url", "mailer"]
    assert (SessionPolicy().idle, SessionPolicy().absolute) == (7 * 86400, 30 * 86400)


def test_every_option_is_explained_where_it_is_given() -> None:
    for thing in (
        *(Passwordless, EmailLogin, SendLimits, TryLimits, SessionPolicy, MemoryStore),
        *(
            EventRetention,
            Dashboard,
            Organizations,
            Passkeys,
            SecondFactors,
            SMSLimits,
            TwilioTexts,
            VonageTexts,
            MessageBirdTexts,
            SNSTexts,
        ),
        *(WebhookTexts, FallbackTexts, TextOutbox),
    ):
        text = inspect.getdoc(thing) or ""
        for option in inspect.signature(thing).parameters:
            assert re.search(rf"^ +([a-z_]+, )*{option}(, [a-z_]+)*: ", text, re.M), (thing, option)


def test_the_package_is_typed_and_has_one_version() -> None:
    folder = Path(pwless_middleware.__file__).parent
    assert (folder / "py.typed").is_file()
    assert re.fullmatch(r"\d+\.\d+\.\d+", pwless_middleware.__version__)


def test_what_is_not_configured_is_not_imported() -> None:
    """redis-py costs 0.7 s."""
    program = (
        "import sys, pwless_middleware as p\n"
        "p.Passwordless(secret_key='mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6p', "
        "base_url='https://a.example', mailer=p.Outbox())\n"
        "print([n for n in ('redis', 'aiosmtplib', 'httpx', 'fastapi') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == []


# --- bad options ---------------------------------------------------------------------------------

LONG_KEY = "pwk_" + "Zk3vQ8sLw2Yt6Rb9Xn4Mc7Jd1Hg5Fp0a"
BAD: dict[str, list[object]] = {
    "base_url": [
        None, 5, "", "example.com", "ftp://a.example", "https://", "https://a.example?b",
        "https://a.example#b", "https://u:p@a.example", "https://a.example/b//c",
        "https://a.example:99999", "https://a example", "http://a.example", "https://[::1",
        b"https://a.example", "https://a.example/%2f", "https://exämple.com",
        "https://a.example/../b", "https://a.example\\b", "https://*.a.example",
        "https://a.example\n", " https://a.example",
    ],
    "mailer": [None, 5, "smtp://a", object(), Outbox],
    "store": [5, "redis://a", object(), MemoryStore],
    "features": [5, EmailLogin(), [5], [EmailLogin], "x"],
    "public": [5, "/", [5], ["x"], ["docs"], [""], ["/docs\n"], ["/a*"]],
    "prefix": [None, "", "/", "auth", "/auth/", "/a//b", "/../a", "/a b", "/é", 5, "/auth\n"],
    "users": [5, object(), "x"],
    "sessions": [5, "strict", SessionPolicy],
    "brand": [5, "Acme"],
    "templates": [5, "/no/such/folder"],
    "api_keys": [
        5, LONG_KEY, ["x"], {"a": "short"}, {"a": None}, {"": LONG_KEY}, {5: LONG_KEY},
        {"a": LONG_KEY, "b": LONG_KEY}, {"a": "x" + LONG_KEY}, {"a b": LONG_KEY},
    ],
    "allowed_origins": [
        5, "https://a.example", [5], ["null"], ["*"], ["https://a.example/b"],
        ["https://*.a.example"], [None],
    ],
    "trusted_proxies": [
        None, -1, 21, "10.0.0.0/8", True, [5.5], ["x"], ["10.0.0.1/8"], 1.5, [None], ["0.0.0.0/0"],
    ],
    "bearer": ["yes", None, 1],
    "set_scope_user": ["yes", None, 1],
    "preflight": ["no", None, 1],
    "end_streams": ["no", None, 1],
    "require_socket_origin": ["no", None, 1],
    "delivery": [None, "", "now", True, ["inline"]],
    "cookie_name": [5, "", "a b", "__Host-x"],
    "identity_header": ["", "a b", "Cookie", "Host", "x:y", 5, "é", "remote_user"],
    "on_event": [5, "print", asyncio.sleep],
    "event_retention": [5, 90, EventRetention],
    "clock": [5, "now", lambda: "now", lambda: None, lambda: True, lambda: float("nan")],
}  # fmt: skip
BAD_LOGIN: dict[str, list[object]] = {
    "kind": ["X", None, 5, "link"],
    "lifetime": [None, 59, 601, 300.0, True, "300"],
    "max_lifetime": [None, 299, 601, 600.0],
    "code": [None, "low", 6],
    "same_browser": [None, 1],
    "rotate_on_resend": [None, 1],
    "attempts": [None, 2, 11],
    "allow": [None, 5, [], "*@a.example", [5], ["x"], ["*@"], ["*@*"], ["@a.example"], ["*x"]],
    "signup": [None, 1],
    "link_uris": [
        None, 5, "https://a.example", [5], ["http://a.example"], ["https://a.example/#b"],
        ["https://a.example/" + "b" * 1000], ["https://u@a.example/"], ["https://"],
        ["https://[a"], ["https://a.example/ü"], ["https://a.example/ b"], ["javascript:x"],
    ],
    "send_limits": [5, "x", TryLimits()],
    "try_limits": [5, "x", SendLimits()],
}  # fmt: skip


def pairs(table: dict[str, list[object]]) -> list[Any]:
    """Return each option with each value. An id names no address: each process has others."""
    return [
        pytest.param(option, value, id=re.sub(" at 0x.*", "", f"{option}-{value!r:.40}"))
        for option, values in table.items()
        for value in values
    ]


@pytest.mark.parametrize(("option", "value"), pairs(BAD))
def test_a_bad_option_is_named_when_the_middleware_is_made(option: str, value: object) -> None:
    with pytest.raises(ConfigError) as raised:
        make_site(**{option: value})  # type: ignore[arg-type]
    assert raised.value.option == option
    assert str(raised.value).startswith(f"{option}: ")


@pytest.mark.parametrize(("option", "value"), pairs(BAD_LOGIN))
def test_a_bad_option_of_the_login_is_named(option: str, value: object) -> None:
    with pytest.raises(ConfigError) as raised:
        EmailLogin(**{option: value})  # type: ignore[arg-type]
    assert raised.value.option == option


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: make_site(secretkey="x"), "secretkey: .* did you mean secret_key?"),
        (lambda: make_site(url="x"), r"url: .* did you mean base_url\?"),
        (lambda: make_site(allow=["*"]), r"allow: it is an option of EmailLogin\(\.\.\.\), not"),
        (lambda: make_site(zzz=1), "zzz: .* there are secret_key, base_url"),
        (lambda: EmailLogin(atempts=3), "atempts: .* did you mean attempts?"),  # type: ignore[call-arg]
        (lambda: Brand("Acme", colour="#fff"), "colour: .* did you mean color?"),  # type: ignore[call-arg]
        (lambda: Brand(), "name: this option is required"),  # type: ignore[call-arg]
        (lambda: SendLimits(per_minut=1), "per_minut: .* did you mean per_minute?"),  # type: ignore[call-arg]
        (lambda: SMTPMailer("smtp://localhost"), "sender: this option is required"),  # type: ignore[call-arg]
        (lambda: Passwordless(base_url="x"), "secret_key: this option is required; `python -m"),  # type: ignore[call-arg]
    ],
)  # fmt: skip
def test_an_unknown_or_missing_option_is_named(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{told}"):
        make()


def test_other_mistakes_in_a_call_stay_pythons() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        Passwordless("a key")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="multiple values"):
        Brand("Acme", name="Acme")  # type: ignore[misc]


def test_a_setting_from_a_file_or_form_names_its_line_break() -> None:
    for option, value in (("base_url", "https://a.example\n"), ("public", ["/docs "])):
        with pytest.raises(ConfigError, match="begins or ends with a space or line break"):
            make_site(**{option: value})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'docs' has no slash at its beginning: set '/docs'"):
        make_site(public=["docs"])


def test_a_clock_with_fractions_is_cut_to_seconds() -> None:
    """`time.time` is the clock that people have."""
    login = Passwordless(
        secret_key="mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6p",
        base_url="https://a.example",
        mailer=Outbox(),
        clock=lambda: 1_800_000_000.9,
    )
    sent = asyncio.run(login.send("jo@example.com"))
    assert sent.expires_at == 1_800_000_300


def test_no_message_repeats_a_secret() -> None:
    for bad in ({"api_keys": {"a": "pwk_hidden"}}, {"secret_key": "too short a hidden"}):
        with pytest.raises(ConfigError) as raised:
            make_site(**bad)
        assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    "make", [lambda: MemoryStore(max_entries=0), lambda: MemoryStore(max_jobs=0),
             lambda: MemoryStore(max_entries=True), lambda: Outbox(max_messages=0)]
)  # fmt: skip
def test_bounds_begin_at_one(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_good_options_of_every_kind_are_taken() -> None:
    make_site(
        base_url="https://App.Example.com:443/shop/",
        public=("/", "/static/*"),
        prefix="/sign-in/v1",
        brand=Brand("Acme"),
        templates=None,
        sessions=SessionPolicy.strict(),
        allowed_origins=["https://www.example.com:8443"],
        trusted_proxies=["10.0.0.0/8", "2001:db8::/32"],
        bearer=True,
        identity_header="Remote-User",
        preflight=True,
        mailer=SMTPMailer("smtp://localhost:2525", sender="Acme <login@acme.example>"),
    )
    assert PasswordlessMiddleware.__init__.__kwdefaults__ == {"passwordless": None}
