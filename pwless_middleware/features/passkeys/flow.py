"""What people and programs do with passkeys, as pages, JSON and Python all use it.

    prompt = flow.login_options(caller, holder)         # to the browser, which asks its person
    done = await flow.login(ceremony_id, credential, caller, holder, next="/")

Who asks and who answers is named by the interface (`ceremonies.held_by_…`); the rest is the same
for all of them. What a person does with their own passkeys is `flow.own`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pwless_middleware.core.logins.authentication import Authentication, Strength
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser, Login, Step
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.core.people.user import UserId
from pwless_middleware.errors import InvalidCredential, RequestExpired
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD, Answers
from pwless_middleware.features.passkeys.ceremonies.ceremonies import (
    Ceremonies,
    Ceremony,
    held_by_session,
)
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner, Prompts
from pwless_middleware.features.passkeys.mails import PasskeyMails
from pwless_middleware.features.passkeys.new_passkeys import NewPasskeys
from pwless_middleware.features.passkeys.own_passkeys import OwnPasskeys
from pwless_middleware.features.passkeys.settings import PasskeyRules
from pwless_middleware.features.passkeys.webauthn.credentials import (
    read_assertion,
    read_attestation,
)
from pwless_middleware.features.passkeys.webauthn.public_key_options import Prompt, UserVerification
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.logins.proofs import Proof, StepProof
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository

STEP_PATH, ENROLLMENT_PATH = "/step/passkey", "/step/passkey/new"
"""The pages of the step, below the prefix: with a passkey, and to make the first one."""


class PasskeyFlow:
    """Do what a caller asks, by whichever interface.

    Args:
        kit: everything below.
        passkeys: keeps them.
        party: ours.
        rules: how passkeys behave now.
        user_verification: whether authenticators must check who holds them where a passkey is
            only a further factor; else they always must.

    Attributes:
        party, rules: as above.
        own: what a person does with their own passkeys.
        new: makes them.
        mails: read the jobs that tell of them.
    """

    def __init__(
        self,
        kit: Kit,
        passkeys: PasskeyRepository,
        party: RelyingParty,
        rules: LiveSettings[PasskeyRules],
        *,
        user_verification: UserVerification,
    ) -> None:
        self._kit = kit
        self.party = party
        self.rules = rules
        self._user_verification: UserVerification = user_verification
        self.mails = PasskeyMails(kit, passkeys)
        self._answers = Answers(kit, passkeys, party)
        self._ceremonies = Ceremonies(
            kit.secrets,
            kit.records("ceremonies"),
            kit.store,
            realm=kit.keyring.realm,
            clock=kit.clock,
            record=kit.events.record,
        )
        self._prompts = Prompts(
            self._ceremonies,
            passkeys,
            party,
            name=lambda: kit.renderer.brand_name,
            clock=kit.clock,
        )
        self.own = OwnPasskeys(kit, passkeys, party, rules, self.mails)
        self.new = NewPasskeys(
            kit,
            passkeys,
            self.own,
            party,
            rules,
            self._ceremonies,
            self._prompts,
            self._answers,
            self.mails,
            user_verification=user_verification,
        )

    # --- sign in -------------------------------------------------------------------------------

    def login_options(self, caller: Caller, holder: str) -> Prompt:
        """Return what signs anybody in: the same for everybody, and nothing is stored.

        Args:
            caller: who asks, for the budget.
            holder: who alone may answer.

        Raises:
            RateLimited, Unavailable: as of `Ceremonies.begin`.
        """
        return self._prompts.for_answer("login", holder, caller)

    async def login(
        self,
        ceremony_id: str,
        credential: Mapping[str, object],
        caller: Caller,
        holder: str,
        *,
        next: str = "/",
        organization: str | None = None,
    ) -> LoginResult:
        """Check an answer, and sign its owner in.

        The credential's shape is read first, which compares nothing with anything: what is no
        credential costs neither the challenge nor a try. Then the challenge is spent, then all
        else is verified.

        Args:
            ceremony_id: as the prompt gave it.
            credential: the browser's answer, `PublicKeyCredential.toJSON()`.
            caller: who signs in.
            holder: who answers.
            next: where a page's login goes on; already checked.
            organization: which one is to be entered; `None` names none.

        Raises:
            InvalidArgument: the credential has another shape; the field is named.
            InvalidCredential: it is not good here, or nobody can sign in as its owner.
            RequestExpired, TooManyAttempts, Unavailable: as of `Ceremonies.spend`.
            StepRequired, LoginDenied, LoginElsewhere: as of the door.
        """
        assertion = read_assertion(credential)
        ceremony = await self._ceremonies.spend(ceremony_id, ("login",), holder, caller)
        with self._kit.spans.step("pwless.verify") as note:
            note("pwless.method", "passkey")
            passkey, proven = await self._answers.verify(ceremony, assertion, caller)
            wanted = await self._kit.looks.id_of(organization)
            proof = self._proof(passkey, proven, ceremony, caller, next, wanted)
            return await self._kit.logins.finish(proof, caller)

    # --- prove once more who it is -------------------------------------------------------------

    async def step_up_options(self, account: Account, caller: Caller) -> Prompt | None:
        """Return what lets who is signed in prove it by a passkey; `None` for who has none."""
        passkeys = await self.own.usable(account.user.id)
        if not passkeys:
            return None
        holder = held_by_session(account.session)
        return self._prompts.for_answer("step_up", holder, caller, passkeys=passkeys)

    async def step_up(
        self,
        account: Account,
        ceremony_id: str,
        credential: Mapping[str, object],
        caller: Caller,
        *,
        next: str = "/",
    ) -> LoginResult:
        """Check an answer of who is signed in, and renew the session. Raises as `login` does.

        Raises:
            Unauthenticated: the session is over.
        """
        assertion = read_assertion(credential)
        holder = held_by_session(account.session)
        ceremony = await self._ceremonies.spend(ceremony_id, ("step_up",), holder, caller)
        passkey, proven = await self._answers.verify(
            ceremony, assertion, caller, user_id=account.user.id
        )
        proof = self._proof(passkey, proven, ceremony, caller, next)
        return await self._kit.logins.step_up(proof, caller, account.session)

    # --- a step of a pending login -------------------------------------------------------------

    async def rule(self, login: Login) -> Step | None:
        """Ask for a passkey before any session, where one is required (`before_session`).

        Who has none makes one in the step: after a mailed code, or as a new user.
        """
        if not self.rules().required or METHOD in login.methods:
            return None
        if await self.own.usable(login.user_id):
            return Step((METHOD,), STEP_PATH)
        return Step((METHOD,), ENROLLMENT_PATH, enrolls=True)

    async def fits(self, user_id: str, *, enrolls: bool, strength: Strength) -> bool:
        """Whether a person can do a step: with a passkey, or by making the first one.

        Args:
            user_id: whose step it is.
            enrolls: whether the passkey is made in the step. It never is where the person has one
                by now, or another second factor that this login has not proven (security rule 48).
            strength: what the login or session is worth so far.
        """
        if bool(await self.own.usable(user_id)) == enrolls:
            return False
        return not enrolls or not await self.own.has_unproven(user_id, strength)

    async def step_options(
        self,
        owner: Owner,
        caller: Caller,
        holder: str,
        *,
        enrolls: bool,
        strength: Strength,
    ) -> Prompt | None:
        """Return what does a step; `None` where its person cannot do it this way.

        Args:
            owner: whose step it is.
            caller: who asks.
            holder: names the pending login, or the session.
            enrolls, strength: as of `fits`.
        """
        if not await self.fits(owner.user_id, enrolls=enrolls, strength=strength):
            return None
        wanted = self._user_verification
        if enrolls:
            return await self._prompts.for_new(
                "step_enrollment", owner, holder, caller, passkeys=(), user_verification=wanted
            )
        passkeys = await self.own.usable(owner.user_id)
        return self._prompts.for_answer(
            "step", holder, caller, passkeys=passkeys, user_verification=wanted
        )

    async def check_step(
        self,
        owner: Owner,
        ceremony_id: str,
        credential: Mapping[str, object],
        caller: Caller,
        holder: str,
        *,
        enrolls: bool,
        strength: Strength,
        is_only_factor: bool = False,
    ) -> StepProof:
        """Check the answer to a step, whose try was counted; make the passkey where it enrolls.

        Args:
            owner, caller, holder, enrolls, strength: as of `step_options`.
            ceremony_id, credential: as of `login`.
            is_only_factor: whether nothing else was proven, so that the authenticator must have
                checked who holds it whatever the feature's option says.

        Raises:
            InvalidArgument, InvalidCredential, RequestExpired, Unavailable: as of `login`.
        """
        if enrolls:
            if await self.own.has_unproven(owner.user_id, strength):
                raise RequestExpired
            attestation = read_attestation(credential)
            ceremony = await self._ceremonies.spend(
                ceremony_id, ("step_enrollment",), holder, caller, counts=False
            )
            passkey, proven = await self.new.keep(
                owner, ceremony, attestation, caller, name="", only_first=True, by="person"
            )
            return StepProof(proven, holds=self._answers.still_there(passkey))
        assertion = read_assertion(credential)
        ceremony = await self._ceremonies.spend(
            ceremony_id, ("step",), holder, caller, counts=False
        )
        needs = is_only_factor or self._user_verification == "required"
        passkey, proven = await self._answers.verify(
            ceremony, assertion, caller, user_id=owner.user_id, needs_verification=needs
        )
        return StepProof(proven, holds=self._answers.still_there(passkey))

    def _proof(
        self,
        passkey: Passkey,
        proven: Authentication,
        ceremony: Ceremony,
        caller: Caller,
        next: str,
        organization: str | None = None,
    ) -> Proof:
        return Proof(
            subject=EnrolledUser(UserId(passkey.user_id)),
            authentication=proven,
            takes=None,
            refusal=InvalidCredential(),
            then=ceremony.then,
            next=next,
            organization=organization,
            device=caller.device,
            attempt=ceremony.attempt,
            holds=self._answers.still_there(passkey),
        )
