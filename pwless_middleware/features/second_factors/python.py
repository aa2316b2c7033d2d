"""The Python interface: what a host's own code does with second factors, without HTTP of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import IN_PROCESS, Caller
from pwless_middleware.core.logins.login import PendingLogin
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.factor import Factor, FactorState, TrustedBrowser
from pwless_middleware.errors import InvalidArgument, PersonNotFound, RequestExpired
from pwless_middleware.features.second_factors.api.step_fields import ENROLLING_STEP
from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.names import SMS
from pwless_middleware.features.second_factors.recovery.reset import ResetResult
from pwless_middleware.features.second_factors.sms.fields import PHONE, SEND
from pwless_middleware.features.second_factors.steps import FactorStep
from pwless_middleware.features.second_factors.totp.enrollment import TOTPEnrollment
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepSubject
from pwless_middleware.web.requests.python_calls import SignedIn, check_arguments, make_caller

if TYPE_CHECKING:
    from pwless_middleware.features.second_factors.sms.enrollment import SMSEnrollment
    from pwless_middleware.features.second_factors.sms.sending import SentText

BY = "python"
"""Who has made a change, in events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingStep:
    """What a pending login asks for.

    Attributes:
        methods: the ways of ours to do it, best first, each with what is told of it: `digits` of a
            code, `codes_left`, where a text message goes.
        enrolls: whether the proof is made in it (`enroll`), since there is none yet.
        expires_at: unix seconds.
    """

    methods: Mapping[str, Mapping[str, object]]
    enrolls: bool
    expires_at: int


class SecondFactorVerbs:
    """Offer second factors to the host's own code.

    Whoever calls says who is signed in, and has asked for a fresh proof where one is due: nothing
    of that is checked here.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow

    # --- the step of a login -------------------------------------------------------------------

    async def ask(self, login_id: str) -> PendingStep:
        """Return what a pending login asks for; changes nothing.

        Args:
            login_id: as `StepRequired` has it.

        Raises:
            RequestExpired: unknown or over, or the login did not begin in Python.
            Unavailable: database or store cannot be asked.
        """
        await self._kit.settings.require()
        with request_deadline():
            pending, subject = await self._pending(login_id)
            step, methods = pending.steps[0], {}
            for name in step.methods:
                ours = self._flow.steps.get(name)
                told = await ours.ask(None, subject) if ours is not None else None
                if told is not None:
                    methods[name] = told
        return PendingStep(methods=methods, enrolls=step.enrolls, expires_at=pending.expires_at)

    async def enroll(self, login_id: str) -> TOTPEnrollment:
        """Begin to add an authenticator app, in a pending login that asks for the first factor.

        Args:
            login_id: as of `ask`.

        Raises:
            RequestExpired: as of `ask`; or the login does not ask for that.
            Unavailable: database or store cannot be asked.
        """
        await self._kit.settings.require()
        with request_deadline():
            _, subject = await self._pending(login_id)
            return await self._flow.totp_step.enroll(subject)

    async def send(
        self,
        login_id: str,
        *,
        method: str = SMS,
        factor_id: str | None = None,
        client: str | None = None,
    ) -> SentText:
        """Send what there is to answer in the step of a pending login: a code by text message.

        Asked again, it sends the same code once more, for five minutes.

        Args:
            login_id: as of `ask`.
            method: one of those that `ask` named; default `sms`, the only one that sends anything.
            factor_id: to which of the numbers that `ask` named; `None` takes the first.
            client: the client's IP address, for the limits; `None` if it is not known.

        Raises:
            InvalidArgument: an argument is malformed, or the person has no such number.
            RateLimited: too many text messages were asked for.
            RequestExpired: as of `ask`; or the login does not ask for that.
            Unavailable: database, store or queue cannot take it.
        """
        caller = make_caller(client)
        sms = self._flow.require_sms()
        if method != SMS:
            problem = Text("Send one of %(names)s.", names=SMS)
            raise InvalidArgument.of("method", problem, "enum")
        values = check_arguments(SEND, factor_id=factor_id)
        await self._kit.settings.require()
        with request_deadline():
            pending, subject = await self._pending(login_id)
            if SMS not in pending.steps[0].methods:
                raise RequestExpired
            subject = replace(subject, caller=caller)
            return await sms.step.send(subject, values.get("factor_id") or "")

    async def verify(
        self,
        login_id: str,
        *,
        method: str,
        code: str,
        enrollment_id: str | None = None,
        name: str = "",
        client: str | None = None,
        user_agent: str | None = None,
        ends: Session | None = None,
    ) -> SignedIn:
        """Try the step of a pending login, and sign its person in.

        Args:
            login_id: as of `ask`.
            method: one of those that `ask` named.
            code: as typed.
            enrollment_id: as `enroll` gave it; `None` where the step does not enroll.
            name: of the factor that is added; empty for none.
            client: the client's IP address, for the events; `None` for nobody.
            user_agent: the browser's `User-Agent`, for the list of sessions; `None` says nothing.
            ends: a session of this browser that the login ends; `None` for none.

        Raises:
            InvalidArgument: an argument is malformed; it is named.
            InvalidCode: the code is wrong.
            TooManyAttempts: the tries of the login, the person or the enrollment are spent.
            RequestExpired: as of `ask`; or the enrollment is over.
            StepRequired: a further step is asked for.
            LoginDenied, LoginElsewhere, Unavailable: as of `Passwordless.verify`.
        """
        caller = make_caller(client, user_agent, ends=ends)
        step = self._step(method)
        values = check_arguments(
            step.method.fields, code=code, enrollment_id=enrollment_id, name=name
        )
        await self._kit.settings.require()
        with request_deadline():
            _, subject = await self._pending(login_id)
            done = await self._kit.logins.do_step(
                login_id,
                method,
                caller,
                lambda login: step.check(None, replace(subject, caller=caller), values),
            )
        return SignedIn.of(self._kit, caller, done)

    # --- a person's own ------------------------------------------------------------------------

    async def list(self, user_id: str) -> Sequence[Factor]:
        """Return a person's second factors, oldest first, passkeys aside.

        Raises:
            StoreError: the database cannot be asked.
        """
        return (await self.state(user_id)).factors

    async def state(self, user_id: str) -> FactorState:
        """Return a person's second factors, and how many recovery codes are left.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._flow.own.state(user_id)

    async def begin_totp(self, user_id: str) -> TOTPEnrollment:
        """Begin to add an authenticator app: what the person needs to set it up.

        Raises:
            PersonNotFound: nobody has this id.
            InvalidArgument: the person has as many factors as there may be.
            Unavailable: database or store cannot be asked.
        """
        await self._kit.settings.require()
        with request_deadline():
            user = await self._kit.users.load(user_id)
            if user is None:
                raise PersonNotFound
            return await self._flow.totp.begin(user_id, user.email, _holder(user_id))

    async def confirm_totp(
        self, user_id: str, *, enrollment_id: str, code: str, name: str = ""
    ) -> Factor:
        """Keep an authenticator app that has shown a right code, and tell the person by mail.

        Args:
            user_id: whose it is.
            enrollment_id: as `begin_totp` gave it for the same person.
            code: as typed.
            name: what the person calls it; empty for none.

        Raises:
            InvalidArgument: an argument is malformed, or there are too many factors.
            InvalidCode: the code is wrong.
            RequestExpired: the enrollment is unknown, over, or was followed by another one.
            TooManyAttempts: its tries are spent.
            Unavailable: database, store or queue cannot take it.
        """
        check_arguments(
            self._flow.totp_step.method.fields,
            code=code,
            enrollment_id=enrollment_id,
            name=name,
        )
        await self._kit.settings.require()
        with request_deadline():
            factor, proof = await self._flow.totp.confirm(
                user_id,
                enrollment_id,
                _holder(user_id),
                code,
                Caller(name=IN_PROCESS),
                name=name,
                by=BY,
            )
            await self._flow.write(proof)
        return factor

    async def begin_sms(
        self, user_id: str, phone: str, *, country: str | None = None, client: str | None = None
    ) -> SMSEnrollment:
        """Begin to add a phone number: a code goes there by text message.

        Asked again with the same number, it sends the same code once more, for five minutes.

        Args:
            user_id: whose it is to be.
            phone: as typed: international, or national with its country.
            country: whose national number it may be (ISO 3166-1); `None` for none.
            client: the client's IP address, for the limits; `None` if it is not known.

        Raises:
            PersonNotFound: nobody has this id.
            InvalidArgument: it is no number to which text messages go, the person has it already,
                has as many factors as there may be, or nothing but a phone number.
            RateLimited: too many text messages were asked for.
            TooManyAttempts: the tries at this number's code are spent.
            Unavailable: database, store or queue cannot take it.
        """
        caller = make_caller(client)
        sms = self._flow.require_sms()
        values = check_arguments(PHONE, phone=phone, country=country)
        await self._kit.settings.require()
        with request_deadline():
            if await self._kit.users.load(user_id) is None:
                raise PersonNotFound
            return await sms.enrollments.begin(
                user_id,
                _holder(user_id),
                values.text("phone"),
                caller,
                country=values.get("country") or "",
            )

    async def confirm_sms(
        self, user_id: str, *, enrollment_id: str, code: str, name: str = ""
    ) -> Factor:
        """Keep a phone number whose code has come back, and tell the person by mail.

        Args:
            user_id: whose it is.
            enrollment_id: as `begin_sms` gave it for the same person.
            code: as typed.
            name: what the person calls it; empty for none.

        Raises:
            InvalidArgument: an argument is malformed, or the number cannot be added any more.
            InvalidCode: the code is wrong, or over.
            RequestExpired: the enrollment is unknown, over, or was followed by another one.
            TooManyAttempts: its tries are spent.
            Unavailable: database, store or queue cannot take it.
        """
        sms = self._flow.require_sms()
        check_arguments(ENROLLING_STEP, code=code, enrollment_id=enrollment_id, name=name)
        await self._kit.settings.require()
        with request_deadline():
            factor, proof = await sms.enrollments.confirm(
                user_id,
                enrollment_id,
                _holder(user_id),
                code,
                Caller(name=IN_PROCESS),
                name=name,
                by=BY,
            )
            await self._flow.write(proof)
        return factor

    async def rename(self, user_id: str, id: str, name: str) -> None:
        """Give a second factor another name.

        Args:
            user_id: whose it is.
            id: which.
            name: 1 to 60 characters.

        Raises:
            NotFound: the person has no such factor.
            InvalidArgument: it is no name.
            StoreError: the database cannot be asked.
        """
        await self._flow.own.rename(user_id, id, name, by=BY)

    async def remove(self, user_id: str, id: str) -> None:
        """Remove a second factor, and tell the person by mail.

        What it has proven counts no more: sessions that nothing else has made end.

        Raises:
            NotFound: the person has no such factor.
            InvalidArgument: it has to stay.
            Unavailable: database, store or queue cannot take it.
        """
        await self._kit.settings.require()
        await self._flow.own.remove(user_id, id, by=BY)

    async def make_recovery_codes(self, user_id: str) -> Sequence[str]:
        """Return ten new recovery codes, which are never shown again; older ones are void.

        Raises:
            InvalidArgument: the person has no second factor, or the deployment no recovery codes.
            PersonDisabled: nobody can sign in as the person.
            Unavailable: database or queue cannot take it.
        """
        await self._kit.settings.require()
        return await self._flow.recovery_codes.make(user_id, by=BY)

    async def reset(self, user_id: str, *, by: str = BY, wait: int | None = None) -> ResetResult:
        """Remove all second factors of somebody who has lost them, and sign them out everywhere.

        Authenticator apps, phone numbers, recovery codes, trusted browsers, and passkeys where they
        are mounted. The person is told by mail, and where there is a waiting time can object until
        it is over.

        Args:
            user_id: whose.
            by: who does it, for the events; default `python`.
            wait: seconds for which the person can object, 0 to 30 days; 0 is at once, also where
                one waits already. `None` (default) is `reset_wait`. What waits is done by a process
                that serves the app, not where nothing runs between requests
                (`delivery="inline"`).

        Raises:
            InvalidArgument: `wait` is no such number.
            Unavailable: database, store or queue cannot take it; ask again.
        """
        await self._kit.settings.require()
        return await self._flow.resets.reset(user_id, by=by, wait=wait)

    async def trusted_browsers(self, user_id: str) -> Sequence[TrustedBrowser]:
        """Return the browsers in which a person is not asked, newest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._flow.browsers.list(user_id)

    async def distrust(self, user_id: str, id: bytes) -> None:
        """Have a person asked again in a browser.

        Raises:
            NotFound: the person has no such browser.
            StoreError: the database cannot be asked.
        """
        await self._flow.browsers.distrust(user_id, id, by=BY)

    async def distrust_all(self, user_id: str) -> int:
        """Have a person asked again in every browser, and return how many there were.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._flow.browsers.distrust_all(user_id, by=BY)

    async def _pending(self, login_id: str) -> tuple[PendingLogin, StepSubject]:
        caller = Caller(name=IN_PROCESS)
        pending = await self._kit.logins.pending(login_id, caller)
        return pending, StepSubject.of_login(pending, login_id, caller)

    def _step(self, method: str) -> FactorStep:
        step = self._flow.steps.get(method)
        if step is None:
            names = ", ".join(self._flow.steps)
            raise InvalidArgument.of("method", Text("Send one of %(names)s.", names=names), "enum")
        return step


def _holder(user_id: str) -> str:
    return f"{IN_PROCESS}user:{user_id}"
