"""Leave an organization: the membership ends, and with it every session in the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from pwless_middleware.errors import NotFound
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import SIGNED_OUT, with_cookies

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

FRESH_WITHIN: Final = 300
"""Seconds since who leaves has last proven who they are (security rule 26)."""


class Leaving:
    """Take somebody out of an organization, because they want to.

    Args:
        kit: everything below.
        floor: keeps the members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor

    async def leave(self, account: Account, organization: str) -> bool:
        """End a membership; return whether the person's own session has ended with it.

        Args:
            account: who leaves.
            organization: its id.

        Raises:
            NotFound: the person is no member of it.
            StoreError: database or store cannot be asked; it can be asked again.
        """
        member = await self._floor.directory.membership(account.user.id, organization)
        if member is None or not member.is_active:
            raise NotFound
        await self._floor.members.remove(organization, account.user.id, by="person")
        return account.session.organization == organization

    def sign_out(self, response: Response) -> Response:
        """Have a browser forget its session, which has ended."""
        response.headers.update(SIGNED_OUT)
        return with_cookies(response, [self._kit.cookies.clear_session()])
