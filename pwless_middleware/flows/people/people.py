"""The people of the database, for operators and hosts: `Passwordless.people`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Unpack

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.events.event import Event, EventFields
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.person import MAX_NAME, Person, Place, parse_name
from pwless_middleware.errors import ConfigError, InvalidArgument, NotFound, PersonNotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.people.invitations import Invitations
from pwless_middleware.flows.people.person_directory import PersonDirectory
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.personal_data.personal_data import PersonalData
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.languages.languages import Languages
from pwless_middleware.text import Text

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.events.events import EventRepository
    from pwless_middleware.database.people.people import PersonRepository

RemovalCheck = Callable[[str], AbstractAsyncContextManager[None]]
"""Is given the id of who is to be disabled or erased; raises `InvalidArgument` to refuse it."""
MAX_PAGE: Final = 1_000
"""People of one page, at most."""
_TWO_PLACES: Final = Text("Send one of %(names)s.", names="after, before")
_DISABLED: Final = Text("Nobody can sign in as this person. Enable them first.")
_NO_SESSION: Final = Text("That session is over already, or was never theirs.")


class People:
    """Find people, change them, and erase them.

        await passwordless.people.disable("jo@example.com")

    Where a method takes `who`, it is an id or an address. `by` says in the events who did it: a
    person, an operator, a server, the command line, or Python.

    With `users=` the people are your own table's: here is then only what hangs on their ids, for
    `export` and `delete`; all else is a `ConfigError`.

    Args:
        people: where they are kept.
        users: says which ids addresses have; or has those of the host's own table.
        data: what is kept about a person besides, of each kind; sessions come first.
        sessions, signals, events: what it works with.
        log: keeps the events of what is changed elsewhere than in the database.
        invitations: tell people that they can sign in.
        languages: those that people can choose.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        people: PersonRepository,
        users: Users,
        data: Mapping[str, PersonalData],
        sessions: SessionsView,
        signals: Signals,
        events: Events,
        log: EventRepository,
        invitations: Invitations,
        *,
        languages: Languages,
        clock: Callable[[], int],
    ) -> None:
        self._people = people
        self._users = users
        self._data = data
        self._sessions = sessions
        self._signals = signals
        self._events = events
        self._log = log
        self._invitations = invitations
        self._languages = languages
        self._clock = clock
        self._removal_checks: list[RemovalCheck] = []

    def add_removal_check(self, check: RemovalCheck) -> None:
        """Have a check asked before somebody is disabled or erased, which may refuse it.

        Args:
            check: is given the id, and returns what is entered before somebody is removed, and left
                afterwards; raises `InvalidArgument` as it is entered, to refuse.
        """
        self._removal_checks.append(check)

    async def check_removal(self, user_id: str) -> None:
        """Refuse where somebody can be neither disabled nor erased now.

        Raises:
            InvalidArgument: a check refuses it: they are the last admin of the dashboard.
            StoreError, UsersUnavailable: it cannot be known now.
        """
        async with self._removal(user_id):
            pass

    @asynccontextmanager
    async def _removal(self, user_id: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for check in self._removal_checks:
                await stack.enter_async_context(check(user_id))
            yield

    # --- find ----------------------------------------------------------------------------------

    async def find(self, who: str) -> Person | None:
        """Return a person, or `None`.

        Args:
            who: their id, or their address as somebody types it.

        Raises:
            StoreError: the database cannot be asked.
            ConfigError: with `users=`.
        """
        self._require_own()
        return await self._find(who)

    async def id_of(self, who: str) -> str:
        """Return the id of a person, of your own table too.

        Args:
            who: their id, or their address as somebody types it; an id that nobody has is returned
                with `users=`, since your table may have forgotten who is still kept here.

        Raises:
            PersonNotFound: nobody has this id or address.
            StoreError: the database cannot be asked.
            UsersUnavailable: your table cannot be asked.
        """
        person = await self._find(who)
        if person is not None:
            return person.id
        address = parse_address(who)
        if self._users.people is not None or not who.isprintable():
            raise PersonNotFound
        user_id = who if address is None else await self._users.id_of(address)
        if not user_id:
            raise PersonNotFound
        return user_id

    async def list(
        self,
        *,
        prefix: str = "",
        after: str = "",
        before: str = "",
        limit: int = 50,
        disabled: bool = False,
    ) -> Sequence[Person]:
        """Return people in the order of their addresses.

        Args:
            prefix: how their addresses begin; empty (default) takes all.
            after: the address of the last one of the page before; empty (default) begins.
            before: the address of the first one of the page behind; empty (default) takes `after`.
            limit: how many at most, 1 to 1,000; default 50.
            disabled: whether only those as whom nobody can sign in; default all.

        Raises:
            InvalidArgument: the limit is none, or both `after` and `before` are given.
            StoreError: the database cannot be asked.
            ConfigError: with `users=`.
        """
        self._require_own()
        _check_page(limit, after, before)
        return await self._people.list(
            prefix=prefix.lower(), after=after, before=before, limit=limit, disabled=disabled
        )

    async def newest(
        self, *, after: Place | None = None, before: Place | None = None, limit: int = 50
    ) -> Sequence[Person]:
        """Return people as they came, the last one first.

        Args:
            after: where the last one of the page before stands (`Person.place`); `None` (default)
                begins.
            before: where the first one of the page behind stands; `None` (default) takes `after`.
            limit: how many at most, 1 to 1,000; default 50.

        Raises:
            InvalidArgument: the limit is none, or both `after` and `before` are given.
            StoreError: the database cannot be asked.
            ConfigError: with `users=`.
        """
        self._require_own()
        _check_page(limit, after, before)
        return await self._people.newest(after=after, before=before, limit=limit)

    # --- change --------------------------------------------------------------------------------

    async def create(
        self, email: str, *, name: str = "", language: str = "", by: str = "python"
    ) -> Person:
        """Make somebody who may sign in: with `EmailLogin(signup=False)` nobody else may.

        Args:
            email: as typed. Whoever has it already is returned as they are.
            name: what to call them; empty (default) for none.
            language: the code of theirs; empty (default) for none.
            by: who makes them.

        Raises:
            InvalidArgument: the address, name or language is none; or somebody has moved from this
                address to another so lately that they may come back.
            StoreError: the database cannot be asked.
            ConfigError: with `users=`.
        """
        directory = self._require_own()
        address = parse_address(email)
        if address is None:
            text = Text("Enter one email address, like jo@example.com.")
            raise InvalidArgument.of("email", text, "email")
        person = Person(
            directory.id_of(address),
            address,
            name=self._check_name(name),
            language=self._check_language(language),
            created_at=self._clock(),
        )
        # In this order: whoever moves away in between is found, or has reserved it by then. Else
        # whoever took an account away could shut out its owner by an invitation.
        found = await self._people.find_by_email(address)
        if found is not None:
            return found
        if await directory.is_reserved(address):
            text = Text("This address belongs to another account by now.")
            raise InvalidArgument.of("email", text, "taken")
        audit = self._events.make("person.created", user_id=person.id, by=by)
        person, is_new = await self._people.add(person, audit=audit)
        if is_new:
            self._events.publish(replace(audit, user_id=person.id))
        return person

    async def invite(
        self, email: str, *, name: str = "", language: str = "", by: str = "python"
    ) -> Person:
        """Make somebody who may sign in, and tell them by an email with the sign-in page's address.

        Whoever has the address already is told as well, and otherwise left as they are. The email
        holds no secret, and can be sent to one person every ten minutes.

        Args:
            email: as typed.
            name: what to call them; empty (default) for none.
            language: the code of theirs, and of the email; empty (default) for none.
            by: who invites them.

        Raises:
            InvalidArgument: as of `create`; or nobody can sign in as this person.
            RateLimited: they were invited just now.
            StoreError: database, store or queue cannot take it; it can be done again.
            ConfigError: with `users=`.
        """
        person = await self.create(email, name=name, language=language, by=by)
        if person.is_disabled:
            raise InvalidArgument.of("email", _DISABLED, "disabled")
        await self._invitations.reserve(person)
        await self._note("person.invited", user_id=person.id, by=by)
        await self._invitations.queue(person)
        return person

    async def set_profile(
        self, who: str, *, name: str | None = None, language: str | None = None, by: str = "python"
    ) -> Person:
        """Set what a person is called, and their language; every process shows it within 100 ms.

        Args:
            who: id or address.
            name: empty takes it away, `None` (default) leaves it.
            language: the code; empty takes it away, `None` (default) leaves it.
            by: who sets it.

        Raises:
            PersonNotFound: nobody has this id or address.
            InvalidArgument: the name or language is none.
            StoreError: the database or the store cannot be asked.
            ConfigError: with `users=`.
        """
        name = None if name is None else self._check_name(name)
        language = None if language is None else self._check_language(language)
        person = await self._require(who)
        given = {"name": name, "language": language}
        changed = [one for one, to in given.items() if to not in (None, getattr(person, one))]
        if not changed:
            return person
        audit = self._events.make(
            "person.profile_changed",
            user_id=person.id,
            by=by,
            details={"fields": ",".join(changed)},
        )
        set_now = self._people.set_profile(person.id, name=name, language=language, audit=audit)
        person = self._publish(audit, await set_now)
        await self._signals.tell_user(person.id)
        return person

    async def disable(self, who: str, *, by: str = "python") -> Person:
        """Sign a person out everywhere within 100 ms, sockets too, and let them in no more.

        Strangers see no difference: who asks for an email as this person gets none.

        Args:
            who: id or address.
            by: who does it.

        Raises:
            PersonNotFound: nobody has this id or address; `create` makes who is to be kept out.
            InvalidArgument: they are the last admin of the dashboard who can sign in.
            StoreError: the database or the store cannot be asked. Do it again: sessions may live.
            ConfigError: with `users=`.
        """
        person = await self._require(who)
        # In this order: a login that found the person before ends in a session that is either
        # among those that are revoked, or meets the row at its first use.
        audit = self._events.make("person.disabled", user_id=person.id, by=by)
        async with self._removal(person.id):
            disabled = await self._people.disable(person.id, at=self._clock(), audit=audit)
        person = self._publish(audit, disabled)
        await self._sessions.revoke_all(person.id)
        return person

    async def enable(self, who: str, *, by: str = "python") -> Person:
        """Let a person sign in again; no session from before is left.

        Args:
            who: id or address.
            by: who does it.

        Raises:
            PersonNotFound: nobody has this id or address.
            StoreError: the database or the store cannot be asked.
            ConfigError: with `users=`.
        """
        person = await self._require(who)
        if person.is_disabled:  # sessions may live that could not be ended then
            await self._sessions.revoke_all(person.id)
        audit = self._events.make("person.enabled", user_id=person.id, by=by)
        return self._publish(audit, await self._people.enable(person.id, audit=audit))

    # --- sessions ------------------------------------------------------------------------------

    async def sessions(self, who: str) -> Sequence[Session]:
        """Return a person's live sessions, the most recently used first.

        Args:
            who: id or address, of your own table too.

        Raises:
            PersonNotFound: nobody has this id or address.
            StoreError: the database or the store cannot be asked.
            UsersUnavailable: your table cannot be asked.
        """
        return await self._sessions.list(await self.id_of(who))

    async def sign_out(self, who: str, *, by: str = "python") -> int:
        """End every session of a person, here at once and elsewhere within 100 ms.

        Args:
            who: id or address, of your own table too.
            by: who does it.

        Returns:
            How many sessions there were.

        Raises:
            PersonNotFound: nobody has this id or address.
            StoreError: the database or the store cannot be asked. Do it again: sessions may live.
            UsersUnavailable: your table cannot be asked.
        """
        return await self.sign_out_id(await self.id_of(who), by=by)

    async def sign_out_id(self, user_id: str, *, by: str) -> int:
        """End every session of an id, whether or not there is a person; see `sign_out`."""
        await self._note("person.signed_out", user_id=user_id, by=by)
        return await self._sessions.revoke_all(user_id)

    async def end_session(self, who: str, session_id: str, *, by: str = "python") -> None:
        """End one session of a person, here at once and elsewhere within 100 ms.

        Args:
            who: id or address, of your own table too.
            session_id: the session's public id.
            by: who does it.

        Raises:
            PersonNotFound: nobody has this id or address.
            NotFound: the person has no such session, or it is over.
            StoreError: the database or the store cannot be asked. Do it again: it may live.
            UsersUnavailable: your table cannot be asked.
        """
        await self.end_session_of(await self.id_of(who), session_id, by=by)

    async def end_session_of(self, user_id: str, session_id: str, *, by: str) -> None:
        """End one session of an id, whether or not there is a person; see `end_session`."""
        if all(one.id != session_id for one in await self._sessions.list(user_id)):
            raise NotFound(_NO_SESSION)
        await self._note("person.signed_out", user_id=user_id, by=by, session=session_id)
        if not await self._sessions.revoke(user_id, session_id):
            raise NotFound(_NO_SESSION)

    async def _note(self, kind: str, **given: Unpack[EventFields]) -> None:
        """Write who does it before it is done, in the store: nothing is done unseen."""
        from pwless_middleware.core.events.event_search import StoredEvent

        audit = self._events.make(kind, **given)
        await self._log.write([StoredEvent(audit)])
        self._events.publish(audit)

    # --- all that is kept ----------------------------------------------------------------------

    async def export(self, who: str, *, by: str = "python") -> dict[str, object]:
        """Return everything that is kept about a person, ready for JSON.

        Args:
            who: id or address; with `users=` the id.
            by: who asks.

        Raises:
            PersonNotFound: nobody has this id or address.
            StoreError: the database or the store cannot be asked.
        """
        person = await self._find(who)
        if person is None and self._users.people is not None:
            raise PersonNotFound
        user_id, addresses = await self._subject(who, person)
        self._events.record("person.exported", user_id=user_id, by=by)
        told: dict[str, object] = {"person": None if person is None else person.to_dict()}
        for kind, data in self._data.items():
            told[kind] = [dict(one) async for one in data.export(user_id, addresses)]
        return told

    async def delete(self, who: str, *, by: str = "python") -> None:
        """Erase a person: sessions end, and nothing is left that names them.

        What happened stays in the events, without who it was. Whoever signs in with the address
        afterwards is somebody new, with another id. Data of your own app is yours to delete.

        Args:
            who: id or address; with `users=` the id.
            by: who does it.

        Raises:
            PersonNotFound: nobody has this address.
            InvalidArgument: they are the last admin of the dashboard who can sign in.
            StoreError: the database or the store cannot be asked. Do it again: something is left.
        """
        person = await self._find(who)
        directory = self._users.people
        if person is None and directory is not None and "@" in who:
            raise PersonNotFound
        user_id, addresses = await self._subject(who, person)
        retired = [directory.id_of(one) for one in addresses] if directory is not None else []
        audit = self._events.make("person.deleted", by=by)
        async with self._removal(user_id):
            # The row comes last, so that a deletion that was cut off can be found and done again.
            if person is not None:
                await self._people.disable(user_id, at=self._clock())
            for data in self._data.values():
                await data.erase(user_id, addresses)
            await self._people.delete(user_id, retired=retired, audit=audit)
        self._events.publish(audit)

    # --- what the methods share ----------------------------------------------------------------

    def _require_own(self) -> PersonDirectory:
        if self._users.people is None:
            raise ConfigError("users", "people are in your own table: find and change them there")
        return self._users.people

    async def _find(self, who: str) -> Person | None:
        if not who.isprintable():  # no id or address; no database takes a NUL
            return None
        if self._users.people is None or "@" not in who:  # as no id of ours has one
            return await self._people.find(who)
        address = parse_address(who)
        return None if address is None else await self._people.find_by_email(address)

    async def _require(self, who: str) -> Person:
        person = await self.find(who)
        if person is None:
            raise PersonNotFound
        return person

    def _publish(self, audit: Event, changed: Person | None) -> Person:
        if changed is None:  # deleted meanwhile
            raise PersonNotFound
        self._events.publish(audit)
        return changed

    async def _subject(self, who: str, person: Person | None) -> tuple[str, Sequence[Address]]:
        """Return a person's id and addresses; of whom there is no row, what is asked for."""
        if person is not None and person.email:
            return person.id, (Address(person.email),)
        user = await self._users.load(who)
        address = None if user is None else parse_address(user.email)
        return who, () if address is None else (address,)

    def _check_name(self, name: str) -> str:
        found = parse_name(name)
        if found is None:
            text = Text("Send at most %(most)s characters, in one line.", most=MAX_NAME)
            raise InvalidArgument.of("name", text, "name")
        return found

    def _check_language(self, language: str) -> str:
        codes = self._languages.codes
        if language and language not in codes:
            text = Text("Send one of %(names)s.", names=", ".join(codes))
            raise InvalidArgument.of("language", text, "enum")
        return language


def _check_page(limit: object, after: object, before: object) -> None:
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
        text = Text("Send %(least)s to %(most)s.", least=1, most=MAX_PAGE)
        raise InvalidArgument.of("limit", text, "range")
    if after and before:
        raise InvalidArgument.of("before", _TWO_PLACES, "one")
