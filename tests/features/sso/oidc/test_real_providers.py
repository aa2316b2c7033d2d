"""Whole logins at real providers, by the protocol alone."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import httpx
import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient, OIDCLogin, StartedLogin
from pwless_middleware.features.sso.oidc.providers import AGAIN_SECONDS
from pwless_middleware.features.sso.person import role_of
from pwless_middleware.safe_http.client import SafeHTTPClient
from tests.identity_providers.nanoidp import NanoIDP
from tests.identity_providers.oidc_provider import OIDCProvider
from tests.identity_providers.provider import IdentityProvider, query_of
from tests.live import clock_of_today

pytestmark = pytest.mark.anyio

BACK = "https://app.example.com/auth/sso/conn_x/callback"


class Client(OIDCClient):
    """Ours, with a clock that a test moves; providers have the real time."""

    def __init__(self) -> None:
        self.clock = clock_of_today()
        super().__init__(SafeHTTPClient("features", extra="sso", allow_loopback=True), self.clock)


def make_client() -> Client:
    return Client()


class Attempt:
    """One login at a provider, whose parts a test may exchange."""

    def __init__(self, provider: IdentityProvider, client: Client, **config: Any) -> None:
        self.provider = provider
        self.client = client
        self.settings = client.read_settings(provider.config(**config))

    async def begin(self, login: str, **more: Any) -> None:
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        url = await self.client.start(
            self.settings,
            redirect_uri=BACK,
            state="a-state",
            nonce=nonce,
            verifier=verifier,
            **more,
        )
        self.started = StartedLogin(nonce=nonce, verifier=verifier, redirect_uri=BACK)
        back = await self.provider.sign_in(url, login)
        assert back.startswith(BACK)
        self.answer = query_of(back)
        assert self.answer["state"] == "a-state"

    async def end(self, secret: str | None = None) -> OIDCLogin:
        return await self.client.finish(
            self.settings, secret or self.provider.client_secret, self.started, self.answer
        )


@pytest.fixture(params=["oidc_provider", "nanoidp"])
def provider(request: pytest.FixtureRequest) -> IdentityProvider:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, IdentityProvider)
    return found


def login_at(provider: IdentityProvider) -> str:
    return "jo" if isinstance(provider, NanoIDP) else "jo@acme.example"


async def test_a_person_signs_in(provider: IdentityProvider) -> None:
    attempt = Attempt(provider, make_client())
    await attempt.begin(login_at(provider), login_hint="jo@acme.example", ui_locales="de en")
    person = (await attempt.end()).person
    assert (person.email, person.is_email_verified) == ("jo@acme.example", True)
    assert person.subject


async def test_userinfo_tells_the_groups_which_give_a_role(provider: IdentityProvider) -> None:
    login = login_at(provider)
    if isinstance(provider, OIDCProvider):
        provider.know(login, groups=["staff", "admins"])
    attempt = Attempt(provider, make_client(), roles=[["admins", "owner"], ["staff", "editor"]])
    await attempt.begin(login)
    person = (await attempt.end()).person
    assert set(person.groups) == {"staff", "admins"}
    assert role_of(person.groups, attempt.settings.roles, None) == "owner"


async def fault_of(attempt: Attempt, **more: Any) -> str:
    with pytest.raises(SSOFault) as caught:
        await attempt.end(**more)
    return caught.value.code


async def test_parts_of_another_login_are_worth_nothing(provider: IdentityProvider) -> None:
    """Code, nonce and verifier: each is of one login alone (security rule 51)."""
    client, login = make_client(), login_at(provider)
    mine, other = Attempt(provider, client), Attempt(provider, client)
    await mine.begin(login)
    await other.begin(login)
    started, answer = mine.started, mine.answer
    mine.started = replace(started, verifier=other.started.verifier)
    assert await fault_of(mine) == "code_refused"
    mine.started, mine.answer = started, other.answer
    assert await fault_of(mine) == "code_refused"
    await mine.begin(login)
    mine.started = replace(mine.started, nonce=started.nonce)
    assert await fault_of(mine) == "id_token_nonce"
    assert answer["code"] != mine.answer["code"]


async def test_a_code_is_good_once(provider: IdentityProvider) -> None:
    attempt = Attempt(provider, make_client())
    await attempt.begin(login_at(provider))
    await attempt.end()
    assert await fault_of(attempt) == "code_refused"


async def test_a_wrong_client_secret_is_called_so(provider: IdentityProvider) -> None:
    attempt = Attempt(provider, make_client())
    await attempt.begin(login_at(provider))
    assert await fault_of(attempt, secret="another") == "client_refused"


async def test_an_answer_of_another_issuer_is_refused_also_where_none_is_announced(
    provider: IdentityProvider,
) -> None:
    """A mix-up: RFC 9207 section 2.4."""
    attempt = Attempt(provider, make_client())
    await attempt.begin(login_at(provider))
    attempt.answer["iss"] = "https://attacker.example"
    assert await fault_of(attempt) == "issuer_mismatch"


async def test_an_answer_without_issuer_is_refused_where_one_is_announced(
    oidc_provider: OIDCProvider,
) -> None:
    attempt = Attempt(oidc_provider, make_client())
    await attempt.begin("jo@acme.example")
    assert attempt.answer.pop("iss") == oidc_provider.issuer
    assert await fault_of(attempt) == "issuer_mismatch"


async def test_new_keys_are_found(nanoidp: NanoIDP) -> None:
    client = make_client()
    first = Attempt(nanoidp, client)
    await first.begin("jo")
    await first.end()
    nanoidp.rotate_keys()
    client.clock.advance(AGAIN_SECONDS)
    second = Attempt(nanoidp, client)
    await second.begin("jo")
    assert (await second.end()).person.email == "jo@acme.example"


async def test_a_person_who_signs_out_is_led_to_the_provider(provider: IdentityProvider) -> None:
    attempt = Attempt(provider, make_client())
    await attempt.begin(login_at(provider))
    login = await attempt.end()
    url = await attempt.client.logout_url(
        attempt.settings, id_token=login.id_token, return_to="https://app.example.com/"
    )
    assert url is not None
    async with httpx.AsyncClient(timeout=30) as client:
        page = await client.get(url)
    assert page.status_code < 400, page.text


async def test_a_provider_that_is_told_to_asks_anew(provider: IdentityProvider) -> None:
    attempt = Attempt(provider, make_client())
    now = attempt.client.clock.now
    await attempt.begin(login_at(provider), ask_anew=True)
    attempt.started = replace(attempt.started, login_since=now)
    assert (await attempt.end()).person.email == "jo@acme.example"
    await attempt.begin(login_at(provider))
    attempt.started = replace(attempt.started, login_since=now + 3600)
    assert await fault_of(attempt) in ("id_token_login", "id_token_claim")
