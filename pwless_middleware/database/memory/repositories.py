"""All repositories in memory, for tests."""

from __future__ import annotations

from pwless_middleware.database.memory.address_changes import MemoryAddressChanges
from pwless_middleware.database.memory.address_requests import MemoryAddressRequests
from pwless_middleware.database.memory.api_keys import MemoryApiKeys
from pwless_middleware.database.memory.attempts import MemoryAttempts
from pwless_middleware.database.memory.connections import MemoryConnections
from pwless_middleware.database.memory.domains import MemoryDomains
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.factor_resets import MemoryFactorResets
from pwless_middleware.database.memory.factors import MemoryFactors
from pwless_middleware.database.memory.identities import MemoryIdentities
from pwless_middleware.database.memory.invitations import MemoryInvitations
from pwless_middleware.database.memory.mail_templates import MemoryMailTemplates
from pwless_middleware.database.memory.members import MemoryMembers
from pwless_middleware.database.memory.operators import MemoryOperators
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.memory.organizations import MemoryOrganizations
from pwless_middleware.database.memory.passkeys import MemoryPasskeys
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.memory.recovery_codes import MemoryRecoveryCodes
from pwless_middleware.database.memory.settings import MemorySettings
from pwless_middleware.database.memory.setup_links import MemorySetupLinks
from pwless_middleware.database.memory.test_addresses import MemoryTestAddresses
from pwless_middleware.database.memory.trusted_browsers import MemoryTrustedBrowsers
from pwless_middleware.database.memory.webhook_deliveries import MemoryWebhookDeliveries
from pwless_middleware.database.memory.webhooks import MemoryWebhooks
from pwless_middleware.database.repositories import Repositories


def make_memory_repositories() -> Repositories:
    """Return empty repositories that last as long as they are held."""
    events = MemoryEvents()
    people = MemoryPeople(events)
    codes, browsers = MemoryRecoveryCodes(people, events), MemoryTrustedBrowsers(people, events)
    rows = OrganizationRows(people, events)
    members = MemoryMembers(rows)
    factors = MemoryFactors(people, events, codes, browsers)
    return Repositories(
        people=people,
        address_changes=MemoryAddressChanges(people, events),
        address_requests=MemoryAddressRequests(events),
        events=events,
        event_counters=events.counters,
        attempts=MemoryAttempts(events),
        settings=MemorySettings(events),
        api_keys=MemoryApiKeys(events),
        passkeys=MemoryPasskeys(people, events, factors),
        factors=factors,
        recovery_codes=codes,
        trusted_browsers=browsers,
        factor_resets=MemoryFactorResets(events),
        mail_templates=MemoryMailTemplates(events),
        operators=MemoryOperators(people, events),
        test_addresses=MemoryTestAddresses(people, events),
        webhooks=MemoryWebhooks(events),
        webhook_deliveries=MemoryWebhookDeliveries(),
        organizations=MemoryOrganizations(rows),
        domains=MemoryDomains(rows),
        connections=MemoryConnections(rows),
        identities=MemoryIdentities(rows),
        members=members,
        invitations=MemoryInvitations(rows, members),
        setup_links=MemorySetupLinks(rows),
    )
