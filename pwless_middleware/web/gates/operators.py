"""The gate of the dashboard, the same for every page of every feature (security rule 60).

    operator = await kit.operators.require(request)                  # to look
    operator = await kit.operators.require_change(                   # to change
        request, role="admin", back="/dashboard/settings"
    )
    return kit.operators.page(
        request, operator, "dashboard/people.html", path="/dashboard/people", people=found
    )

A session first, then an operator's role, then how long ago the person proved who they are. Who is
signed in and no operator gets the answer that a path without a page gets. The dashboard feature
says who is an operator (`Mounted.operators`); without it nobody is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.operators.operator import Role, covers
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import NotFound
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account, Accounts
from pwless_middleware.web.parts.offers import DashboardPage, Offers
from pwless_middleware.web.responses.responses import Pages

LOOK_SECONDS: Final = 12 * 3600
"""How old the last proof may be of who looks (security rule 60)."""
CHANGE_SECONDS: Final = 300
"""How old the last proof may be of who changes something (security rule 60)."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who uses the dashboard.

    Attributes:
        account: the person and their session.
        role: what they may do.
    """

    account: Account
    role: Role

    @property
    def user(self) -> User:
        """The person."""
        return self.account.user

    @property
    def by(self) -> str:
        """What events and histories call them, in 100 characters."""
        return f"operator:{self.account.user.id}"[:100]

    def may(self, role: Role) -> bool:
        """Whether they may do what a role may."""
        return covers(self.role, role)


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """Say who is an operator, and how they have to prove who they are.

    Attributes:
        role_of: returns a user's role, `None` for who is no operator; raises where it cannot be
            known now.
        strength: what a proof must be worth at least. Operators who have a second factor must
            always use it.
        list_admins: returns the address and the chosen language of each `admin`; an empty language
            is the default.
        describe_kind: returns what is recorded as a kind of event, in the language that is being
            written; `None` has the words of its declaration.
    """

    role_of: Callable[[User], Awaitable[Role | None]]
    strength: Strength = "any"
    list_admins: Callable[[], Awaitable[Sequence[tuple[Address, str]]]] | None = None
    describe_kind: Callable[[EventKind], str] | None = None


Banner = Callable[[], Awaitable[Text | None]]
"""Returns a line that stands above every page of the dashboard while something is out of the
ordinary, or `None`."""


@dataclass(frozen=True, slots=True)
class NavigationGroup:
    """Pages of the dashboard that stand together in the navigation.

    Attributes:
        title: above them; empty for none.
        pages: in order.
    """

    title: str
    pages: Sequence[DashboardPage]


class Operators:
    """Let operators in, and show them pages in the dashboard's frame.

    Args:
        accounts, pages, offers: what it works with.
    """

    def __init__(self, accounts: Accounts, pages: Pages, offers: Offers) -> None:
        self._accounts = accounts
        self._pages = pages
        self._offers = offers
        self._rules: OperatorRules | None = None
        self._banners: tuple[Banner, ...] = ()

    def bind(self, rules: OperatorRules | None, banners: Iterable[Banner]) -> None:
        """Take what the features say, once; `None` where no dashboard is mounted."""
        self._rules, self._banners = rules, tuple(banners)

    @property
    def is_mounted(self) -> bool:
        """Whether there is a dashboard."""
        return self._rules is not None

    async def role_of(self, user: User) -> Role | None:
        """Return a user's role; `None` for who is no operator, or where there is no dashboard.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        return None if self._rules is None else await self._rules.role_of(user)

    async def role_of_account(self, account: Account) -> Role | None:
        """Return the role of somebody who is signed in, `None` as of `role_of`.

        What the code gives to an address is theirs who signed in with it: a table of the host's own
        may let people write another one into their profile, which nobody has proven.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        user = account.user
        if parse_address(user.email) != account.session.email:
            user = User(id=user.id, email="")
        return await self.role_of(user)

    async def admins(self) -> Sequence[tuple[Address, str]]:
        """Return the address and the chosen language of each `admin`, for a mail to all of them.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        rules = self._rules
        return () if rules is None or rules.list_admins is None else await rules.list_admins()

    def describe_kind(self, kind: EventKind) -> str:
        """Return what is recorded as a kind of event, in the language that is being written."""
        rules = self._rules
        if rules is None or rules.describe_kind is None:
            return kind.meaning
        return rules.describe_kind(kind)

    async def require(
        self, request: Request, role: Role = "view", *, back: str | None = None
    ) -> Operator:
        """Return the operator who wants to look at something.

        It comes first in a handler, before a query or a form is read.

        Args:
            request: to a page of the dashboard.
            role: which a page is for; default `view`.
            back: where they go on after signing in, below the prefix; `None` is the page itself.

        Raises:
            Unauthenticated: nobody is signed in; the page becomes a redirect to the login page.
            NotFound: somebody else is, or an operator with a lesser role.
            StepUpRequired: they have not proven who they are for twelve hours; the page becomes a
                redirect to the page that asks again.
            StoreError, Unavailable: it cannot be known now.
        """
        return await self._require(request, role, LOOK_SECONDS, back)

    async def require_change(self, request: Request, *, role: Role, back: str) -> Operator:
        """Return the operator who wants to change something.

        It comes first in a handler, before a form is read.

        Args:
            request: to a page of the dashboard.
            role: who may change it.
            back: where they go on after a fresh proof, below the prefix: a page, not its form.

        Raises:
            Unauthenticated, NotFound, StepUpRequired, StoreError, Unavailable: as `require`, but
                the proof is five minutes old at most.
        """
        return await self._require(request, role, CHANGE_SECONDS, back)

    async def _require(
        self, request: Request, role: Role, within: int, back: str | None
    ) -> Operator:
        rules = self._rules
        if rules is None:
            raise NotFound
        account = await self._accounts.require(request, back=back)
        has = await self.role_of_account(account)
        if has is None or not covers(has, role):
            raise NotFound
        strength = await self._strength_for(account.user.id, rules.strength)
        self._accounts.require_fresh(request, account, within=within, strength=strength, back=back)
        return Operator(account, has)

    async def _strength_for(self, user_id: str, least: Strength) -> Strength:
        """Return what a proof must be worth: the second factor of whoever has one."""
        if least == "any" and await self._offers.strength_of(user_id) != "any":
            return "second_factor"
        return least

    async def page(
        self,
        request: Request,
        operator: Operator,
        name: str,
        *,
        path: str,
        status: int = 200,
        retry_after: int | None = None,
        **context: object,
    ) -> Response:
        """Return a page in the dashboard's frame.

        Args:
            request: for the root path.
            operator: who looks at it.
            name: the template, which extends `dashboard/base.html`.
            path: of the page whose place in the navigation it has, below the prefix.
            status: HTTP status; default 200.
            retry_after: seconds for `Retry-After`; `None` sends none.
            context: the template's. `notice` is good news, `problem` what went wrong; both are
                shown above the page.
        """
        banners = [text for ask in self._banners if (text := await ask()) is not None]
        own: dict[str, object] = {
            "navigation": self._navigation(operator),
            "current_path": path,
            "operator_email": operator.user.email,
            "role": operator.role,
            "may_support": operator.may("support"),
            "may_admin": operator.may("admin"),
            "banners": [translate(text) for text in banners],
        }
        context = {"notice": None, "problem": None, **context, **own}
        return self._pages.page_with(request, name, context, status=status, retry_after=retry_after)

    def _navigation(self, operator: Operator) -> list[NavigationGroup]:
        groups: dict[str, list[DashboardPage]] = {}
        for page in self._offers.dashboard_pages:
            if operator.may(page.role):
                groups.setdefault(page.group, []).append(page)
        return [NavigationGroup(title, pages) for title, pages in groups.items()]
