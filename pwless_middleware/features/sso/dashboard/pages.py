"""All pages of company logins on the dashboard, put together."""

from __future__ import annotations

from pwless_middleware.features.sso.connections.provider_forms import ProviderForms
from pwless_middleware.features.sso.dashboard.connection_edit import ConnectionForm
from pwless_middleware.features.sso.dashboard.connections import ConnectionPages
from pwless_middleware.features.sso.dashboard.person_part import IdentityPart
from pwless_middleware.features.sso.dashboard.scim_tokens import SCIMTokenPages
from pwless_middleware.features.sso.dashboard.setup_links import SetupLinkPages
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.setup_mails import SetupMails


def mount_dashboard(
    kit: Kit,
    floor: OrganizationFloor,
    *,
    mails: SetupMails,
    forms: ProviderForms,
) -> Mounted:
    """Return what the pages add: routes, tabs of an organization, a part of a person's page.

    Args:
        kit: the feature's.
        floor: keeps connections, identities and links.
        mails: send set-up links.
        forms: keep what is entered of a provider.
    """
    connections, links = ConnectionPages(kit, floor), SetupLinkPages(kit, floor, mails)
    form = ConnectionForm(kit, floor, forms)
    identities = IdentityPart(kit, floor)
    all_pages = (connections, form, SCIMTokenPages(kit, floor), links, identities)
    return Mounted(
        routes=tuple(route for one in all_pages for route in one.routes),
        organization_tabs=(connections.tab, links.tab),
        person_parts=(identities.part,),
    )
