"""What transactions about different things of one organization do in common."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.organizations.policy_column import unpack_policy
from pwless_middleware.database.statement import Statement, Steps

IS_ORGANIZATION: Final = Statement("SELECT 1 FROM pwless_organizations WHERE id = $1")
"""A row where there is an organization; nothing is added to one that is gone."""


def has_working_connection(organization: str) -> Steps[bool]:
    """Whether people can surely sign in by a connection of an organization: one that is enabled
    has worked before.
    """
    return bool((yield _WORKING(organization)))


def requires_connection(organization: str, id: str) -> Steps[bool]:
    """Whether nobody could sign in without this connection: the policy asks for the company's
    login, and no other one is enabled.
    """
    rows = yield _POLICY(organization)
    if not rows or unpack_policy(rows[0][0]).sso != "required":
        return False
    return not (yield _OTHER_ENABLED(organization, id))


def delete_rows_of(organization: str) -> Steps[None]:
    """Forget all that is an organization's own."""
    yield _DELETE_IDENTITIES(organization)
    yield _DELETE_CONNECTIONS(organization)
    yield _DELETE_DOMAINS(organization)
    yield _DELETE_MEMBERS(organization)
    yield _DELETE_INVITATIONS(organization)
    yield _DELETE_SETUP_LINKS(organization)


_POLICY = Statement("SELECT policy FROM pwless_organizations WHERE id = $1")
_WORKING = Statement(
    "SELECT 1 FROM pwless_connections WHERE organization = $1 AND is_enabled = 1 "
    "AND tested_at IS NOT NULL LIMIT 1"
)
_OTHER_ENABLED = Statement(
    "SELECT 1 FROM pwless_connections WHERE organization = $1 AND id <> $2 AND is_enabled = 1 "
    "LIMIT 1"
)
_DELETE_IDENTITIES = Statement(
    "DELETE FROM pwless_identities WHERE connection IN "
    "(SELECT id FROM pwless_connections WHERE organization = $1)"
)
_DELETE_CONNECTIONS = Statement("DELETE FROM pwless_connections WHERE organization = $1")
_DELETE_DOMAINS = Statement("DELETE FROM pwless_domains WHERE organization = $1")
_DELETE_MEMBERS = Statement("DELETE FROM pwless_members WHERE organization = $1")
_DELETE_INVITATIONS = Statement("DELETE FROM pwless_invitations WHERE organization = $1")
_DELETE_SETUP_LINKS = Statement("DELETE FROM pwless_setup_links WHERE organization = $1")
