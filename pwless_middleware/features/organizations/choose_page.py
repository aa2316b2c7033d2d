"""The page on which who is a member of several organizations chooses one, after a login."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.errors import ApiError
from pwless_middleware.features.organizations.entrances import Entrances
from pwless_middleware.features.organizations.paths import CHOOSE_PATH
from pwless_middleware.features.organizations.rows import read_own
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route


class ChoosePage:
    """Decide who is asked, and show the page. Its buttons are those of the account's page.

    Args:
        kit: everything below.
        entrances: find what somebody may enter.
    """

    def __init__(self, kit: Kit, entrances: Entrances) -> None:
        self._kit = kit
        self._entrances = entrances
        self.routes = (Route(CHOOSE_PATH, {"GET": self.show}),)

    async def after_login(self, request: Request, done: LoginResult) -> str | None:
        """Return the page for whose login has entered none, and who could have.

        It never stands in the way: where it cannot be known, the login leads on.
        """
        if done.session.organization is not None:
            return None
        try:
            members = await self._entrances.memberships(done.user.id)
            offers = await self._entrances.offers(done.user.id, done.login.email)
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return None
        return CHOOSE_PATH if members or offers else None

    async def show(self, request: Request) -> Response:
        """Show the organizations; who has none to choose goes on."""
        account = await self._kit.accounts.require(request)
        onward = safe_next(request.query_params.get("next")) or root_path(request) + "/"
        own = await read_own(self._entrances, account)
        if not (own.members or own.offers):
            return self._kit.pages.redirect(request, onward, ours=False)
        return self._kit.pages.page(
            request,
            "organizations/choose.html",
            leads_away=True,
            members=own.members,
            offers=own.offers,
            user_email=account.user.email,
            onward=onward,
        )
