"""Which addresses are test addresses, and what of a login they change; all else is as for anybody.

No email is sent to one. The code that proves a challenge of it is its own fixed one, in the place
of the challenge's; the login then goes through the one door, with its limits, steps and rules. What
is made there is a user of its own, whom the address belongs to from then on: where somebody else
has the address, a person or an operator, its code opens nothing.
"""

from __future__ import annotations

import hmac
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.addresses.test_address import TestAddress, find_token
from pwless_middleware.core.challenges.challenge import Challenge, attempt_of
from pwless_middleware.core.logins.caller import ADDRESS_CHANGE, Caller
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import LONGEST, Session, SessionPolicy
from pwless_middleware.core.logins.verdict import Verdict
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.email_login.test_addresses.secrets import TestSecrets
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenge_verifier import CODE_METHOD, LINK_METHOD
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.challenges.fixed_codes import FixedCode
from pwless_middleware.flows.events.flood_log import FloodLog
from pwless_middleware.flows.logins.proofs import Holds
from pwless_middleware.flows.signals.held_read import HeldRead
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.people.test_addresses import TestAddressRepository

logger = logging.getLogger("pwless.test_addresses")

TOPIC: Final = "test_addresses"
"""The topic of the signal."""
_PROVEN: Final = 1_000
"""Logins between a right code and the session that are remembered; more are not under way."""
_SHORTEST: Final = 60
"""Seconds that a session lives, at least."""


class TestAddresses:
    """Know the test addresses, what proves them, and whom they belong to (`FixedCodes`).

    Args:
        kit: everything below.
        repository: keeps them.
        secrets: reads their codes.
        challenges: finds what a link stands for.
        rules: how challenges behave.
    """

    __test__ = False  # its name is a noun to pytest, too

    def __init__(
        self,
        kit: Kit,
        repository: TestAddressRepository,
        secrets: TestSecrets,
        challenges: Challenges,
        rules: CurrentRules,
    ) -> None:
        self._kit = kit
        self._repository = repository
        self._secrets = secrets
        self._challenges = challenges
        self._rules = rules
        self.held = HeldRead(self._read, kit.signals, TOPIC)
        self._floods = FloodLog(logger)
        self._proven: OrderedDict[bytes, str] = OrderedDict()

    async def list(self) -> Sequence[TestAddress]:
        """Return all of them, those that have ended too, by address.

        Raises:
            StoreError: the database cannot be asked.
        """
        return list((await self.held.get()).values())

    async def count_live(self) -> int:
        """Return how many open something now.

        Raises:
            StoreError: the database cannot be asked.
        """
        now = self._kit.clock()
        return sum(one.is_live(now) for one in await self.list())

    # --- challenges ----------------------------------------------------------------------------

    async def covers(self, address: Address) -> bool:
        """Whether it is one of them, those that have ended too; then no email is sent."""
        return address in await self.held.get()

    async def find(self, challenge: Challenge, caller: Caller) -> FixedCode | None:
        """Return what proves a challenge; `None` for one of an address like any other."""
        found = (await self.held.get()).get(challenge.address)
        if found is None:
            return None
        secret = self._secrets.read(found)
        reason = await self._why_not(found, challenge, caller)
        if reason is None and (secret is None or secret.style != self._rules().code):
            reason = "unreadable"
        if reason is None and secret is not None:
            return FixedCode(secret.code)
        self._kit.events.record(
            "test_address.refused",
            caller,
            attempt=attempt_of(challenge.id),
            address=found.email,
            reason=reason or "unreadable",
            details={"id": found.id},
        )
        self._floods.warning("the code of a test address was not taken", event="test_address")
        return FixedCode(None)

    async def find_link_token(self, text: str, caller: Caller) -> str | None:
        """Return the link token of a challenge that the caller holds, for a test address's link."""
        named = find_token(text)
        if named is None:
            return None
        id, token = named
        found = next((one for one in await self.list() if one.id == id), None)
        secret = None if found is None else self._secrets.read(found)
        if found is None or secret is None or not hmac.compare_digest(secret.token, token):
            return None
        for challenge_id, key_id in caller.holds.items():
            challenge = await self._challenges.read(challenge_id, key_id=key_id)
            if challenge is not None and challenge.address == found.email:
                return self._kit.keyring.link_token(challenge)
        return None

    def holds(self, challenge: Challenge) -> Holds:
        """Return what says whether a test address is still there, once its session is written.

        Whoever removes one ends the sessions that there are; this is for the one under way.
        """

        async def is_there() -> bool:
            found = await self._repository.find(challenge.address)
            return found is not None and found.is_live(self._kit.clock())

        return is_there

    async def note_use(self, challenge: Challenge, caller: Caller) -> None:
        """Tell that a test address is about to sign somebody in."""
        found = (await self.held.get()).get(challenge.address)
        if found is None:  # removed in this very moment
            return
        attempt = attempt_of(challenge.id)
        self._proven[attempt] = found.id
        if len(self._proven) > _PROVEN:
            self._proven.popitem(last=False)
        details = {"id": found.id}
        self._kit.events.record(
            "test_address.used", caller, attempt=attempt, address=found.email, details=details
        )
        logger.warning(
            "somebody signs in by the fixed code of the test address %s",
            found.id,
            extra={"event": "test_address_used"},
        )
        await self._repository.note_use(found.id, at=self._kit.clock())

    async def _why_not(
        self, found: TestAddress, challenge: Challenge, caller: Caller
    ) -> str | None:
        """Return why a test address opens nothing for this caller, or `None`."""
        if challenge.caller.startswith(ADDRESS_CHANGE):
            return "other_use"
        if not found.is_live(self._kit.clock()):
            return "ended"
        if not found.admits(caller.client):
            return "network"
        try:
            user = await self._kit.users.find(found.email)
        except LoginDenied:  # disabled, or the host's table is not sure whose it is
            return "person"
        if user is not None and user.id != found.user_id and not await self._owns(found, user.id):
            return "person"
        is_operator = await self._kit.operators.role_of(
            user or User(id=found.id, email=found.email)
        )
        return "operator" if is_operator else None

    # --- sessions ------------------------------------------------------------------------------

    async def before_session(self, login: Login) -> Verdict | None:
        """Have the address belong to the user whom its first login made, and end with it.

        Raises:
            LoginDenied: the address is somebody else's, or has ended.
        """
        found = (await self.held.get()).get(Address(login.email))
        if found is None:
            return None
        left = found.ends_at - self._kit.clock()
        user = User(id=login.user_id, email=login.email)
        if left < _SHORTEST or await self._kit.operators.role_of(user):
            raise LoginDenied
        if found.user_id == login.user_id or await self._owns(found, login.user_id):
            pass
        elif found.user_id is None:
            by_email = {CODE_METHOD, LINK_METHOD}.intersection(login.methods)
            is_proven = by_email and self._proven.pop(login.attempt, "") == found.id
            if not (login.is_new and is_proven):
                raise LoginDenied
            if not await self._repository.bind(found.id, login.user_id):
                raise LoginDenied
            await self.held.tell()
        else:
            raise LoginDenied
        life = min(left, LONGEST)
        return Verdict(session=SessionPolicy(idle=life, absolute=life))

    async def on_session(self, session: Session, user: User) -> None:
        """Refuse a running session of a test address that has ended.

        Raises:
            LoginDenied: it has.
        """
        address = parse_address(user.email)
        found = None if address is None else (await self.held.get()).get(address)
        if found is None or found.user_id != user.id:
            return
        is_operator = await self._kit.operators.role_of(user)
        if is_operator or not found.is_live(self._kit.clock()):
            raise LoginDenied

    async def _owns(self, held: TestAddress, user_id: str) -> bool:
        """Whether an address belongs to a user by now; another process may have just made them."""
        if held.user_id is not None:
            return False
        found = await self._repository.find(held.email)
        return found is not None and found.user_id == user_id

    async def _read(self) -> Mapping[Address, TestAddress]:
        return {one.email: one for one in await self._repository.list()}
