"""Remove all second factors of a person who has lost them: at once, or after a time to object.

    ask ──wait──▶ due ──▶ done: factors, recovery codes, trusted browsers, passkeys; all signed out
         │
         └──▶ objected, by a link that the person was sent

An operator decides, whom somebody may have talked into it: so the person is told by mail, and where
there is a waiting time whoever reads it can object. Of an objection and a reset that is due one
wins, in the database (`FactorResetRepository`).

A reset is marked as done before anything is removed, so that no objection comes in between. What
follows is done by whoever has marked it, and once more by the reader of its mail's job, which was
queued before, should that process have died.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.factor import FactorReset
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import DeliveryError, InvalidArgument
from pwless_middleware.features.second_factors.mails import FactorMails, FactorNotice
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.flows.capabilities.topics import LONGEST, QueuedJob, ReadJob
from pwless_middleware.flows.people.change_jobs import UNDER_WAY
from pwless_middleware.languages.current import current_language
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factor_resets import FactorResetRepository
    from pwless_middleware.database.factors.factors import FactorRepository

ASKED, DONE = "factors_reset_asked", "factors_reset"
"""Topics of the jobs, and names of the mails."""
OBJECTION_PATH: Final = "/account/second-factors/reset"
OBJECT: Final = "object_to_reset"
"""What the handle in the mail is sealed for."""
LONGEST_WAIT: Final = 30 * 86400
"""Seconds that a reset may wait."""
_ID_BYTES: Final = 16  # 128 random bits; the handle in the mail has a MAC of as many
_EVERY: Final = 60  # seconds between looks for what is due
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetResult:
    """What has become of a reset that was asked for.

    Attributes:
        due_at: unix seconds at which it is done; `None` where it is done.
        removed: how many second factors are gone, passkeys not counted.
    """

    due_at: int | None = None
    removed: int = 0


class FactorResets:
    """Reset people's second factors.

    Args:
        kit: everything below.
        factors: what is removed.
        resets: keep those that wait.
        mails: make the mails.
        wait: returns the seconds for which a person can object, as the deployment wants it.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        resets: FactorResetRepository,
        mails: FactorMails,
        *,
        wait: Callable[[], int],
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._resets = resets
        self._mails = mails
        self._wait = wait
        self._page = f"{kit.origin.url}{kit.prefix}{OBJECTION_PATH}"
        self._turns = kit.records("reset_turns")
        self._followed = kit.records("resets_followed")

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {ASKED: self.read_asked, DONE: self.read_done}

    @property
    def periodic(self) -> Periodic:
        """What does those that are due."""
        return Periodic("resets", _EVERY, self.do_due)

    # --- what an operator does -----------------------------------------------------------------

    async def reset(self, user_id: str, *, by: str, wait: int | None = None) -> ResetResult:
        """Remove all second factors of a person, or have it done after a time to object.

        One that waits already goes on as it is, and is not made to wait longer; with `wait=0` it is
        done now.

        Args:
            user_id: whose.
            by: who does it, for the events.
            wait: seconds for which the person can object, 0 to 30 days; 0 is at once. `None`
                (default) is as the deployment wants it.

        Raises:
            InvalidArgument: `wait` is no such number.
            Unavailable: database, store or queue cannot take it; ask again.
        """
        if wait is not None and (type(wait) is not int or not 0 <= wait <= LONGEST_WAIT):
            problem = Text("Send %(least)s to %(most)s.", least=0, most=LONGEST_WAIT)
            raise InvalidArgument.of("wait", problem, "range")
        seconds = self._wait() if wait is None else wait
        while True:
            reset = await self._ask(user_id, by, seconds)
            if seconds > 0:
                return ResetResult(due_at=reset.due_at)
            removed = await self._finish(reset)
            if removed is not None:
                return ResetResult(removed=removed)
            found = await self._resets.find(reset.id)
            if found is None or found.objected_at is None:
                # Somebody else does it at this moment.
                return ResetResult(due_at=reset.due_at)

    async def _ask(self, user_id: str, by: str, wait: int) -> FactorReset:
        """Return a reset of the person that is open: the one that waits, or a new one."""
        while True:
            waiting = await self._resets.open_of(user_id)
            if waiting is not None:
                return waiting
            now = self._kit.clock()
            reset = FactorReset(
                id=secrets.token_bytes(_ID_BYTES),
                user_id=user_id,
                by=by,
                asked_at=now,
                due_at=now + wait,
            )
            if wait == 0:
                if await self._resets.ask(reset):
                    return reset
                continue
            await self._mails.queue(ASKED, self._make_notice(reset, now))
            audit = self._kit.events.make("factor.reset_asked", user_id=user_id, by=by, wait=wait)
            if await self._resets.ask(reset, audit=audit):
                self._kit.events.publish(audit)
                await self._kit.wake_delivery()
                return reset

    async def find_open(self, user_id: str) -> FactorReset | None:
        """Return the reset of a person that waits, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._resets.open_of(user_id)

    async def do_due(self) -> None:
        """Do those whose waiting time is over.

        Raises:
            Unavailable: database, store or queue cannot take it.
        """
        for reset in await self._resets.due(self._kit.clock(), _AT_ONCE):
            await self._finish(reset)

    async def _finish(self, reset: FactorReset) -> int | None:
        """Do a reset and return how many factors are gone; `None` where somebody else has it.

        Of several processes one takes the turn, in the write that queues the mail, so that there is
        one mail. The turn ends by itself: that of a process that dies is taken once more.
        """
        now, user_id = self._kit.clock(), reset.user_id
        job = self._kit.jobs.writes(DONE, self._make_notice(reset, now).pack()).jobs[0]
        turn = self._turns.writes(reset.id.hex(), b"", ttl=UNDER_WAY).puts[0]
        op = new_operation()
        taken = await self._kit.store.admit((), turn, job=job, replaces=None, now=now, op=op)
        if not taken.ok:
            return None
        count = len((await self._factors.state(user_id)).factors)
        audit = self._kit.events.make(
            "factor.reset", user_id=user_id, by=reset.by, details={"count": count}
        )
        if not await self._resets.finish(reset.id, at=now, audit=audit):
            return None
        self._kit.events.publish(audit)
        removed = await self._follow(reset, now)
        await self._kit.wake_delivery()
        return removed

    async def _follow(self, reset: FactorReset, done_at: int) -> int:
        """Remove everything and sign everybody out; may be done twice. Return how many factors."""
        # In this order: whoever has a factor of theirs would sign in again in between.
        removed = await self._factors.remove_all(reset.user_id)
        await self._remove_others(reset)
        await self._kit.sessions.revoke_all(reset.user_id)
        # What a session that lived until then has added meanwhile.
        await self._remove_others(reset)
        await self._factors.remove_since(reset.user_id, done_at)
        await self._followed.put(reset.id.hex(), b"", ttl=LONGEST + UNDER_WAY)
        return removed

    async def _remove_others(self, reset: FactorReset) -> None:
        """Have other features remove theirs."""
        for told in self._kit.offers.on_factors_reset:
            await told(reset.user_id, reset.by)

    # --- what the person does ------------------------------------------------------------------

    def objection_url(self, reset: FactorReset) -> str:
        """Return where the person objects to a reset: for them alone, as whoever has it may."""
        handle = self._kit.secrets.seal(OBJECT, reset.id)
        return f"{self._page}?{urlencode({'link_token': handle})}"

    async def find(self, handle: str) -> FactorReset | None:
        """Return the reset that a handle objects to, whatever became of it; `None` for none.

        Raises:
            StoreError: the database cannot be asked.
        """
        id = self._kit.secrets.open(OBJECT, handle)
        return await self._resets.find(id) if id is not None else None

    async def object(
        self, reset: FactorReset, caller: Caller | None, *, by: str = "person"
    ) -> bool:
        """Object to a reset; false where it is done, or was objected to before.

        Args:
            reset: which.
            caller: who presses the button, signed in or not; `None` for an operator, whose device
                is none of the person's.
            by: who does, for the event; default the person.

        Raises:
            StoreError: the database cannot be asked; it can be pressed again.
        """
        audit = self._kit.events.make("factor.reset_objected", caller, user_id=reset.user_id, by=by)
        if not await self._resets.object(reset.id, at=self._kit.clock(), audit=audit):
            return False
        self._kit.events.publish(audit)
        return True

    # --- mails ---------------------------------------------------------------------------------

    def _make_notice(self, reset: FactorReset, at: int) -> FactorNotice:
        return FactorNotice(reset.user_id, at, "", current_language().code, id=reset.id.hex())

    async def read_asked(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a reset that waits, with the link that objects to it."""
        notice = FactorNotice.unpack(job.body)
        reset = await self._resets.find(bytes.fromhex(notice.id))
        if reset is None:
            return self._mails.wait_for(job)
        if not reset.is_open:
            return Outcome.DONE
        return await self._mails.deliver(
            ASKED, notice, link=self.objection_url(reset), until=reset.due_at
        )

    async def read_done(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a reset that is done, once all of it is."""
        notice = FactorNotice.unpack(job.body)
        reset = await self._resets.find(bytes.fromhex(notice.id))
        if reset is None or reset.done_at is None:
            return self._mails.wait_for(job)
        if reset.done_at >= notice.at + UNDER_WAY:
            return Outcome.DROPPED  # by whoever took the turn after the one that queued this
        if await self._followed.read(notice.id) is None:
            if self._kit.clock() < reset.done_at + UNDER_WAY:
                raise DeliveryError("a reset of second factors is under way")
            await self._follow(reset, reset.done_at)
        return await self._mails.deliver(DONE, notice)
