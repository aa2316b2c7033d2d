"""The organizations of a person, as pages and JSON show them."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.organizations.entrances import Entrance, Entrances
from pwless_middleware.web.identity.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRow:
    """One organization of a list.

    Attributes:
        id: its id.
        name: what people read.
        role: the person's; empty for none.
        current: whether the session is in it.
        is_offer: whether the person is no member yet, and may become one.
        is_invitation: whether that is by an invitation.
    """

    id: str
    name: str
    role: str
    current: bool
    is_offer: bool
    is_invitation: bool


@dataclass(frozen=True, slots=True)
class OwnOrganizations:
    """What somebody is a member of, and what they may join.

    Attributes:
        members: those that they are in, by name.
        offers: those that they may join, the invitations first.
    """

    members: Sequence[OrganizationRow]
    offers: Sequence[OrganizationRow]


async def read_own(entrances: Entrances, account: Account) -> OwnOrganizations:
    """Return the organizations of who is signed in.

    Raises:
        StoreError: they cannot be read.
    """
    user, current = account.user, account.session.organization
    members = await entrances.memberships(user.id)
    offers = await entrances.offers(user.id, account.session.email)
    return OwnOrganizations([_row(m, current) for m in members], [_row(o, current) for o in offers])


def _row(entrance: Entrance, current: str | None) -> OrganizationRow:
    organization = entrance.organization
    return OrganizationRow(
        id=organization.id,
        name=organization.name,
        role=entrance.role,
        current=organization.id == current,
        is_offer=entrance.right != "member",
        is_invitation=entrance.right == "invitation",
    )
