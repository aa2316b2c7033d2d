"""How often somebody may change what they sign in with: passkeys and second factors, together.

    await kit.change_budget.spend(user_id, caller)                  # before the mail is queued
    await kit.change_budget.spend(user_id, caller, removes=True)

Each such change is an email to the person, so that whoever has a session of theirs could fill their
mailbox by adding and removing in turn, and hide among it the one change that matters. It is spent
before the change and never given back.

What removes is counted as well, and goes on where the number is reached: nobody may keep a person
from removing a stranger's passkey by using up their day. It is bounded by what there is to remove.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.storage.store_keys import change_budget, change_record, user_slot
from pwless_middleware.errors import RateLimited
from pwless_middleware.flows.events.events import Events
from pwless_middleware.stores.base import Put, Store
from pwless_middleware.text import Text, duration_text

DAY: Final = 86400
PER_DAY: Final = 20
"""Changes of a user in 24 hours, of all kinds together."""
REMOVALS_PER_DAY: Final = 100
"""More than there can be: 20 that were added in the day, and what was there before."""
_RANDOM_BYTES: Final = 12


class ChangeBudget:
    """Count the changes of each user.

    Args:
        store: where they are counted.
        realm: of the deployment, as its keyring has it.
        clock: returns unix seconds.
        events: records who has reached the limit.
    """

    def __init__(self, store: Store, realm: str, clock: Callable[[], int], events: Events) -> None:
        self._store = store
        self._realm = realm
        self._clock = clock
        self._events = events

    async def spend(
        self, user_id: str, caller: Caller | None = None, *, removes: bool = False
    ) -> None:
        """Count a change that is about to be made, before its mail is queued.

        An operator's reset is none of the person's changes, and is not counted.

        Args:
            user_id: whose.
            caller: who asks, for the event; `None` if that is not known.
            removes: whether something is removed: it is counted, and allowed past the 20 of a day.

        Raises:
            RateLimited: the user has changed too much in 24 hours; `retry_after` says for how long.
            StoreError: the store could not be asked.
        """
        slot, now = user_slot(self._realm, user_id), self._clock()
        most = REMOVALS_PER_DAY if removes else PER_DAY
        draw = Draw(change_budget(slot), (Limit(most, DAY),))
        # The store counts together with a record: this one says nothing, and goes at once.
        record = Put(change_record(slot, secrets.token_bytes(_RANDOM_BYTES)), b"", until=now + 1)
        done = await self._store.admit(
            (draw,), record, job=None, replaces=None, now=now, op=new_operation()
        )
        if done.refused_by is not None:
            self._events.record(
                "limit.reached", caller, user_id=user_id, reason="change_by_user", wait=done.wait
            )
            wait = duration_text(max(1, done.wait))
            message = Text("Too many changes in one day. Try again in %(wait)s.", wait=wait)
            raise RateLimited(done.wait, message, brief=Text("Too many changes in one day."))
