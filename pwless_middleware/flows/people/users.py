"""The users: the host's own table behind three methods, or who is there without one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, runtime_checkable

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.logins.login import EnrolledUser, Subject
from pwless_middleware.core.people.user import User, change_user
from pwless_middleware.errors import (
    ConfigError,
    LoginDenied,
    PersonDisabled,
    StoreError,
    UsersUnavailable,
)
from pwless_middleware.flows.people.stable_users import StableUsers
from pwless_middleware.text import Text
from pwless_middleware.tracebacks import traceback_without_text

if TYPE_CHECKING:
    from pwless_middleware.flows.people.active_users import ActiveUsers
    from pwless_middleware.flows.people.person_directory import PersonDirectory

logger = logging.getLogger("pwless.users")

T = TypeVar("T")

_FAILED: Final = {"event": "users_failed"}


@runtime_checkable
class UserDirectory(Protocol):
    """Connect your own user table to the login.

    If people can change their address, add a method for the account's pages:
    `async def change_email(self, user_id: str, email: str) -> User | None`. It sets the user's
    address, which is proven, and returns the user with it, or `None` if the address belongs to
    somebody else.

    To let operators search it on the dashboard, add
    `async def search(self, prefix: str, after: str) -> Sequence[User]`: about fifty users whose
    addresses begin with `prefix` (lower-case, only characters of an address; empty for all), sorted
    by address, after the address `after`, which is the last one of the previous page; empty for the
    first page.

    If any of them raises an exception, the answer is 503, the exception is logged, and nobody is
    let in.
    """

    async def find(self, email: str) -> User | None:
        """Return the user with this address, or `None`. `email` is canonical (lower-case ASCII)."""
        ...

    async def create(self, email: str) -> User | None:
        """Make a user for a proven address, or give `None` to refuse.

        Called after the code or link has been spent, so by one request only for each proof; two
        proofs of one new address may still come close together, so keep the address unique.
        """
        ...

    async def load(self, user_id: str) -> User | None:
        """Return the user of a session, or `None` if gone; the request is then anonymous.

        Called on every request that carries a session; keep it quick.
        """
        ...


ChangeEmail = Callable[[str, str], Awaitable[User | None]]
Search = Callable[[str, str], Awaitable[Sequence[User]]]
"""What a table may have besides: see `UserDirectory`."""

_RESERVED = Text(
    "The account of this address was moved to another one not long ago. Sign in with that one, or "
    "undo it by the link in the email that was sent here."
)


class Users:
    """Ask the directory, and believe only what fits.

    Args:
        directory: the host's; `None` takes `people`.
        people: those of the database; `None` takes `StableUsers`.
        id_salt: for the ids of `StableUsers`.
        active: counts who is there, of the host's table; `None` counts nobody.
        is_reserved: whether somebody has given up an address so lately that nobody else gets it;
            asked for a host's table that changes addresses. `None` says no.

    Raises:
        ConfigError: a bad `id_salt`, or one beside a directory, which has ids of its own.
    """

    def __init__(
        self,
        directory: UserDirectory | None,
        *,
        people: PersonDirectory | None = None,
        active: ActiveUsers | None = None,
        id_salt: str | None = None,
        is_reserved: Callable[[Address], Awaitable[bool]] | None = None,
    ) -> None:
        if directory is not None and id_salt is not None:
            raise ConfigError("id_salt", "leave it out: with users= the ids are your table's own")
        self.people = people if directory is None else None
        """The people of the database; `None` where the host has a table, or nobody has one."""
        self._active = active if directory is not None else None
        self.seen = self.people or self._active
        """What notes who is there, to be flushed at the end; `None` where nothing does."""
        self._directory: UserDirectory = directory or people or StableUsers(id_salt)
        self._is_reserved = None
        if people is not None or self.can_change_email:
            self._is_reserved = is_reserved
        self.is_table = not isinstance(self._directory, StableUsers)
        """Whether somebody decides who exists: the host's table, or the people of the database."""
        self.is_held = self.people is not None or not self.is_table
        """Whether `load` may be held while the store's feed is live: what changes is signaled."""

    async def find(self, address: Address) -> User | None:
        """Return the user of a proven address, or `None`.

        Raises:
            LoginDenied: the directory gave a user with another address. Database collations call
                `ı` and `i` equal, which has handed over accounts (Django, CVE-2019-19844).
            PersonDisabled: nobody can sign in as this person.
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        return _fitting(await _answer(self._directory.find(address)), address)

    async def create(self, address: Address) -> User:
        """Make the user of a proven address.

        Raises:
            LoginDenied: the directory refuses, or gave a user with another address.
            PersonDisabled: there is one by now, as whom nobody can sign in.
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        if self._is_reserved is not None and await self._is_reserved(address):
            raise LoginDenied(_RESERVED)
        user = _fitting(await _answer(self._directory.create(address)), address)
        if user is None:
            raise LoginDenied
        # Of two first logins at the same time a host's table cannot say which one made the user.
        return user if self.people is not None else change_user(user, is_new=True)

    @property
    def keeps_people(self) -> bool:
        """Whether the people are those of the database."""
        return self.people is not None

    @property
    def can_change_email(self) -> bool:
        """Whether the host's own table lets people change their address."""
        return callable(getattr(self._directory, "change_email", None))

    async def change_email(self, user_id: str, address: Address) -> bool:
        """Have the host's own table give a user another address; false where it does not.

        Raises:
            UsersUnavailable: the directory failed.
        """
        change: ChangeEmail = getattr(self._directory, "change_email")  # noqa: B009 # optional
        user = await _answer(change(user_id, address))
        return user is not None and user.id == user_id and parse_address(user.email) == address

    @property
    def can_search(self) -> bool:
        """Whether the host's own table can be searched."""
        return callable(getattr(self._directory, "search", None))

    async def search(self, prefix: str, after: str = "") -> Sequence[User]:
        """Return a page of the host's own table; users without a usable address are left out.

        Args:
            prefix: how addresses begin, lower-case; empty for all.
            after: the address of the last one of the page before; empty begins.

        Raises:
            UsersUnavailable: the directory failed, or gave no users.
        """
        search: Search = getattr(self._directory, "search")  # noqa: B009 # optional
        found: object = await _answer(search(prefix, after))
        if not isinstance(found, Sequence) or not all(isinstance(one, User) for one in found):
            logger.error("search() of the user directory gave no list of User", extra=_FAILED)
            raise UsersUnavailable
        return [one for one in found if _is_line(one.email)]

    async def of(self, subject: Subject) -> tuple[User, Address] | None:
        """Return the user whom a proof is about, with the address that counts, or `None`.

        An address is looked up. A user by id is loaded by that id, and their address is the one
        they have now: who has moved on keeps the account, whoever has the old address since. Where
        there is no table an id is made of its address, and is nobody's if it is not that.

        Raises:
            LoginDenied: the directory gave a user with another address than the proven one, or one
                by id whose address is not of our grammar: no rule could tell its domain.
            PersonDisabled: nobody can sign in as the person of a proven address.
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        if not isinstance(subject, EnrolledUser):
            user = await self.find(subject)
            return None if user is None else (user, subject)
        if not self.is_table:
            user = None if subject.address is None else await self.find(subject.address)
            is_same = user is not None and user.id == subject.id
        else:
            user = await self.load(subject.id, subject.address)
            is_same = user is not None
        if user is None or not is_same:
            return None
        address = parse_address(user.email)
        if address is None:
            logger.error("the user directory gave a user without a usable address; refused")
            raise LoginDenied
        return user, address

    async def id_of(self, address: Address) -> str | None:
        """Return the id of who has an address, whether or not they can sign in; `None` for nobody.

        Raises:
            LoginDenied: the directory gave a user with another address.
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        if self.people is not None:
            return await self.people.owner_of(address)
        user = await self.find(address)
        return None if user is None else user.id

    async def address_of(self, user_id: str) -> Address | None:
        """Return the address of a user, whether or not they can sign in; `None` for none.

        Raises:
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        if self.people is not None:
            return parse_address(await self.people.address_of(user_id) or "")
        user = await self.load(user_id)
        return None if user is None else parse_address(user.email)

    async def load(self, user_id: str, email: str | None = None) -> User | None:
        """Return the user of a session, or `None` if gone or disabled.

        Args:
            user_id: the user's id.
            email: the address that the session has; without a table it makes the user. `None` where
                there is no session.

        Raises:
            UsersUnavailable, StoreError: the directory failed, or the database.
        """
        if not self.is_table:
            return User(id=user_id, email=email) if email is not None else None
        if self.people is not None:
            call = self.people.load(user_id, email)
        else:
            call = self._directory.load(user_id)
        user = await _answer(call)
        if user is None:
            return None
        if isinstance(user, User) and user.id == user_id and _is_line(user.email):
            if self._active is not None and email is not None:
                self._active.note(user_id)
            return user
        logger.error(
            "the user directory gave load() no User, another one, or one without an address; "
            "refused"
        )
        return None


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except (StoreError, PersonDisabled):  # of our own database
        raise
    except Exception as exc:
        if not isawaitable(call):  # which the traceback, without its text, would not tell
            logger.error(
                "the user directory failed: write its verbs as `async def`, find, create and load",
                extra=_FAILED,
            )
            raise UsersUnavailable from exc
        # Not the exception's text: a database quotes the row, and with it the address (security
        # rule 13).
        logger.error(
            "the user directory failed:\n%s",
            traceback_without_text(exc),
            extra=_FAILED,
        )
        raise UsersUnavailable from exc


def _fitting(user: User | None, address: Address) -> User | None:
    if user is None:
        return None
    is_user = isinstance(user, User) and _is_line(user.email)
    if not is_user or parse_address(user.email) != address:
        logger.error("the user directory gave no User, or one with another address; refused")
        raise LoginDenied
    return user


def _is_line(email: object) -> bool:
    """Whether a user's address can be shown and handed on in a header; a column may hold `NULL`."""
    return isinstance(email, str) and email.isprintable()
