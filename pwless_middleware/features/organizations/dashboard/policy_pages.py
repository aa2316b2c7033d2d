"""The policy of an organization: what holds, what a change would do, and the change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy, stricter
from pwless_middleware.core.organizations.policy_json import policy_from_json, policy_to_json
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.organizations.dashboard.deployment import DeploymentPolicy
from pwless_middleware.features.organizations.dashboard.policy_effects import describe
from pwless_middleware.features.organizations.dashboard.policy_form import (
    MOST_FIELDS,
    make_fields,
    read_policy,
)
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
from pwless_middleware.web.requests.bodies import parse_json, read_form
from pwless_middleware.web.responses.form_problems import (
    problem_above,
    problems_of,
    read_done,
    read_version,
)
from pwless_middleware.web.responses.policy_words import TITLES, name_held, name_value
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/policy"
_DONE: Final[Mapping[str, Text]] = {
    "changed": Text("The policy holds now, from the next login on."),
    "applied": Text("The policy holds for running sessions, too."),
}

_STALE: Final = Text("Somebody has changed it meanwhile. What you see is what you have chosen.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One field as the page shows it.

    Attributes:
        title: what people call it.
        own: what the organization asks, in words.
        inherited: what all others ask.
        holds: what comes of both.
    """

    title: str
    own: str
    inherited: str
    holds: str


class PolicyPages:
    """Show the policy, change it, and apply it to running sessions.

    Args:
        kit: the feature's.
        floor: keeps organizations.
        deployment: what is asked of everybody.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        deployment: DeploymentPolicy,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._deployment = deployment
        self.tab = OrganizationTab(title=Text("Policy"), path=TAB, order=50)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.show}),
            Route(f"{here}/edit", {"GET": self.show_edit, "POST": self.look}),
            Route(f"{here}/save", {"POST": self.save}),
            Route(f"{here}/apply", {"GET": self.show_apply, "POST": self.apply}),
        )

    async def show(self, request: Request) -> Response:
        """Show each rule: what the organization asks, what others do, and what holds."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        (notice,) = read_done(request, _DONE)
        own, inherited = organization.policy, await self._deployment.find()
        holds = stricter(own, inherited)
        enforced = organization.enforced_at
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/policy.html",
            notice=notice,
            rows=[
                PolicyRow(
                    title=translate(title),
                    own=name_value(name, getattr(own, name)),
                    inherited=name_value(name, getattr(inherited, name)),
                    holds=name_held(name, getattr(holds, name)),
                )
                for name, title in TITLES.items()
            ],
            conditions=await self._conditions(organization),
            enforced_at=format_time(enforced) if enforced else "",
            enforced_iso=format_iso(enforced) if enforced else "",
        )

    async def show_edit(self, request: Request) -> Response:
        """Show the form; what is typed there must not be lost to a further proof."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/edit")
        )
        organization = await find_organization(self._kit, request)
        return await self._form(request, operator, organization)

    async def look(self, request: Request) -> Response:
        """Show what a change would do; nothing is changed yet."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/edit")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request, most_fields=MOST_FIELDS)
        try:
            policy = policy_from_json(read_policy(form), field="")
        except InvalidArgument as error:
            return await self._form(request, operator, organization, form, error=error)
        if read_version(form) != organization.version:
            stale = InvalidArgument.of("version", _STALE, "version")
            return await self._form(request, operator, organization, form, error=stale)
        if policy == organization.policy:
            notice = translate(Text("That holds already."))
            return await self._form(request, operator, organization, form, notice=notice)
        return await self._confirm(request, operator, organization, policy)

    async def save(self, request: Request) -> Response:
        """Make a change that was looked at."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/edit")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        policy = policy_from_json(parse_json(form.get("policy", "").encode()), field="")
        try:
            await self._floor.organizations.set_policy(
                organization.id, policy, seen=read_version(form), by=operator.by
            )
        except InvalidArgument as error:
            return await self._confirm(request, operator, organization, policy, error)
        return lead_to_tab(self._kit, request, organization, TAB, "changed")

    async def show_apply(self, request: Request) -> Response:
        """Say what it does to hold running sessions to the policy."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/apply.html",
            path=ORGANIZATIONS_PATH,
            organization=organization,
        )

    async def apply(self, request: Request) -> Response:
        """Hold running sessions to the policy."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/apply")
        )
        organization = await find_organization(self._kit, request)
        await self._floor.organizations.apply_now(organization.id, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "applied")

    # --- parts ---------------------------------------------------------------------------------

    async def _conditions(self, organization: Organization) -> Sequence[tuple[str, bool]]:
        """Return what has to be there before single sign-on can be required (rule 54)."""
        connections = await self._floor.connections.list(organization.id)
        has_worked = any(one.is_enabled and one.tested_at is not None for one in connections)
        can_help = await self._floor.organizations.has_break_glass(organization)
        member = Text("A break-glass address is an active member’s with a second factor.")
        return (
            (translate(Text("A connection that is on has worked in a test.")), has_worked),
            (translate(member), can_help),
        )

    async def _form(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        form: Mapping[str, str] | None = None,
        *,
        error: InvalidArgument | None = None,
        notice: str | None = None,
    ) -> Response:
        problems = problems_of(error, tuple(TITLES))
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/policy_edit.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            version=organization.version,
            fields=make_fields(
                organization.policy, await self._deployment.find(), form=form, problems=problems
            ),
            problem=problem_above(error, tuple(TITLES)),
            notice=notice,
        )

    async def _confirm(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        policy: Policy,
        error: InvalidArgument | None = None,
    ) -> Response:
        problems = problems_of(error, tuple(TITLES))
        effects = describe(organization.policy, policy, await self._deployment.find())
        hidden = {
            "version": str(organization.version),
            "policy": json.dumps(policy_to_json(policy)),
        }
        shown = [one.name for one in effects]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/policy_confirm.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            organization=organization,
            effects=effects,
            problems=problems,
            hidden=hidden,
            may_save=bool(effects),
            problem=problem_above(error, shown),
        )
