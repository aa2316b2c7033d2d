"""The text message of a code, made as it is sent.

The queue holds the name of a record and of one sending of it, and nothing else. The code is derived
here, in the worker; and here it is seen whether anybody still waits for it: once a code was used,
has expired, was followed by another one or sent again, or its number was removed, nothing goes out.

What a text says is ours or an operator's: no word of anybody else's stands in it. Its last line
binds the code to the host, so that a phone fills it in there and on no other page (W3C WICG,
"Origin-bound one-time codes delivered via SMS", §3). It has to be the last one, and the code in it
the one above.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.delivery.texts.base import TextMessage, TextSender
from pwless_middleware.features.second_factors.sms.callbacks import StatusUrls
from pwless_middleware.features.second_factors.sms.codes import TextCode, TextCodes
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.languages.current import translate, use_language
from pwless_middleware.rendering.mail_templates.messages import MESSAGES
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository

TOPIC: Final = "sms_code"
"""The topic of the jobs."""
_JOB: Final = Struct(">22s8sH")


class CodeTexts:
    """Read the jobs, and make the text messages.

    Args:
        kit: everything below.
        codes: finds and derives the codes.
        factors: tell whether a number is still somebody's.
        sender: takes the message.
        urls: where a gateway reports how the message ended.
    """

    def __init__(
        self,
        kit: Kit,
        codes: TextCodes,
        factors: FactorRepository,
        sender: TextSender,
        urls: StatusUrls,
    ) -> None:
        self._kit = kit
        self._codes = codes
        self._factors = factors
        self._sender = sender
        self._urls = urls
        self._host = kit.origin.host.partition(":")[0]

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Read what a job stands for: a text message, or why there is none.

        Raises:
            Unavailable: store, database or directory could not be asked.
        """
        holder, attempt, sends = _JOB.unpack(job.body)
        found = await self._codes.read(holder.decode())
        if self._kit.clock() >= job.until:
            self._kit.events.record("sms.failed", attempt=attempt, reason="expired")
            return Outcome.TEXT_EXPIRED
        if found is None:
            return _drop(attempt, "used")
        code = found[0]
        if code.attempt != attempt or code.sends != sends:
            return _drop(attempt, "superseded")
        user = await self._kit.users.load(code.user_id)
        if user is None or not await self._is_theirs(code):
            return _drop(attempt, "removed")
        language = user.language or code.language

        async def send() -> None:
            await self._sender.send(self.message(code, language))

        return Delivery(code.phone, send, attempt, channel="sms")

    async def _is_theirs(self, code: TextCode) -> bool:
        """Whether the number is still the one of the factor; nobody has that of an enrollment."""
        if code.is_enrollment:
            return True
        factor = await self._factors.find(code.factor_id)
        return factor is not None and factor.user_id == code.user_id and factor.phone == code.phone

    def message(self, code: TextCode, language: str) -> TextMessage:
        """Return the text message of a code.

        Args:
            code: which.
            language: the code of the language that it is written in.
        """
        digits = self._codes.derive(code)
        name = "sms_enrollment" if code.is_enrollment else "sms_code"
        renderer = self._kit.renderer
        # Always set: a worker begun by a request would go on in the language of that one.
        with use_language(self._kit.languages[language]):
            said = renderer.message(name, {"code": digits})
            if said is None:
                values = {"code": digits, "brand": renderer.brand_name}
                said = translate(MESSAGES[name]) % values
        return TextMessage(code.phone, f"{said}\n\n@{self._host} #{digits}", self._urls.make(code))


def pack_job(code: TextCode) -> bytes:
    """Return what the queue holds of a code that is to be sent: no secret, and no number."""
    return _JOB.pack(code.holder.encode(), code.attempt, code.sends)


def _drop(attempt: bytes, reason: str) -> Delivery:
    return Delivery("", send=None, attempt=attempt, reason=reason, channel="sms")
