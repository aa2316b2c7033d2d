"""The step by text message: in a login, and as a fresh proof of a live session.

It is never a first factor: there is no login method here, only a step, and a step has a pending
login or a session, which something else has begun (security rule 47).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request

from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import InvalidArgument, RequestExpired
from pwless_middleware.features.second_factors.api.step_fields import STEP
from pwless_middleware.features.second_factors.names import SMS
from pwless_middleware.features.second_factors.sms.codes import TextCodes, holder_of
from pwless_middleware.features.second_factors.sms.fields import SEND
from pwless_middleware.features.second_factors.sms.numbers import Numbers
from pwless_middleware.features.second_factors.sms.sending import SentText, TextSending
from pwless_middleware.features.second_factors.steps import proven_by
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.stores.base import Writes
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepAction, StepMethod, StepSubject
from pwless_middleware.web.requests.fields import Values

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository


class SMSStep:
    """Do the step.

    Args:
        kit: everything below.
        factors: keeps the confirmed numbers.
        numbers: which may be written to.
        codes: finds the codes.
        records: keep the codes.
        sending: sends them.

    Attributes:
        method: how it is offered.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        numbers: Numbers,
        codes: TextCodes,
        records: Records,
        sending: TextSending,
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._numbers = numbers
        self._codes = codes
        self._records = records
        self._sending = sending
        self.method = StepMethod(
            name=SMS,
            fields=STEP,
            ask=self.ask,
            check=self.check,
            strength="second_factor",
            send=StepAction(SEND, self._send),
        )

    async def ask(
        self, request: Request | None, subject: StepSubject
    ) -> Mapping[str, object] | None:
        """Return where a text message can go; `None` for who has no number, or none any more.

        A number of a country that is no longer allowed is none. What was sent and can still be
        answered is told as `sent`.
        """
        phones = await self.phones(subject.user_id)
        if subject.enrolls or not phones:
            return None
        told: dict[str, object] = {
            "phones": [{"factor_id": one.id, "phone_ending": one.phone[-2:]} for one in phones]
        }
        sent = await self.find(subject)
        return told if sent is None else {**told, "sent": sent.to_json()}

    async def find(self, subject: StepSubject) -> SentText | None:
        """Return what was sent for a step and can still be answered, or `None`.

        Raises:
            Unavailable: the store cannot be asked.
        """
        return await self._sending.find(_holder(subject))

    async def send(self, subject: StepSubject, factor_id: str = "") -> SentText:
        """Send a text message to one of a person's numbers.

        Args:
            subject: whose step it is.
            factor_id: to which; empty (default) takes the one that was added first.

        Raises:
            InvalidArgument: the person has no such number.
            RequestExpired: the step enrolls, and so asks for no number that is there.
            RateLimited: too many were asked for.
            Unavailable: database, store or queue cannot take it.
        """
        if subject.enrolls:
            raise RequestExpired
        phones = await self.phones(subject.user_id)
        for one in phones:
            if not factor_id or one.id == factor_id:
                return await self._sending.send(
                    _holder(subject),
                    user_id=subject.user_id,
                    factor_id=one.id,
                    phone=one.phone,
                    caller=subject.caller,
                )
        raise InvalidArgument.of("factor_id", _NO_SUCH_PHONE, "factor")

    async def check(
        self, request: Request | None, subject: StepSubject, values: Values
    ) -> StepProof | None:
        """Return what a code proves; it is used up by it, whatever becomes of the login.

        Raises:
            StoreError: database or store cannot be asked.
        """
        holder, now = _holder(subject), self._kit.clock()
        found = await self._codes.read(holder)
        if subject.enrolls or found is None:
            return None
        code = found[0]
        if code.is_enrollment or not self._codes.is_right(code, values.text("code")):
            return None
        phones = {one.id: one.phone for one in await self.phones(subject.user_id)}
        if phones.get(code.factor_id) != code.phone:
            return None  # it was removed since
        place = self._records.place(holder)
        if not await self._kit.store.take(place, Writes(), now=now, op=new_operation()):
            return None  # another answer in the same moment was first
        # Noted once the step is taken: if the number is gone by then, it proves nothing.
        noted = partial(self._factors.note_use, code.factor_id, now)
        return StepProof(proven_by(SMS, now, subject.binding), holds=noted)

    async def phones(self, user_id: str) -> list[Factor]:
        """Return the numbers of a person to which a text message can go, oldest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        state = await self._factors.state(user_id)
        return [
            one
            for one in state.factors
            if one.kind == "sms" and self._numbers.is_allowed(one.phone)
        ]

    async def _send(
        self, request: Request, subject: StepSubject, values: Values
    ) -> Mapping[str, object]:
        return (await self.send(subject, values.get("factor_id") or "")).to_json()


def _holder(subject: StepSubject) -> str:
    return holder_of(subject.binding, subject.user_id)


_NO_SUCH_PHONE = Text("You have no such phone number here.")
