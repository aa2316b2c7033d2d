"""A login at a provider that is configured in code, from its button to the door.

begin ──▶ the provider ──▶ answered: the state is opened, of this browser, spent, verified
      ──▶ known by (provider, subject): that user
      ──▶ else, where the provider vouches for the address: the user of it, linked or made
      ──▶ else the address is proven by a mailed code first (`mailed_proof`)
      ──▶ the door (`kit.logins`), where the rules of all features are asked
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD, Identity
from pwless_middleware.core.people.user import UserId
from pwless_middleware.errors import LoginDenied, PersonDisabled, RequestExpired
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.browser import SSOBrowser
from pwless_middleware.features.sso.logins.login_states import LoginState, LoginStates
from pwless_middleware.features.sso.oidc.client import OIDCClient, StartedLogin
from pwless_middleware.features.sso.person import ProviderPerson, proven_at
from pwless_middleware.features.sso.social.mails import LinkMails
from pwless_middleware.features.sso.social.provider import SocialProvider
from pwless_middleware.flows.logins.proofs import Proof
from pwless_middleware.languages.current import current_language
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.people.identities import IdentityAdded, IdentityRepository


@dataclass(frozen=True, slots=True)
class Unproven:
    """Somebody whose address has to be proven first.

    Attributes:
        address: which.
        identity: what is linked then; of nobody yet.
    """

    address: Address
    identity: Identity


class SocialFlow:
    """Begin logins at one provider, and end them.

    Args:
        kit: everything below.
        identities: know who somebody is there.
        provider: which one.
        client: makes requests to it.
        mails: tell people of what is linked with their account.
    """

    def __init__(
        self,
        kit: Kit,
        identities: IdentityRepository,
        provider: SocialProvider,
        client: SafeHTTPClient,
        mails: LinkMails,
    ) -> None:
        self._kit = kit
        self._identities = identities
        self._mails = mails
        self.provider = provider
        self._oidc = OIDCClient(client, kit.clock)
        self._states = LoginStates(
            kit.secrets,
            kit.records("states"),
            kit.store,
            realm=kit.keyring.realm,
            clock=kit.clock,
        )
        self._redirect_uri = f"{kit.origin.url}{kit.prefix}{provider.callback_path}"

    async def begin(self, browser: SSOBrowser) -> tuple[str, LoginState]:
        """Return where a browser is sent, and the login that has begun.

        Raises:
            SSOFault: the provider cannot be asked.
        """
        handle, state = self._states.begin("login", browser.name, self.provider.id)
        url = await self._oidc.start(
            self.provider.settings,
            redirect_uri=self._redirect_uri,
            state=handle,
            nonce=self._states.derive("nonce", state),
            verifier=self._states.derive("verifier", state),
            ui_locales=current_language().code,
        )
        return url, state

    def open(self, handle: str, browser: SSOBrowser | None) -> LoginState:
        """Return the login that an answer belongs to.

        Args:
            handle: `state`, as it came.
            browser: who brings it; `None` for one in which nothing was begun.

        Raises:
            SSOFault: it is none, too old, or of another provider or browser.
        """
        state = self._states.open(handle, self.provider.id)
        self._states.check_holder(state, browser.name if browser is not None else None)
        return state

    async def finish(
        self, state: LoginState, answer: Mapping[str, str], caller: Caller
    ) -> tuple[ProviderPerson, Writes]:
        """Spend a login, and return who has come, and what gives the try back.

        Raises:
            SSOFault: anything is not as it must be.
            TooManyAttempts, Unavailable: as of `LoginStates.spend`.
        """
        then = await self._states.spend(state, caller)
        started = StartedLogin(
            nonce=self._states.derive("nonce", state),
            verifier=self._states.derive("verifier", state),
            redirect_uri=self._redirect_uri,
        )
        provider = self.provider
        login = await self._oidc.finish(provider.settings, provider.client_secret, started, answer)
        return login.person, then

    async def find(
        self, person: ProviderPerson, caller: Caller, state: LoginState
    ) -> EnrolledUser | Unproven:
        """Return whose account it is; where there is none yet, it is linked or made.

        Raises:
            SSOFault: it is nobody's, or nobody may sign in as them.
            Unavailable: it cannot be known.
        """
        known = await self._identities.find(self.provider.id, person.subject)
        if known is not None:
            await self._note(known, person, caller, state)
            return EnrolledUser(UserId(known.user_id))
        if person.email is None:
            raise SSOFault("address_missing")
        now = self._kit.clock()
        identity = Identity(
            connection=self.provider.id,
            subject=person.subject,
            user_id="",
            email=person.email,
            created_at=now,
            seen_at=now,
        )
        if not self.provider.vouches_for(person):
            return Unproven(person.email, identity)
        found = await self._user_at(person.email, caller, state)
        if found is None:
            return Unproven(person.email, identity)
        user_id, is_new = found
        linking = replace(identity, user_id=user_id)
        if not is_new:
            await self._mails.queue(linking, caller)
        added = await link(self._kit, self._identities, linking, caller, attempt=state.id)
        if added == "disabled":
            raise SSOFault("disabled")
        if added == "known":  # the same login in another tab was quicker
            known = await self._identities.find(identity.connection, identity.subject)
            user_id = known.user_id if known is not None else user_id
        return EnrolledUser(UserId(user_id))

    def proof(
        self,
        user: EnrolledUser,
        person: ProviderPerson,
        then: Writes,
        caller: Caller,
        state: LoginState,
        *,
        next: str,
        organization: str | None,
    ) -> Proof:
        """Return what has been proven, for the door."""
        return Proof(
            subject=user,
            authentication=Authentication(
                SOCIAL_METHOD,
                proven_at(person, now=self._kit.clock()),
                factors=(self.provider.factor,),
            ),
            takes=None,
            refusal=RequestExpired(),
            then=then,
            next=next,
            device=caller.device,
            organization=organization,
            attempt=state.id,
            holds=lambda: self._is_linked(person.subject, user.id),
        )

    async def _is_linked(self, subject: str, user_id: str) -> bool:
        known = await self._identities.find(self.provider.id, subject)
        return known is not None and known.user_id == user_id

    async def _user_at(
        self, address: Address, caller: Caller, state: LoginState
    ) -> tuple[str, bool] | None:
        """Return the user of an address that the provider vouches for, and whether they are new.

        `None` where the address's user is somebody else at the provider: who has an address today
        need not be who had it then.
        """
        users = self._kit.users
        try:
            user = await users.find(address)
            if user is not None:
                linked = await self._identities.list(user.id)
                is_other = any(one.connection == self.provider.id for one in linked)
                return None if is_other else (user.id, False)
            if not self.provider.signup:
                raise SSOFault("no_account")
            made = await users.create(address)
        except PersonDisabled as error:
            raise SSOFault("disabled") from error
        except LoginDenied as error:
            raise SSOFault("no_account") from error
        if made.is_new:
            self._kit.events.record(
                "user.created", caller, attempt=state.id, user_id=made.id, address=address
            )
        return made.id, made.is_new

    async def _note(
        self, known: Identity, person: ProviderPerson, caller: Caller, state: LoginState
    ) -> None:
        """Note that somebody has come, and that the provider says another address than before."""
        email = person.email or known.email
        now = self._kit.clock()
        await self._identities.note_seen(known.connection, known.subject, email=email, at=now)
        if email != known.email:
            self._kit.events.record(
                "identity.address_changed",
                caller,
                attempt=state.id,
                user_id=known.user_id,
                details={"connection": known.connection},
            )


async def link(
    kit: Kit, identities: IdentityRepository, identity: Identity, caller: Caller, *, attempt: bytes
) -> IdentityAdded:
    """Link who somebody is at a provider with a user, and return what became of it."""
    added = await identities.add(identity)
    if added == "added":
        kit.events.record(
            "identity.linked",
            caller,
            attempt=attempt,
            user_id=identity.user_id,
            details={"connection": identity.connection},
        )
        await kit.wake_delivery()  # the mail that tells of it
    return added
