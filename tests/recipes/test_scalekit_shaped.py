"""A client of Scalekit's shape needs a new base URL, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pwless_middleware import EmailLogin, Outbox, PasswordlessMiddleware
from tests.live import served
from tests.recipes.scalekit_shaped import (
    PasswordlessClient,
    PasswordlessType,
    ScalekitError,
    TemplateType,
)
from tests.support import API_KEY, KEY, ROOMY, WhoAmI, token_of, wrong

PAGE = "https://www.example.com/verify-magic-link"


@pytest.fixture(scope="module")
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture(scope="module")
def address(outbox: Outbox) -> Iterator[str]:
    def login(url: str) -> PasswordlessMiddleware:
        return PasswordlessMiddleware(
            WhoAmI(),
            secret_key=KEY,
            base_url=url,
            mailer=outbox,
            api_keys={"backend": API_KEY},
            features=[EmailLogin(send_limits=ROOMY, link_uris=[PAGE])],
        )

    with served(login) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[PasswordlessClient]:
    client = PasswordlessClient(f"{address}/auth", API_KEY)
    yield client
    client.close()


def test_send_and_verify_by_code(client: PasswordlessClient, outbox: Outbox) -> None:
    sent = client.send_passwordless_email(
        "jo@example.com",
        template=TemplateType.SIGNUP,
        state="xyz",
        expires_in=100,
        template_variables={"custom_variable_key": "custom_variable_value"},
    )
    assert sent.passwordless_type is PasswordlessType.OTP
    assert sent.expires_in == 100
    assert abs(sent.expires_at - time.time() - 100) < 10
    done = client.verify_passwordless_email(
        code=outbox.messages[-1].code, auth_request_id=sent.auth_request_id
    )
    assert (done.email, done.state) == ("jo@example.com", "xyz")
    assert done.template is TemplateType.SIGNUP
    assert done.passwordless_type is PasswordlessType.OTP


def test_send_and_verify_by_link(client: PasswordlessClient, outbox: Outbox) -> None:
    sent = client.send_passwordless_email("jo@example.com", magiclink_auth_uri=PAGE)
    assert sent.passwordless_type is PasswordlessType.LINK_OTP
    link = outbox.messages[-1].link
    assert link is not None
    assert link.startswith(PAGE + "?link_token=")
    done = client.verify_passwordless_email(
        link_token=token_of(link), auth_request_id=sent.auth_request_id
    )
    assert done.email == "jo@example.com"
    assert done.state is None


def test_resend(client: PasswordlessClient, outbox: Outbox) -> None:
    sent = client.send_passwordless_email("jo@example.com")
    again = client.resend_passwordless_email(sent.auth_request_id)
    done = client.verify_passwordless_email(
        code=outbox.messages[-1].code, auth_request_id=again.auth_request_id
    )
    assert done.email == "jo@example.com"


def test_errors_have_the_shape_that_the_client_reads(
    client: PasswordlessClient, address: str, outbox: Outbox
) -> None:
    with pytest.raises(ScalekitError) as bad:
        client.send_passwordless_email("jo", expires_in=5)
    error = bad.value
    assert (error.status, error.grpc_code, error.error_code) == (400, 3, "INVALID_ARGUMENT")
    assert error.fields == ["expires_in"]
    sent = client.send_passwordless_email("jo@example.com")
    for status, grpc in [(400, 3)] * 5 + [(429, 8)]:
        with pytest.raises(ScalekitError) as caught:
            client.verify_passwordless_email(
                code=wrong(outbox.messages[-1].code), auth_request_id=sent.auth_request_id
            )
        assert (caught.value.status, caught.value.grpc_code) == (status, grpc)
    stranger = PasswordlessClient(f"{address}/auth", "skt_123")
    with pytest.raises(ScalekitError) as unknown:
        stranger.send_passwordless_email("jo@example.com")
    assert (unknown.value.status, unknown.value.grpc_code) == (401, 16)
    stranger.close()
