"""The members of an organization: who they are, and what an operator may do to them.

Who may sign in to a customer's data, and as what, is for admins to say; `support` can take it away
(security rule 63).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.organizations.organization import ROLE_LENGTH, Member, Organization
from pwless_middleware.errors import InvalidArgument, NotFound, NotPermitted, PersonDisabled
from pwless_middleware.features.organizations.dashboard.member_rows import MemberRow
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.flows.organizations.members import DISABLED
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.organization_gate import (
    find_organization,
    lead_to_tab,
    organization_page,
    show_organization,
)
from pwless_middleware.web.gates.person_gate import why_not_act
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import (
    ORGANIZATION_PATH,
    ORGANIZATIONS_PATH,
    OrganizationTab,
)
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.form_problems import problem_above, problems_of, read_done
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/members"
PAGE: Final = 50
"""Members on one page."""
_DONE: Final[Mapping[str, Text]] = {
    "added": Text("This person is a member now."),
    "role": Text("The role is changed."),
    "deactivated": Text("This person is signed out of the organization, and let in no more."),
    "activated": Text("This person can sign in to the organization again."),
    "removed": Text("This person is signed out of the organization, and no member any more."),
}
_WHO: Final = Fields({"user": Field(about="Whose.", required=True, shortest=1, longest=1000)})
_NO_MEMBER: Final = Text("This person is no member of the organization any more.")


class MemberPages:
    """List members; add, change and remove them.

    Args:
        kit: the feature's.
        floor: keeps members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._makers = Makers(kit)
        self.tab = OrganizationTab(title=Text("Members"), path=TAB, order=10)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.list}),
            Route(f"{here}/add", {"GET": self.show_add, "POST": self.add}),
            Route(f"{here}/one", {"GET": self.show}),
            Route(f"{here}/role", {"POST": self.set_role}),
            Route(f"{here}/deactivate", {"POST": self.deactivate}),
            Route(f"{here}/activate", {"POST": self.activate}),
            Route(f"{here}/remove", {"POST": self.remove}),
        )

    async def list(self, request: Request) -> Response:
        """List them, or the one whose address or id is looked for."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        notice, text, after = read_done(request, _DONE, "q", "after")
        found = await self._find(organization, (text or "").strip(), after or "")
        emails = await self._makers.find_emails(one.user_id for one in found[:PAGE])
        now = self._kit.clock()
        rows = [MemberRow.of(one, emails[one.user_id], now) for one in found[:PAGE]]
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/members.html",
            notice=notice,
            rows=rows,
            text=text or "",
            is_first=not after,
            after=f"?{urlencode({'after': rows[-1].user_id})}" if len(found) > PAGE else "",
        )

    async def _find(self, organization: Organization, text: str, after: str) -> Sequence[Member]:
        """Return one more than a page has, where there are more."""
        members = self._floor.members
        if not text:
            return await members.list(organization.id, after=after, limit=PAGE + 1)
        address = parse_address(text)
        id = text if address is None else await self._kit.users.id_of(address)
        member = None if id is None else await members.find(organization.id, id)
        return [] if member is None else [member]

    async def show_add(self, request: Request) -> Response:
        """Show the form for a new one."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._form(request, operator, organization, {})

    async def add(self, request: Request) -> Response:
        """Make somebody who has an account a member."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/add")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        address = parse_address(form.get("email", ""))
        try:
            if address is None:
                problem = Text("Enter one email address, like jo@example.com.")
                raise InvalidArgument.of("email", problem, "email")
            user_id = await self._find_user(address)
            if await self._floor.members.find(organization.id, user_id) is not None:
                raise InvalidArgument.of("email", Text("This person is a member already."), "known")
            await self._floor.members.put(
                *(organization.id, user_id),
                role=form.get("role", ""),
                origin="operator",
                by=operator.by,
            )
        except InvalidArgument as error:
            return await self._form(request, operator, organization, form, error)
        return lead_to_tab(self._kit, request, organization, TAB, "added")

    async def show(self, request: Request) -> Response:
        """Show one, and what can be done to them."""
        operator = await self._kit.operators.require(request, "support")
        organization = await find_organization(self._kit, request)
        member = await self._member(organization, read_query(request, _WHO).text("user"))
        return await self._page(request, operator, organization, member)

    async def set_role(self, request: Request) -> Response:
        """Give a member another role."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        member = await self._member(organization, form.get("user", ""))
        role = form.get("role", "")
        try:
            await self._floor.members.set_role(
                organization.id, member.user_id, role, by=operator.by
            )
        except InvalidArgument as error:
            return await self._page(request, operator, organization, member, role, error)
        return lead_to_tab(self._kit, request, organization, TAB, "role")

    async def deactivate(self, request: Request) -> Response:
        """Let a member in no more."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        member = await self._member(organization, (await read_form(request)).get("user", ""))
        await self._check(operator, member)
        await self._floor.members.deactivate(organization.id, member.user_id, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "deactivated")

    async def activate(self, request: Request) -> Response:
        """Let a member in again."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        member = await self._member(organization, (await read_form(request)).get("user", ""))
        await self._floor.members.activate(organization.id, member.user_id, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "activated")

    async def remove(self, request: Request) -> Response:
        """Have somebody be no member any more."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        member = await self._member(organization, (await read_form(request)).get("user", ""))
        await self._check(operator, member)
        await self._floor.members.remove(organization.id, member.user_id, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "removed")

    # --- parts ---------------------------------------------------------------------------------

    async def _find_user(self, address: Address) -> str:
        """Return the id of whoever has an account with an address.

        Raises:
            InvalidArgument: nobody has one, or nobody can sign in as them.
        """
        try:
            user = await self._kit.users.find(address)
        except PersonDisabled as error:
            raise InvalidArgument.of("email", DISABLED, "disabled") from error
        if user is None:
            problem = Text("Nobody has an account with this address. Invite them.")
            raise InvalidArgument.of("email", problem, "unknown")
        return user.id

    async def _member(self, organization: Organization, user_id: str) -> Member:
        member = await self._floor.members.find(organization.id, user_id) if user_id else None
        if member is None:
            raise NotFound(_NO_MEMBER)
        return member

    async def _why_not(self, operator: Operator, member: Member) -> Text | None:
        """Return why `support` does nothing to this member; an admin may do it to anybody."""
        if operator.may("admin"):
            return None
        return await why_not_act(self._kit, operator, member.user_id)

    async def _check(self, operator: Operator, member: Member) -> None:
        why_not = await self._why_not(operator, member)
        if why_not is not None:
            raise NotPermitted(why_not)

    async def _form(
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
            "dashboard/organizations/member_add.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            form={"email": "", "role": "", **form},
            problems=problems_of(error, ("email", "role")),
            problem=problem_above(error, ("email", "role")),
            most_role=ROLE_LENGTH,
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        member: Member,
        role: str | None = None,
        error: InvalidArgument | None = None,
    ) -> Response:
        emails = await self._makers.find_emails([member.user_id])
        why_not = await self._why_not(operator, member)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/member.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            member=MemberRow.of(member, emails[member.user_id], self._kit.clock()),
            typed=member.role if role is None else role,
            may_act=why_not is None,
            why_not=translate(why_not) if why_not is not None else "",
            problems=problems_of(error, ("role",)),
            problem=problem_above(error, ("role",)),
            most_role=ROLE_LENGTH,
        )
