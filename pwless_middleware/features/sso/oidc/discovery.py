"""How a provider describes itself (OpenID Connect Discovery 1.0 section 4, RFC 8414)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import AddressRefused
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.keys import ALGORITHMS
from pwless_middleware.features.sso.oidc.requests import ask
from pwless_middleware.features.sso.oidc.settings import WELL_KNOWN
from pwless_middleware.safe_http.client import SafeHTTPClient

OfferedAuth = Literal["basic", "post", "none"]
"""How a provider takes a client secret (`settings.ClientAuth`), or that it asks for none: PKCE and
the redirect URI tell a public client's codes from stolen ones (RFC 7591 section 2)."""
_CLIENT_AUTHS: Final[Mapping[str, OfferedAuth]] = {
    "client_secret_basic": "basic",
    "client_secret_post": "post",
    "none": "none",
}
"""The one that is preferred first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderMetadata:
    """What a provider says of itself.

    Attributes:
        issuer: its name.
        authorization_endpoint: where browsers are sent.
        token_endpoint: where codes are exchanged.
        jwks_uri: where its keys are.
        userinfo_endpoint: where more is said of a person; `None` where nowhere.
        end_session_endpoint: where a browser is signed out of it; `None` where nowhere.
        client_auths: how it takes a client secret, or that it asks for none, in the order in which
            we prefer them; what it does not say is `basic`.
        algorithms: those of ours that it signs with.
        names_itself: whether `iss` stands in each of its answers (RFC 9207).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    client_auths: tuple[OfferedAuth, ...] = ("basic",)
    algorithms: tuple[str, ...] = ("RS256",)
    names_itself: bool = False


async def fetch_metadata(client: SafeHTTPClient, issuer: str, named: str) -> ProviderMetadata:
    """Ask a provider for its configuration.

    Args:
        client: makes the request.
        issuer: as it is set.
        named: what the provider has to call itself; the issuer, but for one of all tenants.

    Raises:
        SSOFault: `request_…` or `discovery_…`.
    """
    url = f"{issuer.removesuffix('/')}{WELL_KNOWN}"
    answer = await ask(client, "GET", url)
    if answer.status != 200:
        raise SSOFault("discovery_status", expected=url, received=answer.status)
    if answer.content is None:
        raise SSOFault("discovery_malformed", received=answer.content_type)
    return read_metadata(client, answer.content, named)


def read_metadata(
    client: SafeHTTPClient, document: Mapping[str, object], issuer: str
) -> ProviderMetadata:
    """Return what a configuration says.

    Args:
        client: says which addresses requests go to.
        document: the configuration.
        issuer: as it is set; the configuration must name the same.

    Raises:
        SSOFault: `discovery_…`.
    """
    named = document.get("issuer")
    if named != issuer:
        # One for all tenants names none (`{tenantid}`): whoever has an account there would be in.
        is_of_many = isinstance(named, str) and "{" in named
        code = "discovery_tenant" if is_of_many else "discovery_issuer"
        raise SSOFault(code, expected=issuer, received=named or "")
    flows = _texts(document, "response_types_supported")
    if flows and "code" not in flows:
        raise SSOFault("discovery_flow", expected="code", received=" ".join(flows))
    offered = _texts(document, "token_endpoint_auth_methods_supported")
    auths = tuple(word for name, word in _CLIENT_AUTHS.items() if name in offered)
    if offered and not auths:
        raise SSOFault("discovery_client_auth", received=" ".join(offered))
    signs = _texts(document, "id_token_signing_alg_values_supported") or ("RS256",)
    algorithms = tuple(one for one in signs if one in ALGORITHMS)
    if not algorithms:
        raise SSOFault("discovery_algorithms", received=" ".join(signs))
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(client, document, "authorization_endpoint"),
        token_endpoint=_endpoint(client, document, "token_endpoint"),
        jwks_uri=_endpoint(client, document, "jwks_uri"),
        userinfo_endpoint=_optional(client, document, "userinfo_endpoint"),
        end_session_endpoint=_optional(client, document, "end_session_endpoint"),
        client_auths=auths or ("basic",),
        algorithms=algorithms,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(client: SafeHTTPClient, document: Mapping[str, object], name: str) -> str:
    found = _optional(client, document, name)
    if found is None:
        raise SSOFault("discovery_incomplete", expected=name)
    return found


def _optional(client: SafeHTTPClient, document: Mapping[str, object], name: str) -> str | None:
    """Return an endpoint: an address that requests go to, also where only browsers go there."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SSOFault("discovery_incomplete", expected=name, received=value)
    try:
        client.read_url(value)
    except AddressRefused as error:
        raise SSOFault("discovery_insecure", expected=name, received=value) from error
    return value


def _texts(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = document.get(name)
    if not isinstance(found, list):
        return ()
    return tuple(one for one in found[:100] if isinstance(one, str))
