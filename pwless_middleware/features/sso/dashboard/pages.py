"""All pages of company logins on the dashboard, put together."""

from __future__ import annotations

from pwless_middleware.features.sso.dashboard.connection_edit import ConnectionForm
from pwless_middleware.features.sso.dashboard.connections import ConnectionPages
from pwless_middleware.features.sso.dashboard.person_part import IdentityPart
from pwless_middleware.features.sso.dashboard.scim_tokens import SCIMTokenPages
from pwless_middleware.features.sso.dashboard.setup_links import SetupLinkPages
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.setup_mails import SetupMails


def mount_dashboard(
    kit: Kit,
    floor: OrganizationFloor,
    *,
    mails: SetupMails,
    oidc: OIDCClient,
    client: SafeHTTPClient,
    allow_loopback: bool,
) -> Mounted:
    """Return what the pages add: routes, tabs of an organization, a part of a person's page.

    Args:
        kit: the feature's.
        floor: keeps connections, identities and links.
        mails: send set-up links.
        oidc: asks providers for their configuration.
        client: makes requests to providers, and says where they may go.
        allow_loopback: whether that may be this machine. For development.
    """
    connections, links = ConnectionPages(kit, floor), SetupLinkPages(kit, floor, mails)
    form = ConnectionForm(kit, floor, oidc=oidc, client=client, allow_loopback=allow_loopback)
    identities = IdentityPart(kit, floor)
    all_pages = (connections, form, SCIMTokenPages(kit, floor), links, identities)
    return Mounted(
        routes=tuple(route for one in all_pages for route in one.routes),
        organization_tabs=(connections.tab, links.tab),
        person_parts=(identities.part,),
    )
