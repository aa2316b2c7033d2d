"""Who is signed in: decided here for the gate, our pages, the session resource and sockets.

The rules, once: a session counts while it lives and its user is in the table; a token that is given
decides; a cookie and a token of different users are nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from starlette.requests import Request
from starlette.types import Scope

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.paths import below
from pwless_middleware.core.people.user import ANONYMOUS, AnonymousUser, User
from pwless_middleware.errors import StepUpRequired, Unauthenticated
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.session_cache import Held
from pwless_middleware.flows.sessions.session_validation import SessionValidator
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX, Sessions
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.text import Text
from pwless_middleware.web.identity.keys import bearer
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.requests.navigation import htmx_page
from pwless_middleware.web.responses.responses import Pages, root_path


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request is from.

    Attributes:
        user: the user, or the anonymous one.
        session: `None` for the anonymous one.
        signed: the cookie value or token that stands for the session.
        organization: the one that the session is in, as it is now; `None` outside of one.
    """

    user: User | AnonymousUser
    session: Session | None
    signed: str = field(default="", repr=False)
    organization: Organization | None = None


NOBODY = Identity(ANONYMOUS, None)


@dataclass(frozen=True, slots=True)
class Account(Identity):
    """Somebody who is signed in.

    Attributes:
        user: as the table has it now.
        session: alive.
    """

    user: User
    session: Session


class Accounts:
    """Find out who is signed in.

    Args:
        sessions, validator, users, cookies, pages: what it works with.
        prefix: where our pages are mounted.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        sessions: Sessions,
        validator: SessionValidator,
        users: Users,
        cookies: Cookies,
        pages: Pages,
        *,
        prefix: str,
        clock: Callable[[], int],
    ) -> None:
        self._sessions = sessions
        self._validator = validator
        self._users = users
        self._cookies = cookies
        self._pages = pages
        self._prefix = prefix
        self._clock = clock

    async def of(self, cookie: str | None, token: str | None) -> Account | None:
        """Return whose a session cookie and a session token are, or `None` for nobody.

        Args:
            cookie: the session cookie's value; `None` if there is none.
            token: `pws_…`, which decides where it is given; `None` if there is none.

        Raises:
            Unauthenticated: the two are of different users.
            StoreError, Unavailable: it cannot be known now; neither in nor out.
        """
        with request_deadline():
            held = await self._find(cookie) if cookie is not None else None
            by_token = await self._find(token) if token is not None else None
        signed = cookie
        if token is not None:
            if held and by_token and held.session.user_id != by_token.session.user_id:
                raise Unauthenticated(Text("The cookie and the token are of different users."))
            held, signed = by_token, token
        if held is None or signed is None:
            return None
        user = await self._validator.validate(held)
        membership = held.membership
        organization = membership.organization if membership is not None else None
        account = None if user is None else Account(user, held.session, signed, organization)
        if held.user is not None or held.is_refused:
            held.made = account or NOBODY
        return account

    def surely_in(self, signed: str, *, used: bool) -> bool:
        """Whether the session of a cookie value or token surely counts, without I/O.

        False says nothing: ask `is_in`.

        Args:
            signed: the cookie value or token.
            used: whether that is a use of the session, which may have to be written down.
        """
        sessions = self._sessions
        held = sessions.find_held(signed) if used else sessions.look_held(signed)
        return held is not None and self._validator.surely_counts(held)

    async def is_in(self, signed: str, *, used: bool) -> bool:
        """Whether the session of a cookie value or token counts.

        Args:
            signed: the cookie value or token.
            used: whether that is a use of the session; being looked at keeps none awake.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        held = await (self._find(signed) if used else self._sessions.look(signed))
        return held is not None and await self._validator.validate(held) is not None

    @property
    def is_told(self) -> bool:
        """Whether a signal tells of a user who is gone; with a host's table nothing does."""
        return self._users.is_held

    async def exists(self, user_id: str) -> bool:
        """Whether a user is still in the table: only then their sessions count.

        Raises:
            Unavailable: the table cannot be asked.
        """
        return await self._users.load(user_id) is not None

    async def find(self, request: Request) -> Account | None:
        """Return who is signed in by the cookie of a request to our pages, or `None`.

        What is written from here on is in the language that the person has chosen, if any.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        account = await self.of(self._cookies.session(request.scope["headers"]), None)
        if account is not None:
            self._pages.write_for_person(account.user.language)
        return account

    async def require(
        self,
        request: Request,
        *,
        fresh_within: int | None = None,
        strength: Strength = "any",
        back: str | None = None,
    ) -> Account:
        """Return who is signed in; below `/api/` by cookie or token, elsewhere by cookie.

        Args:
            request: to a route of ours.
            fresh_within: seconds since the person last proved who they are; `None` asks for no
                fresh proof.
            strength: what the fresh proofs must be worth together; default `any`.
            back: where a person goes on after signing in, below the prefix; `None` is the page
                that was asked for. Forms say it: they cannot be asked for again.

        Raises:
            Unauthenticated: nobody, or a user who is gone; for a page it becomes a redirect to the
                login page.
            StepUpRequired: the last proof is too old or too weak; for a page it becomes a redirect
                to the page that asks again.
            StoreError, Unavailable: it cannot be known now.
        """
        if self._is_api(request.scope):
            account = await self._require_api(request)
        else:
            found = await self.find(request)
            if found is None:
                here = self._return_url(request, back)
                raise Unauthenticated(login_url=self._pages.login_url(request, here))
            account = found
        if fresh_within is not None:
            self.require_fresh(request, account, within=fresh_within, strength=strength, back=back)
        return account

    def require_fresh(
        self,
        request: Request,
        account: Account,
        *,
        within: int,
        strength: Strength = "any",
        back: str | None = None,
    ) -> None:
        """Refuse who has not proven who they are of late.

        Args:
            request: to a route of ours.
            account: who is signed in.
            within: seconds since the person last proved who they are.
            strength: what the fresh proofs must be worth together; default `any`.
            back: as for `require`.

        Raises:
            StepUpRequired: the last proof is too old or too weak; for a page it becomes a redirect
                to the page that asks again.
        """
        if self.is_fresh(account.session, within, strength):
            return
        is_api = self._is_api(request.scope)
        here = htmx_page(request) if is_api else self._return_url(request, back)
        url = self._pages.step_up_url
        raise StepUpRequired(url(request, here, within=within, strength=strength))

    def is_fresh(self, session: Session, within: int, strength: Strength = "any") -> bool:
        """Whether what was proven in a session not long ago is strong enough by itself.

        Args:
            session: of whom is signed in.
            within: seconds that a proof counts as fresh.
            strength: what the fresh proofs must be worth together.
        """
        return session.is_fresh(now=self._clock(), within=within, strength=strength)

    async def _require_api(self, request: Request) -> Account:
        authorization = request.headers.getlist("authorization")
        token = bearer(authorization) or ""
        if authorization and not token.startswith(TOKEN_PREFIX):
            raise Unauthenticated(_BAD_TOKEN)
        cookie = self._cookies.session(request.scope["headers"])
        account = await self.of(cookie, token or None)
        if account is None:
            raise Unauthenticated(_BAD_TOKEN if token else None)
        self._pages.prefer_language(account.user.language)
        return account

    async def _find(self, signed: str) -> Held | None:
        held = self._sessions.find_held(signed)
        return held if held is not None else await self._sessions.find(signed)

    def _is_api(self, scope: Scope) -> bool:
        path = below(scope["path"], scope.get("root_path", ""))
        return path.startswith(f"{self._prefix}/api/")

    def _return_url(self, request: Request, back: str | None) -> str:
        if back is not None:
            return root_path(request) + self._prefix + back
        return self._pages.here(request)


_BAD_TOKEN = Text("This session token is not valid.")
