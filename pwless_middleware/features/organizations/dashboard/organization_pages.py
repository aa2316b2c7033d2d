"""One organization: what it is, and how it is made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import NAME_LENGTH, Organization
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.languages.numbers import format_number
from pwless_middleware.languages.times import format_iso, format_time
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
from pwless_middleware.web.responses.form_problems import (
    problem_above,
    problems_of,
    read_done,
    read_version,
)
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

_FORM: Final = ("name", "external_id", "language", "logo", "color")
_DONE: Final[Mapping[str, Text]] = {
    "created": Text("The organization is there. Add its domains and its people."),
    "changed": Text("The organization is changed."),
}
_NOT_IT: Final = Text("That is not the name of this organization. Nothing was deleted.")


class OrganizationPages:
    """Show an organization; make, change and delete it.

    Args:
        kit: the feature's.
        floor: keeps organizations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.tab = OrganizationTab(title=Text("Overview"), path="", order=0)
        self.routes = (
            Route(f"{ORGANIZATIONS_PATH}/new", {"GET": self.show_new, "POST": self.create}),
            Route(ORGANIZATION_PATH, {"GET": self.show}),
            Route(f"{ORGANIZATION_PATH}/edit", {"GET": self.show_edit, "POST": self.edit}),
            Route(f"{ORGANIZATION_PATH}/delete", {"GET": self.show_delete, "POST": self.delete}),
        )

    async def show(self, request: Request) -> Response:
        """Show what it is."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        (notice,) = read_done(request, _DONE)
        domains = await self._floor.domains.list(organization.id)
        login = f"{self._kit.origin.url}{self._kit.prefix}/login"
        logs = any(page.path == "/dashboard/log" for page in self._kit.offers.dashboard_pages)
        query = urlencode({"view": "events", "organization": organization.id})
        return await show_organization(
            *(self._kit, request, operator, organization, ""),
            "dashboard/organizations/overview.html",
            notice=notice,
            language_name=name_of(organization.language) if organization.language else "",
            domains=[one.name for one in domains if one.verified_at is not None],
            members=format_number(await self._floor.members.count(organization.id)),
            login_url=f"{login}?{urlencode({'organization': organization.id})}",
            log=f"/dashboard/log?{query}" if logs else "",
            created_at=format_time(organization.created_at),
            created_iso=format_iso(organization.created_at),
        )

    async def show_new(self, request: Request) -> Response:
        """Show the form for a new one."""
        operator = await self._kit.operators.require(request, "admin")
        return await self._form(request, operator, None, {})

    async def create(self, request: Request) -> Response:
        """Make one."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=f"{ORGANIZATIONS_PATH}/new"
        )
        form = await read_form(request)
        try:
            made = await self._floor.organizations.create(**_read(form), by=operator.by)
        except InvalidArgument as error:
            return await self._form(request, operator, None, form, error)
        return self._kit.pages.redirect(request, f"{organization_path(made.id)}?done=created")

    async def show_edit(self, request: Request) -> Response:
        """Show the form for a change."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._form(request, operator, organization, _write(organization))

    async def edit(self, request: Request) -> Response:
        """Change it."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, "/edit")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        try:
            await self._floor.organizations.change(
                organization.id,
                **_read(form),
                seen=read_version(form),
                by=operator.by,
            )
        except InvalidArgument as error:
            return await self._form(request, operator, organization, form, error)
        path = f"{organization_path(organization.id)}?done=changed"
        return self._kit.pages.redirect(request, path)

    async def show_delete(self, request: Request) -> Response:
        """Say what goes with it."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._deletion(request, operator, organization)

    async def delete(self, request: Request) -> Response:
        """Delete it, where the name that was typed is its own."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, "/delete")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        if form.get("typed", "").strip() != organization.name.strip():
            error = InvalidArgument.of("typed", _NOT_IT, "match")
            return await self._deletion(request, operator, organization, error)
        await self._floor.organizations.delete(organization.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{ORGANIZATIONS_PATH}?done=deleted")

    async def _form(
        self,
        request: Request,
        operator: Operator,
        organization: Organization | None,
        form: Mapping[str, str],
        error: InvalidArgument | None = None,
    ) -> Response:
        codes = self._kit.languages.codes
        shown = {**dict.fromkeys((*_FORM, "version"), ""), **form}
        if organization is not None and problem_above(error, _FORM):
            shown["version"] = str(organization.version)  # somebody was quicker: look, and again
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/form.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            form=shown,
            problems=problems_of(error, _FORM),
            problem=problem_above(error, _FORM),
            languages=[("", translate(Text("As usual"))), *((c, name_of(c)) for c in codes)],
            most_name=NAME_LENGTH,
        )

    async def _deletion(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        error: InvalidArgument | None = None,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/delete.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            error=public_message(error) if error is not None else "",
        )


class _Fields(TypedDict):
    name: str
    external_id: str
    language: str
    logo: str
    color: str


def _read(form: Mapping[str, str]) -> _Fields:
    return _Fields(
        name=form.get("name", ""),
        external_id=form.get("external_id", "").strip(),
        language=form.get("language", ""),
        logo=form.get("logo", "").strip(),
        color=form.get("color", "").strip(),
    )


def _write(organization: Organization) -> dict[str, str]:
    return {
        "name": organization.name,
        "external_id": organization.external_id or "",
        "language": organization.language,
        "logo": organization.logo or "",
        "color": organization.color or "",
        "version": str(organization.version),
    }
