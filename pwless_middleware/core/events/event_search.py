"""What is asked of the events that are kept, and how they come back: pure records."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as the database keeps it.

    Attributes:
        event: what happened; its id is set.
        email: the address in clear, where addresses are kept and there is one.
    """

    event: Event
    email: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the fields that it has, ready for JSON."""
        told = self.event.to_dict()
        return told if self.email is None else told | {"email": self.email}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are looked for: those to which all of it applies.

    Attributes:
        kinds: of one of these; empty for all.
        attempt: of one login.
        user_id: of one user; with `addresses`, of the user *or* one of the addresses.
        addresses: of one of these addresses, as keyed digests; empty for all.
        organization: of one organization, by its id.
        session: of one session, by its public id; `find` alone takes it, and nothing else with it.
        method: that name this method.
        country: of clients in this country.
        since: from this unix second on.
        until: before this unix second.
    """

    kinds: tuple[str, ...] = ()
    attempt: str | None = None
    user_id: str | None = None
    addresses: tuple[str, ...] = ()
    organization: str | None = None
    session: str | None = None
    method: str | None = None
    country: str | None = None
    since: int | None = None
    until: int | None = None

    def admits(self, event: Event) -> bool:
        """Whether an event is one of those."""
        of_somebody = self.user_id is not None or bool(self.addresses)
        return (
            (not self.kinds or event.kind in self.kinds)
            and (self.attempt is None or event.attempt == self.attempt)
            and (
                not of_somebody
                or (event.user_id is not None and event.user_id == self.user_id)
                or event.address in self.addresses
            )
            and (self.organization is None or event.organization == self.organization)
            and (self.session is None or event.session == self.session)
            and (self.method is None or event.method == self.method)
            and (self.country is None or event.country == self.country)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


@dataclass(frozen=True, slots=True)
class EventCount:
    """How many events of one sort there were in an hour, or in several.

    Attributes:
        start: the unix second at which they begin.
        kind: of the events.
        method: how somebody signed in, several joined by `+`; `None` for events without one.
        count: how many.
    """

    start: int
    kind: str
    method: str | None
    count: int


HOUR = 3600


def counted_as(event: Event) -> tuple[tuple[str, int, str, str], ...]:
    """Return what an event is counted as: organization, hour, kind and method, `""` for none.

    Once for all organizations together, which has the organization `""`, and once for its own.
    """
    method = event.method or "+".join(event.methods or ())
    sort = (event.at // HOUR * HOUR, event.kind, method)
    return tuple((organization, *sort) for organization in {"", event.organization or ""})
