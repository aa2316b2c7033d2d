"""What an operator asks the log for: a closed vocabulary, read strictly (security rule 65)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal, cast
from urllib.parse import urlencode

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.attempt import OUTCOMES
from pwless_middleware.core.events.event_id import parse_event_id
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.text import Text
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import PRINTABLE, read_query

View = Literal["attempts", "events", "live"]
VIEWS: Final[Mapping[View, Text]] = {
    "attempts": Text("Attempts"),
    "events": Text("Events"),
    "live": Text("Live"),
}
"""What the log shows: logins as a whole, all events, or events as they come."""
SPANS: Final[Mapping[str, int]] = {
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "quarter": 91 * 86400,
}
"""Seconds of the times that can be chosen without typing."""
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """What is looked for; an empty text or `None` is anything.

    Attributes:
        view: what is shown.
        q: an address, a person's id, or the name of an attempt or event.
        user_id: a person's id.
        outcome: of attempts.
        kind: of events.
        organization: its id, name or key.
        method: of a login, first or as a step.
        country: ISO 3166-1, two letters.
        span: one of `SPANS`, up to now.
        since, until: in UTC, as a browser writes them: `2026-11-29T18:00`.
        before: the id of the event before which a page begins.
    """

    view: View = "attempts"
    q: str = ""
    user_id: str = ""
    outcome: str = ""
    kind: str = ""
    organization: str = ""
    method: str = ""
    country: str = ""
    span: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.to_query(view="attempts", before=""))

    def to_query(self, **changes: str) -> str:
        """Return it as a query string with `?`, empty for what needs none.

        Args:
            changes: fields that are to be otherwise.
        """
        fields = ("view", "q", "user_id", "outcome", "kind", "organization", "method", "country",
                  "span", "since", "until", "before")  # fmt: skip
        given = {name: changes.get(name, getattr(self, name)) for name in fields}
        view = given["view"]
        given["outcome" if view != "attempts" else "kind"] = ""
        if view == "attempts":
            given["view"] = ""
        told = {name: value for name, value in given.items() if value}
        return f"?{urlencode(told)}" if told else ""

    def starts(self, now: int) -> int | None:
        """Return the unix second from which on it is looked; `None` for all."""
        if self.since:
            return _read_time("since", self.since)
        return now - SPANS[self.span] if self.span else None

    @property
    def ends(self) -> int | None:
        """The unix second before which it is looked; `None` for all."""
        return _read_time("until", self.until) if self.until else None

    @property
    def cursor(self) -> int | None:
        """The number before which a page begins; `None` for the newest."""
        return parse_event_id(self.before) if self.before else None


def read_log_query(
    request: Request, kinds: tuple[str, ...], *more: str, view: View = "attempts"
) -> LogQuery:
    """Return what a request asks for; an empty field is as none.

    Args:
        request: to a page of the log.
        kinds: every kind of event that there is.
        more: names of further texts in the query, which the caller reads itself.
        view: what is shown where the query does not say; default the attempts.

    Raises:
        InvalidArgument: an unknown field, one that came twice, or a value that cannot be.
    """
    named = request.query_params.get("view") or view
    if named not in VIEWS:
        raise InvalidArgument.of("view", Text("Choose one of what is offered."), "enum")
    fields = {name: field for name, field in _FIELDS.items() if name not in _NOT_IN[named]}
    if "kind" in fields:
        fields["kind"] = replace(fields["kind"], one_of=("", *kinds))
    fields |= {name: _text("Of the page's own.") for name in more}
    values = read_query(request, Fields(fields))
    given = {name: values.text(name).strip() for name in fields if name not in more}
    given.pop("view", None)
    given.setdefault("before", "")
    if given["country"]:
        given["country"] = given["country"].upper()
        if not _COUNTRY.fullmatch(given["country"]):
            raise InvalidArgument.of("country", Text("Type two letters, such as DE."), "country")
    if given["before"] and parse_event_id(given["before"]) is None:
        raise InvalidArgument.of("before", Text("This is not the id of an event."), "cursor")
    query = LogQuery(view=cast("View", named), **given)
    query.starts(0), query.ends  # so that a bad time is refused here
    return query


def _read_time(field: str, text: str) -> int:
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        return max(0, int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()))
    except (ValueError, OverflowError):
        told = Text("Type a date and time, such as %(example)s.", example="2026-12-31T18:00")
        raise InvalidArgument.of(field, told, "time") from None


def _text(about: str, longest: int = 300) -> Field:
    return Field(about=about, longest=longest, also={"pattern": PRINTABLE})


_FIELDS: Final = {
    "view": Field(about="What is shown.", one_of=("", *VIEWS)),
    "q": _text("An address, a person's id, or the name of an attempt or event."),
    "user_id": _text("A person's id.", 1000),
    "outcome": Field(about="Of attempts.", one_of=("", *OUTCOMES)),
    "kind": Field(about="Of events.", one_of=("", *KINDS)),
    "organization": _text("An organization, by its id, name or key."),
    "method": _text("Of a login.", 100),
    "country": _text("ISO 3166-1.", 10),
    "span": Field(about="Up to now.", one_of=("", *SPANS)),
    "since": _text("From when on.", 40),
    "until": _text("Until when.", 40),
    "before": _text("Where the page begins.", 40),
}
_NOT_IN: Final[Mapping[str, frozenset[str]]] = {
    "attempts": frozenset({"kind"}),
    "events": frozenset({"outcome"}),
    "live": frozenset({"outcome", "before", "since", "until", "span"}),
}
"""Fields that a view does not have."""
