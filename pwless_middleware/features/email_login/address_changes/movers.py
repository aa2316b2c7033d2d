"""Who may ask for another address of somebody: asked as it is asked for, and as it is confirmed.

Between the two are up to three days. Until then the person may have become an operator, and who has
asked may be none any more: what was asked for before must not open the dashboard to anybody, nor do
what a removed operator may not do (security rule 63).
"""

from __future__ import annotations

from pwless_middleware.core.addresses.address_request import AddressRequest
from pwless_middleware.core.operators.operator import covers, greater_role
from pwless_middleware.core.people.user import User
from pwless_middleware.flows.people.users import Users
from pwless_middleware.web.gates.operators import Operators

_OPERATOR, _SERVER = "operator:", "server:"


async def may_move(operators: Operators, users: Users, request: AddressRequest) -> bool:
    """Whether who has asked for a change of address may do that to the person, as things are now.

    An operator may where nobody with a greater role gets another address, or is who has the new
    one; a server may not where an operator does, since the `users` of its key are no operators. The
    command line and the host's own code may.

    Args:
        operators: say who is one.
        users: know the person and who has asked.
        request: what was asked for.

    Raises:
        StoreError, Unavailable, UsersUnavailable: it cannot be known now.
    """
    by, id = request.by, request.user_id
    if not by.startswith((_OPERATOR, _SERVER)):
        return True
    person = await users.load(id) or User(id=id, email=request.old)
    role = greater_role(
        await operators.role_of(person), await operators.role_of(User(id=id, email=request.new))
    )
    if by.startswith(_SERVER):
        return role is None
    asker = await users.load(by.removeprefix(_OPERATOR))
    has = None if asker is None else await operators.role_of(asker)
    return has is not None and covers(has, "support") and covers(has, role or "support")
