"""The form of a connection: what its provider shows, and what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.connections.provider_forms import (
    MOST_FORM,
    MOST_METADATA,
    ProviderForms,
    field_of_fault,
)
from pwless_middleware.features.sso.dashboard.connection_gate import (
    ONE,
    connection_page,
    find_connection,
    lead_to,
)
from pwless_middleware.features.sso.dashboard.connection_options import read_options, show_options
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.setup.fields import read_fields, show_fields
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.organization_gate import find_organization
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.form_problems import problem_above, problems_of, read_version
from pwless_middleware.web.routing.routes import Route

_MOST_FIELDS: Final = 40
_STALE: Final = Text("Somebody has changed it meanwhile. Look at it, and enter yours anew.")


class ConnectionForm:
    """Show the form of a connection, and keep what is typed once the provider answers.

    Args:
        kit: the feature's.
        floor: keeps connections.
        forms: keep what is entered.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, forms: ProviderForms) -> None:
        self._kit = kit
        self._floor = floor
        self._forms = forms
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
        form = await read_form(request, most_bytes=MOST_FORM, most_fields=_MOST_FIELDS)
        if read_version(form) != connection.version:
            stale = InvalidArgument.of("version", _STALE, "version")
            return await self._page(request, operator, organization, connection, error=stale)
        try:
            config = read_fields(provider_of(connection), connection, form)
            await self._forms.save(
                connection,
                read_options(connection, config, form),
                form,
                by=operator.by,
                name=form.get("name", ""),
            )
        except InvalidArgument as error:
            return await self._page(request, operator, organization, connection, form, error=error)
        except SSOFault as fault:
            refused = InvalidArgument.of(field_of_fault(connection, form), fault.text, fault.code)
            return await self._page(
                request, operator, organization, connection, form, error=refused, fault=fault
            )
        return lead_to(self._kit, request, connection, "changed")

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
