"""The person whom an operator looks at or acts on: `/dashboard/people/{id}/…`.

    operator = await kit.operators.require_change(request, role="support", back=page_of(request))
    person = await require_person(kit, request, operator)

An operator acts on nobody who may do more than they may, so that nobody signs an admin out of the
way, or takes an admin's account by another address (security rule 63); and not on themselves: what
somebody does to their own account stands on its pages, which ask for more.
"""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.core.operators.operator import Role, covers
from pwless_middleware.core.people.person import Person
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import NotPermitted, PersonNotFound
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, ShownPerson, has_page, person_path

_SELF = Text("This is you. What you do to your own account is on its pages.")
_GREATER = Text("This operator may do more than you. Ask somebody whose role is as high.")


def page_of(request: Request) -> str:
    """Return the page of the person of the path, below the prefix, for `require_change(back=…)`."""
    id: str = request.path_params["id"]
    return person_path(id) if has_page(id) else PEOPLE_PATH


async def find_person(kit: Kit, request: Request, operator: Operator) -> ShownPerson:
    """Return the person of the path, and whether an operator may act on them.

    Args:
        kit: everything below.
        request: to a route below `/dashboard/people/{id}`.
        operator: as `kit.operators` returned them.

    Raises:
        PersonNotFound: nobody has this id; with a table of the host any may be one.
        StoreError, UsersUnavailable: it cannot be known now.
    """
    id: str = request.path_params["id"]
    person: Person | None = None
    user: User | None
    if kit.users.keeps_people and kit.people is not None:
        person = await kit.people.find(id)
        if person is None or person.id != id:
            raise PersonNotFound
        user = person.as_user()
    elif id.isprintable():
        user = await kit.users.load(id)
    else:
        raise PersonNotFound
    role = None if user is None else await kit.operators.role_of(user)
    why_not = _why_not(operator, id, role)
    called = "" if user is None or user.display_name == user.email else user.display_name
    return ShownPerson(
        id=id,
        email="" if user is None else user.email,
        name=called,
        language="" if user is None else user.language,
        created_at=None if person is None else person.created_at,
        seen_at=None if person is None else person.seen_at,
        disabled_at=None if person is None else person.disabled_at,
        role=role,
        may_act=operator.may("support") and why_not is None,
        why_not=why_not,
    )


async def why_not_act(kit: Kit, operator: Operator, user_id: str) -> Text | None:
    """Return why an operator acts on nothing of a person's; `None` where they may.

    Args:
        kit: everything below.
        operator: as `kit.operators` returned them.
        user_id: whose.

    Raises:
        StoreError, UsersUnavailable: it cannot be known now.
    """
    user = await kit.users.load(user_id)
    return _why_not(operator, user_id, await kit.operators.role_of(user) if user else None)


def _why_not(operator: Operator, user_id: str, role: Role | None) -> Text | None:
    if user_id == operator.user.id:
        return _SELF
    return _GREATER if role is not None and not covers(operator.role, role) else None


async def require_person(kit: Kit, request: Request, operator: Operator) -> ShownPerson:
    """Return the person of the path, on whom an operator may act.

    The arguments are those of `find_person`.

    Raises:
        PersonNotFound, StoreError, UsersUnavailable: as of `find_person`.
        NotPermitted: it is the operator themselves, or somebody who may do more.
    """
    person = await find_person(kit, request, operator)
    if not person.may_act:
        raise NotPermitted(person.why_not)
    return person
