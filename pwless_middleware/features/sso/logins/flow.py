"""A login at a provider, from the start page to the door.

    begin ──▶ the provider ──▶ answered: the state is opened, of this browser, spent, verified
          ──▶ whose account it is (`linking`) ──▶ the door (`kit.logins`)

The rest of what a login needs is asked by the rules of all features at the door: whether the person
may enter the organization, which further proof is asked for, how long the session lives.
"""

from __future__ import annotations

import secrets
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection, sso_factor
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import RequestExpired
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.browser import NEXT_LENGTH, BegunLogin, SSOBrowser
from pwless_middleware.features.sso.logins.linking import Arrival, Linking
from pwless_middleware.features.sso.logins.login_states import (
    LIFETIME,
    Kind,
    LoginState,
    LoginStates,
)
from pwless_middleware.features.sso.logins.mapped_roles import MappedRoles
from pwless_middleware.features.sso.logins.protocols import Protocols, ProviderLogin
from pwless_middleware.features.sso.person import proven_at
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.logins.proofs import Proof
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import EVERYWHERE, with_cookies

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_MFA: Final = "mfa:"
"""Begins the factor of a second factor that the provider has asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer to a login that has begun here, spent, and not yet believed.

    Attributes:
        connection: which one was asked.
        organization: whose it is.
        state: the login.
        then: what gives the try back.
    """

    connection: Connection
    organization: Organization
    state: LoginState
    then: Writes = field(default_factory=Writes)


class SSOFlow:
    """Begin logins at providers, and end them.

    Args:
        kit: everything below.
        floor: knows organizations and connections.
        states: seal logins.
        protocols: ask providers.
        linking: find users.
        roles: give people what their groups make them.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        states: LoginStates,
        protocols: Protocols,
        linking: Linking,
        roles: MappedRoles,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._states = states
        self._protocols = protocols
        self._linking = linking
        self._roles = roles

    def browser(self, request: Request) -> SSOBrowser | None:
        """Return what a browser's cookie says; `None` where nothing was begun in it."""
        return SSOBrowser.unpack(self._kit.cookies.sso(request.scope["headers"]))

    async def begin(
        self,
        request: Request,
        connection: Connection,
        *,
        kind: Kind = "login",
        hint: Address | None = None,
        next: str = "/",
        account: Account | None = None,
        by_page: bool = False,
    ) -> Response:
        """Send a browser to the provider. All that changes is a cookie of it.

        Args:
            request: of the browser.
            connection: which one is asked.
            kind: what the answer is for.
            hint: the address that was typed; `None` for none.
            next: where the browser goes on afterwards; already checked.
            account: who confirms that it is them, for a step-up.
            by_page: whether a page in between leads there: the page with the form may not allow its
                forms to end on another site, which Chromium holds against every redirect.

        Raises:
            SSOFault: the provider cannot be asked.
        """
        browser = self.browser(request) or SSOBrowser.make()
        holder = self._holder(browser, account)
        handle, state = self._states.begin(kind, holder, connection.id)
        url = await self._protocols.start(
            connection, state, handle, hint=hint, language=current_language().code
        )
        begun = BegunLogin(id=state.id, connection=connection.id, at=self._kit.clock(), next=next)
        if len(next) > NEXT_LENGTH:  # then a form of ours has begun it: a link writes nothing
            caller = self._kit.callers.browser(request)
            is_kept = await self._states.keep_place(state, next, caller)
            begun = replace(begun, next="/", is_kept=is_kept)
        cookie = self._kit.cookies.set_sso(browser.with_login(begun).pack(), max_age=LIFETIME)
        if by_page:
            return self._kit.pages.page(request, "sso/leading.html", cookies=[cookie], url=url)
        # Not by `Pages.redirect`, which leads to paths of ours alone: this is the provider's.
        return with_cookies(RedirectResponse(url, 303, EVERYWHERE), [cookie])

    def new_attempt(self) -> bytes:
        """Return a name, in events, for what never became a login."""
        return secrets.token_bytes(8)

    async def connection(self, id: str) -> tuple[Connection, Organization] | None:
        """Return a connection and its organization, or `None` if there is none."""
        connection = await self._floor.connections.find(id)
        if connection is None:
            return None
        organization = await self._floor.directory.find(connection.organization)
        return None if organization is None else (connection, organization)

    def open(self, handle: str, connection: Connection) -> LoginState:
        """Return the login that an answer says it belongs to.

        Raises:
            SSOFault: as of `LoginStates.open`.
        """
        return self._states.open(handle, connection.id)

    def check_browser(
        self, request: Request, state: LoginState, account: Account | None
    ) -> BegunLogin | None:
        """Return what the browser remembers of a login, once it is known that it has begun there.

        Args:
            request: of the browser.
            state: the login.
            account: who is signed in; looked at for a step-up alone.

        Raises:
            SSOFault: it was another browser, or another session.
        """
        browser = self.browser(request)
        holder = None
        if browser is not None and (state.kind != "step_up" or account is not None):
            holder = self._holder(browser, account if state.kind == "step_up" else None)
        self._states.check_holder(state, holder)
        return None if browser is None else browser.find(state.id)

    async def place_of(self, begun: BegunLogin, state: LoginState) -> str:
        """Return where a login leads.

        Raises:
            Unavailable: the store cannot be asked.
        """
        return await self._states.find_place(state) if begun.is_kept else begun.next

    async def spend(
        self,
        state: LoginState,
        connection: Connection,
        organization: Organization,
        caller: Caller,
    ) -> Answered:
        """Spend a login, before anything of its answer is verified.

        Raises:
            SSOFault: it was answered before, or nobody signs in by the connection now.
            TooManyAttempts, Unavailable: as of `LoginStates.spend`.
        """
        then = await self._states.spend(state, caller)
        if state.kind != "test":
            if not connection.is_enabled:
                raise SSOFault("connection_off")
            if organization.policy.sso == "off":
                raise SSOFault("sso_off")
        return Answered(connection=connection, organization=organization, state=state, then=then)

    async def give_back(self, answered: Answered) -> None:
        """Give back the try of an answer that is right, where nothing else is written with it."""
        if answered.then.refunds:
            await self._kit.store.write(answered.then, now=self._kit.clock(), op=new_operation())

    async def finish(
        self,
        answered: Answered,
        login: ProviderLogin,
        caller: Caller,
        *,
        next: str,
        account: Account | None = None,
    ) -> LoginResult:
        """Sign in who has come from the provider, or confirm that it is them.

        Args:
            answered: the login.
            login: what the answer comes to.
            caller: the browser.
            next: where it goes on; already checked.
            account: who is signed in, for a step-up.

        Raises:
            SSOFault: there is nobody who may sign in.
            StepRequired, LoginDenied, LoginElsewhere, Unavailable: as of the door.
        """
        connection, state = answered.connection, answered.state
        arrival = Arrival(
            connection=connection,
            organization=answered.organization,
            person=login.person,
            caller=caller,
            attempt=state.id,
        )
        user = await self._linking.user_of(arrival, links=account is None)
        if connection.tested_at is None:  # that was a whole login by it
            await self._floor.connections.mark_tested(connection.id, by="person")
        if login.role is not None:
            await self._roles.note(arrival, user.id, login.role)
        second = (_MFA + connection.id,) if login.has_second_factor else ()
        factors = (sso_factor(connection.id), *second)
        # That it is not too long ago is checked with the answer to a step-up.
        now = self._kit.clock()
        at = now if account is not None else proven_at(login.person, now=now)
        proof = Proof(
            subject=user,
            authentication=Authentication(SSO_METHOD, at, factors),
            takes=None,
            refusal=RequestExpired(),
            then=answered.then,
            next=next,
            device=caller.device,
            organization=connection.organization,
            attempt=state.id,
            holds=lambda: self._linking.still_linked(arrival, user.id),
        )
        if account is not None:
            return await self._kit.logins.step_up(proof, caller, account.session)
        return await self._kit.logins.finish(proof, caller)

    def _holder(self, browser: SSOBrowser, account: Account | None) -> str:
        if account is None:
            return browser.name
        return f"{browser.name} session:{account.session.first_id}"
