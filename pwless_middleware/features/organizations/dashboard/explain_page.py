"""What would happen if somebody signed in to an organization now, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.explanation import ExplainedWay, Explanation, Outcome
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.organization_gate import find_organization, show_organization
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATION_PATH, OrganizationTab
from pwless_middleware.web.parts.person_parts import has_page, person_path
from pwless_middleware.web.responses.form_problems import read_done
from pwless_middleware.web.responses.policy_words import name_method
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/explain"
_OUTCOMES: Final[Mapping[Outcome, tuple[Text, str]]] = {
    "session": (Text("Signed in"), "good"),
    "step": (Text("A second factor is asked for"), "info"),
    "enrollment": (Text("A second factor has to be added"), "warn"),
    "elsewhere": (Text("Led to the company’s login"), "info"),
    "denied": (Text("Refused"), "bad"),
}
"""What comes of a way in, in words, and their tone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayRow:
    """One way in as it is shown.

    Attributes:
        title: what it is called.
        outcome, tone: what comes of it, in words, and their tone.
        why: the same as a sentence.
    """

    title: str
    outcome: str
    tone: str
    why: str

    @classmethod
    def of(cls, way: ExplainedWay, names: Mapping[str, str]) -> WayRow:
        """Return a way in as it is shown, with the names of connections."""
        title = name_method(way.method)
        if way.connection is not None:
            title = names.get(way.connection, title)
        outcome, tone = _OUTCOMES[way.outcome]
        return cls(title=title, outcome=translate(outcome), tone=tone, why=translate(way.text))


class ExplainPage:
    """Explain a login.

    Args:
        kit: the feature's.
        floor: explains logins.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.tab = OrganizationTab(title=Text("Explain"), path=TAB, order=60)
        self.routes = (Route(f"{ORGANIZATION_PATH}{TAB}", {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Show what would happen to an address; nothing is counted or sent."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        typed, error, found = "", None, None
        try:
            _, email = read_done(request, {}, "email")
            typed = (email or "").strip()
            address = parse_address(typed) if typed else None
            if typed and address is None:
                problem = Text("Enter one email address, like jo@example.com.")
                raise InvalidArgument.of("email", problem, "email")
            if address is not None:
                found = await self._floor.explanations.explain(address, organization)
        except InvalidArgument as refused:
            error = refused
        connections = await self._floor.connections.list(organization.id)
        names = {one.id: one.name for one in connections}
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/explain.html",
            status=error.status if error is not None else 200,
            email=typed,
            error=public_message(error) if error is not None else "",
            facts=[translate(text) for text in found.facts] if found is not None else [],
            demands=[translate(text) for text in found.demands] if found is not None else [],
            ways=[WayRow.of(one, names) for one in found.ways] if found is not None else [],
            person=_person_path(found),
        )


def _person_path(found: Explanation | None) -> str:
    """Return where the person's page is, below the prefix; empty for nobody."""
    id = found.user_id if found is not None else None
    return person_path(id) if id is not None and has_page(id) else ""
