"""The tries that an email gives back to its reader while strangers have spent the address's.

Anybody can type wrong codes for an address, until nobody can type one there for a while. Who reads
the address's mail is let past that lock: the mail then holds a link, and its button gives the
browser a device cookie with a small budget of its own (OWASP, "Device cookies").
"""

from __future__ import annotations

from collections.abc import Callable

from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.challenges.pasted_text import link_token_in
from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device_cookie import (
    NOBODY,
    Known,
    KnownAddress,
    add_known,
    find_known,
)
from pwless_middleware.core.storage.store_keys import TAG_BYTES, challenge_key, device_mark
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.challenges.limits import EXACT_BYTES
from pwless_middleware.stores.base import Store


class DeviceGrants:
    """Let the reader of an address's mail past the lock on its tries.

    Args:
        challenges, store, keyring, rules: what it works with.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        challenges: Challenges,
        store: Store,
        keyring: Keyring,
        rules: CurrentRules,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._challenges = challenges
        self._store = store
        self._keyring = keyring
        self._rules = rules
        self._clock = clock

    async def is_locked(self, challenge: Challenge) -> bool:
        """Whether a browser without a device cookie can type no code for this challenge now.

        Raises:
            Unavailable: the store could not be asked.
        """
        draws, key = self._rules().limits.lock_on_tries(challenge.id), challenge_key(challenge.id)
        now, op = self._clock(), new_operation()
        return (await self._store.attempt(draws, key, now=now, op=op)).refused_by is not None

    async def grant(self, token: str, caller: Caller) -> Known | None:
        """Return a device cookie with the small budget that a live challenge's email gives.

        Whoever has the email need not wait for strangers who have used up what the address has.
        Spends nothing and signs nobody in. Asked again, it is the same budget, so that one email
        gives five tries in its 24 hours, however often its link is pressed.

        Args:
            token: of the link; one of an email with a code alone counts only in the browser that
                asked for it, and while no code can be typed.
            caller: a browser.

        Returns:
            What the device cookie says then; unchanged where the browser has signed in as this
            address and has its own budget. `None` if the email gives nothing.

        Raises:
            Unavailable: the store could not be asked.
        """
        found = link_token_in(token)
        link = None if found is None else self._keyring.open_link(found)
        challenge = (
            await self._challenges.read(link.id, key_id=link.key_id) if link is not None else None
        )
        if (
            link is None
            or challenge is None
            or challenge.caller != caller.name
            or not challenge.is_live(self._clock())
            or not self._keyring.is_link_of(link, challenge)
        ):
            return None
        if challenge.kind == "OTP" and (
            link.id not in caller.holds or not await self.is_locked(challenge)
        ):
            return None
        exact = link.id[TAG_BYTES : TAG_BYTES + EXACT_BYTES]
        row = find_known(caller.known_to, exact)
        if row is not None and row.owner != NOBODY and not await self._is_revoked(row):
            return caller.known_to
        budget = int.from_bytes(link.id[-4:], "big")
        return add_known(caller.known_to, KnownAddress(exact, NOBODY, challenge.asked_at, budget))

    async def _is_revoked(self, row: KnownAddress) -> bool:
        mark = await self._store.read(device_mark(row.owner), now=self._clock())
        return mark is not None and int.from_bytes(mark, "big") >= row.issued_at
