"""Test a connection: a whole login at the provider that signs nobody in, and a report about it.

The report is shown in the browser that ran the test alone, and shows what came and what was wrong
with it, in sentences for administrators. It ends after a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.sso_faults import FAULTS
from pwless_middleware.errors import NotFound, RequestExpired
from pwless_middleware.features.sso.connections.reports import Report, ReportedFault, text_of
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.flow import Answered, SSOFlow
from pwless_middleware.features.sso.logins.linking import Arrival, Linking
from pwless_middleware.features.sso.logins.login_states import LoginState
from pwless_middleware.features.sso.logins.problem import Problems
from pwless_middleware.features.sso.logins.protocols import Protocols, ProviderLogin
from pwless_middleware.features.sso.paths import test_path
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH, organization_path
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

KEPT: Final = 900
"""Seconds that a report can be looked at."""

FIELDS: Final[Mapping[str, str]] = {
    "subject": Text("Subject (sub)"),
    "email": Text("Email address"),
    "name": Text("Name"),
    "groups": Text("Groups"),
    "role": Text("Role"),
    "second_factor": Text("Second factor at the provider"),
}
"""What is shown of the person, in this order."""
_YES: Final = "✓"


class ConnectionTests:
    """Begin tests, and report on what comes of them.

    Args:
        kit: everything below.
        floor: keeps connections.
        flow: begins logins.
        protocols: read answers.
        linking: says whether somebody could be linked.
        problems: record what was the matter.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        flow: SSOFlow,
        protocols: Protocols,
        linking: Linking,
        problems: Problems,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._flow = flow
        self._protocols = protocols
        self._linking = linking
        self._problems = problems
        self._reports = kit.records("reports")
        path = test_path("{connection}")
        self.routes = (Route(path, {"GET": self.show_report, "POST": self.begin_for_operator}),)

    async def begin_for_operator(self, request: Request) -> Response:
        """Begin a test for an operator, from a page of the dashboard."""
        back = ORGANIZATIONS_PATH
        await self._kit.operators.require_change(request, role="admin", back=back)
        connection = await self._floor.connections.find(request.path_params["connection"])
        if connection is None:
            raise NotFound
        back = organization_path(connection.organization, f"/connections/{connection.id}")
        return await self.begin(request, connection, back=back)

    async def begin(self, request: Request, connection: Connection, *, back: str) -> Response:
        """Send a browser to the provider; who may do so is for the caller to say.

        The page that leads there is one of its own, so that the page with the form need not allow
        its forms to end elsewhere.

        Args:
            request: of the administrator's browser.
            connection: which one is tested; it need not be turned on.
            back: where the report leads back to, below the prefix.
        """
        caller = self._kit.callers.browser(request)
        try:
            return await self._flow.begin(request, connection, kind="test", next=back, by_page=True)
        except SSOFault as fault:
            attempt = self._flow.new_attempt()
            self._problems.record(fault, caller, connection=connection, attempt=attempt)
            return self._page(request, connection, Report.of(fault), back)

    async def show(
        self,
        request: Request,
        answered: Answered,
        verify: Callable[[Answered], Awaitable[ProviderLogin]],
        caller: Caller,
    ) -> Response:
        """Keep the report of an OpenID provider's answer, and show it."""
        try:
            report = await self._report(answered, await verify(answered), caller)
        except SSOFault as fault:
            self._note(fault, answered, caller)
            report = Report.of(fault)
        return await self.keep(request, answered.connection, answered.state, report)

    async def report_saml(self, answered: Answered, response: str, caller: Caller) -> Report:
        """Return the report of a SAML provider's answer.

        Raises:
            SSOFault: the connection is not complete, or the answer has come before.
        """
        found = self._protocols.explain_saml(answered.connection, answered.state, response)
        came = Report(
            faults=tuple(ReportedFault.of(fault) for fault in found.faults),
            warnings=tuple(ReportedFault.of(fault) for fault in found.warnings),
            received=tuple((one.label.message, one.value) for one in found.received),
            attributes=tuple((name, text_of(values)) for name, values in found.attributes),
        )
        if found.faults:
            self._note(found.faults[0], answered, caller)
            return came
        login = await self._protocols.finish_saml(answered.connection, answered.state, response)
        report = await self._report(answered, login, caller)
        warnings = (*came.warnings, *report.warnings)
        return replace(came, warnings=warnings, person=report.person)

    async def keep(
        self, request: Request, connection: Connection, state: LoginState, report: Report
    ) -> Response:
        """Keep a report for the browser that has run the test, and lead it there."""
        browser = self._flow.browser(request)
        if browser is None:
            raise NotFound
        key = b64(state.id)
        name = f"{browser.name} {connection.id} {key}"
        await self._reports.put(name, report.pack(), ttl=KEPT)
        return self._kit.pages.redirect(request, f"{test_path(connection.id)}?report={key}")

    async def show_report(self, request: Request) -> Response:
        """Show a report to the browser that has run the test."""
        connection = await self._floor.connections.find(request.path_params["connection"])
        browser = self._flow.browser(request)
        if connection is None or browser is None:
            raise NotFound
        id = request.query_params.get("report", "")
        record = await self._reports.read(f"{browser.name} {connection.id} {id}")
        if record is None:
            raise RequestExpired
        begun = next((one for one in browser.logins if b64(one.id) == id), None)
        back = begun.next if begun is not None else ""
        return self._page(request, connection, Report.unpack(record.value), back)

    async def _report(self, answered: Answered, login: ProviderLogin, caller: Caller) -> Report:
        """Return the report of an answer that a login would have worked by."""
        person, connection = login.person, answered.connection
        arrival = Arrival(
            connection=connection,
            organization=answered.organization,
            person=person,
            caller=caller,
            attempt=answered.state.id,
        )
        warnings: tuple[ReportedFault, ...] = ()
        try:
            await self._linking.check_address(arrival)
        except SSOFault as fault:
            warnings = (ReportedFault.of(fault),)
        if connection.kind == "oidc" and connection.config.get("roles") and not person.groups:
            # Nor does Entra of somebody in more than 200 groups: it says where they can be asked.
            claim = str(connection.config.get("groups_claim", "groups"))
            warnings = (*warnings, ReportedFault("groups_missing", claim))
        await self._flow.give_back(answered)
        if connection.tested_at is None:
            await self._floor.connections.mark_tested(connection.id, by="person")
        self._kit.events.record(
            "sso.tested",
            caller,
            attempt=answered.state.id,
            organization=answered.organization.id,
            details={"connection": connection.id},
        )
        values = {
            "subject": person.subject,
            "email": person.email or "",
            "name": person.name,
            "groups": text_of(person.groups),
            "role": login.role or "",
            "second_factor": _YES if login.has_second_factor else "",
        }
        return Report(
            warnings=warnings,
            person=tuple(values.items()),
            attributes=tuple((name, text_of(value)) for name, value in person.claims.items()),
        )

    def _note(self, fault: SSOFault, answered: Answered, caller: Caller) -> None:
        self._problems.record(
            fault, caller, connection=answered.connection, attempt=answered.state.id
        )

    def _page(
        self, request: Request, connection: Connection, report: Report, back: str
    ) -> Response:
        person = dict(report.person)
        return self._kit.pages.page(
            request,
            "sso/test_report.html",
            shown_at=None,  # the URL holds an answer that counts once
            connection_name=connection.name,
            faults=_shown(report.faults),
            warnings=_shown(report.warnings),
            person=[
                (translate(label), person[name]) for name, label in FIELDS.items() if name in person
            ],
            received=[(translate(Text(label)), text) for label, text in report.received],
            attributes=report.attributes,
            back=root_path(request) + self._kit.prefix + back if back else "",
        )


def _shown(faults: Sequence[ReportedFault]) -> list[dict[str, str]]:
    return [
        {
            "text": translate(FAULTS[one.code]),
            "expected": one.expected,
            "received": one.received,
        }
        for one in faults
    ]
