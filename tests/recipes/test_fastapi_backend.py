"""The backend recipe, as it would run: a login and a backend, each on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pwless_middleware import Outbox, PasswordlessMiddleware
from tests.live import served
from tests.recipes.fastapi_backend import create_backend
from tests.support import API_KEY, KEY, WhoAmI, wrong


@pytest.fixture(scope="module")
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture(scope="module")
def backend(outbox: Outbox) -> Iterator[str]:
    """Serve both, and give the backend's address."""

    def login(url: str) -> PasswordlessMiddleware:
        return PasswordlessMiddleware(
            WhoAmI(), secret_key=KEY, base_url=url, mailer=outbox, api_keys={"backend": API_KEY}
        )

    with (
        served(login) as url,
        served(lambda _: create_backend(f"{url}/auth", API_KEY, KEY)) as address,
    ):
        yield address


@pytest.fixture
def visitor(backend: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=backend, timeout=30) as client:
        yield client


def code_for(outbox: Outbox, email: str) -> str:
    mail = outbox.latest(email)
    assert mail is not None
    assert mail.code is not None
    assert mail.link is None
    return mail.code


def test_a_visitor_signs_in_by_code_and_out_again(visitor: httpx.Client, outbox: Outbox) -> None:
    assert visitor.get("/me").status_code == 401
    assert visitor.post("/ask", data={"email": "jo@example.com"}).json() == {"resend_after": 0}
    entered = visitor.post("/enter", data={"code": code_for(outbox, "jo@example.com")})
    assert entered.status_code == 200, entered.text
    assert visitor.get("/me").json() == entered.json()
    assert entered.json()["email"] == "jo@example.com"
    visitor.post("/leave")
    assert visitor.get("/me").status_code == 401


def test_a_second_mail(visitor: httpx.Client, outbox: Outbox) -> None:
    visitor.post("/ask", data={"email": "ann@example.com"})
    assert visitor.post("/again").json()["resend_after"] > 0
    response = visitor.post("/again")
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["detail"]["error"] == "RATE_LIMITED"
    code = code_for(outbox, "ann@example.com")
    assert visitor.post("/enter", data={"code": code}).status_code == 200


def test_what_the_login_refuses_is_refused(visitor: httpx.Client, outbox: Outbox) -> None:
    response = visitor.post("/ask", data={"email": "no address"})
    assert (response.status_code, response.json()["detail"]["error"]) == (400, "INVALID_ARGUMENT")
    response = visitor.post("/enter", data={"code": "123456"})
    assert (response.status_code, response.json()["detail"]["error"]) == (410, "REQUEST_EXPIRED")
    visitor.post("/ask", data={"email": "bob@example.com"})
    bad = wrong(code_for(outbox, "bob@example.com"))
    response = visitor.post("/enter", data={"code": bad})
    assert (response.status_code, response.json()["detail"]["error"]) == (400, "INVALID_CODE")
    assert visitor.get("/me").status_code == 401


def test_a_code_is_worth_nothing_in_another_browser(
    visitor: httpx.Client, backend: str, outbox: Outbox
) -> None:
    visitor.post("/ask", data={"email": "cy@example.com"})
    code = code_for(outbox, "cy@example.com")
    with httpx.Client(base_url=backend, timeout=30) as thief:
        assert thief.post("/enter", data={"code": code}).status_code == 410
        thief.post("/ask", data={"email": "thief@example.com"})
        assert thief.post("/enter", data={"code": code}).status_code == 400
    assert visitor.post("/enter", data={"code": code}).status_code == 200


def test_a_wrong_key_is_the_backend_s_fault(backend: str) -> None:
    def login(url: str) -> PasswordlessMiddleware:
        return PasswordlessMiddleware(WhoAmI(), secret_key=KEY, base_url=url, mailer=Outbox())

    with (
        served(login) as url,
        served(lambda _: create_backend(f"{url}/auth", API_KEY, KEY)) as address,
        httpx.Client(base_url=address, timeout=30) as visitor,
    ):
        assert visitor.post("/ask", data={"email": "jo@example.com"}).status_code == 502
