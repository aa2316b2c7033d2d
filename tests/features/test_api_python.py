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
from pwless_middleware.features.email_login.python import Sent
from pwless_middleware.flows import timely
from pwless_middleware.stores.memory import MemoryStore
from tests.security.factor import Factor, Policy
from tests.support import ROOMY, START, House, Slow, house, token_of, wrong

pytestmark = pytest.mark.anyio

PAGE = "https://www.example.com/magic"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
BAD: Any = object()


def roomy(**options: Any) -> House:
    """Build a house with room for many sends and one page for links."""
    return house(features=[EmailLogin(send_limits=ROOMY, link_uris=[PAGE])], **options)


async def refused(call: Awaitable[object]) -> list[str]:
    """See that the arguments are refused, and name the bad ones."""
    with pytest.raises(InvalidArgument) as caught:
        await call
    return [violation.field for violation in caught.value.violations]


async def test_send_and_verify_sign_somebody_in() -> None:
    home = roomy()
    house = home.passwordless
    sent = await house.send("Jo@Example.com", state="é", template="SIGNUP", user_agent=FIREFOX)
    assert sent == Sent(sent.auth_request_id, START + 300, 300, "OTP", 0)
    mail = home.mail("jo@example.com")
    assert "Firefox on Linux" in mail.text
    assert "Confirm your address" in mail.subject

    done = await house.verify(auth_request_id=sent.auth_request_id, code=mail.code)
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
    browser = home.browser(cookies={name: rest.partition(";")[0]})
    assert await browser.who() == "jo@example.com"
    client = home.browser(headers={"authorization": f"Bearer {done.session_token}"})
    assert (await client.get("/auth/api/v1/session")).status_code == 200


async def test_nothing_secret_is_in_a_repr() -> None:
    home = roomy()
    sent = await home.passwordless.send("jo@example.com", state="my state")
    code = home.mail().code
    done = await home.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    shown = repr(sent) + repr(done)
    for secret in (sent.auth_request_id, done.session_token, done.set_cookie, "my state"):
        assert secret not in shown


async def test_by_link() -> None:
    home = roomy()
    sent = await home.passwordless.send("jo@example.com", magiclink_auth_uri=PAGE)
    assert sent.passwordless_type == "LINK_OTP"
    token = token_of(home.mail().link)
    other = await home.passwordless.send("ann@example.com", magiclink_auth_uri=PAGE)
    with pytest.raises(RequestExpired):
        await home.passwordless.verify(auth_request_id=other.auth_request_id, link_token=token)
    done = await home.passwordless.verify(auth_request_id=sent.auth_request_id, link_token=token)
    assert done.session.methods == ("email_link",)
    assert done.state is None


async def test_a_login_ends_the_session_that_was_there() -> None:
    home = roomy()
    before = None
    for _ in range(2):
        sent = await home.passwordless.send("jo@example.com")
        done = await home.passwordless.verify(
            auth_request_id=sent.auth_request_id, code=home.mail().code, ends=before
        )
        before = done.session
    rows = await home.passwordless.sessions.list(done.user.id)
    assert [row.id for row in rows] == [done.session.id]


async def test_resend_gives_an_id_to_keep() -> None:
    home = roomy()
    sent = await home.passwordless.send("jo@example.com", expires_in=60)
    home.clock.advance(61)
    again = await home.passwordless.resend(sent.auth_request_id)
    assert again.expires_at == START + 121
    done = await home.passwordless.verify(
        auth_request_id=again.auth_request_id, code=home.mail().code
    )
    assert done.user.email == "jo@example.com"


async def test_a_wrong_code_says_what_is_left_until_nothing_is() -> None:
    home = roomy()
    sent = await home.passwordless.send("jo@example.com")
    code = wrong(home.mail().code)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(InvalidCode) as caught:
            await home.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
        assert caught.value.attempts_left == left
    with pytest.raises(TooManyAttempts) as spent:
        await home.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
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
    home = roomy()
    before = home.snapshot()
    given = {"email": "jo@example.com", argument: value}
    assert await refused(home.passwordless.send(**given)) == [argument]
    assert home.snapshot() == before
    assert not home.outbox.messages


async def test_a_bad_variable_is_named() -> None:
    home = roomy()
    call = home.passwordless.send("jo@example.com", template_variables={"otp": "x", "ok": "\ud800"})
    assert await refused(call) == ["template_variables.ok"]
    call = home.passwordless.send("jo@example.com", template_variables={"otp": "x", "ok": "www.x"})
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
    home = roomy()
    sent = await home.passwordless.send("jo@example.com")
    given = {"auth_request_id": sent.auth_request_id, **given}
    before = home.snapshot()
    assert await refused(home.passwordless.verify(**given)) == named
    assert home.snapshot() == before


async def test_resend_names_what_is_bad() -> None:
    home = roomy()
    bad: Any
    for bad in (None, 1, "", "x" * 201, "\ud800"):
        assert await refused(home.passwordless.resend(bad)) == ["auth_request_id"]
    with pytest.raises(RequestExpired):
        await home.passwordless.resend("x")


# --- limits, rules, failures -------------------------------------------------------------------


async def test_without_a_client_the_address_alone_is_counted() -> None:
    home = house()
    for n in range(30):
        await home.passwordless.send(f"a{n}@example.com")
    await home.passwordless.send("jo@example.com")
    await home.passwordless.send("jo@example.com")
    with pytest.raises(RateLimited) as caught:
        await home.passwordless.send("jo@example.com")
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::1"])
async def test_with_a_client_it_is_counted_too(client: str) -> None:
    home = house()
    for n in range(20):
        await home.passwordless.send(f"a{n}@example.com", client=client)
    with pytest.raises(RateLimited):
        await home.passwordless.send("b@example.com", client=client)
    await home.passwordless.send("b@example.com", client="203.0.113.10")


async def test_verify_counts_the_client_across_addresses() -> None:
    home = roomy()
    refusals: list[type[Exception]] = []
    for n in range(7):
        sent = await home.passwordless.send(f"a{n}@example.com")
        code = wrong(home.mail(f"a{n}@example.com").code)
        for _ in range(5):
            with pytest.raises((InvalidCode, TooManyAttempts)) as caught:
                await home.passwordless.verify(
                    auth_request_id=sent.auth_request_id, code=code, client="203.0.113.9"
                )
            refusals.append(caught.type)
    assert refusals == [InvalidCode] * 30 + [TooManyAttempts] * 5


async def test_resend_counts_the_client() -> None:
    home = house()
    sent = await home.passwordless.send("jo@example.com")
    for n in range(20):
        await home.passwordless.send(f"a{n}@example.com", client="203.0.113.9")
    with pytest.raises(RateLimited):
        await home.passwordless.resend(sent.auth_request_id, client="203.0.113.9")
    await home.passwordless.resend(sent.auth_request_id)


async def test_the_challenge_is_the_host_s_own() -> None:
    home = roomy()
    sent = await home.passwordless.send("jo@example.com")
    code = home.mail().code
    response = await home.backend().verify(sent.auth_request_id, code=code)
    assert response.status_code == 410
    body = {"auth_request_id": sent.auth_request_id, "code": code}
    assert (await home.browser().call("verify", body)).status_code == 410


async def test_rules_refuse_and_steps_are_asked_for_here_too() -> None:
    home = house(features=[EmailLogin(), Policy(domain="sso.example")])
    with pytest.raises(LoginDenied):
        await home.passwordless.send("jo@sso.example")
    home = house(features=[EmailLogin(), Factor()])
    sent = await home.passwordless.send("jo@example.com")
    with pytest.raises(StepRequired) as caught:
        await home.passwordless.verify(auth_request_id=sent.auth_request_id, code=home.mail().code)
    assert caught.value.steps == ("secret",)
    assert home.sessions == 0


async def test_without_email_login_the_verbs_say_what_to_add() -> None:
    home = house(features=[])
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: home.passwordless.send("jo@example.com"),
        lambda: home.passwordless.resend("x"),
        lambda: home.passwordless.verify(auth_request_id="x", code="123456"),
    ]
    for call in calls:
        with pytest.raises(ConfigError, match="EmailLogin"):
            await call()


async def test_a_long_task_does_not_use_up_the_time_of_its_verbs() -> None:
    """A socket's handler may send for hours; each verb has the time of a request of its own."""
    store = Slow(MemoryStore())
    home = house(store=store)

    async def wait() -> None:
        await anyio.lowlevel.checkpoint()

    store.before["admit"] = wait
    timely._left.set([0.0])  # what a long task has left of its first request's time
    sent = await home.passwordless.send("jo@example.com")
    timely._left.set([0.0])
    await home.passwordless.resend(sent.auth_request_id)


async def test_a_store_that_is_down_is_told() -> None:
    store = Slow(MemoryStore())

    async def down() -> None:
        raise StoreError

    store.before["admit"] = down
    home = house(store=store)
    with pytest.raises(StoreError):
        await home.passwordless.send("jo@example.com")
