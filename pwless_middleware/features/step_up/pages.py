"""The page that asks again who it is."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import STRENGTHS, Strength, is_at_least
from pwless_middleware.core.organizations.policy_decision import may_renew
from pwless_middleware.core.paths import STEP_UP_PATH, safe_next
from pwless_middleware.features.step_up.step_methods import step_up_by
from pwless_middleware.languages.current import translate
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import StepUpMethod, scripts_of
from pwless_middleware.web.parts.parts import Part, ShownPart
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

_LONGEST = 10**8
"""Seconds in `within` that are read, at most."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the query asks for; nothing is let through by it, whoever asked for it checks again.

    Attributes:
        next: where the page leads; empty is the app's root.
        within: seconds that a proof counts as fresh; `None` asks for a proof in any case.
        strength: what the fresh proofs must be worth.
    """

    next: str
    within: int | None
    strength: Strength

    @classmethod
    def of(cls, request: Request) -> _Wanted:
        query = request.query_params
        within, strength = query.get("within", ""), query.get("strength", "any")
        is_number = within.isascii() and within.isdigit() and len(within) <= len(str(_LONGEST))
        return cls(
            safe_next(query.get("next")) or "",
            int(within) if is_number else None,
            strength if strength in STRENGTHS else "any",
        )


class StepUpPages:
    """Show the page, and hand a posted form to the method whose it is.

    A form goes to the page's own address, query and all, so that no answer loses where it leads.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route(STEP_UP_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Ask; or go on at once, if the proof that was asked for is there."""
        account, wanted = await self._kit.accounts.require(request), _Wanted.of(request)
        if wanted.within is not None and account.session.is_fresh(
            now=self._kit.clock(), within=wanted.within, strength=wanted.strength
        ):
            return self._kit.pages.redirect(request, self._next(request, wanted), ours=False)
        return await self._page(request, account, wanted)

    async def post(self, request: Request) -> Response:
        """Have a method answer its form."""
        form = await read_form(request)
        account, wanted = await self._kit.accounts.require(request), _Wanted.of(request)
        methods = await self._methods(account, wanted)
        method = next((m for m in methods if m.name == form.get("method")), None)
        if method is None:
            return await self._page(request, account, wanted)
        answer = await method.post(request, account, form, self._next(request, wanted))
        if isinstance(answer, Response):
            return answer
        return await self._page(request, account, wanted, {method.name: answer})

    async def _methods(self, account: Account, wanted: _Wanted) -> list[StepUpMethod]:
        """Return the ways that are strong enough, and that the session's organization has."""
        offers = self._kit.offers
        names = {method.name for method in offers.step_up}
        found = [step_up_by(self._kit, one) for one in offers.steps if one.method.name not in names]
        offered = [*offers.step_up, *(method for method in found if method is not None)]
        offered.sort(key=lambda method: method.order)
        policy = await self._kit.policies.of_session(account.session)
        email = Address(account.session.email)
        return [
            method
            for method in offered
            if is_at_least(method.strength, wanted.strength)
            and may_renew(policy, method.name, email=email)
        ]

    def _next(self, request: Request, wanted: _Wanted) -> str:
        return wanted.next or root_path(request) + "/"

    async def _page(
        self,
        request: Request,
        account: Account,
        wanted: _Wanted,
        posted: Mapping[str, Part] | None = None,
    ) -> Response:
        posted, methods = posted or {}, await self._methods(account, wanted)
        asked = [(m, posted.get(m.name) or await m.show(request, account)) for m in methods]
        shown = [(method, part) for method, part in asked if part is not None]
        # What somebody is in the middle of comes first, and the others stay where they are.
        shown.sort(key=lambda one: not (one[1].is_begun or one[0].name in posted))
        worst = max((part for _, part in shown), key=lambda part: part.status, default=Part())
        action = self._kit.pages.here(request)
        return self._kit.pages.page(
            request,
            "step_up.html",
            leads_away=True,
            status=worst.status,
            retry_after=worst.retry_after,
            parts=[
                ShownPart(
                    self._kit.pages.part(
                        request, method.template, **part.context, action=action, method=method.name
                    ),
                    is_scripted=method.is_scripted,
                    title=translate(method.title or method.name),
                )
                for method, part in shown
            ],
            scripts=scripts_of(method for method, _ in shown),
            # Any login is a fresh proof, also at a provider that cannot be told to ask again.
            logout_next=self._next(request, wanted) if wanted.strength == "any" else "",
            user_email=account.user.email,
            error=worst.context.get("error"),
            problem=worst.context.get("problem"),
        )
