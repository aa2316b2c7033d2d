"""The form of a connection: what its provider shows, and what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.connection import Connection
from pwless_middleware.core.organization import Organization
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.dashboard.connection_gate import (
    ONE,
    connection_page,
    find_connection,
    lead_to,
)
from pwless_middleware.features.sso.dashboard.connection_options import read_options, show_options
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.features.sso.oidc.settings import read_oidc_settings
from pwless_middleware.features.sso.saml.metadata import fetch_metadata, read_metadata
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from pwless_middleware.features.sso.setup.fields import METADATA, SECRET, read_fields, show_fields
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.text import Text
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.form_problems import problem_above, problems_of, read_version
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.operators import Operator
from pwless_middleware.web.organization_gate import find_organization
from pwless_middleware.web.organization_parts import ORGANIZATIONS_PATH
from pwless_middleware.web.routes import Route

MOST_METADATA: Final = 262_144
"""Characters of metadata that are pasted, at most."""
_MOST_FORM: Final = 1_048_576
"""Bytes of the form: metadata are up to three times as long in it."""
_MOST_FIELDS: Final = 40
_STALE: Final = Text("Somebody has changed it meanwhile. Look at it, and enter yours anew.")


class ConnectionForm:
    """Show the form of a connection, and keep what is typed once the provider answers.

    Args:
        kit: the feature's.
        floor: keeps connections.
        oidc: asks providers for their configuration.
        client: fetches metadata, and says where requests may go.
        allow_loopback: whether that may be this machine. For development.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        *,
        oidc: OIDCClient,
        client: SafeHTTPClient,
        allow_loopback: bool,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._oidc = oidc
        self._client = client
        self._allow_loopback = allow_loopback
        self.routes = (Route(f"{ONE}/edit", {"GET": self.show, "POST": self.save}),)

    async def show(self, request: Request) -> Response:
        """Show the form; what is typed there must not be lost to a further proof."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request, "/edit")
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        return await self._page(request, operator, organization, connection)

    async def save(self, request: Request) -> Response:
        """Set what the provider shows, and what is read of it."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request, "/edit")
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        form = await read_form(request, most_bytes=_MOST_FORM, most_fields=_MOST_FIELDS)
        if read_version(form) != connection.version:
            stale = InvalidArgument.of("version", _STALE, "version")
            return await self._page(request, operator, organization, connection, error=stale)
        try:
            await self._save(connection, form, operator)
        except InvalidArgument as error:
            return await self._page(request, operator, organization, connection, form, error=error)
        except SSOFault as fault:
            refused = InvalidArgument.of(_field_of(connection, form), fault.text, fault.code)
            return await self._page(
                request, operator, organization, connection, form, error=refused, fault=fault
            )
        return lead_to(self._kit, request, connection, "changed")

    async def _save(
        self, connection: Connection, form: Mapping[str, str], operator: Operator
    ) -> None:
        """Keep what a form says.

        Raises:
            InvalidArgument: a field is bad, or somebody else has changed the connection.
            SSOFault: the provider, or what it says of itself, is not as it must be.
        """
        config = read_fields(provider_of(connection), connection, form)
        config = read_options(connection, config, form)
        if connection.kind == "saml":
            config = await self._read_provider(config, form)
            settings = read_saml_settings(config, allow_loopback=self._allow_loopback)
            await self._change(connection, form, settings.to_json(), operator)
            return
        found = read_oidc_settings(config, judge=self._client.read_url)
        secret = form.get(SECRET, "").strip()
        is_kept = connection.has_secret and found.issuer == connection.provider
        if not secret and not is_kept:
            raise InvalidArgument.of(SECRET, Text("This field is required."), "required")
        await self._oidc.check(found)
        changed = await self._change(connection, form, found.to_json(), operator)
        if secret:
            await self._floor.connections.set_secret(
                connection.id, secret.encode(), seen=changed.version, by=operator.by
            )

    async def _change(
        self,
        connection: Connection,
        form: Mapping[str, str],
        config: Mapping[str, object],
        operator: Operator,
    ) -> Connection:
        return await self._floor.connections.change(
            connection.id,
            name=form.get("name", ""),
            config=config,
            seen=connection.version,
            by=operator.by,
        )

    async def _read_provider(
        self, config: dict[str, object], form: Mapping[str, str]
    ) -> dict[str, object]:
        """Return a configuration with what the provider's metadata say, where there are any."""
        pasted, now = form.get(METADATA, "").strip(), self._kit.clock()
        if len(pasted) > MOST_METADATA:
            raise SSOFault("metadata_too_large")
        if pasted:
            found = read_metadata(pasted.encode(), now=now, allow_loopback=self._allow_loopback)
            return {**config, **found.to_config()}
        url = str(config.get("metadata_url", ""))
        if not url:
            return config
        found = await fetch_metadata(self._client, url, now=now)
        return {**config, **found.to_config()}

    async def _page(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        connection: Connection,
        form: Mapping[str, str] | None = None,
        *,
        error: InvalidArgument | None = None,
        fault: SSOFault | None = None,
    ) -> Response:
        provider = provider_of(connection)
        errors = problems_of(error, ())
        fields = show_fields(provider, connection, form, errors)
        options = show_options(connection, form, errors)
        names = ("name", *(one.name for one in fields), *(one.name for one in options))
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/connection_edit.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            connection=connection,
            provider=translate(provider.title),
            called=connection.name if form is None else form.get("name", ""),
            version=connection.version,
            fields=fields,
            options=options,
            problems=problems_of(error, ("name",)),
            problem=problem_above(error, names),
            most_metadata=MOST_METADATA,
            expected=fault.expected if fault is not None else "",
            received=fault.received if fault is not None else "",
        )


def _field_of(connection: Connection, form: Mapping[str, str]) -> str:
    """Return the field that a fault of the provider is told at: the one that led to it."""
    if connection.kind == "oidc":
        return "issuer"
    if form.get(METADATA, "").strip():
        return METADATA
    return "metadata_url" if form.get("metadata_url", "").strip() else "entity_id"
