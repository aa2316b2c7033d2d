"""Fixtures for the tests of an app behind `PasswordlessMiddleware`; pytest finds them by itself.

Make the app in a fixture of yours, with the mailbox (and the clock, if time matters), and sign a
client in. There is no back door: `pwless_sign_in` asks for the mail, reads the code in the mailbox
and types it, as a person would, so that your own options (`allow`, `users`, rules) hold in tests:

    import secrets
    from starlette.testclient import TestClient

    @pytest.fixture
    def app(pwless_mailbox, pwless_clock):
        return PasswordlessMiddleware(
            make_my_app(),
            secret_key=secrets.token_urlsafe(32),
            base_url="http://localhost:8000",
            mailer=pwless_mailbox,
            clock=pwless_clock,
        )

    def test_profile(app, pwless_sign_in):
        client = pwless_sign_in(TestClient(app), "jo@example.com")
        assert client.get("/profile").json() == {"email": "jo@example.com"}

    def test_session_ends(app, pwless_sign_in, pwless_clock):
        client = pwless_sign_in(TestClient(app), "jo@example.com")
        pwless_clock.advance(8 * 86400)
        assert client.get("/profile").status_code == 401

Every client gives itself back, signed in: Starlette's `TestClient`; `httpx.Client`, say on a live
server; `httpx.AsyncClient`, to be awaited; a Playwright `page`, or a `context` whose later pages
are signed in (the async ones are awaited as well):

    client = await pwless_sign_in(httpx.AsyncClient(transport=ASGITransport(app), base_url=…), …)
    pwless_sign_in(page, "jo@example.com", base_url="http://localhost:8000")

The address and the prefix of the login are found in the app where the client holds it, and else
given by `base_url` and `prefix`. With an https `base_url` the cookies are `Secure`: make the client
with that base URL as well, `TestClient(app, base_url="https://app.example.com")`.

An app that makes its middleware from your settings takes the mailbox from there: let the settings
name the mailer, and have a fixture put `pwless_mailbox` in. A server in another process mails by
SMTP: give `mailbox=` an object of yours whose `latest(to)` reads from what received it.

Mails per address are limited, two in a minute: sign in another address, advance the clock, or make
`EmailLogin(send_limits=SendLimits(...))` roomy.

This module is imported at every start of pytest, whoever uses it, so it imports nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pwless_middleware.delivery.outbox import Outbox
    from pwless_middleware.pytest_plugin.clock import Clock
    from pwless_middleware.pytest_plugin.sign_in import SignIn


@pytest.fixture
def pwless_mailbox() -> Outbox:
    """Return a mailer for the app: `.latest("jo@example.com").code`, `.link`, `.messages`."""
    from pwless_middleware.pytest_plugin.mailbox import Mailbox

    return Mailbox()


@pytest.fixture
def pwless_clock() -> Clock:
    """Return a clock for the app: `.advance(seconds)` lets time pass, `.now` is the time."""
    from pwless_middleware.pytest_plugin.clock import Clock

    return Clock()


@pytest.fixture
def pwless_sign_in(pwless_mailbox: Outbox) -> SignIn:
    """`pwless_sign_in(client, "jo@example.com")` gives the client back, signed in."""
    from pwless_middleware.pytest_plugin.sign_in import SignIn

    return SignIn(pwless_mailbox)
