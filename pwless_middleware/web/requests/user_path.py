"""The user whom a server names in a path, `users/{id}/…`, or a host by an id."""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.core.people.user import User
from pwless_middleware.errors import PersonNotFound
from pwless_middleware.web.kit import Kit


async def find_user_id(kit: Kit, request: Request) -> str:
    """Return the id of the path; with a table of the host any may be one.

    Raises:
        PersonNotFound: nobody has it, or it can be none; an address is none.
        StoreError: the database cannot be asked.
    """
    id: str = request.path_params["id"]
    if kit.users.keeps_people and kit.people is not None:
        person = await kit.people.find(id)
        if person is None or person.id != id:
            raise PersonNotFound
    elif not id.isprintable():
        raise PersonNotFound
    return id


async def find_user(kit: Kit, user_id: str) -> User:
    """Return the user with an id, who can sign in or not.

    Raises:
        PersonNotFound: there is none.
        StoreError, UsersUnavailable: it cannot be known now.
    """
    if kit.users.keeps_people and kit.people is not None:
        person = await kit.people.find(user_id)
        user = person.as_user() if person is not None and person.id == user_id else None
    else:
        user = await kit.users.load(user_id)
    if user is None:
        raise PersonNotFound
    return user
