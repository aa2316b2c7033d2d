"""The pages of a person's own organizations: which they are in, the switch, and the way out."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import ENTER_PATH, LOGIN_PATH, safe_next
from pwless_middleware.errors import ApiError, LoginDenied, NotFound
from pwless_middleware.features.organizations.entrances import Entrances
from pwless_middleware.features.organizations.leaving import FRESH_WITHIN, Leaving
from pwless_middleware.features.organizations.paths import ACCOUNT_PATH
from pwless_middleware.features.organizations.rows import read_own
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import public_message, root_path
from pwless_middleware.web.routing.routes import Route

_LEFT: Final = Text("You are no longer a member of it.")


class AccountPages:
    """Show what somebody is a member of; take their session into one of them, or them out of it.

    Args:
        kit: everything below.
        entrances: find what somebody may enter.
        leaving: ends memberships.
    """

    def __init__(self, kit: Kit, entrances: Entrances, leaving: Leaving) -> None:
        self._kit = kit
        self._entrances = entrances
        self._leaving = leaving
        self.account_page = AccountPage(title=Text("Organizations"), path=ACCOUNT_PATH, order=40)
        self.routes = (
            Route(ACCOUNT_PATH, {"GET": self.show}),
            Route(ENTER_PATH, {"POST": self.enter}),
            Route(f"{ACCOUNT_PATH}/leave", {"GET": self.show_leave, "POST": self.leave}),
        )

    async def show(self, request: Request) -> Response:
        """List them."""
        account = await self._kit.accounts.require(request, back=ACCOUNT_PATH)
        return await self._page(request, account)

    async def enter(self, request: Request) -> Response:
        """Switch to an organization, or join it; its rules may ask for more (security rule 55)."""
        form = await read_form(request)
        account = await self._kit.accounts.require(request, back=ACCOUNT_PATH)
        onward = safe_next(form.get("next")) or root_path(request) + "/"
        caller = self._kit.callers.browser(request)
        attempt = self._kit.logins.enter_organization(
            account.session, form.get("organization", ""), caller, next=onward
        )
        try:
            return await respond_with_page(self._kit, request, caller, attempt)
        except LoginDenied as error:
            return await self._page(request, account, error)

    async def show_leave(self, request: Request) -> Response:
        """Ask whether to leave."""
        account = await self._kit.accounts.require(request, fresh_within=FRESH_WITHIN)
        found = request.query_params.get("organization", "")
        for entrance in await self._entrances.memberships(account.user.id):
            if entrance.organization.id == found:
                of_domain = await self._entrances.of_domain(account.session.email)
                return self._kit.pages.page(
                    request,
                    "organizations/leave.html",
                    organization=found,
                    organization_name=entrance.organization.name,
                    rejoins=of_domain is not None and of_domain.organization.id == found,
                )
        raise NotFound

    async def leave(self, request: Request) -> Response:
        """End the membership, and the sessions in the organization, this browser's as well."""
        form = await read_form(request)
        account = await self._kit.accounts.require(
            request, fresh_within=FRESH_WITHIN, back=ACCOUNT_PATH
        )
        if await self._leaving.leave(account, form.get("organization", "")):
            return self._leaving.sign_out(self._kit.pages.redirect(request, LOGIN_PATH))
        return self._kit.pages.redirect(request, f"{ACCOUNT_PATH}?done=left")

    async def _page(
        self, request: Request, account: Account, error: ApiError | None = None
    ) -> Response:
        own = await read_own(self._entrances, account)
        has_left = request.query_params.get("done") == "left"
        return self._kit.pages.page(
            request,
            "organizations/account.html",
            leads_away=True,
            status=error.status if error is not None else 200,
            members=own.members,
            offers=own.offers,
            user_email=account.user.email,
            account_pages=self._kit.offers.account_pages,
            current_path=ACCOUNT_PATH,
            notice=translate(_LEFT) if has_left else None,
            problem=public_message(error) if error is not None else None,
        )
