"""The page of a person's accounts at providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.sso.social.linked_accounts import LinkedAccounts
from pwless_middleware.features.sso.social.mails import id_of
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/account/linked"
FRESH_WITHIN: Final = 300
"""Seconds since the proof that unlinking asks for."""


@dataclass(frozen=True, slots=True)
class LinkedRow:
    """One line of the page; the times as people read them, and as machines do.

    Attributes:
        id: of the account, for the form.
        provider: its name.
        email: the address that the provider said last; empty for none.
        created_at, created_iso: when it was linked.
        used_at, used_iso: when it last signed in.
    """

    id: str
    provider: str
    email: str
    created_at: str
    created_iso: str
    used_at: str
    used_iso: str


class LinkedAccountPages:
    """Show the page, and unlink.

    Args:
        kit: everything below.
        linked: finds them.
        titles: of the providers, by id.
    """

    def __init__(self, kit: Kit, linked: LinkedAccounts, titles: Mapping[str, str]) -> None:
        self._kit = kit
        self._linked = linked
        self._titles = titles
        self.account_page = AccountPage(title=Text("Linked accounts"), path=PATH, order=35)
        self.routes = (Route(PATH, {"GET": self.show, "POST": self.unlink}),)

    async def show(self, request: Request) -> Response:
        """List the accounts."""
        account = await self._kit.accounts.require(request)
        return await self._page(request, account)

    async def unlink(self, request: Request) -> Response:
        """Unlink one; who has not proven lately that it is them is asked for that first."""
        form = await read_form(request)
        account = await self._kit.accounts.require(
            request,
            fresh_within=FRESH_WITHIN,
            strength=await self._strength(request),
            back=PATH,
        )
        try:
            await self._linked.unlink(account.user.id, form.get("id", ""), session=account.session)
        except InvalidArgument as error:
            return await self._page(request, account, error=error)
        except NotFound:  # pressed twice
            return self._kit.pages.redirect(request, f"{PATH}?done=unlinked")
        return self._kit.pages.redirect(request, f"{PATH}?done=unlinked")

    async def _strength(self, request: Request) -> Strength:
        account = await self._kit.accounts.require(request, back=PATH)
        return await self._kit.offers.strength_of(account.user.id)

    async def _page(
        self, request: Request, account: Account, *, error: InvalidArgument | None = None
    ) -> Response:
        linked = await self._linked.list(account.user.id)
        is_done = request.query_params.get("done") == "unlinked" and error is None
        return self._kit.pages.page(
            request,
            "social/account.html",
            status=200 if error is None else error.status,
            account_pages=self._kit.offers.account_pages,
            current_path=PATH,
            page_url=root_path(request) + self._kit.prefix + PATH,
            linked=[self._row(one) for one in linked],
            may_unlink=not await self._linked.is_last_way(account.user.id, linked),
            notice=translate(Text("The account is unlinked.")) if is_done else None,
            problem=None if error is None else translate(error.public_texts[0]),
        )

    def _row(self, identity: Identity) -> LinkedRow:
        now = self._kit.clock()
        return LinkedRow(
            id=id_of(identity),
            provider=self._titles.get(identity.connection, identity.connection),
            email=identity.email,
            created_at=format_ago(identity.created_at, now),
            created_iso=format_iso(identity.created_at),
            used_at=format_ago(identity.seen_at, now),
            used_iso=format_iso(identity.seen_at),
        )
