"""The codes of text messages: derived, bound, and good once.

A record in the store holds 16 random bytes and whose code it is, never the code: that is computed
from the record under a key that only this feature has, so that neither the store nor the key alone
signs anybody in. Under one record stands the code of one holder, which is a pending login, a
session or an enrollment, of one user: another login, session or user has other records, and another
number is another text to derive from. So a code works where it was asked for and nowhere else.

    asked for ──▶ a record, 300 s           asked for again ──▶ the same code, 300 s more
    300 s after it was made, asked for again ──▶ another code, and the old one is worth nothing
    answered right ──▶ the record is taken; of any number of parallel answers one takes it
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import field, replace
from typing import Final

from pwless_middleware.core.challenges.codes import code_of_number
from pwless_middleware.core.challenges.pasted_text import code_in
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.flows.capabilities.records import Record, Records

LIFETIME: Final = 300
"""Seconds that a code is good after it was last sent. It is the same one for as long after it was
made, so that none is good for more than 600 seconds (NIST SP 800-63B-4 §3.1.3.2)."""
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCode:
    """What a code is derived from.

    Attributes:
        holder: names who may answer with it; see `holder_of`.
        key_id: fingerprint of the key.
        salt: 16 random bytes.
        user_id: whose it is.
        factor_id: of the factor that it proves; of an enrollment, its id.
        phone: the number to which it goes, E.164.
        is_enrollment: whether the number is not confirmed yet.
        language: the code of the language in which it was asked for.
        made_at: unix seconds.
        expires_at: unix seconds.
        sends: how many times it was asked for.
    """

    holder: str = field(repr=False)
    key_id: str
    salt: bytes = field(repr=False)
    user_id: str
    factor_id: str
    phone: str = field(repr=False)
    is_enrollment: bool
    language: str
    made_at: int
    expires_at: int
    sends: int = 1

    @property
    def attempt(self) -> bytes:
        """What names it in events."""
        return digest("sms-attempt", self.salt.hex())[:8]

    def may_send_again(self, now: int) -> bool:
        """Whether asking again sends the same code again, and not another one."""
        return now < self.made_at + LIFETIME

    def with_send(self, now: int, language: str) -> TextCode:
        """Return it as it is sent again."""
        return replace(self, expires_at=now + LIFETIME, sends=self.sends + 1, language=language)

    def pack(self) -> bytes:
        """Return what its record holds."""
        fields = [
            *(self.key_id, b64(self.salt), self.user_id, self.factor_id, self.phone),
            *(self.is_enrollment, self.language, self.made_at, self.expires_at, self.sends),
        ]
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, holder: str, value: bytes) -> TextCode:
        """Return the code of a record."""
        key_id, salt, user_id, factor_id, phone, is_new, language, *times = json.loads(value)
        made_at, expires_at, sends = times
        return cls(
            holder=holder,
            key_id=key_id,
            salt=unb64(salt) or b"",
            user_id=user_id,
            factor_id=factor_id,
            phone=phone,
            is_enrollment=is_new,
            language=language,
            made_at=made_at,
            expires_at=expires_at,
            sends=sends,
        )


def holder_of(binding: str, user_id: str) -> str:
    """Name who may answer: a digest, since a queue and a store see it and a login's id is a handle.

    Args:
        binding: names the pending login, live session or enrollment (`StepSubject.binding`).
        user_id: whose.
    """
    return b64(digest("sms-code", binding, user_id))


class TextCodes:
    """Make codes, find them, and compare them.

    Args:
        records: keep them.
        keyring: of keys that only this feature has.
        clock: gives unix seconds.
    """

    def __init__(self, records: Records, keyring: Keyring, clock: Callable[[], int]) -> None:
        self._records = records
        self._keyring = keyring
        self._clock = clock

    async def read(self, holder: str) -> tuple[TextCode, Record] | None:
        """Return a holder's code with its record; `None` if there is none, or it is over.

        Raises:
            Unavailable: the store cannot be asked.
        """
        record = await self._records.read(holder)  # it lives as long as its code
        return None if record is None else (TextCode.unpack(holder, record.value), record)

    def make(
        self,
        holder: str,
        *,
        user_id: str,
        factor_id: str,
        phone: str,
        language: str,
        is_enrollment: bool,
    ) -> TextCode:
        """Make another code; the arguments are the fields of `TextCode`."""
        now = self._clock()
        return TextCode(
            holder=holder,
            key_id=self._keyring.current,
            salt=secrets.token_bytes(SALT_BYTES),
            user_id=user_id,
            factor_id=factor_id,
            phone=phone,
            is_enrollment=is_enrollment,
            language=language,
            made_at=now,
            expires_at=now + LIFETIME,
        )

    def derive(self, code: TextCode) -> str:
        """Return the six digits.

        Raises:
            KeyError: this process lacks the code's key.
        """
        bound_to = "\x00".join((code.holder, code.user_id, code.factor_id, code.phone)).encode()
        number = self._keyring.derive_number("sms_code", code.salt + bound_to, key_id=code.key_id)
        return code_of_number(number, "standard")

    def is_right(self, code: TextCode, typed: str) -> bool:
        """Whether what was typed or pasted is the code, compared in constant time."""
        found = code_in(typed, "standard")
        return found is not None and hmac.compare_digest(found, self.derive(code))
