"""Verify the domains of a company, each by a record in DNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import InvalidArgument, NotFound, RateLimited
from pwless_middleware.features.sso.setup.access import SetupAccess, SetupSession
from pwless_middleware.features.sso.setup.fields import FormField
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.steps import DOMAINS_PATH, Progress
from pwless_middleware.flows.organizations.domain_records import DomainRecord
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_time
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.organization import Domain
    from pwless_middleware.errors import ApiError
    from pwless_middleware.flows.organizations.domain_verification import DomainVerification
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class DomainPage:
    """Show the domains with their records, add and verify them.

    Args:
        kit: everything below.
        floor: keeps domains.
        access: knows the set-up of a browser.
        frame: shows pages.
        verification: looks for records.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        access: SetupAccess,
        frame: SetupFrame,
        verification: DomainVerification,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._access = access
        self._frame = frame
        self._verification = verification
        self.routes = (Route(DOMAINS_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Show the domains."""
        session = await self._access.require(request)
        return await self._page(request, session)

    async def post(self, request: Request) -> Response:
        """Add a domain, look for the record of one, or forget one that is not verified."""
        session = await self._access.require(request)
        form = await read_form(request)
        id, name = session.organization.id, form.get("domain", "")
        try:
            if form.get("action") == "verify":
                return await self._verify(request, session, name)
            if form.get("action") == "remove":
                await self._remove(session, name)
            else:
                await self._floor.domains.claim(id, name, by=session.by)
        except InvalidArgument as error:
            return await self._page(request, session, error=error, typed=name)
        except (NotFound, RateLimited) as error:
            return await self._page(request, session, error=error, problem=public_message(error))
        return self._kit.pages.redirect(request, DOMAINS_PATH)

    async def _verify(self, request: Request, session: SetupSession, name: str) -> Response:
        domain = await self._floor.domains.require(session.organization.id, name)
        await self._access.take_turn(session)
        check = await self._verification.verify(session.organization.id, domain.name, by=session.by)
        if check.is_good:
            return self._kit.pages.redirect(request, DOMAINS_PATH)
        return await self._page(request, session, faults={domain.name: translate(check.sentence)})

    async def _remove(self, session: SetupSession, name: str) -> None:
        """Forget a domain. A verified one binds people: to take it away is for an operator.

        Raises:
            NotFound: the organization has none of this name that is not verified.
        """
        domain = await self._floor.domains.require(session.organization.id, name)
        if domain.verified_at is not None:
            raise NotFound(_IS_VERIFIED)
        await self._floor.domains.remove(session.organization.id, domain.name, by=session.by)

    async def _page(
        self,
        request: Request,
        session: SetupSession,
        *,
        error: ApiError | None = None,
        problem: str | None = None,
        typed: str = "",
        faults: Mapping[str, str] | None = None,
    ) -> Response:
        progress = await Progress.of(self._floor, session)
        new = FormField(
            name="domain",
            title=translate(Text("Another domain") if progress.domains else Text("Domain")),
            hint=translate(Text("What stands behind the @ of your addresses: acme.example")),
            value=typed,
            error=public_message(error) if isinstance(error, InvalidArgument) else "",
        )
        return await self._frame.page(
            request,
            session,
            "sso/setup/domains.html",
            step="domain",
            progress=progress,
            error=error,
            problem=problem or "",
            domains=[_row(one, faults or {}) for one in progress.domains],
            new=new,
            may_go_on=progress.has_domain,
        )


def _row(domain: Domain, faults: Mapping[str, str]) -> dict[str, object]:
    record, problem = DomainRecord.of(domain.name, domain.token), faults.get(domain.name, "")
    if domain.failing_since is not None:
        since = format_time(domain.failing_since)
        problem = translate(Text("The record is not found any more since %(time)s.", time=since))
    return {
        "name": domain.name,
        "is_verified": domain.verified_at is not None,
        "is_asked": domain.verified_at is None or domain.failing_since is not None,
        "problem": problem,
        "record_name": record.name,
        "record_value": record.value,
    }


_IS_VERIFIED = Text("This domain is verified. To take it away, ask where you got the link.")
