"""All repositories of a database, made once and handed to who needs them."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.attempts import AttemptRepository, SQLAttempts
from pwless_middleware.database.events.event_counters import (
    EventCounterRepository,
    SQLEventCounters,
)
from pwless_middleware.database.events.events import EventRepository, SQLEvents
from pwless_middleware.database.factors.factor_resets import FactorResetRepository, SQLFactorResets
from pwless_middleware.database.factors.factors import FactorRepository, SQLFactors
from pwless_middleware.database.factors.passkeys import PasskeyRepository, SQLPasskeys
from pwless_middleware.database.factors.recovery_codes import (
    RecoveryCodeRepository,
    SQLRecoveryCodes,
)
from pwless_middleware.database.factors.trusted_browsers import (
    SQLTrustedBrowsers,
    TrustedBrowserRepository,
)
from pwless_middleware.database.operators.api_keys import ApiKeyRepository, SQLApiKeys
from pwless_middleware.database.operators.mail_templates import (
    MailTemplateRepository,
    SQLMailTemplates,
)
from pwless_middleware.database.operators.operators import OperatorRepository, SQLOperators
from pwless_middleware.database.operators.settings import SettingsRepository, SQLSettings
from pwless_middleware.database.operators.webhook_deliveries import (
    SQLWebhookDeliveries,
    WebhookDeliveryRepository,
)
from pwless_middleware.database.operators.webhooks import SQLWebhooks, WebhookRepository
from pwless_middleware.database.organizations.connections import (
    ConnectionRepository,
    SQLConnections,
)
from pwless_middleware.database.organizations.domains import DomainRepository, SQLDomains
from pwless_middleware.database.organizations.invitations import (
    InvitationRepository,
    SQLInvitations,
)
from pwless_middleware.database.organizations.members import MemberRepository, SQLMembers
from pwless_middleware.database.organizations.organizations import (
    OrganizationRepository,
    SQLOrganizations,
)
from pwless_middleware.database.organizations.setup_links import SetupLinkRepository, SQLSetupLinks
from pwless_middleware.database.people.address_changes import (
    AddressChangeRepository,
    SQLAddressChanges,
)
from pwless_middleware.database.people.address_requests import (
    AddressRequestRepository,
    SQLAddressRequests,
)
from pwless_middleware.database.people.identities import IdentityRepository, SQLIdentities
from pwless_middleware.database.people.people import PersonRepository, SQLPeople
from pwless_middleware.database.people.test_addresses import SQLTestAddresses, TestAddressRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """What the database keeps, a repository for each kind of record.

    Attributes:
        people: who exists where the host has no user table.
        address_changes: which addresses were changed lately, and can be changed back.
        address_requests: which addresses wait to be confirmed, as somebody else has asked for.
        events: what happened, and how often.
        event_counters: what is counted of events, and how many people were active.
        attempts: what became of each login.
        settings: what operators have set.
        api_keys: those that operators have made.
        passkeys: those that people have made.
        factors: the authenticator apps and phone numbers that people have confirmed.
        recovery_codes: what stands in for a lost factor.
        trusted_browsers: where people are not asked for a factor.
        factor_resets: what operators have ordered for those who have lost everything.
        mail_templates: those that operators have edited.
        operators: who may use the dashboard, besides those in code.
        test_addresses: addresses of nobody, whose code is always the same.
        webhooks: where events are sent.
        webhook_deliveries: what is sent there, and what became of it.
        organizations: whose people sign in by rules of their own.
        domains: that organizations say are theirs, and those that are.
        connections: to the identity providers of organizations.
        identities: who people are at identity providers.
        members: who is in which organization.
        invitations: to organizations.
        setup_links: by which organizations set up their login themselves.
    """

    people: PersonRepository
    address_changes: AddressChangeRepository
    address_requests: AddressRequestRepository
    events: EventRepository
    event_counters: EventCounterRepository
    attempts: AttemptRepository
    settings: SettingsRepository
    api_keys: ApiKeyRepository
    passkeys: PasskeyRepository
    factors: FactorRepository
    recovery_codes: RecoveryCodeRepository
    trusted_browsers: TrustedBrowserRepository
    factor_resets: FactorResetRepository
    mail_templates: MailTemplateRepository
    operators: OperatorRepository
    test_addresses: TestAddressRepository
    webhooks: WebhookRepository
    webhook_deliveries: WebhookDeliveryRepository
    organizations: OrganizationRepository
    domains: DomainRepository
    connections: ConnectionRepository
    identities: IdentityRepository
    members: MemberRepository
    invitations: InvitationRepository
    setup_links: SetupLinkRepository


def make_repositories(database: Database) -> Repositories:
    """Return the repositories of a database; nothing is opened yet."""
    return Repositories(
        people=SQLPeople(database),
        address_changes=SQLAddressChanges(database),
        address_requests=SQLAddressRequests(database),
        events=SQLEvents(database),
        event_counters=SQLEventCounters(database),
        attempts=SQLAttempts(database),
        settings=SQLSettings(database),
        api_keys=SQLApiKeys(database),
        passkeys=SQLPasskeys(database),
        factors=SQLFactors(database),
        recovery_codes=SQLRecoveryCodes(database),
        trusted_browsers=SQLTrustedBrowsers(database),
        factor_resets=SQLFactorResets(database),
        mail_templates=SQLMailTemplates(database),
        operators=SQLOperators(database),
        test_addresses=SQLTestAddresses(database),
        webhooks=SQLWebhooks(database),
        webhook_deliveries=SQLWebhookDeliveries(database),
        organizations=SQLOrganizations(database),
        domains=SQLDomains(database),
        connections=SQLConnections(database),
        identities=SQLIdentities(database),
        members=SQLMembers(database),
        invitations=SQLInvitations(database),
        setup_links=SQLSetupLinks(database),
    )
