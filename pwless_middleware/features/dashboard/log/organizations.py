"""Organizations in the log: found by what people call them, and shown by their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.organizations import OrganizationRepository


async def find_organization_id(organizations: OrganizationRepository, text: str) -> str:
    """Return the id of the organization that somebody means.

    Args:
        organizations: keeps them.
        text: its id, the host's own key of it, or its name, in whichever case; text that means none
            or several of them is returned as it is: rules of a host's own name others.

    Raises:
        StoreError: the database cannot be asked.
    """
    if await organizations.find(text) is not None:
        return text
    known = await organizations.find_by_external_id(text)
    if known is not None:
        return known.id
    found = await organizations.list(search=text, limit=20)
    called = [one for one in found if one.name.casefold() == text.casefold()]
    meant = called or found
    return meant[0].id if len(meant) == 1 else text


async def name_organizations(
    organizations: OrganizationRepository, ids: Iterable[str | None]
) -> dict[str, str]:
    """Return the names that organizations have now, by id; without those that are gone.

    Args:
        organizations: keeps them.
        ids: of organizations; `None` among them is passed over.

    Raises:
        StoreError: the database cannot be asked.
    """
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    return {one.id: one.name for one in await organizations.find_several(wanted)}
