"""What the `users` resource answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.person import Person
from pwless_middleware.errors import PersonNotFound
from pwless_middleware.features.users_api.operations import (
    CHANGE_FIELDS,
    CREATE_FIELDS,
    EVENT_QUERY,
    MOST,
    QUERY,
)
from pwless_middleware.flows.people.people import People
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.requests.user_path import find_user_id
from pwless_middleware.web.responses.event_json import public_event
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.responses.session_json import public_session

_PAGE: Final = 50


class Answers:
    """Answer for the people of the database.

    Args:
        kit: the feature's.
        people: finds and changes them.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people

    async def list(self, request: Request) -> Response:
        """Return the users of an address or id, or a page of all by address."""
        await self._kit.callers.server(request, scope="users:read")
        query = read_query(request, QUERY)
        email, id = query.get("email"), query.get("id")
        if email is not None or id is not None:
            person = await self._people.find(email or id or "")
            is_match = person is not None and id in (None, person.id)
            return json_response({"users": [_public(person)] if person and is_match else []})
        limit = query.integer("limit") or _PAGE
        found = await self._people.list(
            prefix=query.text("prefix"),
            after=query.text("after"),
            limit=min(limit + 1, MOST),
            disabled=query.get("disabled") is not None,
        )
        page = found[:limit]
        answer: dict[str, object] = {"users": [_public(person) for person in page]}
        if len(found) > limit or len(page) == MOST:
            answer["next"] = page[-1].email
        return json_response(answer)

    async def create(self, request: Request) -> Response:
        """Make a user, and return them."""
        caller = await self._kit.callers.server(request, scope="users")
        given = CREATE_FIELDS.read_json(await read_json(request))
        make = self._people.invite if given.flag("invite") else self._people.create
        person = await make(
            given.text("email"),
            name=given.text("name"),
            language=given.text("language"),
            by=caller.name,
        )
        return json_response({"user": _public(person)})

    async def get(self, request: Request) -> Response:
        """Return one user."""
        await self._kit.callers.server(request, scope="users:read")
        return json_response({"user": _public(await self._find(request))})

    async def change(self, request: Request) -> Response:
        """Change what is sent, and return the user."""
        caller = await self._kit.callers.server(request, scope="users")
        given = CHANGE_FIELDS.read_json(await read_json(request))
        person = await self._find(request)
        name, language, by = given.get("name"), given.get("language"), caller.name
        if name is not None or language is not None:
            person = await self._people.set_profile(person.id, name=name, language=language, by=by)
        is_disabled = given.flag("disabled")
        if is_disabled is not None and is_disabled != person.is_disabled:
            switch = self._people.disable if is_disabled else self._people.enable
            person = await switch(person.id, by=by)
        return json_response({"user": _public(person)})

    async def delete(self, request: Request) -> Response:
        """Erase everything about one user."""
        caller = await self._kit.callers.server(request, scope="users")
        await self._people.delete(await find_user_id(self._kit, request), by=caller.name)
        return _no_content()

    async def list_sessions(self, request: Request) -> Response:
        """Return the sessions of one user, the last used first."""
        await self._kit.callers.server(request, scope="users:read")
        sessions = await self._kit.sessions.list(await find_user_id(self._kit, request))
        return json_response({"sessions": [public_session(one) for one in sessions]})

    async def end_sessions(self, request: Request) -> Response:
        """End all sessions of one user."""
        caller = await self._kit.callers.server(request, scope="users")
        user_id = await find_user_id(self._kit, request)
        await self._people.sign_out_id(user_id, by=caller.name)
        return _no_content()

    async def end_session(self, request: Request) -> Response:
        """End one session of one user."""
        caller = await self._kit.callers.server(request, scope="users")
        user_id = await find_user_id(self._kit, request)
        await self._people.end_session_of(user_id, request.path_params["session"], by=caller.name)
        return _no_content()

    async def export(self, request: Request) -> Response:
        """Return everything that is kept about one user."""
        caller = await self._kit.callers.server(request, scope="users:read")
        user_id = await find_user_id(self._kit, request)
        return json_response(await self._people.export(user_id, by=caller.name))

    async def list_events(self, request: Request) -> Response:
        """Return the events of one user, the newest first."""
        await self._kit.callers.server(request, scope="users:read")
        query = read_query(request, EVENT_QUERY)
        page = await self._kit.history.find(
            user_id=await find_user_id(self._kit, request),
            before=query.get("before"),
            limit=query.integer("limit") or _PAGE,
        )
        answer: dict[str, object] = {"events": [public_event(one) for one in page.events]}
        if page.next is not None:
            answer["next"] = page.next
        return json_response(answer)

    async def _find(self, request: Request) -> Person:
        """Return the person of the path.

        Raises:
            PersonNotFound: nobody has this id; an address is none.
        """
        id = request.path_params["id"]
        person = await self._people.find(id)
        if person is None or person.id != id:
            raise PersonNotFound
        return person


def _no_content() -> Response:
    return Response(status_code=204, headers=EVERYWHERE)


def _public(person: Person) -> Mapping[str, object]:
    times = {"seen_at": person.seen_at, "disabled_at": person.disabled_at}
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "disabled": person.is_disabled,
        "created_at": str(person.created_at),
        **{name: str(at) for name, at in times.items() if at is not None},
    }
