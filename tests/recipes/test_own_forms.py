"""The recipe of one's own forms: sign in without any page or JSON of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from pwless_middleware import Outbox, Passwordless, PasswordlessMiddleware
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from tests.recipes.own_forms import create_app
from tests.support import BASE, KEY, Clock, wrong

ORIGIN = {"origin": BASE}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox() -> Outbox:
    return Mailbox()


@pytest.fixture
def login(clock: Clock, outbox: Outbox) -> Passwordless:
    return Passwordless(
        secret_key=KEY,
        base_url=BASE,
        mailer=outbox,
        clock=clock,
        public=["/ask", "/again", "/enter", "/leave"],
    )


@pytest.fixture
def visitor(login: Passwordless) -> Iterator[TestClient]:
    app = PasswordlessMiddleware(create_app(login, KEY), passwordless=login)
    with TestClient(
        app, base_url=BASE, headers=ORIGIN, client=("203.0.113.7", 50000), follow_redirects=False
    ) as client:
        yield client


def test_sign_in_and_out(visitor: TestClient, outbox: Outbox) -> None:
    assert visitor.get("/account").status_code == 401
    asked = visitor.post("/ask", data={"email": "Jo@Example.com"})
    assert asked.text == "A code is on its way, good for 300 seconds."
    response = visitor.post("/enter", data={"code": outbox.messages[-1].code})
    assert (response.status_code, response.headers["location"]) == (303, "/account")
    assert visitor.get("/account").text == "Hello, jo@example.com."
    visitor.post("/leave")
    assert visitor.get("/account").status_code == 401


def test_a_new_login_ends_the_session_before(visitor: TestClient, outbox: Outbox) -> None:
    cookies = []
    for email in ("jo@example.com", "ann@example.com"):
        visitor.post("/ask", data={"email": email})
        visitor.post("/enter", data={"code": outbox.messages[-1].code})
        cookies.append(visitor.cookies["__Host-pwless"])
    assert visitor.get("/account").text == "Hello, ann@example.com."
    visitor.cookies.clear()
    for cookie, status in zip(cookies, (401, 200), strict=True):
        headers = {"cookie": f"__Host-pwless={cookie}"}
        assert visitor.get("/account", headers=headers).status_code == status


def test_what_a_verb_refuses_is_told(visitor: TestClient, outbox: Outbox) -> None:
    assert visitor.post("/ask", data={"email": "jo"}).status_code == 400
    assert visitor.post("/enter", data={"code": "123456"}).status_code == 410
    visitor.post("/ask", data={"email": "jo@example.com"})
    response = visitor.post("/enter", data={"code": wrong(outbox.messages[-1].code)})
    assert response.status_code == 400
    assert "4 tries left" in response.text
    assert visitor.post("/again", data={}).status_code == 200
    response = visitor.post("/again", data={})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) == 60


def test_an_expired_code_is_sent_again_as_a_new_one(
    visitor: TestClient, outbox: Outbox, clock: Clock
) -> None:
    visitor.post("/ask", data={"email": "jo@example.com"})
    old = outbox.messages[-1].code
    clock.advance(301)
    assert visitor.post("/enter", data={"code": old}).status_code == 410
    visitor.post("/again", data={})
    assert visitor.post("/enter", data={"code": outbox.messages[-1].code}).status_code == 303


def test_a_form_of_another_site_is_refused(visitor: TestClient, outbox: Outbox) -> None:
    headers = {"origin": "https://evil.example"}
    response = visitor.post("/ask", data={"email": "jo@example.com"}, headers=headers)
    assert response.status_code == 403
    assert not outbox.messages
