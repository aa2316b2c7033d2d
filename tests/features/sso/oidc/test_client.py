"""Logins at a provider that lies, breaks off, or is pointed inside (security rules 51 and 53)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient, OIDCLogin, StartedLogin
from pwless_middleware.features.sso.oidc.providers import (
    AGAIN_SECONDS,
    FAILED_SECONDS,
    KEYS_SECONDS,
    METADATA_SECONDS,
)
from pwless_middleware.features.sso.oidc.requests import MOST_BYTES
from pwless_middleware.features.sso.oidc.settings import read_oidc_settings
from pwless_middleware.safe_http.client import SafeHTTPClient
from tests.delivery.texts.fake_server import Reply, reply
from tests.identity_providers.own_oidc import OwnProvider, key, own_oidc, sign
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET
from tests.live import clock_of_today

pytestmark = pytest.mark.anyio

BACK = "https://app.example.com/auth/sso/conn_x/callback"


@pytest.fixture
async def provider() -> AsyncIterator[OwnProvider]:
    async with own_oidc() as provider:
        yield provider


class App:
    """What asks a provider."""

    def __init__(self, provider: OwnProvider, *, seconds: float = 5.0, **config: Any) -> None:
        self.clock = clock_of_today()
        http = SafeHTTPClient("features", extra="sso", allow_loopback=True, seconds=seconds)
        self.client = OIDCClient(http, self.clock)
        self.provider = provider
        self.settings = self.client.read_settings(provider.config(**config))

    async def start(self, **more: Any) -> dict[str, str]:
        """Begin a login, and return what the provider is asked."""
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        url = await self.client.start(
            self.settings,
            redirect_uri=BACK,
            state="a-state",
            nonce=nonce,
            verifier=verifier,
            **more,
        )
        self.provider.nonce = nonce
        self.started = StartedLogin(nonce=nonce, verifier=verifier, redirect_uri=BACK)
        query = parse_qs(urlsplit(url).query, strict_parsing=True)
        return {name: value for name, (value,) in query.items()}

    async def finish(self, secret: str | None = CLIENT_SECRET, **answer: str) -> OIDCLogin:
        given = answer or {"code": "a-code", "state": "a-state"}
        return await self.client.finish(self.settings, secret, self.started, given)

    async def login(self, **answer: str) -> OIDCLogin:
        await self.start()
        return await self.finish(**answer)

    async def fault(self, **answer: str) -> str:
        with pytest.raises(SSOFault) as caught:
            await self.login(**answer)
        self.caught = caught.value
        return caught.value.code


# --- what is asked -------------------------------------------------------------------------------


async def test_a_browser_is_led_there_with_all_that_binds_the_login(provider: OwnProvider) -> None:
    provider.metadata["authorization_endpoint"] = f"{provider.issuer}/authorize?policy=b2c"
    app = App(provider, scopes="email groups")
    asked = await app.start(login_hint="jo+x@acme.example", ui_locales="de en")
    again = await app.start(ask_anew=True)
    assert asked["policy"] == "b2c"
    assert (asked["response_type"], asked["state"]) == ("code", "a-state")
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, BACK)
    assert asked["scope"] == "openid email groups"
    assert asked["code_challenge_method"] == "S256"
    assert (asked["login_hint"], asked["ui_locales"]) == ("jo+x@acme.example", "de en")
    assert "prompt" not in asked
    assert (again["prompt"], again["max_age"]) == ("login", "0")
    assert again["nonce"] == app.started.nonce
    challenge = hashlib.sha256(app.started.verifier.encode()).digest()
    assert again["code_challenge"] == b64(challenge)


async def test_okta_is_asked_for_groups_where_they_give_roles(provider: OwnProvider) -> None:
    asked = await App(provider, preset="okta", roles=[["Admins", "owner"]]).start()
    assert asked["scope"] == "openid email profile groups"
    assert (await App(provider, preset="okta").start())["scope"] == "openid email profile"


@pytest.mark.parametrize(
    ("offered", "set_to", "by"),
    [
        (None, None, "basic"),
        (["client_secret_post"], None, "post"),
        (["client_secret_post", "client_secret_basic"], None, "basic"),
        (["client_secret_post", "client_secret_basic"], "post", "post"),
        (["none", "client_secret_post"], None, "post"),
        (["private_key_jwt", "none"], None, "none"),
        (["none"], "post", "post"),
    ],
)
async def test_the_secret_goes_as_the_provider_takes_it(
    provider: OwnProvider, offered: list[str] | None, set_to: str | None, by: str
) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = offered
    app = App(provider, client_auth=set_to)
    await app.start()
    await app.finish("se cret:+%")
    (asked,) = provider.asked("/token")
    form = asked.form
    assert form["code_verifier"] == app.started.verifier
    assert (form["code"], form["redirect_uri"]) == ("a-code", BACK)
    if by == "basic":  # each part is encoded before the pair is (RFC 6749 section 2.3.1)
        assert asked.headers["authorization"] == ("Basic YWNtZS1hcHA6c2UlMjBjcmV0JTNBJTJCJTI1")
        assert "client_secret" not in form
    else:
        sent = "se cret:+%" if by == "post" else None
        assert (form["client_id"], form.get("client_secret")) == (CLIENT_ID, sent)
        assert "authorization" not in asked.headers


async def test_a_client_without_a_secret_names_itself(provider: OwnProvider) -> None:
    app = App(provider)
    await app.start()
    await app.finish(None)
    (asked,) = provider.asked("/token")
    assert asked.form["client_id"] == CLIENT_ID
    assert "authorization" not in asked.headers


async def test_ways_to_send_the_secret_that_are_not_ours_are_called_so(
    provider: OwnProvider,
) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    assert await App(provider).fault() == "discovery_client_auth"


# --- discovery -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"issuer": "https://attacker.example"}, "discovery_issuer"),
        ({"issuer": None}, "discovery_issuer"),
        ({"issuer": "https://login.example/{tenantid}/v2.0"}, "discovery_tenant"),
        ({"authorization_endpoint": None}, "discovery_incomplete"),
        ({"token_endpoint": None}, "discovery_incomplete"),
        ({"token_endpoint": 7}, "discovery_incomplete"),
        ({"jwks_uri": ""}, "discovery_incomplete"),
        ({"jwks_uri": "http://10.0.0.1/keys"}, "discovery_insecure"),
        ({"jwks_uri": "https://169.254.169.254/keys"}, "discovery_insecure"),
        ({"token_endpoint": "https://[::ffff:10.0.0.1]/"}, "discovery_insecure"),
        ({"token_endpoint": "https://acme.example:22/"}, "discovery_insecure"),
        ({"userinfo_endpoint": "file:///etc/passwd"}, "discovery_insecure"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "discovery_insecure"),
        ({"authorization_endpoint": "http://login.acme.example/"}, "discovery_insecure"),
        ({"end_session_endpoint": "data:text/html,x"}, "discovery_insecure"),
        ({"response_types_supported": ["id_token"]}, "discovery_flow"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "discovery_algorithms"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
async def test_a_configuration_that_is_no_good_is_called_so(
    provider: OwnProvider, more: dict[str, Any], code: str
) -> None:
    provider.metadata |= more
    app = App(provider)
    assert await app.fault() == code
    assert provider.asked("/token") == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(404), "discovery_status"),
        (reply(302, location="http://localhost:1/"), "discovery_status"),
        (reply(200, "<html>"), "discovery_malformed"),
        (reply(200, "[]"), "discovery_malformed"),
        (reply(200, '"issuer"'), "discovery_malformed"),
        (reply(200, "[" * 200_000), "discovery_malformed"),
        (reply(200, '{"a": ' * 50_000), "discovery_malformed"),
        (reply(200, '{"issuer": NaN}'), "discovery_malformed"),
        (reply(200, '{"n": 1' + "0" * 200_000 + "}"), "discovery_malformed"),
        (reply(200, b"\xff\xfe{}"), "discovery_malformed"),
        (reply(200, '{"issuer": "' + "a" * MOST_BYTES + '"}'), "discovery_malformed"),
        (reply(200, "x" * 2_000_000), "discovery_malformed"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "request_broken"),
        ([b"HTTP/1.1 200 Said\r\n\r\n", *([b"a", 0.05] * 100)], "request_timeout"),
        ([None], "request_timeout"),
    ],
    ids=[
        *("missing", "redirect", "html", "list", "text", "deep list", "deep object", "NaN"),
        *("huge number", "other encoding", "over the limit", "huge", "no http", "for ever"),
        "silence",
    ],
)
async def test_an_answer_that_is_none_is_called_so(
    provider: OwnProvider, answer: Reply, code: str
) -> None:
    provider.answers["/.well-known/openid-configuration"] = answer
    assert await App(provider, seconds=0.5).fault() == code
    assert provider.server.connections == 1


async def test_an_issuer_inside_is_never_asked() -> None:
    """Nor the metadata of a cloud, by whichever spelling (security rule 53)."""
    client = OIDCClient(SafeHTTPClient("features", extra="sso"), clock_of_today())
    async with own_oidc() as provider:
        for issuer in (f"https://127.0.0.1:{provider.server.port}", "https://169.254.169.254"):
            settings = read_oidc_settings(
                {"issuer": "https://login.acme.example", "client_id": "x"}
            )
            object.__setattr__(settings, "issuer", issuer)
            with pytest.raises(SSOFault) as caught:
                await client.start(settings, redirect_uri=BACK, state="s", nonce="n", verifier="v")
            assert caught.value.code == "request_not_public"
        assert provider.server.connections == 0


async def test_a_token_endpoint_that_leads_away_is_not_followed(provider: OwnProvider) -> None:
    """The code and the secret would go along."""
    provider.answers["/token"] = reply(307, location=f"{provider.issuer}/elsewhere")
    assert await App(provider).fault() == "token_status"
    assert provider.asked("/elsewhere") == []


async def test_what_is_known_is_not_asked_for_again_for_a_while(provider: OwnProvider) -> None:
    app = App(provider)
    await app.login()
    await app.login()
    assert len(provider.asked("/.well-known/openid-configuration")) == 1
    assert len(provider.asked("/keys")) == 1
    app.clock.advance(METADATA_SECONDS)
    app.provider.claims |= {"iat": app.clock.now, "exp": app.clock.now + 60}
    await app.login()
    assert len(provider.asked("/.well-known/openid-configuration")) == 2


async def test_many_who_begin_at_once_ask_once(provider: OwnProvider) -> None:
    app = App(provider)
    await asyncio.gather(*(app.start() for _ in range(20)))
    assert len(provider.asked("/.well-known/openid-configuration")) == 1


async def test_who_leaves_takes_the_answer_from_nobody(provider: OwnProvider) -> None:
    app = App(provider)
    first = asyncio.create_task(app.start())
    second = asyncio.create_task(app.start())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)["state"] == "a-state"


async def test_a_provider_that_failed_is_left_alone_for_a_moment(provider: OwnProvider) -> None:
    """Anybody can begin a login; each would else have it asked."""
    app, path = App(provider), "/.well-known/openid-configuration"
    provider.answers[path] = reply(503)
    for _ in range(3):
        assert await app.fault() == "discovery_status"
        assert app.caught.received == "503"
    assert len(provider.asked(path)) == 1
    provider.answers.clear()
    assert await app.fault() == "discovery_status"
    await app.client.check(app.settings)  # who sets it up asks at once
    await app.login()
    provider.answers["/keys"] = reply(503)
    app.clock.advance(KEYS_SECONDS)
    provider.claims |= {"iat": app.clock.now, "exp": app.clock.now + 60}
    for _ in range(3):
        assert await app.fault() == "jwks_status"
    assert len(provider.asked("/keys")) == 2
    provider.answers.clear()
    app.clock.advance(FAILED_SECONDS)
    await app.login()


# --- keys ----------------------------------------------------------------------------------------


async def test_new_keys_are_asked_for_at_most_every_thirty_seconds(provider: OwnProvider) -> None:
    app = App(provider)
    await app.login()
    provider.key = key("second")
    provider.keys = [provider.key.as_dict(private=False)]
    for _ in range(3):
        assert await app.fault() == "id_token_key"
    assert len(provider.asked("/keys")) == 1
    app.clock.advance(AGAIN_SECONDS)
    await app.login()
    assert len(provider.asked("/keys")) == 2


async def test_keys_that_do_not_come_are_not_asked_for_by_every_token(
    provider: OwnProvider,
) -> None:
    app = App(provider)
    await app.login()
    app.clock.advance(AGAIN_SECONDS)
    provider.answers["/keys"] = reply(503)
    provider.sign = lambda claims: sign(claims, key("invented"))
    codes = [await app.fault() for _ in range(3)]
    assert codes == ["jwks_status", "id_token_key", "id_token_key"]
    assert len(provider.asked("/keys")) == 2


async def test_a_key_that_was_withdrawn_is_worth_nothing_ten_minutes_later(
    provider: OwnProvider,
) -> None:
    app = App(provider)
    await app.login()
    provider.keys = [key("second").as_dict(private=False)]
    app.clock.advance(KEYS_SECONDS)
    provider.claims |= {"iat": app.clock.now, "exp": app.clock.now + 60}
    assert await app.fault() == "id_token_key"


async def test_keys_of_one_provider_sign_for_no_other(provider: OwnProvider) -> None:
    app = App(provider)
    async with own_oidc() as other:
        other.key = key("others")
        other.keys = [other.key.as_dict(private=False)]
        await App(other).login()
        provider.sign = lambda claims: sign(claims, other.key)
        assert await app.fault() == "id_token_key"


@pytest.mark.parametrize(
    "answer", [reply(200, "{}"), reply(200, '{"keys": [{"kty": "oct", "k": "AAAA"}]}')]
)
async def test_a_set_without_keys_is_called_so(provider: OwnProvider, answer: Reply) -> None:
    provider.answers["/keys"] = answer
    assert await App(provider).fault() == "jwks_malformed"


async def test_a_check_asks_anew_and_finds_what_a_login_would(provider: OwnProvider) -> None:
    app = App(provider)
    await app.start()
    assert (await app.client.check(app.settings)).issuer == provider.issuer
    provider.metadata["token_endpoint"] = None
    with pytest.raises(SSOFault) as caught:
        await app.client.check(app.settings)
    assert (caught.value.code, caught.value.expected) == ("discovery_incomplete", "token_endpoint")


# --- the answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "access_denied", "error_description": "User is not assigned"}, "access_denied"),
        ({"error": "login_required"}, "login_required"),
        ({"error": "server_error"}, "provider_error"),
        ({"error": ""}, "provider_error"),
        ({"error": "access_denied", "code": "a-code"}, "access_denied"),
        ({"state": "a-state"}, "code_missing"),
        ({"code": ""}, "code_missing"),
        ({"code": "a" * 5000}, "code_missing"),
        ({"code": "a-code", "iss": "https://attacker.example"}, "issuer_mismatch"),
        ({"code": "a-code", "iss": ""}, "issuer_mismatch"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:60],
)
async def test_an_answer_that_is_not_good_exchanges_nothing(
    provider: OwnProvider, answer: dict[str, str], code: str
) -> None:
    app = App(provider)
    assert await app.fault(**answer) == code
    assert provider.asked("/token") == []


async def test_what_the_provider_says_is_told_to_the_administrator(provider: OwnProvider) -> None:
    app = App(provider)
    await app.fault(error="access_denied", error_description="AADSTS50105: not assigned")
    assert app.caught.received == "access_denied AADSTS50105: not assigned"


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (400, '{"error": "invalid_grant"}', "code_refused"),
        (401, '{"error": "invalid_client", "error_description": "expired"}', "client_refused"),
        (401, "", "client_refused"),
        (400, '{"error": "invalid_request"}', "token_status"),
        (400, '{"error": ["invalid_grant"]}', "token_status"),
        (500, "<html>", "token_status"),
        (201, "{}", "token_status"),
        (200, "", "token_malformed"),
        (200, "[]", "token_malformed"),
        (200, "{}", "id_token_missing"),
        (200, '{"id_token": null}', "id_token_missing"),
        (200, '{"id_token": "a.b.c.d.e"}', "id_token_encrypted"),
    ],
)
async def test_an_exchange_that_fails_is_called_by_its_name(
    provider: OwnProvider, status: int, content: str, code: str
) -> None:
    provider.answers["/token"] = reply(status, content)
    app = App(provider)
    assert await app.fault() == code
    assert CLIENT_SECRET not in str(app.caught.received) + str(app.caught)


# --- userinfo ------------------------------------------------------------------------------------


async def test_userinfo_is_asked_only_where_the_token_lacks_something(
    provider: OwnProvider,
) -> None:
    await App(provider).login()
    assert provider.asked("/userinfo") == []
    provider.claims["email"] = None
    provider.userinfo["email"] = "jo@acme.example"
    login = await App(provider).login()
    assert login.person.email == "jo@acme.example"
    (asked,) = provider.asked("/userinfo")
    assert asked.headers["authorization"] == "Bearer an-access-token"
    await App(provider, roles=[["admins", "owner"]]).login()
    assert len(provider.asked("/userinfo")) == 2


@pytest.mark.parametrize("subject", ["somebody else", None, "", 248289761001])
async def test_userinfo_of_another_subject_is_refused(
    provider: OwnProvider, subject: object
) -> None:
    provider.claims["email"] = None
    provider.userinfo = {"sub": subject, "email": "boss@acme.example"}
    assert await App(provider).fault() == "userinfo_subject"


async def test_one_source_does_not_verify_the_address_of_the_other(provider: OwnProvider) -> None:
    provider.claims |= {"email": None, "email_verified": True}
    provider.userinfo |= {"email": "boss@acme.example"}
    person = (await App(provider).login()).person
    assert (person.email, person.is_email_verified) == ("boss@acme.example", None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(401), "userinfo_status"),
        (reply(200, "eyJhbGciOiJub25lIn0.e30."), "userinfo_malformed"),
        (reply(200, "{}"), "userinfo_subject"),
    ],
)
async def test_userinfo_that_says_nothing_is_called_so(
    provider: OwnProvider, answer: Reply, code: str
) -> None:
    provider.claims["email"] = None
    provider.answers["/userinfo"] = answer
    assert await App(provider).fault() == code


async def test_an_access_token_that_is_no_header_is_refused(provider: OwnProvider) -> None:
    provider.claims["email"] = None
    provider.tokens["access_token"] = "a\r\nx-admin: 1"
    assert await App(provider).fault() == "token_malformed"
    assert provider.asked("/userinfo") == []


async def test_a_provider_that_signs_nobody_out_has_no_logout(provider: OwnProvider) -> None:
    app = App(provider)
    found = await app.client.logout_url(app.settings, id_token="t", return_to=BACK)
    assert found is None


# --- Entra, for all its tenants ------------------------------------------------------------------

TENANT_ID = "8f0e1d2c-3b4a-4c5d-9e6f-7a8b9c0d1e2f"


def of_all_tenants(provider: OwnProvider) -> App:
    """Return an app that takes accounts of all tenants, as a deployment may for itself."""
    app = App(provider)
    issuer = f"{provider.issuer}/common/v2.0"
    app.settings = replace(app.settings, issuer=issuer, has_tenants=True)
    named = {**provider.describe(), "issuer": f"{provider.issuer}/{{tenantid}}/v2.0"}
    answer = reply(200, json.dumps(named))
    provider.answers["/common/v2.0/.well-known/openid-configuration"] = answer
    return app


async def test_each_tenant_is_an_issuer_with_people_of_its_own(provider: OwnProvider) -> None:
    app, other = of_all_tenants(provider), TENANT_ID.replace("8", "9")
    subjects = set()
    for tenant in (TENANT_ID, other):
        provider.claims |= {"tid": tenant, "iss": f"{provider.issuer}/{tenant}/v2.0"}
        subjects.add((await app.login()).person.subject)
    assert subjects == {f"{TENANT_ID}.248289761001", f"{other}.248289761001"}


@pytest.mark.parametrize("tenant", [None, "", "common", "{tenantid}", "../x", 7, TENANT_ID])
async def test_a_token_of_another_issuer_than_its_tenants_is_refused(
    provider: OwnProvider, tenant: object
) -> None:
    app = of_all_tenants(provider)
    provider.claims |= {"tid": tenant, "iss": f"{provider.issuer}/another/v2.0"}
    if tenant != TENANT_ID:
        provider.claims["iss"] = f"{provider.issuer}/{tenant}/v2.0"
    assert await app.fault() == "id_token_issuer"


async def test_no_configuration_of_a_customer_takes_all_tenants(provider: OwnProvider) -> None:
    app = of_all_tenants(provider)
    app.settings = replace(app.settings, has_tenants=False)
    assert await app.fault() == "discovery_tenant"
    with pytest.raises(InvalidArgument):
        app.client.read_settings({**provider.config(), "has_tenants": True})
