"""The list of organizations: by name, or the one that a domain, a key or an id leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH
from pwless_middleware.web.responses.form_problems import read_done
from pwless_middleware.web.responses.policy_words import name_value
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

PAGE: Final = 50
"""Organizations on one page."""
_DONE: Final[Mapping[str, Text]] = {
    "deleted": Text("The organization is deleted. Sessions in it have ended."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRow:
    """One line of the list.

    Attributes:
        id, name, external_id: as they are; the key may be empty.
        sso, mfa: what its policy asks, in words.
        created_at, created_iso: when it was made, as people and as machines read it.
    """

    id: str
    name: str
    external_id: str
    sso: str
    mfa: str
    created_at: str
    created_iso: str

    @classmethod
    def of(cls, organization: Organization, now: int) -> OrganizationRow:
        """Return an organization as it is listed."""
        return cls(
            id=organization.id,
            name=organization.name,
            external_id=organization.external_id or "",
            sso=name_value("sso", organization.policy.sso),
            mfa=name_value("mfa", organization.policy.mfa),
            created_at=format_ago(organization.created_at, now),
            created_iso=format_iso(organization.created_at),
        )


class ListPage:
    """Show the list.

    Args:
        kit: the feature's.
        floor: finds organizations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.routes = (Route(ORGANIZATIONS_PATH, {"GET": self.show}),)
        self.dashboard_page = DashboardPage(
            title=Text("Organizations"),
            path=ORGANIZATIONS_PATH,
            order=40,
            icon="organizations",
            key="c",
        )

    async def show(self, request: Request) -> Response:
        """Show a page of it; what cannot be asked for is told, and nothing is listed."""
        operator = await self._kit.operators.require(request)
        text, after = "", ""
        try:
            notice, text_, after_ = read_done(request, _DONE, "q", "after")
            text, after = (text_ or "").strip(), after_ or ""
            found = await self._find(text, after)
        except InvalidArgument as error:
            return await self._page(request, operator, (), text=text, after=after, error=error)
        return await self._page(request, operator, found, text=text, after=after, notice=notice)

    async def _find(self, text: str, after: str) -> Sequence[Organization]:
        """Return one more than a page has, where there are more."""
        organizations = self._floor.organizations
        found = await organizations.list(search=text, after=after, limit=PAGE + 1)
        if not text or after:
            return found
        claims = await self._floor.domains.list_claims(text.lower())
        exact = [
            await organizations.find(text),
            *await organizations.find_several({one.organization for one in claims}),
        ]
        named = {one.id: one for one in exact if one is not None}
        return [*named.values(), *(one for one in found if one.id not in named)]

    async def _page(
        self,
        request: Request,
        operator: Operator,
        found: Sequence[Organization],
        *,
        text: str,
        after: str,
        notice: str | None = None,
        error: InvalidArgument | None = None,
    ) -> Response:
        now = self._kit.clock()
        page = found[:PAGE]
        older = {"q": text, "after": page[-1].id} if len(found) > PAGE else {}
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/list.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            problem=public_message(error) if error is not None else None,
            notice=notice,
            rows=[OrganizationRow.of(one, now) for one in page],
            text=text,
            is_first=not after,
            before=_query({"q": text}) or "?" if after else "",
            after=_query(older),
        )


def _query(values: Mapping[str, str]) -> str:
    told = {name: value for name, value in values.items() if value}
    return f"?{urlencode(told)}" if told else ""
