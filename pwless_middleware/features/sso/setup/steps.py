"""The steps of a set-up: which there are, what is done of them, and where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.parts.setup_links import SETUP_PATH

if TYPE_CHECKING:
    from pwless_middleware.features.sso.setup.access import SetupSession
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

PROVIDER_PATH: Final = f"{SETUP_PATH}/provider"
DOMAINS_PATH: Final = f"{SETUP_PATH}/domains"
TURN_ON_PATH: Final = f"{SETUP_PATH}/turn-on"


def connection_path(connection: str) -> str:
    """Return the page of a connection."""
    return f"{SETUP_PATH}/connections/{connection}"


def test_page_path(connection: str) -> str:
    """Return the page from which a connection is tested."""
    return f"{connection_path(connection)}/test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step, as pages show it.

    Attributes:
        name: of the step.
        title: for people, translated.
        hint: what it is, translated.
        path: its page; empty while it cannot be done yet.
        is_done: whether it is.
        is_current: whether it is the one that is being done.
    """

    name: str
    title: str
    hint: str
    path: str
    is_done: bool
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a set-up is.

    Attributes:
        connections: all of the organization, the oldest first.
        connection: the one that is being set up; `None` before there is one.
        domains: all of the organization, by name.
    """

    connections: Sequence[Connection]
    connection: Connection | None
    domains: Sequence[Domain]

    @classmethod
    async def of(
        cls, floor: OrganizationFloor, session: SetupSession, connection: Connection | None = None
    ) -> Progress:
        """Return how far a set-up is.

        Args:
            floor: keeps connections and domains.
            session: the set-up.
            connection: the one whose page is shown; `None` takes the newest that is not turned on,
                or the newest of all.

        Raises:
            StoreError: the database cannot be asked.
        """
        id = session.organization.id
        connections = await floor.connections.list(id)
        if connection is None:
            begun = [one for one in connections if not one.is_enabled] or connections
            connection = begun[-1] if begun else None
        return cls(
            connections=connections,
            connection=connection,
            domains=await floor.domains.list(id),
        )

    @property
    def has_domain(self) -> bool:
        """Whether a domain is verified."""
        return any(one.verified_at is not None for one in self.domains)

    def steps(self, current: str = "") -> list[Step]:
        """Return the steps, in order.

        Args:
            current: the name of the one whose page is shown; empty for none of them.
        """
        one = self.connection
        is_entered = one is not None and is_complete(one)
        rows = (
            (
                "provider",
                Text("Provider"),
                Text("Choose it, and connect it."),
                connection_path(one.id) if one is not None else PROVIDER_PATH,
                is_entered,
            ),
            (
                "test",
                Text("Test"),
                Text("Sign in once, to see that it works."),
                test_page_path(one.id) if one is not None and is_entered else "",
                one is not None and one.tested_at is not None,
            ),
            (
                "domain",
                Text("Domain"),
                Text("Show that the addresses of your people are yours."),
                DOMAINS_PATH,
                self.has_domain,
            ),
            (
                "turn_on",
                Text("Turn it on"),
                Text("Let your people sign in with it."),
                TURN_ON_PATH,
                one is not None and one.is_enabled,
            ),
        )
        return [
            Step(
                name=name,
                title=translate(title),
                hint=translate(hint),
                path=path,
                is_done=is_done,
                is_current=name == current,
            )
            for name, title, hint, path, is_done in rows
        ]

    @property
    def next_path(self) -> str:
        """Where to go on: the first step that is not done; the last one where all are."""
        found = [step for step in self.steps() if not step.is_done and step.path]
        return found[0].path if found else TURN_ON_PATH


def is_complete(connection: Connection) -> bool:
    """Whether something was entered of a connection's provider; its fields are checked then."""
    return any(name in connection.config for name in ("client_id", "entity_id"))
