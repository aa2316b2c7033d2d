"""One person: who they are, how they sign in, where they are signed in, and what happened last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.core.logins.device import device_text, icon_of
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.log.sentences import sentence_of
from pwless_middleware.features.dashboard.log.words import methods_text
from pwless_middleware.features.dashboard.operators.names import NAMES
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.languages.times import format_ago, format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.person_gate import find_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import ShownPart
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, PERSON_PATH, ShownPerson
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

LAST_EVENTS: Final = 10
"""How many events the page shows; the log has all."""
DONE: Final[Mapping[str, Text]] = {
    "session": Text("That session is ended."),
    "signed-out": Text("This person is signed out everywhere."),
    "disabled": Text("This person is signed out everywhere, and let in no more."),
    "enabled": Text("This person can sign in again."),
    "invited": Text("This person is invited: the email is on its way."),
    "profile": Text("Name and language are saved."),
}
"""What the page says after one of its forms has done its work; the query names it."""
_LOG_PATH: Final = "/dashboard/log"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session as it is listed; the times as people read them, and as machines do.

    Attributes:
        id: its public id.
        device: the browser in our own words.
        icon: `phone`, `tablet`, `computer` or `program`.
        methods: how it was proven.
        created_at, created_iso: when it began.
        seen_at, seen_iso: when it was last used.
    """

    id: str
    device: str
    icon: str
    methods: str
    created_at: str
    created_iso: str
    seen_at: str
    seen_iso: str

    @classmethod
    def of(cls, session: Session, now: int) -> SessionRow:
        """Return a session as it is listed."""
        device = translate(device_text(session.device) if session.device else Text("A program"))
        return cls(
            id=session.id,
            device=device[:1].upper() + device[1:],
            icon=icon_of(session.device),
            methods=methods_text(session.methods),
            created_at=format_ago(session.created_at, now),
            created_iso=format_iso(session.created_at),
            seen_at=format_ago(session.seen_at, now),
            seen_iso=format_iso(session.seen_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as it is listed.

    Attributes:
        at, iso: when it was.
        sentence: what it was.
        by: who did it; empty where nobody is named.
        attempt: the story that it is a part of; empty for none.
    """

    at: str
    iso: str
    sentence: str
    by: str
    attempt: str

    @classmethod
    def of(
        cls, event: Event, kinds: Mapping[str, EventKind], makers: Mapping[str, str]
    ) -> EventRow:
        """Return an event as it is listed, with the names of those who did it."""
        return cls(
            at=format_time(event.at),
            iso=format_iso(event.at),
            sentence=sentence_of(event, kinds),
            by=makers[event.by] if event.by else "",
            attempt=event.attempt or "",
        )


class PersonPage:
    """Show the page.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._makers = Makers(kit)
        self.routes = (Route(PERSON_PATH, {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Show all there is about a person."""
        operator = await self._kit.operators.require(request)
        person = await find_person(self._kit, request, operator)
        offers, now = self._kit.offers, self._kit.clock()
        words = dict(DONE)
        for part in offers.person_parts:
            words.update(part.done)
        notice = problem = None
        try:
            done = read_query(request, _query_of(words)).get("done")
            notice = translate(words[done]) if done else None
        except InvalidArgument as error:
            problem = public_message(error)
        sessions = await self._kit.sessions.list(person.id)
        page = await self._kit.history.find(user_id=person.id, limit=LAST_EVENTS)
        makers = await self._makers.name(one.event.by for one in page.events if one.event.by)
        has_log = any(one.path == _LOG_PATH for one in offers.dashboard_pages)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/person.html",
            path=PEOPLE_PATH,
            status=200 if problem is None else 400,
            notice=notice,
            problem=problem,
            person=person,
            role_name=NAMES[person.role] if person.role else "",
            why_not=translate(person.why_not) if person.why_not and operator.may("support") else "",
            is_own=self._kit.users.keeps_people,
            language_name=name_of(person.language) if person.language else "",
            created=_moment(person.created_at),
            seen=_moment(person.seen_at),
            disabled=_moment(person.disabled_at),
            parts=await self._parts(request, person),
            sessions=[SessionRow.of(one, now) for one in sessions],
            events=[EventRow.of(one.event, self._kit.history.kinds, makers) for one in page.events],
            log_path=f"{_LOG_PATH}?{urlencode({'user_id': person.id})}" if has_log else "",
            attempt_path=_LOG_PATH if has_log else "",
        )

    async def _parts(self, request: Request, person: ShownPerson) -> Sequence[ShownPart]:
        shown = []
        for part in self._kit.offers.person_parts:
            context = await part.show(request, person)
            if context is not None:
                html = self._kit.pages.part(request, part.template, **context, person=person)
                shown.append(ShownPart(html, is_scripted=False, title=translate(part.title)))
        return shown


def _query_of(words: Mapping[str, Text]) -> Fields:
    return Fields({"done": Field(about="What was done.", one_of=tuple(words))})


def _moment(at: int | None) -> tuple[str, str] | None:
    """Return a point in time as machines and as people read it."""
    return None if at is None else (format_iso(at), format_time(at))
