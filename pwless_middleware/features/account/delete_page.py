"""The page on which a person deletes their account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.account.export_page import FRESH_WITHIN
from pwless_middleware.features.account.logout_page import DELETED, end_here
from pwless_middleware.features.account.profile_page import DELETE_PATH
from pwless_middleware.flows.people.account_deletion import AccountDeletion
from pwless_middleware.text import Text
from pwless_middleware.web.gates.full_proof import require_full_proof
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route


class DeletePage:
    """Say what goes, ask once more, and delete.

    Args:
        kit: everything below.
        deletion: deletes accounts.
    """

    def __init__(self, kit: Kit, deletion: AccountDeletion) -> None:
        self._kit = kit
        self._deletion = deletion
        self.routes = (Route(DELETE_PATH, {"GET": self.show, "POST": self.delete}),)

    async def show(self, request: Request) -> Response:
        """Say what goes; who has not proven lately that it is them is asked first."""
        account = await require_full_proof(self._kit, request, fresh_within=FRESH_WITHIN)
        return self._page(request, account)

    async def delete(self, request: Request) -> Response:
        """Delete the account, and sign this browser out with all others."""
        form = await read_form(request)
        account = await require_full_proof(
            self._kit, request, fresh_within=FRESH_WITHIN, back=DELETE_PATH
        )
        if form.get("sure") != "yes":
            problem = Text("Check the box to confirm that you want to delete your account.")
            return self._page(request, account, InvalidArgument.of("sure", problem, "required"))
        caller = self._kit.callers.browser(request)
        try:
            await self._deletion.delete(account.user, caller)
        except InvalidArgument as error:
            return self._page(request, account, error)
        return end_here(self._kit, request, done=DELETED)

    def _page(
        self, request: Request, account: Account, error: InvalidArgument | None = None
    ) -> Response:
        return self._kit.pages.page(
            request,
            "delete_account.html",
            status=error.status if error else 200,
            user_email=account.user.email,
            problem=public_message(error) if error else None,
        )
