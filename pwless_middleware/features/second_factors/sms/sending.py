"""Ask for the text message of a code: budgets, record and job in one write, or nothing.

The answer comes before anything is handed to the gateway. What waits in the queue names the record,
and is read by `texts`; a gateway that is down delays the message and does not lose it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import RateLimited
from pwless_middleware.features.second_factors.sms.codes import LIFETIME, TextCode, TextCodes
from pwless_middleware.features.second_factors.sms.limits import TextLimits
from pwless_middleware.features.second_factors.sms.numbers import Numbers, mask_number
from pwless_middleware.features.second_factors.sms.texts import TOPIC, pack_job
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Put
from pwless_middleware.text import Text, duration_text
from pwless_middleware.web.kit import Kit

_MOMENT: Final = 1
"""Seconds to wait where two requests came in the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """A text message that was asked for.

    Attributes:
        factor_id: of the factor that its code proves; of an enrollment, its id.
        phone: the number, masked, as a page shows it.
        expires_at: until when its code is good, unix seconds.
        resend_after: seconds until another one would be admitted; 0 is at once.
        is_delayed: whether text messages have not been going out lately.
    """

    factor_id: str
    phone: str = field(repr=False)
    expires_at: int
    resend_after: int
    is_delayed: bool

    def to_json(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {
            "factor_id": self.factor_id,
            "phone_ending": self.phone[-2:],
            "expires_at": str(self.expires_at),
            "resend_after": self.resend_after,
            "is_delayed": self.is_delayed,
        }


class TextSending:
    """Ask for text messages.

    Args:
        kit: everything below.
        numbers: which may be written to.
        limits: the budgets.
        codes: makes and finds the codes.
        records: keep the codes.
        is_failing: whether text messages do not go out.
    """

    def __init__(
        self,
        kit: Kit,
        numbers: Numbers,
        limits: TextLimits,
        codes: TextCodes,
        records: Records,
        is_failing: Callable[[], bool],
    ) -> None:
        self._kit = kit
        self._numbers = numbers
        self._limits = limits
        self._codes = codes
        self._records = records
        self._is_failing = is_failing

    async def send(
        self,
        holder: str,
        *,
        user_id: str,
        factor_id: str,
        phone: str,
        caller: Caller,
        is_enrollment: bool = False,
    ) -> SentText:
        """Queue a text message with a code; with the same one, where it was made lately.

        Args:
            holder: who may answer; see `holder_of`.
            user_id: whose.
            factor_id: of the factor that the code proves, or of the enrollment.
            phone: the number, canonical.
            caller: who asks, for the budgets.
            is_enrollment: whether the number is not confirmed yet.

        Raises:
            InvalidArgument: the number is one to which nothing is sent any more.
            RateLimited: a budget is spent; nothing was counted or sent.
            Unavailable: the store or the queue cannot take it.
        """
        number, now = self._numbers.read(phone), self._kit.clock()
        found = await self._codes.read(holder)
        language = current_language().code
        if found is not None and _is_same(found[0], factor_id, phone, now):
            code = found[0].with_send(now, language)
        else:
            code = self._codes.make(
                holder,
                user_id=user_id,
                factor_id=factor_id,
                phone=phone,
                language=language,
                is_enrollment=is_enrollment,
            )
        draws = self._limits.draws(number, user_id, caller.client, is_confirmed=not is_enrollment)
        put, job = self._write(code)
        done = await self._kit.store.admit(
            [one.draw for one in draws],
            put,
            job=job,
            replaces=found[1].stored if found is not None else None,
            now=now,
            op=new_operation(),
        )
        if done.conflict:
            raise _refuse(_MOMENT)
        if done.refused_by is not None:
            reason = f"text_by_{draws[done.refused_by].scope}"
            self._kit.events.record(
                "limit.reached", caller, attempt=code.attempt, reason=reason, wait=done.wait
            )
            raise _refuse(done.wait)
        self._kit.events.record("sms.requested", caller, attempt=code.attempt, user_id=user_id)
        await self._kit.wake_delivery()
        return self._tell(code, done.wait)

    async def find(self, holder: str) -> SentText | None:
        """Return what a holder was sent and can still answer, or `None`.

        Raises:
            Unavailable: the store cannot be asked.
        """
        found = await self._codes.read(holder)
        if found is None:
            return None
        sent_at = found[0].expires_at - LIFETIME
        return self._tell(found[0], max(0, sent_at + self._limits.pause - self._kit.clock()))

    def _write(self, code: TextCode) -> tuple[Put, bytes]:
        """Return what keeps a code, and the job of its text message."""
        writes = self._records.writes(
            code.holder, code.pack(), ttl=code.expires_at - self._kit.clock()
        )
        job = self._kit.jobs.payload(TOPIC, pack_job(code), until=code.expires_at)
        return writes.puts[0], job

    def _tell(self, code: TextCode, resend_after: int) -> SentText:
        return SentText(
            factor_id=code.factor_id,
            phone=mask_number(code.phone),
            expires_at=code.expires_at,
            resend_after=resend_after,
            is_delayed=self._is_failing(),
        )


def _is_same(code: TextCode, factor_id: str, phone: str, now: int) -> bool:
    """Whether asking again is for the code that there is."""
    is_same = code.factor_id == factor_id and code.phone == phone
    return is_same and code.may_send_again(now)


def _refuse(wait: int) -> RateLimited:
    """Return the refusal: one for all limits, so that none tells what others have asked for."""
    wait = max(1, wait)
    text = Text(
        "Too many text messages were asked for. Try again in %(wait)s, or use another way.",
        wait=duration_text(wait),
    )
    return RateLimited(wait, text, brief=_TOO_MANY)


_TOO_MANY = Text("Too many text messages were asked for.")
