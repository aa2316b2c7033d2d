"""Look up TXT records (RFC 1035 section 3.3.14) by dnspython."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

PATIENCE: Final = 4.0
"""Seconds for one question, with all tries and servers."""


@dataclass(frozen=True, slots=True)
class TXTRecords:
    """What DNS has under a name.

    Attributes:
        texts: one for each record; none where the name has none, or does not exist.
        alias: the name that they stand at, where the one that was asked for is another name of it
            (CNAME); `None` where it is none.
    """

    texts: tuple[str, ...] = ()
    alias: str | None = None


class DNSUnavailable(Exception):
    """DNS does not answer, or says that it cannot: nothing is known."""


LookUp = Callable[[str], Awaitable[TXTRecords]]
"""Returns the TXT records of a canonical name; raises `DNSUnavailable` where nobody knows them."""


class TXTResolver:
    """Ask for the TXT records of a name.

    Args:
        resolver: whom to ask; `None` asks the system's.
    """

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver

    async def __call__(self, name: str) -> TXTRecords:
        """Return the records.

        Raises:
            DNSUnavailable: no server answers in 4 seconds, or none of them knows.
        """
        from dns.asyncresolver import Resolver
        from dns.exception import DNSException
        from dns.name import from_text
        from dns.resolver import NXDOMAIN

        try:
            if self._resolver is None:
                self._resolver = Resolver()
            asked = from_text(name)
            answer = await self._resolver.resolve(
                asked, "TXT", lifetime=PATIENCE, raise_on_no_answer=False
            )
        except NXDOMAIN:
            return TXTRecords()
        except (DNSException, OSError) as error:
            raise DNSUnavailable(type(error).__name__) from error
        texts = tuple(b"".join(record.strings).decode("latin-1") for record in answer)
        is_alias = answer.canonical_name != asked
        alias = answer.canonical_name.to_text(omit_final_dot=True) if is_alias else None
        return TXTRecords(texts, alias)
