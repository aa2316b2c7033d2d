"""One login at a provider: where the browser is sent, and what it brings back means.

    start   ──▶ the browser, with `state`, `nonce` and the PKCE challenge ──▶ the provider
    finish  ◀── its answer: `code`, `state`, `iss`      the caller has taken the state, once
            ──▶ code and PKCE verifier ──▶ token endpoint ──▶ ID token, verified ──▶ userinfo

The caller keeps `nonce` and `verifier` with its state, bound to the browser, and takes them once,
before anything is verified: a code, a state or a nonce of another login is then worth nothing
(security rule 51; OAuth 2.0 Security Best Current Practice, RFC 9700 section 2.1).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final
from urllib.parse import quote, urlencode

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.claims import has_claim, read_person
from pwless_middleware.features.sso.oidc.discovery import ProviderMetadata
from pwless_middleware.features.sso.oidc.id_token import (
    Expected,
    read_subject,
    verify_id_token,
)
from pwless_middleware.features.sso.oidc.presets import scopes_of
from pwless_middleware.features.sso.oidc.providers import Providers
from pwless_middleware.features.sso.oidc.requests import JSONAnswer, ask
from pwless_middleware.features.sso.oidc.settings import (
    TENANT,
    OIDCSettings,
    read_oidc_settings,
)
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.safe_http.client import SafeHTTPClient

_MOST_CODE: Final = 4096
_MAY_ROTATE: Final = ("id_token_key", "id_token_signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedLogin:
    """What was kept of a login that has begun.

    Attributes:
        nonce, verifier, redirect_uri: as it was begun with.
        login_since: unix second after which the person has to have signed in at the provider, who
            was told to ask anew; `None` for any.
    """

    nonce: str
    verifier: str = field(repr=False)
    redirect_uri: str
    login_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OIDCLogin:
    """A login that has ended well.

    Attributes:
        person: who it is, as the provider describes them.
        id_token: as it came, for the logout at the provider.
    """

    person: ProviderPerson
    id_token: str = field(repr=False)


class OIDCClient:
    """Be the relying party of any number of providers.

    Args:
        client: makes the requests.
        clock: gives unix seconds.
    """

    def __init__(self, client: SafeHTTPClient, clock: Callable[[], int]) -> None:
        self._client = client
        self._clock = clock
        self.providers = Providers(client, clock)

    def read_settings(self, config: Mapping[str, object]) -> OIDCSettings:
        """Return what a connection's configuration says.

        Raises:
            InvalidArgument: a field is missing, malformed or unknown, or requests do not go to the
                issuer; each field is named.
        """
        return read_oidc_settings(config, judge=self._client.read_url)

    async def start(
        self,
        settings: OIDCSettings,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        verifier: str,
        login_hint: str = "",
        ui_locales: str = "",
        ask_anew: bool = False,
    ) -> str:
        """Return where a browser is sent: a URL of the provider.

        Args:
            settings: of the connection.
            redirect_uri: where the provider sends it back to; it knows this URL.
            state: comes back with the answer; leads to what the caller keeps.
            nonce: random, of this login alone; comes back in the ID token.
            verifier: random, of this login alone, and secret: it proves that the code is ours
                (RFC 7636 section 4.1: 43 characters at least).
            login_hint: the address that was typed; empty for none.
            ui_locales: languages of the person, the preferred one first, with spaces; empty for
                none.
            ask_anew: whether the person has to sign in there, also who is signed in already.

        Raises:
            SSOFault: `request_…`, `discovery_…`.
        """
        metadata = await self.providers.metadata(settings)
        parameters = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes_of(settings)),
            "state": state,
            "nonce": nonce,
            "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if login_hint:
            parameters["login_hint"] = login_hint
        if ui_locales:
            parameters["ui_locales"] = ui_locales
        if ask_anew:
            parameters |= {"prompt": "login", "max_age": "0"}
        return _with_query(metadata.authorization_endpoint, parameters)

    async def finish(
        self,
        settings: OIDCSettings,
        client_secret: str | None,
        started: StartedLogin,
        answer: Mapping[str, str],
    ) -> OIDCLogin:
        """Return who has signed in.

        Args:
            settings: of the connection.
            client_secret: `None` for a client that has none.
            started: what was kept, and taken; the state of the answer has led to it.
            answer: the query with which the browser came back.

        Raises:
            SSOFault: anything is not as it must be; then nobody has signed in.
        """
        metadata = await self.providers.metadata(settings)
        code = read_code(answer, metadata)
        tokens = await self._exchange(settings, client_secret, metadata, started, code)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise SSOFault("id_token_missing")
        access_token = access_token if isinstance(access_token, str) else ""
        expected = Expected(
            issuer=settings.named_issuer,
            client_id=settings.client_id,
            nonce=started.nonce,
            now=self._clock(),
            access_token=access_token,
            login_since=started.login_since,
        )
        claims = await self._verify(id_token, metadata, expected)
        subject = read_subject(claims)
        more: Mapping[str, object] = {}
        if metadata.userinfo_endpoint and access_token and _needs_more(settings, claims):
            more = await self._ask_userinfo(metadata.userinfo_endpoint, access_token, subject)
        if settings.has_tenants:
            subject = f"{claims['tid']}.{subject}"  # who it is, is for each issuer to say
        return OIDCLogin(person=read_person(settings, subject, claims, more), id_token=id_token)

    async def logout_url(
        self, settings: OIDCSettings, *, id_token: str, return_to: str, state: str = ""
    ) -> str | None:
        """Return where a browser signs out of the provider; `None` where it offers no such thing.

        OpenID Connect RP-Initiated Logout 1.0 section 2.

        Args:
            settings: of the connection.
            id_token: of the login; the provider knows by it who is to be signed out. Empty for none
                kept.
            return_to: where the provider sends the browser afterwards; it knows this URL.
            state: comes back to `return_to`; empty for none.

        Raises:
            SSOFault: `request_…`, `discovery_…`.
        """
        metadata = await self.providers.metadata(settings)
        if metadata.end_session_endpoint is None:
            return None
        parameters = {
            "id_token_hint": id_token,
            "client_id": settings.client_id,
            "post_logout_redirect_uri": return_to,
            "state": state,
        }
        given = {name: value for name, value in parameters.items() if value}
        return _with_query(metadata.end_session_endpoint, given)

    async def check(self, settings: OIDCSettings) -> ProviderMetadata:
        """Ask a provider for its configuration and its keys, for who sets a connection up.

        Raises:
            SSOFault: `request_…`, `discovery_…`, `jwks_…`; a login would end the same way.
        """
        metadata = await self.providers.metadata(settings, afresh=True)
        await self.providers.keys(metadata, afresh=True)
        return metadata

    async def _verify(
        self, id_token: str, metadata: ProviderMetadata, expected: Expected
    ) -> Mapping[str, object]:
        keys = await self.providers.keys(metadata)
        try:
            return verify_id_token(id_token, keys, expected)
        except SSOFault as fault:
            if fault.code not in _MAY_ROTATE:
                raise
            newer = await self.providers.keys(metadata, afresh=True)
            if newer is keys:
                raise
        return verify_id_token(id_token, newer, expected)

    async def _exchange(
        self,
        settings: OIDCSettings,
        client_secret: str | None,
        metadata: ProviderMetadata,
        started: StartedLogin,
        code: str,
    ) -> Mapping[str, object]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": started.redirect_uri,
            "code_verifier": started.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        auth = settings.client_auth or metadata.client_auths[0]
        if client_secret is None or auth == "none":
            form["client_id"] = settings.client_id
        elif auth == "basic":
            pair = f"{quote(settings.client_id, safe='')}:{quote(client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.client_id, "client_secret": client_secret}
        content = urlencode(form).encode()
        url = metadata.token_endpoint
        answer = await ask(self._client, "POST", url, headers=headers, content=content)
        if answer.status != 200:
            raise _exchange_fault(answer)
        if answer.content is None:
            raise SSOFault("token_malformed", received=answer.content_type)
        return answer.content

    async def _ask_userinfo(
        self, url: str, access_token: str, subject: str
    ) -> Mapping[str, object]:
        """Return what userinfo says of a subject (Core section 5.3)."""
        if not access_token.isascii() or not access_token.isprintable():
            raise SSOFault("token_malformed", expected="access_token")
        headers = {"authorization": f"Bearer {access_token}"}
        answer = await ask(self._client, "GET", url, headers=headers)
        if answer.status != 200:
            raise SSOFault("userinfo_status", received=answer.status)
        if answer.content is None:
            raise SSOFault("userinfo_malformed", received=answer.content_type)
        if answer.content.get("sub") != subject:
            raise SSOFault("userinfo_subject")
        return answer.content


def read_code(answer: Mapping[str, str], metadata: ProviderMetadata) -> str:
    """Return the code of an answer, once it is known who gave it.

    `iss` is compared whenever it is there, and must be where the provider says so: a code of
    another provider would else be carried to this one (mix-up; RFC 9207, RFC 9700 section 4.4).

    Raises:
        SSOFault: `issuer_mismatch`, `access_denied`, `login_required`, `provider_error`,
            `code_missing`.
    """
    issuer = answer.get("iss")
    if TENANT in metadata.issuer:
        issuer = metadata.issuer  # it has one for each tenant; the redirect URI is its own
    if issuer != metadata.issuer and (issuer is not None or metadata.names_itself):
        raise SSOFault("issuer_mismatch", expected=metadata.issuer, received=issuer or "")
    error = answer.get("error")
    if error is not None:
        code = _ANSWER_ERRORS.get(error, "provider_error")
        raise SSOFault(code, received=f"{error} {answer.get('error_description', '')}".strip())
    found = answer.get("code", "")
    if not 1 <= len(found) <= _MOST_CODE:
        raise SSOFault("code_missing")
    return found


_ANSWER_ERRORS: Final[Mapping[str, str]] = {
    "access_denied": "access_denied",
    "login_required": "login_required",
    "interaction_required": "login_required",
    "consent_required": "login_required",
    "account_selection_required": "login_required",
}
_TOKEN_ERRORS: Final[Mapping[str, str]] = {
    "invalid_client": "client_refused",
    "unauthorized_client": "client_refused",
    "invalid_grant": "code_refused",
}


def _exchange_fault(answer: JSONAnswer) -> SSOFault:
    """Return the fault of an exchange that was refused (RFC 6749 section 5.2)."""
    said = answer.content or {}
    error, more = said.get("error"), said.get("error_description")
    if not isinstance(error, str):
        code = "client_refused" if answer.status == 401 else "token_status"
        return SSOFault(code, received=answer.status)
    words = f"{error} {more}" if isinstance(more, str) else error
    return SSOFault(_TOKEN_ERRORS.get(error, "token_status"), received=words)


def _needs_more(settings: OIDCSettings, claims: Mapping[str, object]) -> bool:
    """Whether userinfo is asked: many providers put no address into the ID token."""
    if not has_claim(claims, settings.email_claim):
        return True
    return bool(settings.roles) and not has_claim(claims, settings.groups_claim)


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters; those that it has itself stay (RFC 6749 section 3.1)."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters, quote_via=quote)}"
