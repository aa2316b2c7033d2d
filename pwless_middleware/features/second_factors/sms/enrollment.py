"""Add a phone number: send a code to it, and keep it once the code has come back.

A number is only ever a further factor: whoever has neither an authenticator app nor a passkey is
sent nothing, and the write that keeps a number asks once more (security rule 47).
"""

from __future__ import annotations

import secrets
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.core.people.given_name import read_name
from pwless_middleware.errors import InvalidCode, TooManyAttempts
from pwless_middleware.features.second_factors.enrollments import (
    ID_BYTES,
    TOO_MANY,
    Enrollment,
    Enrollments,
)
from pwless_middleware.features.second_factors.names import SMS
from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.sms.codes import TextCodes, holder_of
from pwless_middleware.features.second_factors.sms.numbers import Numbers, format_number
from pwless_middleware.features.second_factors.sms.sending import SentText, TextSending
from pwless_middleware.features.second_factors.steps import proven_by
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.stores.base import Writes
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

_BINDING: Final = "enrollment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SMSEnrollment:
    """A phone number that is not confirmed yet.

    Attributes:
        enrollment_id: goes back with the code.
        phone: as people read it; whoever sees this has typed it.
        expires_at: unix seconds in which it has to be confirmed.
        sent: the text message; `None` where its code is over.
    """

    enrollment_id: str
    phone: str = field(repr=False)
    expires_at: int
    sent: SentText | None

    def to_json(self) -> dict[str, object]:
        """Return it ready for JSON."""
        told: dict[str, object] = {
            "enrollment_id": self.enrollment_id,
            "phone": self.phone,
            "expires_at": str(self.expires_at),
        }
        if self.sent is not None:
            told["resend_after"] = self.sent.resend_after
            told["is_delayed"] = self.sent.is_delayed
        return told


class SMSEnrollments:
    """Begin enrollments, and confirm them.

    Args:
        kit: everything below.
        own: keeps what is confirmed.
        numbers: which may be written to.
        codes: finds the codes.
        records: keep the codes.
        sending: sends them.
    """

    def __init__(
        self,
        kit: Kit,
        own: OwnFactors,
        numbers: Numbers,
        codes: TextCodes,
        records: Records,
        sending: TextSending,
    ) -> None:
        self._kit = kit
        self._own = own
        self._numbers = numbers
        self._codes = codes
        self._records = records
        self._sending = sending
        self._enrollments = Enrollments(kit.records("sms_enrollments"), kit.clock)

    async def begin(
        self, user_id: str, holder: str, phone: str, caller: Caller, *, country: str = ""
    ) -> SMSEnrollment:
        """Send a code to a new number. Asked again with the same number, it sends the same code.

        Another number voids the one that was begun before.

        Args:
            user_id: whose.
            holder: names the session that alone may confirm it.
            phone: as typed.
            caller: who asks, for the budgets.
            country: whose national number it may be (ISO 3166-1); empty for none.

        Raises:
            InvalidArgument: it is no number to which text messages go, the person has it already,
                has as many factors as there may be, or nothing but a phone number.
            RateLimited: too many text messages were asked for; nothing is changed.
            TooManyAttempts: the tries at this number's code are spent; nothing is sent that could
                not be answered.
            Unavailable: database, store or queue cannot take it.
        """
        number = self._numbers.read(phone, country).e164
        await self._own.check_phone(user_id, number)
        begun = await self._find_again(user_id, holder, number)
        id = begun.id if begun is not None else b64(secrets.token_bytes(ID_BYTES))
        # First what may be refused: then the enrollment that there was still stands.
        sent = await self._sending.send(
            holder_of(_BINDING, user_id),
            user_id=user_id,
            factor_id=id,
            phone=number,
            caller=caller,
            is_enrollment=True,
        )
        if begun is None:
            begun = await self._enrollments.begin(id, user_id, holder, number.encode())
        return _tell(begun, sent)

    async def find(self, user_id: str, enrollment_id: str, holder: str) -> SMSEnrollment | None:
        """Return an enrollment that still waits, to be shown again beside a wrong code.

        Args:
            user_id, holder: as of `begin`.
            enrollment_id: as `begin` gave it.

        Raises:
            Unavailable: the store cannot be asked.
        """
        enrollment = await self._enrollments.find(enrollment_id, user_id, holder)
        if enrollment is None:
            return None
        return _tell(enrollment, await self._sending.find(holder_of(_BINDING, user_id)))

    async def confirm(
        self,
        user_id: str,
        enrollment_id: str,
        holder: str,
        code: str,
        caller: Caller,
        *,
        name: str = "",
        only_first: bool = False,
        by: str = "person",
    ) -> tuple[Factor, StepProof]:
        """Keep a number whose code has come back; return it and what the code proves.

        Args:
            user_id, holder: as of `begin`.
            enrollment_id: as `begin` gave it.
            code: as typed.
            caller: who confirms.
            name: what the person calls it; empty for none.
            only_first: whether the person must have no second factor yet; such a one can add no
                number at all.
            by: who adds it, for the event.

        Raises:
            InvalidArgument: the name is none, or the number may not be added (any more).
            InvalidCode: the code is wrong, or over.
            RequestExpired: unknown, over, void, or another holder's.
            TooManyAttempts: the tries are spent.
            Unavailable: database, store or queue cannot take it.
        """
        name = read_name(name)
        enrollment = await self._enrollments.attempt(enrollment_id, user_id, holder)
        if not await self._take(enrollment, code):
            self._kit.events.record(
                "enrollment.wrong",
                caller,
                user_id=user_id,
                method=SMS,
                tries_left=enrollment.tries_left,
            )
            raise InvalidCode(enrollment.tries_left, _WRONG)
        now = self._kit.clock()
        factor = Factor(
            id=enrollment.id,
            user_id=user_id,
            kind="sms",
            name=name,
            phone=enrollment.content.decode(),
            created_at=now,
            used_at=now,
        )
        await self._own.add(factor, caller, only_first=only_first, by=by)
        await self._enrollments.end(enrollment)
        return factor, StepProof(proven_by(SMS, now, holder))

    async def _find_again(self, user_id: str, holder: str, phone: str) -> Enrollment | None:
        """Return the enrollment of a number that was begun by the same holder, if it waits."""
        found = await self._codes.read(holder_of(_BINDING, user_id))
        if found is None or found[0].phone != phone:
            return None
        begun = await self._enrollments.find(found[0].factor_id, user_id, holder)
        if begun is not None and not begun.tries_left:
            raise TooManyAttempts(found[0].expires_at - self._kit.clock(), TOO_MANY)
        return begun

    async def _take(self, enrollment: Enrollment, typed: str) -> bool:
        """Whether a code is the enrollment's own; of parallel right answers one is."""
        holder = holder_of(_BINDING, enrollment.user_id)
        found = await self._codes.read(holder)
        if found is None or found[0].factor_id != enrollment.id:
            return False
        if not self._codes.is_right(found[0], typed):
            return False
        return await self._kit.store.take(
            self._records.place(holder), Writes(), now=self._kit.clock(), op=new_operation()
        )


def _tell(enrollment: Enrollment, sent: SentText | None) -> SMSEnrollment:
    return SMSEnrollment(
        enrollment_id=enrollment.id,
        phone=format_number(enrollment.content.decode()),
        expires_at=enrollment.expires_at,
        sent=sent,
    )


_WRONG = Text("That code is not right. Use the one from the newest text message.")
