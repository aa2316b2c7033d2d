"""The feature itself: its options, checked, and what it mounts.

Its library is loaded as a host makes `OIDC`, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, Self

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_encodable, check_flag, check_texts
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD
from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from pwless_middleware.features.sso.oidc.settings import OIDCSettings
    from pwless_middleware.features.sso.social.provider import SocialProvider
    from pwless_middleware.safe_http.client import SafeHTTPClient

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_EVENTS: Final = frozenset(
    ("sso.failed", "identity.linked", "identity.address_changed", "identity.removed")
)
_ALL_TENANTS: Final = ("organizations", "consumers", "common")
_TITLES: Final = {"google": "Google", "entra": "Microsoft", "okta": "Okta"}


@named_options(client_id="the provider shows it where you register the app")
class OIDC:
    """Let people sign in with their account at a provider, by OpenID Connect.

    Needs a database, and the extra `[sso]`. The provider has to know the redirect URI:
    `https://your.app/auth/sso/oidc/google/callback`, with its own id in the place of `google`.

    An address counts if the provider says that it is verified and is an authority for it: Google
    for its own addresses and those of companies that host theirs there, Entra if it says that the
    tenant owns the domain, any provider for `authoritative_for`. Any other address is proven by an
    emailed code first, which needs `EmailLogin`; then the account is linked.

    Args:
        provider: `google`, `entra`, `okta`, or an id that you choose: up to 40 of `a-z`, `0-9` and
            `-`. Accounts are linked under it, so never change it. `None` makes it from `name`.
        client_id: as the provider shows it.
        client_secret: as the provider shows it; `None` for a client without a secret.
        issuer: what the provider calls itself, e.g. `https://login.acme.com`. For `entra`, the
            directory (tenant) ID, or `organizations`, `consumers` or `common` (both) for the
            accounts of all its customers; for `okta`, the domain; for `google`, it is built in.
        name: on the button; `None` takes the provider's own.
        scopes: what is asked for.
        signup: whether people without an account get one (default).
        authoritative_for: your domains for which you trust the provider, if it says that an address
            is verified.
        unsafe_loopback: allow a provider on this machine, also by http: for development. Default
            off.

    Raises:
        ConfigError: an option is none, or a library is not installed.
    """

    def __init__(
        self,
        provider: str | None = None,
        *,
        client_id: str,
        client_secret: str | None = None,
        issuer: str | None = None,
        name: str | None = None,
        scopes: Sequence[str] = ("openid", "email", "profile"),
        signup: bool = True,
        authoritative_for: Sequence[str] = (),
        unsafe_loopback: bool = False,
    ) -> None:
        check_flag("signup", signup)
        check_flag("unsafe_loopback", unsafe_loopback)
        check_texts("scopes", scopes, example="['openid', 'email']")
        check_texts("authoritative_for", authoritative_for, example="['acme.com']")
        for option, value in (("issuer", issuer), ("name", name), ("client_secret", client_secret)):
            if value is not None and (not isinstance(value, str) or not value.strip()):
                raise ConfigError(option, "set a text, or None")
        for option, value in (("client_id", client_id), ("client_secret", client_secret)):
            if isinstance(value, str):
                check_encodable(option, value)
        try:
            for library in ("joserfc", "cryptography"):
                import_module(library)
        except ImportError as error:
            raise ConfigError(
                "features", "OIDC needs: pip install 'pwless-middleware[sso]'"
            ) from error
        from pwless_middleware.features.sso.social.provider import SocialProvider
        from pwless_middleware.safe_http.client import SafeHTTPClient

        id = _read_id(provider, name)
        client = SafeHTTPClient("features", extra="sso", allow_loopback=unsafe_loopback)
        settings: dict[str, object] = {
            "preset": id if id in _TITLES else "oidc",
            "issuer": _read_issuer(id, issuer),
            "client_id": client_id,
            "scopes": list(scopes),
        }
        self._entries: tuple[tuple[SocialProvider, SafeHTTPClient], ...] = (
            (
                SocialProvider(
                    id=id,
                    title=name or _TITLES.get(id, id),
                    settings=replace(
                        _read_settings(settings, client),
                        has_tenants=id == "entra" and issuer in _ALL_TENANTS,
                    ),
                    client_secret=client_secret,
                    signup=signup,
                    domains=frozenset(domain.lower() for domain in authoritative_for),
                ),
                client,
            ),
        )

    @classmethod
    def join(cls, features: Sequence[Self]) -> Self:
        """Return several of them as one feature: they share the login page and the method.

        Raises:
            ConfigError: two of them have one id.
        """
        joined = cls.__new__(cls)
        joined._entries = tuple(entry for one in features for entry in one._entries)
        ids = [provider.id for provider, _ in joined._entries]
        for id in ids:
            if ids.count(id) > 1:
                raise ConfigError(
                    "features", f"two OIDC(...) are both {id!r}: give one of them another id"
                )
        return joined

    def mount(self, kit: Kit) -> Mounted:
        """Return the buttons, and the pages behind them.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.sso.events import KINDS
        from pwless_middleware.features.sso.social.account_page import LinkedAccountPages
        from pwless_middleware.features.sso.social.flow import SocialFlow
        from pwless_middleware.features.sso.social.linked_accounts import LinkedAccounts
        from pwless_middleware.features.sso.social.mailed_proof import MailedProof
        from pwless_middleware.features.sso.social.mails import LinkMails
        from pwless_middleware.features.sso.social.pages import SocialPages
        from pwless_middleware.flows.organizations.events import KINDS as ORGANIZATION_KINDS

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the identities: mount OIDC(...) itself, not a "
                "subclass, and not from within another feature",
            )
        identities = kit.repositories.identities
        titles = {provider.id: provider.title for provider, _ in self._entries}
        mails = LinkMails(kit, identities, titles)
        proof = MailedProof(kit, identities, mails)
        flows = {
            provider.id: SocialFlow(kit, identities, provider, client, mails)
            for provider, client in self._entries
        }
        linked = LinkedAccounts(kit, identities, flows)
        account = LinkedAccountPages(kit, linked, titles)
        kinds = (*KINDS, *ORGANIZATION_KINDS)
        pages = SocialPages(kit, flows, proof, linked)
        return Mounted(
            routes=(*pages.routes, *account.routes),
            methods=(pages.method,),
            after_login=(proof.link,),
            proves=(SOCIAL_METHOD,),
            jobs=mails.readers,
            event_kinds=tuple(kind for kind in kinds if kind.name in _EVENTS),
            account_pages=(account.account_page,),
            on_address_undone=(linked.remove_since,),
            check=partial(self._check, kit),
        )

    def _check(self, kit: Kit) -> None:
        """Refuse a provider by which nobody could come in: an address needs somebody's word."""
        if any(method.name == "email" for method in kit.offers.methods):
            return
        for provider, _ in self._entries:
            if provider.settings.preset not in ("google", "entra") and not provider.domains:
                raise ConfigError(
                    "features",
                    f"nobody could sign in by OIDC({provider.id!r}, ...): add EmailLogin(), by "
                    "which addresses are proven, or authoritative_for=[...]",
                )


def _read_id(provider: str | None, name: str | None) -> str:
    if provider is None:
        id = re.sub(r"[^a-z0-9]+", "-", (name or "").lower()).strip("-")[:40].strip("-")
    else:
        id = provider
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise ConfigError(
            "provider", "set google, entra, okta, or an id of your own: up to 40 of a-z, 0-9 and -"
        )
    return id


def _read_issuer(id: str, issuer: str | None) -> str:
    from pwless_middleware.features.sso.oidc.presets import PRESETS

    preset = PRESETS.get(id)
    if id == "entra" and issuer in _ALL_TENANTS:
        return f"https://login.microsoftonline.com/{issuer}/v2.0"
    if preset is None or preset.id == "oidc":
        if issuer is None:
            raise ConfigError("issuer", "set what the provider calls itself, an https:// address")
        return issuer
    if issuer is None and preset.label:
        raise ConfigError("issuer", f"set the {preset.label} of {preset.name}")
    try:
        return preset.issuer_of(issuer or "")
    except InvalidArgument as error:
        raise ConfigError("issuer", error.public_message) from error


def _read_settings(config: dict[str, object], client: SafeHTTPClient) -> OIDCSettings:
    from pwless_middleware.features.sso.oidc.settings import read_oidc_settings

    try:
        return read_oidc_settings(config, judge=client.read_url)
    except InvalidArgument as error:
        bad = error.violations[0]
        raise ConfigError(bad.field, bad.description) from error
