"""Test addresses made, given another code or another end, and removed (security rule 67)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.addresses.test_address import (
    LONGEST,
    SHORTEST,
    TestAddress,
    new_id,
    parse_networks,
    parse_note,
)
from pwless_middleware.core.challenges.codes import format_code
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.person import MAX_NAME
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import InvalidArgument, LoginDenied
from pwless_middleware.features.email_login.test_addresses.addresses import TestAddresses
from pwless_middleware.features.email_login.test_addresses.secrets import TestSecret, TestSecrets
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

_PERSON: Final = Text("Somebody has this address. Choose one that belongs to nobody.")


@dataclass(frozen=True, slots=True)
class NewTestAddress:
    """A test address with the code that it just got, which is shown this once.

    Attributes:
        address: what is kept of it.
        code: as it is typed.
        link: opened in the browser that asked, it has the button of the email's link.
        link_token: of that link, for pages of your own.
    """

    address: TestAddress
    code: str = field(repr=False)
    link: str = field(repr=False)
    link_token: str = field(repr=False)


class TestAddressChanges:
    """Make test addresses, change and remove them; each change holds everywhere within 100 ms.

    Args:
        kit: everything below.
        repositories: what the database keeps.
        addresses: know them.
        secrets: make their codes.
        rules: how challenges behave.
    """

    __test__ = False  # its name is a noun to pytest, too

    def __init__(
        self,
        kit: Kit,
        repositories: Repositories,
        addresses: TestAddresses,
        secrets: TestSecrets,
        rules: CurrentRules,
    ) -> None:
        self._kit = kit
        self._repository = repositories.test_addresses
        self._address_changes = repositories.address_changes
        self._addresses = addresses
        self._secrets = secrets
        self._rules = rules

    async def add(
        self,
        email: str,
        *,
        expires_in: int,
        networks: Sequence[str] = (),
        note: str = "",
        by: str = "python",
    ) -> NewTestAddress:
        """Give an address that belongs to nobody a code that is always the same.

        Args:
            email: as typed; one that the allow list serves.
            expires_in: seconds until it opens nothing; an hour to 90 days.
            networks: from where it works, e.g. `["203.0.113.0/24"]`; empty (default) for
                everywhere.
            note: what it is for; empty (default) for nothing.
            by: who makes it, for list and events.

        Raises:
            InvalidArgument: a field is bad, or the address is somebody's, an operator's, or a test
                address already.
            Unavailable: it cannot be done now.
        """
        address = parse_address(email)
        if address is None:
            raise _refuse("email", Text("Enter one email address, like jo@example.com."))
        _check_life(expires_in)
        await self._kit.settings.require()
        found, said = parse_networks(networks), parse_note(note)
        if found is None:
            raise _refuse(
                "networks",
                Text("Name networks such as 203.0.113.0/24, or 2001:db8::/48; /64 at the finest."),
            )
        if said is None:
            text = Text("Send at most %(most)s characters, in one line.", most=MAX_NAME)
            raise _refuse("note", text)
        await self._check_nobodys(address)
        id, now = new_id(), self._kit.clock()
        secret, stored = self._secrets.make(id, self._rules().code)
        new = TestAddress(
            id=id,
            email=address,
            secret=stored,
            networks=found,
            note=said,
            made_at=now,
            by=by,
            ends_at=now + expires_in,
        )
        details = {"id": id, "networks": " ".join(found)}
        audit = self._kit.events.make(
            "test_address.added", address=address, by=by, wait=expires_in, details=details
        )
        added = await self._repository.add(new, audit=audit)
        if added != "added":
            raise _refuse("email", _PROBLEMS[added])
        await self._publish(audit)
        return self._shown(new, secret)

    async def list(self) -> Sequence[TestAddress]:
        """Return all of them, those that have ended too, by address."""
        return await self._repository.list()

    async def find(self, id: str) -> TestAddress | None:
        """Return the one with this id, or `None`."""
        return next((one for one in await self.list() if one.id == id), None)

    async def renew_code(self, id: str, *, by: str = "python") -> NewTestAddress:
        """Give a test address another code and another link; the old ones open nothing any more.

        Raises:
            InvalidArgument: there is no such one.
            Unavailable: it cannot be done now.
        """
        await self._kit.settings.require()
        found = await self._require(id)
        secret, stored = self._secrets.make(id, self._rules().code)
        left = max(0, found.ends_at - self._kit.clock())
        audit = self._change(found, by, left)
        if not await self._repository.replace(id, secret=stored, ends_at=None, audit=audit):
            raise _no_such()
        await self._publish(audit)
        return self._shown(found, secret)

    async def extend(self, id: str, *, expires_in: int, by: str = "python") -> None:
        """Let a test address end at another time: an hour to 90 days from now.

        Raises:
            InvalidArgument: there is no such one, or the time is none.
            Unavailable: it cannot be done now.
        """
        _check_life(expires_in)
        found = await self._require(id)
        audit = self._change(found, by, expires_in)
        ends_at = self._kit.clock() + expires_in
        if not await self._repository.replace(id, secret=None, ends_at=ends_at, audit=audit):
            raise _no_such()
        await self._publish(audit)

    async def remove(self, id: str, *, by: str = "python") -> bool:
        """Forget a test address, and sign its user out everywhere; false if there is none.

        The user whom its logins made stays.

        Raises:
            Unavailable: it cannot be done now.
        """
        found = await self.find(id)
        if found is None:
            return False
        audit = self._kit.events.make(
            "test_address.removed", address=found.email, by=by, details={"id": id}
        )
        # Before, so that nothing is removed while the store cannot be written; and after.
        if found.user_id is not None:
            await self._kit.sessions.revoke_all(found.user_id)
        gone = await self._repository.remove(id, audit=audit)
        if gone is None:
            return False
        await self._publish(audit)
        if gone.user_id is not None:
            await self._kit.sessions.revoke_all(gone.user_id)
        return True

    async def _check_nobodys(self, address: Address) -> None:
        if not await self._rules().serves(address):
            raise _refuse("email", Text("Nobody is served at this address: see who may sign in."))
        try:
            user = await self._kit.users.find(address)
        except LoginDenied:
            raise _refuse("email", _PERSON) from None
        if await self._kit.operators.role_of(user or User(id=new_id(), email=address)):
            raise _refuse("email", Text("This is an operator’s address."))
        changes, now = self._address_changes, self._kit.clock()
        if user is not None or await changes.is_reserved(address, user_id="", now=now):
            raise _refuse("email", _PERSON)

    async def _require(self, id: str) -> TestAddress:
        found = await self.find(id)
        if found is None:
            raise _no_such()
        return found

    def _change(self, found: TestAddress, by: str, left: int) -> Event:
        return self._kit.events.make(
            "test_address.changed", address=found.email, by=by, wait=left, details={"id": found.id}
        )

    async def _publish(self, audit: Event) -> None:
        self._kit.events.publish(audit)
        await self._addresses.held.tell()

    def _shown(self, address: TestAddress, secret: TestSecret) -> NewTestAddress:
        page = f"{self._kit.origin.url}{self._kit.prefix}/link"
        link = f"{page}?{urlencode({'link_token': secret.token})}"
        return NewTestAddress(address, format_code(secret.code, secret.style), link, secret.token)


_PROBLEMS: Final = {
    "person": _PERSON,
    "taken": Text("This is a test address already. You find it in the list."),
    "full": Text("There are as many test addresses as there can be. Remove one first."),
}


def _check_life(expires_in: object) -> None:
    if type(expires_in) is not int or not SHORTEST <= expires_in <= LONGEST:
        raise _refuse("expires_in", Text("Choose an end, in an hour at least and 90 days at most."))


def _no_such() -> InvalidArgument:
    return _refuse("id", Text("There is no such test address."))


def _refuse(field: str, problem: Text) -> InvalidArgument:
    return InvalidArgument.of(field, problem, "test_address")
