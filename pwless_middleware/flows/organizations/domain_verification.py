"""Verify domains by their DNS records, and look for the records of verified ones every day.

A record that is not found any more is told, in the log, on the dashboard and by `pwless check`, and
changes nothing by itself: DNS fails, and people would sign in by other rules while it does. A
person takes the domain away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.organizations.domain_records import (
    SENTENCES,
    RecordState,
    find_record,
)
from pwless_middleware.flows.organizations.domains import Domains
from pwless_middleware.flows.organizations.txt_records import LookUp, TXTResolver
from pwless_middleware.text import Text

DAY: Final = 86_400
AT_ONCE: Final = 8
"""Domains whose records are looked for at the same time."""
PAGE: Final = 100
"""Domains that are read at once."""
_BY: Final = "pwless"

DomainState = Literal["verified", "taken"] | RecordState
"""What came of a look: the domain is the organization's own; it is another one's; or what is the
matter with the record."""

_SENTENCES: Final[Mapping[str, str]] = {
    **SENTENCES,
    "verified": Text("The domain is verified."),
    "taken": Text("Another organization has verified this domain. Ask whoever runs this site."),
}


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """A look at the record of a domain.

    Attributes:
        domain: as it is now.
        state: what came of it.
    """

    domain: Domain
    state: DomainState

    @property
    def is_good(self) -> bool:
        """Whether the domain is verified, and its record was found."""
        return self.state == "verified"

    @property
    def sentence(self) -> str:
        """What is said to the administrator."""
        return _SENTENCES[self.state]


class DomainVerification:
    """Verify domains.

    Args:
        domains: keep them.
        clock: returns unix seconds.
    """

    def __init__(self, domains: Domains, clock: Callable[[], int]) -> None:
        self._domains = domains
        self._clock = clock
        self._look_up: LookUp = TXTResolver()

    def look_up_by(self, look_up: LookUp) -> None:
        """Have DNS be asked by a function, from now on."""
        self._look_up = look_up

    async def verify(self, organization: str, name: str, *, by: str = "python") -> DomainCheck:
        """Look for the record of a domain, and make it the organization's own if it is there.

        Args:
            organization: its id.
            name: as somebody typed it.
            by: who asks.

        Raises:
            NotFound: the organization has no such domain.
            StoreError: the database cannot be asked; or other processes cannot be told, and hold
                on for 30 more seconds at most: do it again.
        """
        domain = await self._domains.require(organization, name)
        state = await find_record(domain.name, domain.token, self._look_up)
        if state == "unavailable":
            return DomainCheck(domain, state)
        if state != "found" or domain.verified_at is not None:
            is_there = state == "found"
            domain = await self._domains.note_check(
                organization, domain.name, is_there=is_there, by=by
            )
            return DomainCheck(domain, "verified" if is_there else state)
        try:
            domain = await self._domains.mark_verified(
                organization, domain.name, has_record=True, by=by
            )
        except InvalidArgument:
            return DomainCheck(domain, "taken")
        return DomainCheck(domain, "verified")

    async def check_all(self) -> None:
        """Look for the records of all verified domains that were not looked for within a day.

        Cut off anywhere, the next run goes on.

        Raises:
            StoreError: the database cannot be asked.
        """
        after, before = "", self._clock() - DAY
        while page := await self._domains.list_verified(after=after, limit=PAGE):
            due = [one for one in page if (one.checked_at or 0) <= before]
            for at in range(0, len(due), AT_ONCE):
                await self._check_each(due[at : at + AT_ONCE])
            after = page[-1].name

    async def _check_each(self, domains: Sequence[Domain]) -> None:
        looks = [find_record(one.name, one.token, self._look_up) for one in domains]
        for domain, state in zip(domains, await asyncio.gather(*looks), strict=True):
            if state == "unavailable":
                continue  # nothing is known; the next run asks again
            try:
                await self._domains.note_check(
                    domain.organization, domain.name, is_there=state == "found", by=_BY
                )
            except NotFound:
                continue  # given up meanwhile
