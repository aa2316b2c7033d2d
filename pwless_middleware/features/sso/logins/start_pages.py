"""Where a login by a company's identity provider begins.

A browser that comes from our own login page, or from an address that somebody typed, is sent on at
once. One that another site has sent here is not: else any page could have its visitors signed in,
and one that has just been at the provider could go round in circles. It is shown a button, and the
quiet way out for who cannot reach the provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.challenges.challenge_context import open_hint
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.paths import LOGIN_PATH, SSO_START_PATH, safe_next
from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.break_glass import other_way_path
from pwless_middleware.features.sso.logins.browser import NEXT_LENGTH
from pwless_middleware.features.sso.logins.flow import SSOFlow
from pwless_middleware.features.sso.logins.problem import Problems
from pwless_middleware.flows.organizations.policies import usable_connections
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import organization_in
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

AGAIN: Final = 30
"""Seconds in which a browser that was sent to a provider is not sent there once more by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What a query or a form asks for.

    Attributes:
        organization: whose login it is.
        connections: by which it can be: one, several to choose from, or none that is turned on.
        next: where it leads; already checked.
        hint: the address, sealed; empty for none.
    """

    organization: Organization
    connections: Sequence[Connection]
    next: str
    hint: str


class StartPages:
    """Lead browsers to providers.

    Args:
        kit: everything below.
        floor: knows organizations and connections.
        flow: begins logins.
        problems: show the page of a login that did not work.
    """

    def __init__(
        self, kit: Kit, floor: OrganizationFloor, flow: SSOFlow, problems: Problems
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._flow = flow
        self._problems = problems
        self.routes = (Route(SSO_START_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Send a browser to the provider, or show the button that does."""
        start = await self._read(request.query_params)
        if len(start.connections) != 1 or not self._may_go_on(request, start):
            return await self._page(request, start)
        return await self._begin(request, start)

    async def post(self, request: Request) -> Response:
        """Send a browser to the provider."""
        start = await self._read(await read_form(request))
        if len(start.connections) != 1:
            return await self._page(request, start)
        return await self._begin(request, start)

    def _may_go_on(self, request: Request, start: _Start) -> bool:
        """Whether a browser may be sent on without being asked."""
        site, mode = (request.headers.get(f"sec-fetch-{name}") for name in ("site", "mode"))
        if request.method == "HEAD" or mode not in (None, "navigate"):
            return False
        if site not in (None, "same-origin", "none") or len(start.next) > NEXT_LENGTH:
            return False
        browser = self._flow.browser(request)
        since = self._kit.clock() - AGAIN
        return browser is None or not browser.has_begun(start.connections[0].id, since=since)

    async def _begin(self, request: Request, start: _Start) -> Response:
        connection = start.connections[0]
        hint = open_hint(self._kit.hints, start.hint, now=self._kit.clock()) if start.hint else None
        try:
            return await self._flow.begin(request, connection, hint=hint, next=start.next)
        except SSOFault as fault:
            caller = self._kit.callers.browser(request)
            return await self._problems.show(
                request, fault, caller, connection=connection, next=start.next
            )

    async def _read(self, fields: Mapping[str, str]) -> _Start:
        """Return what is asked for.

        Raises:
            NotFound: there is no such organization or connection.
        """
        next, hint = safe_next(fields.get("next")) or "/", fields.get("hint", "")
        if "connection" in fields:
            found = await self._flow.connection(fields["connection"])
            if found is None:
                raise NotFound
            connection, organization = found
            connections = [connection]
        else:
            key = organization_in(fields)
            known = await self._floor.directory.find(key) if key else None
            if known is None:
                raise NotFound
            organization = known
            connections = [*await self._floor.directory.connections_of(organization.id)]
        usable = usable_connections(organization, connections)
        return _Start(organization=organization, connections=usable, next=next, hint=hint)

    async def _page(self, request: Request, start: _Start) -> Response:
        await self._kit.pages.write_for(request, start.organization.id)
        query = {"organization": start.organization.id}
        if start.next != "/":
            query["next"] = start.next
        is_required = start.organization.policy.sso == "required"
        path = other_way_path(self._kit) if is_required else await self._login_path(start)
        return self._kit.pages.page(
            request,
            "sso/start.html",
            leads_away=True,
            status=200 if start.connections else 403,
            organization=start.organization.name,
            action=SSO_START_PATH,
            connections=[(one.id, one.name) for one in start.connections],
            next=query.get("next", ""),
            hint=start.hint,
            other_way=f"{path}?{urlencode(query)}" if path else "",
            is_required=is_required,
        )

    async def _login_path(self, start: _Start) -> str:
        """Return the login page; empty where it has nothing but the button that leads back here."""
        look = await self._kit.looks.of(start.organization.id)
        is_alone = look is not None and look.methods == frozenset({SSO_METHOD})
        return "" if is_alone and start.connections else LOGIN_PATH
