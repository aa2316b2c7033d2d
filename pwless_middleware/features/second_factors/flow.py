"""What people and programs do with second factors, as pages, JSON and Python all use it.

    enrollment = await flow.totp.begin(user_id, email, held_by_session(account.session))
    factor, done = await flow.confirm_totp(account, enrollment.enrollment_id, code, caller)

Whether one is asked for is decided by `flow.rule`; how one is proven, by `flow.steps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser, Login
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.core.people.user import UserId
from pwless_middleware.errors import InvalidArgument, Unauthenticated
from pwless_middleware.features.second_factors.mails import FactorMails
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, SMS, TOTP
from pwless_middleware.features.second_factors.new_sign_in import NewSignIns
from pwless_middleware.features.second_factors.other_factors import OtherFactors
from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.recovery.own_codes import OwnRecoveryCodes
from pwless_middleware.features.second_factors.recovery.reset import FactorResets
from pwless_middleware.features.second_factors.recovery.step import RecoveryStep
from pwless_middleware.features.second_factors.rule import SecondFactorRule
from pwless_middleware.features.second_factors.settings import SecondFactorRules
from pwless_middleware.features.second_factors.sms.options import SMSOptions
from pwless_middleware.features.second_factors.steps import FactorStep
from pwless_middleware.features.second_factors.totp.counters import TOTPCounters
from pwless_middleware.features.second_factors.totp.enrollment import TOTPEnrollments
from pwless_middleware.features.second_factors.totp.secrets import TOTPSecrets
from pwless_middleware.features.second_factors.totp.step import TOTPStep
from pwless_middleware.features.second_factors.trusted_browsers import TrustedBrowsers
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.logins.proofs import Proof, StepProof
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository
    from pwless_middleware.database.repositories import Repositories
    from pwless_middleware.features.second_factors.sms.feature import SMSCodes


class SecondFactorFlow:
    """Do what a caller asks, by whichever interface.

    Args:
        kit: everything below.
        repositories: keep what lasts.
        rules: how second factors behave now.
        totp: whether people can add authenticator apps. Who has one goes on using it.
        issuer: what an app calls the deployment; `None` takes the brand's name.
        sms: how codes by text message are sent; `None` where they are not.

    Attributes:
        rules: as above.
        others: second factors of other features.
        own: what a person does with their own factors.
        recovery_codes: makes those of a person.
        totp: adds authenticator apps.
        sms: sends codes by text message; `None` where nobody does.
        browsers: the trusted ones.
        mails: tell the person.
        resets: remove everything of a person.
        sign_ins: tell of logins from browsers that are not known.
        rule: asks for a second factor.
        totp_step: how one is proven by an authenticator app.
        steps: how one is proven, by method.
        stored: encrypts the secrets anew.
    """

    def __init__(
        self,
        kit: Kit,
        repositories: Repositories,
        rules: LiveSettings[SecondFactorRules],
        *,
        totp: bool,
        issuer: str | None,
        sms: SMSOptions | None = None,
    ) -> None:
        self._kit = kit
        self.rules = rules
        factors, codes = repositories.factors, repositories.recovery_codes
        self.others = others = OtherFactors(kit.offers, (TOTP, SMS, RECOVERY_CODE))
        self.mails = FactorMails(kit, factors)
        self.own = OwnFactors(kit, factors, others, rules, self.mails)
        self.recovery_codes = OwnRecoveryCodes(kit, codes, self.own, rules, self.mails)
        self.browsers = TrustedBrowsers(kit, repositories.trusted_browsers, factors)
        self.resets = FactorResets(
            kit,
            factors,
            repositories.factor_resets,
            self.mails,
            wait=lambda: rules().reset_wait,
        )
        self.sign_ins = NewSignIns(
            kit, self.mails, self.browsers, is_on=lambda: rules().new_browser_mail
        )
        self.stored = TOTPSecrets(kit.secrets, factors)
        counters = TOTPCounters(kit.records("totp"), kit.clock)
        self.totp = TOTPEnrollments(kit, self.own, self.stored, counters, issuer=issuer, is_on=totp)
        self.totp_step = TOTPStep(kit, factors, self.own, self.stored, counters, self.totp)
        self.sms = _mount_sms(kit, factors, self.own, sms) if sms is not None else None
        by_text = (self.sms.step,) if self.sms is not None else ()
        steps: tuple[FactorStep, ...] = (
            self.totp_step,
            *by_text,
            RecoveryStep(kit, factors, codes, self.mails),
        )
        self.steps = {step.method.name: step for step in steps}
        self.rule = SecondFactorRule(
            kit, factors, others, self.browsers, enrolls=(TOTP,) if totp else ()
        )

    async def policy_of(self, login: Login) -> Policy:
        """Return what is asked of every login (`Mounted.policies`)."""
        return self.rules().policy(self._kit.clock())

    async def confirm_totp(
        self,
        account: Account,
        enrollment_id: str,
        code: str,
        caller: Caller,
        *,
        name: str = "",
        next: str = "/",
    ) -> tuple[Factor, LoginResult]:
        """Keep an authenticator app of who is signed in, and renew the session by its code.

        Args:
            account: who is signed in; as `OwnFactors.require` returned it.
            enrollment_id: as the enrollment came with it.
            code: as typed.
            caller: who confirms.
            name: what the person calls it; empty for none.
            next: where a page goes on; already checked.

        Raises:
            InvalidArgument, InvalidCode, RequestExpired, TooManyAttempts: as of
                `TOTPEnrollments.confirm`.
            Unauthenticated: the session is over; the app is kept.
            Unavailable: database, store or queue cannot take it.
        """
        session = account.session
        factor, proof = await self.totp.confirm(
            account.user.id,
            enrollment_id,
            held_by_session(session),
            code,
            caller,
            name=name,
            only_first=self.own.is_weak(session),
        )
        return factor, await self.renew(account, proof, caller, next=next)

    async def confirm_sms(
        self,
        account: Account,
        enrollment_id: str,
        code: str,
        caller: Caller,
        *,
        name: str = "",
        next: str = "/",
    ) -> tuple[Factor, LoginResult]:
        """Keep a phone number of who is signed in, and renew the session by its code.

        Args:
            account: who is signed in; as `OwnFactors.require` returned it.
            enrollment_id: as the enrollment came with it.
            code: as typed.
            caller: who confirms.
            name: what the person calls it; empty for none.
            next: where a page goes on; already checked.

        Raises:
            InvalidArgument, InvalidCode, RequestExpired, TooManyAttempts: as of
                `SMSEnrollments.confirm`.
            Unauthenticated: the session is over; the number is kept.
            Unavailable: database, store or queue cannot take it.
        """
        session = account.session
        factor, proof = await self.require_sms().enrollments.confirm(
            account.user.id,
            enrollment_id,
            held_by_session(session),
            code,
            caller,
            name=name,
            only_first=self.own.is_weak(session),
        )
        return factor, await self.renew(account, proof, caller, next=next)

    def require_sms(self) -> SMSCodes:
        """Return what sends codes by text message.

        Raises:
            InvalidArgument: nobody does.
        """
        if self.sms is None:
            raise InvalidArgument.of("phone", _NO_SMS, "off")
        return self.sms

    async def renew(
        self, account: Account, proof: StepProof, caller: Caller, *, next: str = "/"
    ) -> LoginResult:
        """Renew a session by what has just confirmed a factor: nobody waits for the next code.

        Args:
            account: who is signed in.
            proof: by the new factor.
            caller: who holds the session.
            next: where a page goes on; already checked.

        Raises:
            Unauthenticated: the session is over.
            StepRequired, LoginDenied, LoginElsewhere, Unavailable: as of `Logins.step_up`.
        """
        session = account.session
        again = Proof(
            subject=EnrolledUser(UserId(session.user_id), Address(session.email)),
            authentication=proof.authentication,
            takes=None,
            refusal=Unauthenticated(),
            then=proof.then,
            next=next,
            device=caller.device,
        )
        return await self._kit.logins.step_up(again, caller, session)

    async def write(self, proof: StepProof) -> None:
        """Write what a proof brings along, where no session is renewed by it.

        Raises:
            Unavailable: the store cannot take it.
        """
        await self._kit.store.write(proof.then, now=self._kit.clock(), op=new_operation())


def _mount_sms(
    kit: Kit, factors: FactorRepository, own: OwnFactors, options: SMSOptions
) -> SMSCodes:
    from pwless_middleware.features.second_factors.sms.feature import SMSCodes  # and its library

    return SMSCodes(kit, factors, own, options)


def held_by_session(session: Session) -> str:
    """Name a session as the holder of an enrollment; as `StepSubject.binding` names it."""
    return f"session:{session.first_id}"


_NO_SMS = Text("Phone numbers cannot be added here.")
