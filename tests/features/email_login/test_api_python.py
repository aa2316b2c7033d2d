"""The three verbs as coroutines, for a host that wants no HTTP: same flow, same refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from pwless_middleware import ConfigError, EmailLogin
from pwless_middleware.errors import (
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    RateLimited,
    RequestExpired,
    StepRequired,
    StoreError,
    TooManyAttempts,
)
from pwless_middleware.features.email_login.python import SendResult
from pwless_middleware.flows import store_deadline
from pwless_middleware.stores.memory import MemoryStore
from tests.security.factor import Factor, Policy
from tests.support import ROOMY, START, Site, Slow, make_site, token_of, wrong

pytestmark = pytest.mark.anyio

PAGE = "https://www.example.com/magic"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
BAD: Any = object()


def roomy(**options: Any) -> Site:
    """Make a site with room for many sends and one page for links."""
    return make_site(features=[EmailLogin(send_limits=ROOMY, link_uris=[PAGE])], **options)


async def refused(call: Awaitable[object]) -> list[str]:
    """See that the arguments are refused, and name the bad ones."""
    with pytest.raises(InvalidArgument) as caught:
        await call
    return [violation.field for violation in caught.value.violations]


async def test_send_and_verify_sign_somebody_in() -> None:
    site = roomy()
    make_site = site.passwordless
    sent = await make_site.send("Jo@Example.com", state="é", template="SIGNUP", user_agent=FIREFOX)
    assert sent == SendResult(sent.auth_request_id, START + 300, 300, "OTP", 0)
    mail = site.mail("jo@example.com")
    assert "Firefox on Linux" in mail.text
    assert "Confirm your address" in mail.subject

    done = await make_site.verify(auth_request_id=sent.auth_request_id, code=mail.code)
    assert done.email == done.user.email == "jo@example.com"
    assert (done.state, done.template, done.passwordless_type) == ("é", "SIGNUP", "OTP")
    assert done.session.user_id == done.user.id
    assert done.session.device == "Firefox on Linux"
    assert done.session.methods == ("email_code",)

    # The cookie is one that a browser takes, and that the middleware knows.
    name, _, rest = done.set_cookie.partition("=")
    assert name == "__Host-pwless"
    assert rest.split("; ")[1:] == [
        "Max-Age=2592000", "Path=/", "HttpOnly", "SameSite=Lax", "Secure",
    ]  # fmt: skip
    browser = site.browser(cookies={name: rest.partition(";")[0]})
    assert await browser.who() == "jo@example.com"
    client = site.browser(headers={"authorization": f"Bearer {done.session_token}"})
    assert (await client.get("/auth/api/v1/session")).status_code == 200


async def test_a_template_of_none_is_one_that_is_not_given() -> None:
    site = roomy()
    not_given: Any = None
    await site.passwordless.send("jo@example.com", template=not_given)
    assert "You asked to sign in" in site.mail().text


async def test_nothing_secret_is_in_a_repr() -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com", state="my state")
    code = site.mail().code
    done = await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    shown = repr(sent) + repr(done)
    for secret in (sent.auth_request_id, done.session_token, done.set_cookie, "my state"):
        assert secret not in shown


async def test_by_link() -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com", magiclink_auth_uri=PAGE)
    assert sent.passwordless_type == "LINK_OTP"
    token = token_of(site.mail().link)
    other = await site.passwordless.send("ann@example.com", magiclink_auth_uri=PAGE)
    with pytest.raises(RequestExpired):
        await site.passwordless.verify(auth_request_id=other.auth_request_id, link_token=token)
    done = await site.passwordless.verify(auth_request_id=sent.auth_request_id, link_token=token)
    assert done.session.methods == ("email_link",)
    assert done.state is None


async def test_a_login_ends_the_session_that_was_there() -> None:
    site = roomy()
    before = None
    for _ in range(2):
        sent = await site.passwordless.send("jo@example.com")
        done = await site.passwordless.verify(
            auth_request_id=sent.auth_request_id, code=site.mail().code, ends=before
        )
        before = done.session
    rows = await site.passwordless.sessions.list(done.user.id)
    assert [row.id for row in rows] == [done.session.id]


async def test_resend_gives_an_id_to_keep() -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com", expires_in=60)
    site.clock.advance(61)
    again = await site.passwordless.resend(sent.auth_request_id)
    assert again.expires_at == START + 121
    done = await site.passwordless.verify(
        auth_request_id=again.auth_request_id, code=site.mail().code
    )
    assert done.user.email == "jo@example.com"


async def test_a_wrong_code_says_what_is_left_until_nothing_is() -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com")
    code = wrong(site.mail().code)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(InvalidCode) as caught:
            await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
        assert caught.value.attempts_left == left
    with pytest.raises(TooManyAttempts) as spent:
        await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    assert spent.value.retry_after > 0


# --- bad arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("email", None), ("email", b"jo@example.com"), ("email", ""), ("email", "jo"),
        ("email", "j\ud800@example.com"), ("email", "a" * 255),
        ("template", "OTHER"), ("template", BAD),
        ("magiclink_auth_uri", ""), ("magiclink_auth_uri", "https://evil.example/"),
        ("magiclink_auth_uri", BAD),
        ("state", "a" * 1001), ("state", "\udfff"), ("state", b""), ("state", 5),
        ("expires_in", 59), ("expires_in", 601), ("expires_in", True), ("expires_in", "60"),
        ("expires_in", 60.5), ("expires_in", float("nan")), ("expires_in", float("inf")),
        ("template_variables", []), ("template_variables", "name"),
        ("template_variables", {"name": 1}), ("template_variables", {1: "name"}),
        ("client", "localhost"), ("client", ""), ("client", 4), ("client", b"1.2.3.4"),
        ("user_agent", b"Firefox"), ("user_agent", 1),
    ],
)  # fmt: skip
async def test_a_bad_argument_is_named_and_nothing_happens(argument: str, value: Any) -> None:
    site = roomy()
    before = site.snapshot()
    given = {"email": "jo@example.com", argument: value}
    assert await refused(site.passwordless.send(**given)) == [argument]
    assert site.snapshot() == before
    assert not site.outbox.messages


async def test_a_bad_variable_is_named() -> None:
    site = roomy()
    call = site.passwordless.send("jo@example.com", template_variables={"otp": "x", "ok": "\ud800"})
    assert await refused(call) == ["template_variables.ok"]
    call = site.passwordless.send("jo@example.com", template_variables={"otp": "x", "ok": "www.x"})
    assert await refused(call) == ["template_variables.otp", "template_variables.ok"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["code"]),
        ({"code": "123456", "link_token": "x"}, ["code"]),
        ({"code": "12345"}, ["code"]),
        ({"code": 123456}, ["code"]),
        ({"code": ""}, ["code"]),
        ({"link_token": ""}, ["link_token"]),
        ({"link_token": b"x"}, ["link_token"]),
        ({"code": "123456", "auth_request_id": None}, ["auth_request_id"]),
        ({"code": "123456", "auth_request_id": "x" * 201}, ["auth_request_id"]),
        ({"code": "123456", "client": "x"}, ["client"]),
        ({"code": "123456", "ends": "pws_x"}, ["ends"]),
    ],
)
async def test_verify_names_what_is_bad(given: dict[str, Any], named: list[str]) -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com")
    given = {"auth_request_id": sent.auth_request_id, **given}
    before = site.snapshot()
    assert await refused(site.passwordless.verify(**given)) == named
    assert site.snapshot() == before


async def test_resend_names_what_is_bad() -> None:
    site = roomy()
    bad: Any
    for bad in (None, 1, "", "x" * 201, "\ud800"):
        assert await refused(site.passwordless.resend(bad)) == ["auth_request_id"]
    with pytest.raises(RequestExpired):
        await site.passwordless.resend("x")


# --- limits, rules, failures -------------------------------------------------------------------


async def test_without_a_client_the_address_alone_is_counted() -> None:
    site = make_site()
    for n in range(30):
        await site.passwordless.send(f"a{n}@example.com")
    await site.passwordless.send("jo@example.com")
    await site.passwordless.send("jo@example.com")
    with pytest.raises(RateLimited) as caught:
        await site.passwordless.send("jo@example.com")
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::1"])
async def test_with_a_client_it_is_counted_too(client: str) -> None:
    site = make_site()
    for n in range(20):
        await site.passwordless.send(f"a{n}@example.com", client=client)
    with pytest.raises(RateLimited):
        await site.passwordless.send("b@example.com", client=client)
    await site.passwordless.send("b@example.com", client="203.0.113.10")


async def test_verify_counts_the_client_across_addresses() -> None:
    site = roomy()
    refusals: list[type[Exception]] = []
    for n in range(7):
        sent = await site.passwordless.send(f"a{n}@example.com")
        code = wrong(site.mail(f"a{n}@example.com").code)
        for _ in range(5):
            with pytest.raises((InvalidCode, TooManyAttempts)) as caught:
                await site.passwordless.verify(
                    auth_request_id=sent.auth_request_id, code=code, client="203.0.113.9"
                )
            refusals.append(caught.type)
    assert refusals == [InvalidCode] * 30 + [TooManyAttempts] * 5


async def test_resend_counts_the_client() -> None:
    site = make_site()
    sent = await site.passwordless.send("jo@example.com")
    for n in range(20):
        await site.passwordless.send(f"a{n}@example.com", client="203.0.113.9")
    with pytest.raises(RateLimited):
        await site.passwordless.resend(sent.auth_request_id, client="203.0.113.9")
    await site.passwordless.resend(sent.auth_request_id)


async def test_the_challenge_is_the_host_s_own() -> None:
    site = roomy()
    sent = await site.passwordless.send("jo@example.com")
    code = site.mail().code
    response = await site.backend().verify(sent.auth_request_id, code=code)
    assert response.status_code == 410
    body = {"auth_request_id": sent.auth_request_id, "code": code}
    assert (await site.browser().call("verify", body)).status_code == 410


async def test_rules_refuse_and_steps_are_asked_for_here_too() -> None:
    site = make_site(features=[EmailLogin(), Policy(domain="sso.example")])
    with pytest.raises(LoginDenied):
        await site.passwordless.send("jo@sso.example")
    site = make_site(features=[EmailLogin(), Factor()])
    sent = await site.passwordless.send("jo@example.com")
    with pytest.raises(StepRequired) as caught:
        await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=site.mail().code)
    assert caught.value.steps == ("secret",)
    assert site.sessions == 0


async def test_without_email_login_the_verbs_say_what_to_add() -> None:
    site = make_site(features=[], public=["*"])
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: site.passwordless.send("jo@example.com"),
        lambda: site.passwordless.resend("x"),
        lambda: site.passwordless.verify(auth_request_id="x", code="123456"),
    ]
    for call in calls:
        with pytest.raises(ConfigError, match="EmailLogin"):
            await call()


async def test_a_long_task_does_not_use_up_the_time_of_its_verbs() -> None:
    """A socket's handler may send for hours; each verb has the time of a request of its own."""
    store = Slow(MemoryStore())
    site = make_site(store=store)

    async def wait() -> None:
        await anyio.lowlevel.checkpoint()

    store.before["admit"] = wait
    store_deadline._left.set([0.0])  # what a long task has left of its first request's time
    sent = await site.passwordless.send("jo@example.com")
    store_deadline._left.set([0.0])
    await site.passwordless.resend(sent.auth_request_id)


async def test_a_store_that_is_down_is_told() -> None:
    store = Slow(MemoryStore())

    async def down() -> None:
        raise StoreError

    store.before["admit"] = down
    site = make_site(store=store)
    with pytest.raises(StoreError):
        await site.passwordless.send("jo@example.com")
