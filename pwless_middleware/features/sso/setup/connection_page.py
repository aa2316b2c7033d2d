"""Connect a provider: what is entered at it, and what is entered here of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.connection import Connection
from pwless_middleware.errors import ApiError, InvalidArgument, RateLimited
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.features.sso.oidc.settings import read_oidc_settings
from pwless_middleware.features.sso.paths import acs_path, callback_path, metadata_path
from pwless_middleware.features.sso.saml.metadata import fetch_metadata, read_metadata
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from pwless_middleware.features.sso.saml.signed_requests import give_signing_key
from pwless_middleware.features.sso.setup.access import SetupAccess, SetupSession
from pwless_middleware.features.sso.setup.fields import (
    BY_HAND,
    METADATA,
    SECRET,
    read_fields,
    show_fields,
)
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.features.sso.setup.steps import connection_path, test_page_path
from pwless_middleware.languages.current import translate
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.text import Text
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses import public_message
from pwless_middleware.web.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

MOST_METADATA: Final = 262_144
"""Characters of metadata that are pasted, at most."""
_MOST_FORM: Final = 1_048_576
"""Bytes of the form: metadata are up to three times as long in it."""
_STALE: Final = Text("This was changed meanwhile. This is how it is now.")


class ConnectionPage:
    """Show and save what is known of a provider.

    Args:
        kit: everything below.
        floor: keeps connections.
        access: knows the set-up of a browser.
        frame: shows pages.
        oidc: asks providers for their configuration.
        client: fetches metadata, and says where requests may go.
        allow_loopback: whether that may be this machine. For development.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        access: SetupAccess,
        frame: SetupFrame,
        *,
        oidc: OIDCClient,
        client: SafeHTTPClient,
        allow_loopback: bool,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._access = access
        self._frame = frame
        self._oidc = oidc
        self._client = client
        self._allow_loopback = allow_loopback
        path = connection_path("{connection}")
        self.routes = (Route(path, {"GET": self.show, "POST": self.save}),)

    async def show(self, request: Request) -> Response:
        """Show what is to be done at the provider, and the form."""
        session, connection = await self._access.require_connection(request)
        return await self._page(request, session, connection)

    async def save(self, request: Request) -> Response:
        """Keep what was entered, once it is well formed and the provider answers."""
        session, connection = await self._access.require_connection(request)
        form = await read_form(request, most_bytes=_MOST_FORM)
        try:
            if form.get("version") != str(connection.version):
                raise InvalidArgument.of("version", _STALE, "version")
            await self._save(session, connection, form)
        except SSOFault as fault:
            error = InvalidArgument.of(_field_of(form), fault.text, fault.code)
            return await self._page(request, session, connection, form, error, fault)
        except (InvalidArgument, RateLimited) as error:
            return await self._page(request, session, connection, form, error)
        return self._kit.pages.redirect(request, test_page_path(connection.id))

    async def _save(
        self, session: SetupSession, connection: Connection, form: Mapping[str, str]
    ) -> None:
        """Keep what was entered.

        Raises:
            InvalidArgument: a field is bad, or the connection was changed meanwhile.
            SSOFault: the provider, or what it says of itself, is not as it must be.
            RateLimited: the set-up has just asked.
        """
        provider = provider_of(connection)
        config = read_fields(provider, connection, form)
        if connection.kind == "saml":
            config = await self._read_provider(session, config, form)
            settings = read_saml_settings(config, allow_loopback=self._allow_loopback)
            changed = await self._change(session, connection, settings.to_json())
            await give_signing_key(
                self._floor.connections,
                changed,
                host=self._kit.origin.host.partition(":")[0],
                now=self._kit.clock(),
                by=session.by,
            )
            return
        found = read_oidc_settings(config, judge=self._client.read_url)
        secret = form.get(SECRET, "").strip()
        is_kept = connection.has_secret and found.issuer == connection.provider
        if not secret and not is_kept:
            raise InvalidArgument.of(SECRET, Text("This field is required."), "required")
        await self._access.take_turn(session)
        await self._oidc.check(found)
        changed = await self._change(session, connection, found.to_json())
        if secret:
            await self._floor.connections.set_secret(
                connection.id, secret.encode(), seen=changed.version, by=session.by
            )

    async def _change(
        self, session: SetupSession, connection: Connection, config: dict[str, object]
    ) -> Connection:
        if replace(connection, config=config).leads_elsewhere(connection):
            # That the second factor there counts, an operator has said of the provider before.
            config.pop("counts_mfa", None)
        return await self._floor.connections.change(
            connection.id, config=config, seen=connection.version, by=session.by
        )

    async def _read_provider(
        self, session: SetupSession, config: dict[str, object], form: Mapping[str, str]
    ) -> dict[str, object]:
        """Return a configuration with what the provider's metadata say, where there are any."""
        pasted, now = form.get(METADATA, "").strip(), self._kit.clock()
        if pasted:
            if len(pasted) > MOST_METADATA:
                raise SSOFault("metadata_too_large")
            found = read_metadata(pasted.encode(), now=now, allow_loopback=self._allow_loopback)
            return {**config, **found.to_config()}
        url = str(config["metadata_url"])
        if not url:
            return config
        await self._access.take_turn(session)
        found = await fetch_metadata(self._client, url, now=now)
        return {**config, **found.to_config()}

    async def _page(
        self,
        request: Request,
        session: SetupSession,
        connection: Connection,
        form: Mapping[str, str] | None = None,
        error: ApiError | None = None,
        fault: SSOFault | None = None,
    ) -> Response:
        provider = provider_of(connection)
        errors, problem = _errors(error)
        if form is not None and "version" in errors:
            form, problem = None, errors["version"]
        fields = show_fields(provider, connection, form, errors)
        known = {field.name for field in fields}
        problem = problem or "; ".join(text for name, text in errors.items() if name not in known)
        return await self._frame.page(
            request,
            session,
            "sso/setup/connection.html",
            step="provider",
            connection=connection,
            error=error,
            problem=problem,
            connection_id=connection.id,
            version=connection.version,
            title=translate(
                Text("Connect %(name)s", name=provider.name)
                if provider.name
                else Text("Connect your provider")
            ),
            instructions=[translate(step) for step in provider.steps],
            values=self._values(connection),
            fields=fields,
            expected=fault.expected if fault is not None else "",
            received=fault.received if fault is not None else "",
            most_metadata=MOST_METADATA,
        )

    def _values(self, connection: Connection) -> list[tuple[str, str, str]]:
        """Return what is copied from here: an id, what it is, and the value."""
        below = f"{self._kit.origin.url}{self._kit.prefix}"
        if connection.kind == "oidc":
            url = below + callback_path(connection.id)
            return [("redirect-uri", translate(Text("Redirect URI")), url)]
        metadata = below + metadata_path(connection.id)
        return [
            ("acs-url", translate(Text("ACS URL")), below + acs_path(connection.id)),
            ("entity-id", translate(Text("Entity ID")), metadata),
            ("metadata-url", translate(Text("Metadata URL")), metadata),
        ]


def _field_of(form: Mapping[str, str]) -> str:
    """Return the field that a fault of the provider is shown at: the one that led to it."""
    if form.get(METADATA, "").strip():
        return METADATA
    if form.get("metadata_url", "").strip():
        return "metadata_url"
    return BY_HAND[0] if BY_HAND[0] in form else "issuer"


def _errors(error: ApiError | None) -> tuple[dict[str, str], str | None]:
    """Return what is wrong by field, and what is wrong with the page as a whole."""
    if not isinstance(error, InvalidArgument):
        return {}, None if error is None else public_message(error)
    return {one.field: translate(one.description) for one in error.violations}, ""
