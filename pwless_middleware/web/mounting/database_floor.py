"""Make what stands on a database; who has none does not import this module, nor what it imports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event_retention import EventRetention
from pwless_middleware.database.repositories import make_repositories
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.event_writer import EventWriter
from pwless_middleware.flows.operators.stored_keys import StoredKeys
from pwless_middleware.flows.people.active_users import ActiveUsers
from pwless_middleware.flows.people.invitations import Invitations
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.flows.people.people import People
from pwless_middleware.flows.people.person_directory import PersonDirectory
from pwless_middleware.flows.people.stable_users import StableUsers
from pwless_middleware.flows.people.users import UserDirectory, Users
from pwless_middleware.flows.personal_data.factor_data import (
    FactorData,
    FactorResetData,
    RecoveryCodeData,
    TrustedBrowserData,
)
from pwless_middleware.flows.personal_data.mail_template_data import MailTemplateData
from pwless_middleware.flows.personal_data.operator_data import (
    ApiKeyData,
    OperatorData,
    TestAddressData,
)
from pwless_middleware.flows.personal_data.organization_data import (
    IdentityData,
    InvitationData,
    MemberData,
    OrganizationData,
)
from pwless_middleware.flows.personal_data.personal_data import (
    ActivityData,
    AddressChangeData,
    AddressRequestData,
    EventData,
    PasskeyData,
    PersonalData,
    SessionData,
)
from pwless_middleware.flows.personal_data.settings_data import SettingsData
from pwless_middleware.flows.personal_data.webhook_data import WebhookData
from pwless_middleware.flows.settings.current_templates import TOPIC as TEMPLATES
from pwless_middleware.flows.settings.current_templates import CurrentTemplates
from pwless_middleware.flows.settings.mail_templates import MailTemplates
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.rules import TemplateRules

if TYPE_CHECKING:
    from pwless_middleware.database.database import Database
    from pwless_middleware.delivery.base import Mailer
    from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
    from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
    from pwless_middleware.flows.capabilities.records import Records
    from pwless_middleware.flows.events.events import Events
    from pwless_middleware.flows.logins.policies import Policies
    from pwless_middleware.flows.organizations.floor import OrganizationFloor
    from pwless_middleware.flows.sessions.sessions_view import SessionsView
    from pwless_middleware.flows.signals.signals import Signals
    from pwless_middleware.languages.languages import Languages
    from pwless_middleware.rendering.renderer import Renderer


class DatabaseFloor:
    """Make what keeps people, events and API keys in the database.

    Args:
        database: nothing of it is opened here.
        events: are written to it.
        retention: how long they are kept; `None` takes the defaults.
        clock: returns unix seconds.

    Attributes:
        repositories: what the database keeps.
        writer: writes the events.
        history: reads them.
    """

    def __init__(
        self,
        database: Database,
        events: Events,
        retention: EventRetention | None,
        clock: Callable[[], int],
    ) -> None:
        self.repositories = make_repositories(database)
        kept = retention or EventRetention()
        self.writer = EventWriter(
            events, self.repositories.events, keep_addresses=kept.keep_addresses
        )
        self.history = EventHistory(events, self.repositories.events, self.writer)
        self._events = events
        self._clock = clock

    def make_users(self, directory: UserDirectory | None, *, id_salt: str | None) -> Users:
        """Return the users: those of the host's own table, or the people of the database."""
        if directory is not None:
            active = ActiveUsers(self.repositories.event_counters, self._clock)
            return Users(directory, active=active, id_salt=id_salt, is_reserved=self._is_reserved)
        stable = StableUsers(id_salt)
        kept = self.repositories
        people = PersonDirectory(kept.people, stable, kept.address_changes, self._clock)
        return Users(None, people=people, is_reserved=people.is_reserved)

    async def _is_reserved(self, address: Address) -> bool:
        changes = self.repositories.address_changes
        return await changes.is_reserved(address, user_id="", now=self._clock())

    def make_stored_keys(self, signals: Signals, *, names_in_code: Collection[str]) -> StoredKeys:
        """Return what finds the API keys of the database."""
        return StoredKeys(
            self.repositories.api_keys, signals, self._clock, names_in_code=names_in_code
        )

    def make_templates(
        self,
        renderer: Renderer,
        signals: Signals,
        *,
        origin: str,
        allowed_origins: Iterable[str],
    ) -> tuple[CurrentTemplates, MailTemplates]:
        """Return what keeps operators' templates current, and what changes them."""
        rules = TemplateRules(renderer, LinkRules(origin, allowed_origins))
        repository = self.repositories.mail_templates
        current = CurrentTemplates(repository, rules.read_stored, self._events)
        renderer.use_templates(current)
        signals.subscribe(TEMPLATES, current.look)
        changes = MailTemplates(
            repository, current, rules, events=self._events, signals=signals, clock=self._clock
        )
        return current, changes

    def make_invitations(
        self,
        jobs: FeatureJobs,
        records: Records,
        renderer: Renderer,
        languages: Languages,
        mailer: Mailer,
        *,
        login_url: str,
        host: str,
    ) -> Invitations:
        """Return what tells people that they can sign in."""
        name = host.partition(":")[0]
        notices = Notices(renderer, languages, mailer, host=name, clock=self._clock)
        people = self.repositories.people
        return Invitations(people, jobs, records, notices, login_url=login_url, clock=self._clock)

    def make_organizations(
        self,
        *,
        signals: Signals,
        sessions: SessionsView,
        users: Users,
        languages: Languages,
        secrets: FeatureSecrets,
        policies: Policies,
    ) -> OrganizationFloor:
        """Return what finds and changes organizations."""
        from pwless_middleware.flows.organizations.floor import OrganizationFloor

        return OrganizationFloor(
            self.repositories,
            signals=signals,
            sessions=sessions,
            users=users,
            languages=languages,
            events=self._events,
            secrets=secrets,
            clock=self._clock,
            policies=policies,
        )

    def make_people(
        self,
        users: Users,
        sessions: SessionsView,
        signals: Signals,
        invitations: Invitations,
        *,
        languages: Languages,
    ) -> People:
        """Return `Passwordless.people`, which exports and erases all that names a person."""
        kept = self.repositories
        data: dict[str, PersonalData] = {
            "sessions": SessionData(sessions),
            "address_changes": AddressChangeData(kept.address_changes),
            "address_requests": AddressRequestData(kept.address_requests),
            "passkeys": PasskeyData(kept.passkeys),
            "second_factors": FactorData(kept.factors),
            "recovery_codes": RecoveryCodeData(kept.recovery_codes),
            "trusted_browsers": TrustedBrowserData(kept.trusted_browsers),
            "factor_resets": FactorResetData(kept.factor_resets),
            "operator": OperatorData(kept.operators),
            "api_keys": ApiKeyData(kept.api_keys),
            "test_address": TestAddressData(kept.test_addresses),
            "webhooks": WebhookData(kept.webhooks, kept.webhook_deliveries, self.history),
            "mail_templates": MailTemplateData(kept.mail_templates),
            "settings": SettingsData(kept.settings),
            "organizations": OrganizationData(kept.organizations, signals),
            "members": MemberData(kept.members, signals),
            "identities": IdentityData(kept.identities),
            "invitations": InvitationData(kept.invitations, kept.setup_links),
            "events": EventData(self.history, users),
            "activity": ActivityData(kept.event_counters),  # after what is written by the events
        }
        return People(
            kept.people,
            users,
            data,
            sessions,
            signals,
            self._events,
            kept.events,
            invitations,
            languages=languages,
            clock=self._clock,
        )
