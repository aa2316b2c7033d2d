"""Connections to identity providers, made and changed; their secrets go in and never come out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import ID_PREFIX, Connection, ConnectionKind
from pwless_middleware.core.organizations.organization import new_id
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import (
    check_by,
    check_limit,
    check_name,
    refuse_organization,
    refuse_stale,
)
from pwless_middleware.flows.organizations.connection_secrets import ConnectionSecrets
from pwless_middleware.flows.organizations.directory import Directory
from pwless_middleware.flows.organizations.events import describe_values
from pwless_middleware.flows.organizations.scim_tokens import digest_of_token, new_token
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.connections import (
        ConnectionChange,
        ConnectionRepository,
    )

CheckConfig = Callable[[ConnectionKind, Mapping[str, object]], Mapping[str, object]]
"""Returns what a kind of connection keeps of a configuration, or raises `InvalidArgument` that
names each bad field of it."""


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """What is wrong with a connection.

    Attributes:
        code: of `core.organizations.sso_faults.FAULTS`.
        expected: what would be right; empty where the sentence says all.
        received: what came; empty where nothing did.
    """

    code: str
    expected: str = ""
    received: str = ""


ProbeConnection = Callable[[Connection], Awaitable[Sequence[ConnectionFault]]]
"""Asks a connection's provider what can be known without anybody who signs in, and returns what is
wrong with it."""

PrepareConnection = Callable[[Connection, str], Awaitable[Connection]]
"""Adds what a connection needs and nobody types, such as a key; given who saved it, it returns the
connection as it then is. What it changes leads to it again, so it changes nothing that is there."""

KINDS: Final[tuple[ConnectionKind, ...]] = get_args(ConnectionKind)
MOST_CONFIG: Final = 262_144
"""Characters of a configuration as JSON: metadata of 256 KiB is the largest that is read."""
NO_CONNECTION: Final = Text("There is no such connection.")

_NO_SSO: Final = Text("Nobody signs in by connections here: add SSO() to the features.")
_FULL: Final = Text("The organization has too many connections. Delete one first.")
_REQUIRED: Final = Text(
    "People sign in by this connection alone. Turn another one on first, or have the policy not "
    "require the company's login."
)


class Connections:
    """Find and change connections.

    Args:
        repository: keeps them.
        directory: is told of changes.
        events: records them.
        secrets: encrypt theirs.
        clock: returns unix seconds.
        tell_sessions: has every process ask anew whether the sessions that it holds go on.
    """

    def __init__(
        self,
        repository: ConnectionRepository,
        directory: Directory,
        events: Events,
        secrets: ConnectionSecrets,
        clock: Callable[[], int],
        *,
        tell_sessions: Callable[[], Awaitable[None]],
    ) -> None:
        self._connections = repository
        self._tell_sessions = tell_sessions
        self._directory = directory
        self._events = events
        self._secrets = secrets
        self._clock = clock
        self._check_config: CheckConfig | None = None
        self._probe: ProbeConnection | None = None
        self._prepare: PrepareConnection | None = None

    def check_config_by(self, check: CheckConfig) -> None:
        """Have configurations be checked by a function, from now on."""
        self._check_config = check

    def probe_by(self, probe: ProbeConnection) -> None:
        """Have providers be asked by a function, from now on."""
        self._probe = probe

    def prepare_by(self, prepare: PrepareConnection) -> None:
        """Have a function add what a connection needs whenever one is saved, from now on."""
        self._prepare = prepare

    # --- find ----------------------------------------------------------------------------------

    async def find(self, id: str) -> Connection | None:
        """Return a connection as it stands in the database, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._connections.find(id) if id.isprintable() else None

    async def require(self, organization: str, id: str) -> Connection:
        """Return a connection of an organization as it stands in the database.

        Raises:
            NotFound: the organization has none with this id.
            StoreError: the database cannot be asked.
        """
        found = await self.find(id)
        if found is None or found.organization != organization:
            raise NotFound(NO_CONNECTION)
        return found

    async def list(self, organization: str) -> Sequence[Connection]:
        """Return all connections of an organization, the oldest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._connections.list(organization)

    async def list_all(self, *, after: str = "", limit: int = 100) -> Sequence[Connection]:
        """Return the connections of all organizations, by id.

        Args:
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            InvalidArgument: the limit is none.
            StoreError: the database cannot be asked.
        """
        return await self._connections.list_all(after=after, limit=check_limit(limit))

    async def probe(self, connection: Connection) -> Sequence[ConnectionFault]:
        """Return what is wrong with a connection, as far as its provider can say.

        Raises:
            NotFound: no feature signs people in by connections.
        """
        if self._probe is None:
            raise NotFound(_NO_SSO)
        return await self._probe(connection)

    # --- change --------------------------------------------------------------------------------

    async def create(
        self,
        organization: str,
        kind: str,
        name: str,
        *,
        config: Mapping[str, object] | None = None,
        secret: bytes | None = None,
        by: str = "python",
    ) -> Connection:
        """Make a connection; nobody can sign in by it until it is enabled.

        Args:
            organization: its id.
            kind: `oidc` or `saml`.
            name: what people and operators read, 1 to 100 characters.
            config: what its protocol needs; `None` for nothing yet.
            secret: the client secret or private key; `None` for none.
            by: who makes it.

        Raises:
            InvalidArgument: a field is bad, or there are too many.
            NotFound: there is no such organization.
            ConfigError: a secret is given, and the extra `[crypto]` is not installed.
            StoreError: the database cannot be asked.
        """
        known = next((one for one in KINDS if one == kind), None)
        if known is None:
            names = ", ".join(KINDS)
            raise InvalidArgument.of("kind", Text("Send one of %(names)s.", names=names), "enum")
        connection = Connection(
            id=new_id(ID_PREFIX),
            organization=organization,
            kind=known,
            name=check_name(name),
            config=self._check(known, config or {}),
            created_at=self._clock(),
        )
        stored = None if secret is None else self._secrets.encrypt(connection.id, secret)
        audit = self._events.make(
            "connection.created",
            by=check_by(by),
            organization=organization,
            details={"id": connection.id, "kind": known, "name": connection.name},
        )
        await self._keep(connection, None, audit)
        if stored is None:
            return await self._prepare_saved(connection, by)
        return await self._set_secret(connection, stored, by)

    async def change(
        self,
        id: str,
        *,
        name: str | None = None,
        config: Mapping[str, object] | None = None,
        seen: int | None = None,
        still_tested: bool = False,
        by: str = "python",
    ) -> Connection:
        """Change what is given of a connection; `None` leaves it.

        With another configuration it has to be tested anew before a policy can require it. At
        another provider nobody is known by it any more, and by OpenID Connect it has no secret
        until another one is set (`Connection.leads_elsewhere`).

        Args:
            id: which.
            name: as for `create`.
            config: all of it, as for `create`.
            seen: the version that the change is made to; `None` takes the one that stands there.
            still_tested: whether its test counts as before: what changed is the provider's word.
            by: who does it.

        Raises:
            InvalidArgument: a field is bad, or somebody else has changed it since.
            NotFound: there is none.
            StoreError: the database cannot be asked; or other processes cannot be told, and hold
                on for 30 more seconds at most.
        """
        there = await self._require(id, seen)
        new = replace(
            there,
            name=there.name if name is None else check_name(name),
            config=there.config if config is None else self._check(there.kind, config),
        )
        before, after = _values(there), _values(new)
        changed = [one for one in {**before, **after} if before.get(one) != after.get(one)]
        if not changed:
            return there
        if new.config != there.config and not still_tested:
            new = replace(new, tested_at=None)
        if new.kind == "oidc" and new.leads_elsewhere(there):
            new = replace(new, has_secret=False)
        audit = self._events.make(
            "connection.changed",
            by=check_by(by),
            organization=there.organization,
            details={
                "id": id,
                "from": describe_values({one: before.get(one) for one in changed}),
                "to": describe_values({one: after.get(one) for one in changed}),
            },
        )
        return await self._prepare_saved(await self._keep(new, there, audit), by)

    async def enable(self, id: str, *, by: str = "python") -> Connection:
        """Let people sign in by a connection, from now on in every process.

        Args:
            id: which.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        return await self._switch(id, by, is_enabled=True)

    async def disable(self, id: str, *, by: str = "python") -> Connection:
        """Let nobody sign in by a connection any more, in every process.

        Args:
            id: which.
            by: who does it.

        Raises:
            InvalidArgument: nobody could sign in: the policy requires the company's login.
            NotFound, StoreError: as for `change`.
        """
        return await self._switch(id, by, is_enabled=False)

    async def mark_tested(self, id: str, *, by: str = "python") -> None:
        """Note that a whole login by a connection has worked.

        Args:
            id: which.
            by: who has tested it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        there = await self._require(id)
        audit = self._events.make(
            "connection.tested",
            by=check_by(by),
            organization=there.organization,
            details={"id": id},
        )
        if not await self._connections.mark_tested(id, at=self._clock(), audit=audit):
            raise NotFound(NO_CONNECTION)
        if there.tested_at is None:
            self._events.publish(audit)
            await self._directory.tell_connections(there.organization)

    async def delete(self, id: str, *, by: str = "python") -> None:
        """Delete a connection, and who people are at it; the sessions that it has proven end.

        Args:
            id: which.
            by: who does it.

        Raises:
            InvalidArgument: nobody could sign in: the policy requires the company's login.
            NotFound, StoreError: as for `change`.
        """
        there = await self._require(id)
        audit = self._events.make(
            "connection.deleted",
            by=check_by(by),
            organization=there.organization,
            details={"id": id, "name": there.name},
        )
        _refuse(await self._connections.delete(id, audit=audit))
        self._events.publish(audit)
        await self._directory.tell_connections(there.organization)
        await self._directory.tell_gone(id)
        await self._tell_sessions()

    # --- secrets -------------------------------------------------------------------------------

    async def set_secret(
        self, id: str, secret: bytes | None, *, seen: int | None = None, by: str = "python"
    ) -> Connection:
        """Keep another client secret or private key.

        Args:
            id: which.
            secret: it; `None` forgets the one that there is.
            seen: the version that the change is made to; `None` takes the one that stands there.
            by: who does it.

        Raises:
            InvalidArgument: it is empty or too long, or somebody else has changed the connection.
            ConfigError: the extra `[crypto]` is not installed.
            NotFound, StoreError: as for `change`.
        """
        there = await self._require(id, seen)
        return await self._set_secret(
            there, None if secret is None else self._secrets.encrypt(id, secret), check_by(by)
        )

    # --- SCIM ----------------------------------------------------------------------------------

    async def create_scim_token(self, id: str, *, by: str = "python") -> str:
        """Return a new token with which a directory keeps the members, shown this once.

        The one before is none any more.

        Args:
            id: of the connection.
            by: who makes it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        token = new_token()
        await self._set_scim_digest(id, digest_of_token(token), "created", by)
        return token

    async def revoke_scim_token(self, id: str, *, by: str = "python") -> None:
        """Have the token for SCIM of a connection be none any more.

        Args:
            id: of the connection.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        await self._set_scim_digest(id, None, "revoked", by)

    async def scim_digest_of(self, id: str) -> bytes | None:
        """Return the digest of the SCIM token of a connection (`scim_tokens.matches`).

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._connections.scim_digest_of(id) if id.isprintable() else None

    # --- what the methods share ----------------------------------------------------------------

    async def _require(self, id: str, seen: int | None = None) -> Connection:
        there = await self.find(id)
        if there is None:
            raise NotFound(NO_CONNECTION)
        if seen not in (None, there.version):
            refuse_stale()
        return there

    async def _switch(self, id: str, by: str, *, is_enabled: bool) -> Connection:
        there = await self._require(id)
        if there.is_enabled == is_enabled:
            return there
        audit = self._events.make(
            "connection.enabled" if is_enabled else "connection.disabled",
            by=check_by(by),
            organization=there.organization,
            details={"id": id},
        )
        return await self._keep(replace(there, is_enabled=is_enabled), there, audit)

    async def _keep(
        self, connection: Connection, there: Connection | None, audit: Event
    ) -> Connection:
        seen = None
        if there is not None:
            seen, connection = there.version, replace(connection, version=there.version + 1)
        _refuse(await self._connections.put(connection, seen=seen, audit=audit))
        self._events.publish(audit)
        await self._directory.tell_connections(connection.organization)
        return connection

    async def _set_secret(self, there: Connection, stored: bytes | None, by: str) -> Connection:
        audit = self._events.make(
            "connection.secret_changed",
            by=by,
            organization=there.organization,
            details={"id": there.id},
        )
        change = await self._connections.set_secret(
            there.id, stored, seen=there.version, audit=audit
        )
        _refuse(change)
        self._events.publish(audit)
        await self._directory.tell_connections(there.organization)
        kept = replace(there, has_secret=stored is not None, version=there.version + 1)
        return await self._prepare_saved(kept, by)

    async def _prepare_saved(self, connection: Connection, by: str) -> Connection:
        """Return a connection that was saved, with what it needs besides."""
        return connection if self._prepare is None else await self._prepare(connection, by)

    async def _set_scim_digest(self, id: str, digest: bytes | None, done: str, by: str) -> None:
        there = await self._require(id)
        audit = self._events.make(
            f"connection.scim_token_{done}",
            by=check_by(by),
            organization=there.organization,
            details={"id": id},
        )
        if not await self._connections.set_scim_digest(id, digest, audit=audit):
            raise NotFound(NO_CONNECTION)
        self._events.publish(audit)

    def _check(self, kind: ConnectionKind, config: Mapping[str, object]) -> Mapping[str, object]:
        if self._check_config is not None:
            config = self._check_config(kind, config)
        packed = json.dumps(dict(config))
        if len(packed) > MOST_CONFIG or "\\u0000" in packed:
            problem = Text("Send at most %(most)s characters.", most=MOST_CONFIG)
            raise InvalidArgument.of("config", problem, "length")
        return config


def _values(connection: Connection) -> Mapping[str, object]:
    return {"name": connection.name, **{f"config.{k}": v for k, v in connection.config.items()}}


def _refuse(change: ConnectionChange) -> None:
    if change == "gone":
        refuse_organization()
    if change == "stale":
        refuse_stale()
    if change == "full":
        raise InvalidArgument.of("organization", _FULL, "most")
    if change == "required":
        raise InvalidArgument.of("is_enabled", _REQUIRED, "required")
