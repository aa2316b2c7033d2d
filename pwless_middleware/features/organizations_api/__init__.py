"""The `organizations` resource of the JSON API, for servers: the customer's own back office.

It is there where a feature of organizations is mounted, whichever it is.
"""

from __future__ import annotations

from pwless_middleware.web.kit import Kit, Mounted


class OrganizationsApi:
    """Answer for organizations, and for what is theirs."""

    def mount(self, kit: Kit) -> Mounted:
        """Return the routes.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.organizations_api.connections import ConnectionsApi
        from pwless_middleware.features.organizations_api.domains import DomainsApi
        from pwless_middleware.features.organizations_api.invitations import InvitationsApi
        from pwless_middleware.features.organizations_api.members import MembersApi
        from pwless_middleware.features.organizations_api.organizations import OrganizationApi
        from pwless_middleware.features.organizations_api.policies import PolicyApi
        from pwless_middleware.features.organizations_api.setup_links import SetupLinksApi

        floor = kit.organizations()
        return Mounted(
            routes=(
                *OrganizationApi(kit, floor).routes,
                *PolicyApi(kit, floor).routes,
                *DomainsApi(kit, floor).routes,
                *MembersApi(kit, floor).routes,
                *InvitationsApi(kit, floor).routes,
                *ConnectionsApi(kit, floor).routes,
                *SetupLinksApi(kit, floor).routes,
            )
        )
