"""Factors that are not confirmed yet: one of a kind for each person, for a quarter of an hour.

An enrollment is a record of the store and of nothing that lasts: nothing counts before it is
confirmed, and a second one of the kind voids the first (security rule 43). It belongs to whoever
has begun it: the session or pending login (the *holder*), of its user.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import field, replace
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.errors import RequestExpired, TooManyAttempts, Unavailable
from pwless_middleware.flows.capabilities.records import Record, Records
from pwless_middleware.text import Text

LIFETIME: Final = 900
"""Seconds in which it has to be confirmed."""
TRIES: Final = 5
"""Codes that may be tried."""
ID_BYTES: Final = 16
_HEAD: Final = struct.Struct(">BI16s16s")
_AGAIN: Final = 20
"""How often a try is counted anew where others were counted in the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A factor that is not confirmed yet.

    Attributes:
        id: 22 characters of base64url; the id of the factor that it becomes.
        user_id: whose.
        content: what its kind needs: the encrypted seed, the number.
        expires_at: unix seconds.
        tries_left: how many codes may still be tried.
    """

    id: str
    user_id: str
    content: bytes = field(repr=False)
    expires_at: int
    tries_left: int = TRIES


class Enrollments:
    """Keep the enrollments of one kind.

    Args:
        records: where.
        clock: gives unix seconds.
    """

    def __init__(self, records: Records, clock: Callable[[], int]) -> None:
        self._records = records
        self._clock = clock

    async def begin(self, id: str, user_id: str, holder: str, content: bytes) -> Enrollment:
        """Keep a new one, which voids the one before it.

        Args:
            id: of the factor that it becomes.
            user_id: whose.
            holder: names the session or pending login that alone may confirm it.
            content: what its kind needs.

        Raises:
            Unavailable: the store cannot take it.
        """
        enrollment = Enrollment(
            id=id, user_id=user_id, content=content, expires_at=self._clock() + LIFETIME
        )
        await self._records.put(user_id, _pack(enrollment, holder), ttl=LIFETIME)
        return enrollment

    async def find(self, id: str, user_id: str, holder: str) -> Enrollment | None:
        """Return one that still waits, or `None`."""
        found = await self._read(id, user_id, holder)
        return found[1] if found is not None else None

    async def attempt(self, id: str, user_id: str, holder: str) -> Enrollment:
        """Count a try, before anything is compared, and return what it is a try at.

        Raises:
            RequestExpired: unknown, over, void, or another holder's.
            TooManyAttempts: the tries are spent.
            Unavailable: the store cannot be asked.
        """
        for _ in range(_AGAIN):
            found = await self._read(id, user_id, holder)
            if found is None:
                raise RequestExpired
            record, enrollment = found
            ttl = enrollment.expires_at - self._clock()
            if enrollment.tries_left < 1:
                raise TooManyAttempts(ttl, TOO_MANY)
            counted = replace(enrollment, tries_left=enrollment.tries_left - 1)
            if await self._records.swap(record, _pack(counted, holder), ttl=max(1, ttl)):
                return counted
        raise Unavailable("too many tries at one enrollment at once")

    async def end(self, enrollment: Enrollment) -> None:
        """Forget the enrollment of a user: it was confirmed."""
        await self._records.drop(enrollment.user_id)

    async def _read(self, id: str, user_id: str, holder: str) -> tuple[Record, Enrollment] | None:
        record = await self._records.read(user_id)
        if record is None:
            return None
        tries_left, expires_at, its_id, its_holder = _HEAD.unpack_from(record.value)
        if its_id != unb64(id) or its_holder != _name(holder) or expires_at <= self._clock():
            return None
        return record, Enrollment(
            id=id,
            user_id=user_id,
            content=record.value[_HEAD.size :],
            expires_at=expires_at,
            tries_left=tries_left,
        )


def _pack(enrollment: Enrollment, holder: str) -> bytes:
    id, name = unb64(enrollment.id) or b"", _name(holder)
    head = _HEAD.pack(enrollment.tries_left, enrollment.expires_at, id, name)
    return head + enrollment.content


def _name(holder: str) -> bytes:
    return digest("enrollment-holder", holder)


WRONG: Final = Text("That code is not right.")
"""What is said of a wrong code for an app."""
TOO_MANY = Text("Too many wrong codes. Begin again.")
