"""The mail that tells all admins of a new operator, or of one who has got more.

Its jobs are queued before the change is made, one for each admin, so that nobody is added in
silence while the queue is full; those of a change that did not come about are dropped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.links import break_links
from pwless_middleware.core.operators.operator import Role, covers
from pwless_middleware.database.operators.operators import OperatorRepository
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import LoginDenied
from pwless_middleware.flows.capabilities.topics import LONGEST, QueuedJob, ReadJob
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit

ADDED: Final = "operator_added"
"""Topic of the jobs, and name of the mail."""


@dataclass(frozen=True, slots=True)
class _News:
    """What a job tells.

    Attributes:
        to: the user id of an admin, or the address of one in code.
        user_id: of the new operator.
        role: of the new operator.
        at: unix seconds.
        language: the code of the language in which it was done.
    """

    to: str
    user_id: str
    role: Role
    at: int
    language: str

    def pack(self) -> bytes:
        fields = [self.to, self.user_id, self.role, self.at, self.language]
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> _News:
        return cls(*json.loads(body))


class OperatorMails:
    """Queue the jobs, and read them.

    Args:
        kit: everything below.
        operators: tells whether a change came about.
        roles: which the code gives.
    """

    def __init__(self, kit: Kit, operators: OperatorRepository, roles: OperatorRoles) -> None:
        self._kit = kit
        self._operators = operators
        self._roles = roles
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topic."""
        return {ADDED: self.read}

    async def queue(self, user_id: str, role: Role) -> None:
        """Queue the mails of an operator who is about to be made.

        Whoever has made the change calls `Kit.wake_delivery` then.

        Raises:
            Unavailable: the store or the queue cannot take them; then nothing may be changed.
        """
        now = self._kit.clock()
        stored = await self._operators.list()
        told = [one.user_id for one in stored if one.role == "admin" and one.user_id != user_id]
        told += [address for address, role in self._roles.in_code.items() if role == "admin"]
        news = [_News(to, user_id, role, now, current_language().code) for to in told]
        until, payload = now + LONGEST, self._kit.jobs.payload
        if news:
            jobs = tuple(payload(ADDED, one.pack(), until=until) for one in news)
            await self._kit.store.write(Writes(jobs=jobs), now=now, op=new_operation())

    async def list_admins(self) -> Sequence[tuple[Address, str]]:
        """Return the address and chosen language of each `admin`, of code and database, once each.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        stored = await self._operators.list()
        told = [one.user_id for one in stored if one.role == "admin"]
        told += [address for address, role in self._roles.in_code.items() if role == "admin"]
        found = [await self._find(to) for to in told]
        return list({one[0]: one for one in found if one is not None}.values())

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell one admin."""
        news = _News.unpack(job.body)
        operator = await self._operators.find(news.user_id)
        if operator is None or not operator.is_live or not covers(operator.role, news.role):
            return wait_for_change(job, now=self._kit.clock())
        new = await self._kit.users.load(news.user_id)
        told = await self._find(news.to)
        if new is None or told is None:
            return Outcome.DROPPED
        address, language = told
        return self._notices.deliver(
            ADDED,
            address,
            at=news.at,
            language=language or news.language,
            variables={"operator": break_links(new.email), "role": news.role},
        )

    async def _find(self, to: str) -> tuple[Address, str] | None:
        """Return an admin's address and chosen language; `None` for who is gone."""
        address = parse_address(to)
        if address is not None and address in self._roles.in_code:
            try:
                user = await self._kit.users.find(address)
            except LoginDenied:
                return None
            return address, "" if user is None else user.language
        user = await self._kit.users.load(to)
        address = None if user is None else parse_address(user.email)
        return None if user is None or address is None else (address, user.language)
