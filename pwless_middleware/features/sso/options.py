"""The feature itself: its option, checked, and what it mounts."""

from __future__ import annotations

from importlib import import_module

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.errors import ConfigError
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.web.kit import Kit, Mounted

_NEEDED = ("joserfc", "signxml", "cryptography")


@named_options()
class SSO:
    """Let people sign in with their company's login, by OpenID Connect or SAML 2.0.

    Needs a database, `Organizations(...)`, and the extra `[sso]`. Set an organization's provider on
    the dashboard or by the API, or let the organization do it through a set-up link.

    Args:
        unsafe_loopback: take providers on this machine too, by http or https: for development.
            Whoever sets a connection up can then have this machine's own services asked. Default
            off: requests go to public addresses alone, by https.

    Raises:
        ConfigError: an option is none, or a library is not installed.
    """

    def __init__(self, *, unsafe_loopback: bool = False) -> None:
        check_flag("unsafe_loopback", unsafe_loopback)
        self._unsafe_loopback = unsafe_loopback
        try:
            for library in _NEEDED:
                import_module(library)
        except ImportError as error:
            raise ConfigError(
                "features", "SSO needs: pip install 'pwless-middleware[sso]'"
            ) from error
        self._client = SafeHTTPClient("features", extra="sso", allow_loopback=unsafe_loopback)

    def mount(self, kit: Kit) -> Mounted:
        """Return the pages, and the rules that lead there.

        Raises:
            ConfigError: there is no database.
        """
        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the organizations: mount SSO(...) itself, not a "
                "subclass, and not from within another feature",
            )
        from pwless_middleware.features.sso.mounting import mount_sso

        return mount_sso(kit, self._client, allow_loopback=self._unsafe_loopback)
