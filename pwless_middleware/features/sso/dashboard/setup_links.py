"""The set-up links of an organization: with one, its administrator connects their login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Organization, SetupLink
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
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
from pwless_middleware.web.parts.setup_links import setup_url
from pwless_middleware.web.parts.setup_mails import SetupMails
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.form_problems import problem_above, problems_of, read_done
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/set-up"
DAYS: Final = (1, 7, 14, 30)
"""For how many days a link may be open."""
_FORM: Final = ("days", "email")
_DONE: Final[Mapping[str, Text]] = {
    "sent": Text("The link is on its way by email."),
    "revoked": Text("The link is revoked. What it has opened is over, too."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLinkRow:
    """A link as it is listed.

    Attributes:
        id: which.
        by: who has made it, in words.
        state, tone: what has become of it, in words, and their tone.
        is_open: whether it, or what it has opened, can still be used.
        created_at, created_iso: when it was made.
        expires_at, expires_iso: when it ends.
    """

    id: str
    by: str
    state: str
    tone: str
    is_open: bool
    created_at: str
    created_iso: str
    expires_at: str
    expires_iso: str

    @classmethod
    def of(cls, link: SetupLink, by: str, now: int) -> SetupLinkRow:
        """Return a link as it is listed, with the name of who has made it."""
        is_open = now < link.expires_at and link.finished_at is None
        state, tone = Text("Ended"), ""
        if link.finished_at is not None:
            state, tone = Text("Finished"), "good"
        elif is_open:
            state = Text("Not opened yet") if link.opened_at is None else Text("In use")
            tone = "info"
        return cls(
            id=link.id,
            by=by,
            state=translate(state),
            tone=tone,
            is_open=is_open,
            created_at=format_time(link.created_at),
            created_iso=format_iso(link.created_at),
            expires_at=format_time(link.expires_at),
            expires_iso=format_iso(link.expires_at),
        )


class SetupLinkPages:
    """List set-up links; make, send and revoke them.

    Args:
        kit: the feature's.
        floor: keeps links.
        mails: send them.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, mails: SetupMails) -> None:
        self._kit = kit
        self._floor = floor
        self._mails = mails
        self._makers = Makers(kit)
        self.tab = OrganizationTab(title=Text("Set-up"), path=TAB, order=45)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.list, "POST": self.create}),
            Route(f"{here}/revoke", {"POST": self.revoke}),
        )

    async def list(self, request: Request) -> Response:
        """List them, and show the form for a new one."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        (notice,) = read_done(request, _DONE)
        return await self._page(request, operator, organization, {}, notice=notice)

    async def create(self, request: Request) -> Response:
        """Make one: it goes out by email, or is shown this once."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        email = form.get("email", "").strip()
        days = next((one for one in DAYS if str(one) == form.get("days")), None)
        try:
            if days is None:
                raise InvalidArgument.of("days", Text("Choose one of these."), "enum")
            if email and parse_address(email) is None:
                problem = Text("Enter one email address, like jo@example.com.")
                raise InvalidArgument.of("email", problem, "email")
            link = await self._floor.setup_links.create(
                organization.id, expires_in=days * 86_400, by=operator.by
            )
        except InvalidArgument as error:
            return await self._page(request, operator, organization, form, error=error)
        if email:
            await self._mails.queue(link, email, language=organization.language)
            path = f"{organization_path(organization.id, TAB)}?done=sent"
            return self._kit.pages.redirect(request, path)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/secret.html",
            path=ORGANIZATIONS_PATH,
            title=translate(Text("The set-up link")),
            lead=translate(
                Text(
                    "Send it to the administrator of this organization. It opens once, and whoever "
                    "opens it sets up the login."
                )
            ),
            secret=setup_url(self._kit, link),
            back=organization_path(organization.id, TAB),
            back_text=organization.name,
        )

    async def revoke(self, request: Request) -> Response:
        """Have a link, and what it has opened, be over."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        id = (await read_form(request)).get("id", "")
        await self._floor.setup_links.revoke(organization.id, id, by=operator.by)
        path = f"{organization_path(organization.id, TAB)}?done=revoked"
        return self._kit.pages.redirect(request, path)

    async def _page(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        form: Mapping[str, str],
        *,
        notice: str | None = None,
        error: InvalidArgument | None = None,
    ) -> Response:
        found = await self._floor.setup_links.list(organization.id)
        names = await self._makers.name(one.by for one in found)
        now = self._kit.clock()
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/setup.html",
            status=error.status if error is not None else 200,
            notice=notice,
            problem=problem_above(error, _FORM),
            rows=[SetupLinkRow.of(one, names[one.by], now) for one in found],
            form={"days": "7", "email": "", **form},
            problems=problems_of(error, _FORM),
            spans=[
                (str(one), translate(Text.for_count("%(n)s day", "%(n)s days", one)))
                for one in DAYS
            ],
        )
