"""The connections of an organization: how its people sign in with their company's login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.dashboard.connection_gate import (
    ONE,
    TAB,
    connection_page,
    find_connection,
    lead_to,
)
from pwless_middleware.features.sso.dashboard.connection_rows import (
    CertificateRow,
    ConnectionRow,
    certificates_of,
)
from pwless_middleware.features.sso.paths import acs_path, callback_path, metadata_path
from pwless_middleware.features.sso.setup.providers import PROVIDERS
from pwless_middleware.features.sso.setup.steps import is_complete
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.organization_gate import (
    find_organization,
    organization_page,
    show_organization,
)
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import (
    ORGANIZATION_PATH,
    ORGANIZATIONS_PATH,
    OrganizationTab,
    organization_path,
)
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.form_problems import problem_above, problems_of, read_done
from pwless_middleware.web.routing.routes import Route

_DONE: Final[Mapping[str, Text]] = {
    "created": Text("The connection is there. Enter what its provider shows."),
    "changed": Text("The connection is changed. Test it before people sign in by it."),
    "on": Text("People can sign in by it now."),
    "off": Text("Nobody can sign in by it any more."),
    "deleted": Text("The connection is deleted."),
    "scim-revoked": Text("The token no longer works."),
}
_INCOMPLETE: Final = Text("Enter first what its provider shows.")


class ConnectionPages:
    """List connections; make, turn on and off, and delete them.

    Args:
        kit: the feature's.
        floor: keeps connections.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._below = f"{kit.origin.url}{kit.prefix}"
        self.tab = OrganizationTab(title=Text("Connections"), path=TAB, order=40)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.list}),
            Route(f"{here}/new", {"GET": self.show_new, "POST": self.create}),
            Route(ONE, {"GET": self.show}),
            Route(f"{ONE}/on", {"POST": self.turn_on}),
            Route(f"{ONE}/off", {"GET": self.show_off, "POST": self.turn_off}),
            Route(f"{ONE}/delete", {"GET": self.show_delete, "POST": self.delete}),
        )

    # --- all of them ---------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        """List them."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        (notice,) = read_done(request, _DONE)
        now = self._kit.clock()
        found = await self._floor.connections.list(organization.id)
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/connections.html",
            notice=notice,
            rows=[ConnectionRow.of(one, now) for one in found],
        )

    async def show_new(self, request: Request) -> Response:
        """Ask which provider it is."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._choice(request, operator, organization, {})

    async def create(self, request: Request) -> Response:
        """Make one; nobody signs in by it yet."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/new")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        try:
            provider = PROVIDERS.get(form.get("provider", ""))
            if provider is None:
                raise InvalidArgument.of("provider", Text("Choose one of these."), "enum")
            name = form.get("name", "").strip()
            made = await self._floor.connections.create(
                organization.id,
                provider.kind,
                name or provider.name or organization.name,
                config={"preset": provider.id},
                by=operator.by,
            )
        except InvalidArgument as error:
            return await self._choice(request, operator, organization, form, error)
        path = f"{organization_path(organization.id, TAB)}/{made.id}/edit"
        return self._kit.pages.redirect(request, path)

    # --- one of them ---------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Show one: how it stands, what its provider is to be told, and its certificates."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        (notice,) = read_done(request, _DONE)
        return await self._page(request, operator, organization, connection, notice=notice)

    async def turn_on(self, request: Request) -> Response:
        """Let people sign in by it."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request)
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        if not is_complete(connection):  # whoever is led there would be led nowhere
            error = InvalidArgument.of("is_enabled", _INCOMPLETE, "complete")
            return await self._page(request, operator, organization, connection, error=error)
        await self._floor.connections.enable(connection.id, by=operator.by)
        return lead_to(self._kit, request, connection, "on")

    async def show_off(self, request: Request) -> Response:
        """Say what it means to turn it off."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        return await self._confirm(request, operator, organization, connection, "off")

    async def turn_off(self, request: Request) -> Response:
        """Let nobody sign in by it any more."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request, "/off")
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        try:
            await self._floor.connections.disable(connection.id, by=operator.by)
        except InvalidArgument as error:
            return await self._confirm(request, operator, organization, connection, "off", error)
        return lead_to(self._kit, request, connection, "off")

    async def show_delete(self, request: Request) -> Response:
        """Say what goes with it."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        return await self._confirm(request, operator, organization, connection, "delete")

    async def delete(self, request: Request) -> Response:
        """Delete one."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request, "/delete")
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        try:
            await self._floor.connections.delete(connection.id, by=operator.by)
        except InvalidArgument as error:
            return await self._confirm(request, operator, organization, connection, "delete", error)
        path = f"{organization_path(organization.id, TAB)}?done=deleted"
        return self._kit.pages.redirect(request, path)

    # --- parts ---------------------------------------------------------------------------------

    async def _page(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        connection: Connection,
        *,
        notice: str | None = None,
        error: InvalidArgument | None = None,
    ) -> Response:
        now = self._kit.clock()
        pages = self._kit.offers.dashboard_pages
        query = {"view": "events", "kind": "sso.failed", "organization": organization.id}
        has_log = any(page.path == "/dashboard/log" for page in pages)
        token = await self._floor.connections.scim_digest_of(connection.id)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/connection.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            notice=notice,
            problem=problem_above(error, ()),
            organization=organization,
            connection=ConnectionRow.of(connection, now),
            facts=_facts(connection),
            values=self._values(connection),
            certificates=[CertificateRow.of(one, now) for one in certificates_of(connection)],
            has_scim_token=token is not None,
            scim_url=f"{self._below}/scim/v2/{connection.id}",
            log=f"/dashboard/log?{urlencode(query)}" if has_log else "",
        )

    def _values(self, connection: Connection) -> Sequence[tuple[str, str]]:
        """Return what is entered at the provider: pairs of a title and a value."""
        if connection.kind == "oidc":
            told = [(Text("Redirect URI"), callback_path(connection.id))]
        else:
            told = [
                (Text("ACS URL"), acs_path(connection.id)),
                (Text("Entity ID, and address of our metadata"), metadata_path(connection.id)),
            ]
        return [(translate(title), f"{self._below}{path}") for title, path in told]

    async def _choice(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        form: Mapping[str, str],
        error: InvalidArgument | None = None,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/connection_new.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            providers=[(one.id, translate(one.title)) for one in PROVIDERS.values()],
            form={"provider": "", "name": "", **form},
            problems=problems_of(error, ("provider", "name")),
            problem=problem_above(error, ("provider", "name")),
        )

    async def _confirm(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        connection: Connection,
        what: str,
        error: InvalidArgument | None = None,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/connection_confirm.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            connection=connection,
            what=what,
            problem=problem_above(error, ()),
        )


def _facts(connection: Connection) -> list[tuple[str, str]]:
    """Return what is known of the provider: pairs of a title and a value."""
    told = (
        ("issuer", Text("Issuer")),
        ("client_id", Text("Client ID")),
        ("entity_id", Text("Entity ID of the provider")),
        ("sso_url", Text("Sign-on URL")),
        ("metadata_url", Text("Metadata")),
    )
    config = connection.config
    return [(translate(title), str(config[name])) for name, title in told if config.get(name)]
