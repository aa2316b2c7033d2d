"""The domains of an organization: which it claims, and which are shown to be its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Domain, Organization
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.organizations.domain_records import DomainRecord
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.organization_gate import (
    find_organization,
    lead_to_tab,
    organization_page,
    show_organization,
)
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import (
    ORGANIZATION_PATH,
    ORGANIZATIONS_PATH,
    OrganizationTab,
)
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.form_problems import read_done
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/domains"
_DONE: Final[Mapping[str, Text]] = {
    "added": Text("The domain is noted. It binds nobody before its record is found."),
    "verified": Text("The domain is verified."),
    "removed": Text("The domain is removed."),
}
_WHICH: Final = Fields({"domain": Field(about="Which.", required=True, longest=253)})
_NONE: Final = Text("This organization has no such domain any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRow:
    """A domain as it is listed.

    Attributes:
        name: canonical.
        state, tone: how it stands, in words, and their tone.
        record_name, record_value: of the TXT record that shows whose it is.
        verified_at, verified_iso: since when it is the organization's; empty before.
        checked_at, checked_iso: when the record was looked for last; empty before.
        failing_at, failing_iso: since when the record of a verified one is missing; empty if not.
        problem: what was found when it was looked for just now; empty for nothing.
    """

    name: str
    state: str
    tone: str
    record_name: str
    record_value: str
    verified_at: str
    verified_iso: str
    checked_at: str
    checked_iso: str
    failing_at: str
    failing_iso: str
    problem: str = ""

    @classmethod
    def of(cls, domain: Domain, problem: str = "") -> DomainRow:
        """Return a domain as it is listed."""
        record = DomainRecord.of(domain.name, domain.token)
        state, tone = Text("Not verified"), "warn"
        if domain.verified_at is not None:
            is_failing = domain.failing_since is not None
            state = Text("Verified; its record is missing") if is_failing else Text("Verified")
            tone = "warn" if is_failing else "good"
        return cls(
            name=domain.name,
            state=translate(state),
            tone=tone,
            record_name=record.name,
            record_value=record.value,
            verified_at=_time(domain.verified_at),
            verified_iso=_iso(domain.verified_at),
            checked_at=_time(domain.checked_at),
            checked_iso=_iso(domain.checked_at),
            failing_at=_time(domain.failing_since),
            failing_iso=_iso(domain.failing_since),
            problem=problem,
        )


class DomainPages:
    """List domains; add, verify and remove them.

    Args:
        kit: the feature's.
        floor: keeps domains.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.tab = OrganizationTab(title=Text("Domains"), path=TAB, order=30)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.list, "POST": self.add}),
            Route(f"{here}/check", {"POST": self.check}),
            Route(f"{here}/remove", {"GET": self.show_remove, "POST": self.remove}),
        )

    async def list(self, request: Request) -> Response:
        """List them, each with the record that shows whose it is."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        (notice,) = read_done(request, _DONE)
        return await self._page(request, operator, organization, notice=notice)

    async def add(self, request: Request) -> Response:
        """Claim one; it binds nobody yet."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        typed = (await read_form(request)).get("domain", "")
        try:
            await self._floor.domains.claim(organization.id, typed, by=operator.by)
        except InvalidArgument as error:
            return await self._page(request, operator, organization, typed=typed, error=error)
        return lead_to_tab(self._kit, request, organization, TAB, "added")

    async def check(self, request: Request) -> Response:
        """Look for the record of one, and tell what was found."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        domain = await self._domain(organization, (await read_form(request)).get("domain", ""))
        check = await self._floor.verification.verify(organization.id, domain.name, by=operator.by)
        if check.is_good:
            return lead_to_tab(self._kit, request, organization, TAB, "verified")
        problem = {domain.name: translate(check.sentence)}
        return await self._page(request, operator, organization, problems=problem)

    async def show_remove(self, request: Request) -> Response:
        """Say what it does to remove a verified one."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        domain = await self._domain(organization, read_query(request, _WHICH).text("domain"))
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/domain_remove.html",
            path=ORGANIZATIONS_PATH,
            organization=organization,
            domain=domain.name,
        )

    async def remove(self, request: Request) -> Response:
        """Remove one."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        domain = await self._domain(organization, (await read_form(request)).get("domain", ""))
        await self._floor.domains.remove(organization.id, domain.name, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "removed")

    async def _domain(self, organization: Organization, name: str) -> Domain:
        domain = await self._floor.domains.find(organization.id, name)
        if domain is None:
            raise NotFound(_NONE)
        return domain

    async def _page(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        *,
        typed: str = "",
        problems: Mapping[str, str] | None = None,
        error: InvalidArgument | None = None,
        notice: str | None = None,
    ) -> Response:
        told, found = problems or {}, await self._floor.domains.list(organization.id)
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/domains.html",
            status=error.status if error is not None else 200,
            notice=notice,
            rows=[DomainRow.of(one, told.get(one.name, "")) for one in found],
            typed=typed,
            error=public_message(error) if error is not None else "",
        )


def _time(at: int | None) -> str:
    return "" if at is None else format_time(at)


def _iso(at: int | None) -> str:
    return "" if at is None else format_iso(at)
