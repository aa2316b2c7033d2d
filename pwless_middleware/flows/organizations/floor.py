"""What the features of organizations and of SSO stand on, made once and only where one is mounted.

    floor = kit.organizations()
    owner = await floor.directory.owner_of("acme.example")
    await floor.members.put(owner.id, user_id, role="admin", by="python")

`directory` says what holds now, without I/O while it is held; the keepers find what stands in the
database, and change it: each change is checked, compared with what was seen, written with its
event, and told to every process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.known_factors import KnownFactors
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.organizations.connection_secrets import ConnectionSecrets
from pwless_middleware.flows.organizations.connections import Connections
from pwless_middleware.flows.organizations.directory import Directory
from pwless_middleware.flows.organizations.domain_verification import DomainVerification
from pwless_middleware.flows.organizations.domains import Domains
from pwless_middleware.flows.organizations.events import KINDS
from pwless_middleware.flows.organizations.explain import Explanations
from pwless_middleware.flows.organizations.identities import Identities
from pwless_middleware.flows.organizations.invitations import Invitations
from pwless_middleware.flows.organizations.members import Members
from pwless_middleware.flows.organizations.organizations import Organizations
from pwless_middleware.flows.organizations.policies import OrganizationPolicies
from pwless_middleware.flows.organizations.sessions import OrganizationSessions
from pwless_middleware.flows.organizations.setup_links import SetupLinks
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.languages.languages import Languages

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories


class OrganizationFloor:
    """Find and change organizations and what is theirs.

    Args:
        repositories: keep it.
        signals: tell of changes.
        sessions: end those that are no more.
        users: say whose an address is.
        languages: those that there are.
        events: records changes; is given the kinds of them.
        secrets: encrypt those of connections.
        clock: returns unix seconds.
        policies: those of all features.

    Attributes:
        directory: what holds now.
        sessions: those of people in organizations.
        organizations, domains, connections, members, invitations, identities, setup_links: find
            what stands in the database, and change it.
        connection_secrets: decrypt those of connections, for who signs people in.
        verification: looks for the DNS records of domains.
        policies: what the organizations ask of logins and sessions.
        explanations: tell what would come of a login.
        rewrap: encrypts anew what is kept under an older key (`Mounted.rewrap`).
    """

    def __init__(
        self,
        repositories: Repositories,
        *,
        signals: Signals,
        sessions: SessionsView,
        users: Users,
        languages: Languages,
        events: Events,
        secrets: FeatureSecrets,
        clock: Callable[[], int],
        policies: Policies,
    ) -> None:
        events.declare(KINDS, by="organizations")
        self.directory = Directory(repositories, signals)
        self.sessions = OrganizationSessions(sessions, signals)
        self.organizations = Organizations(
            repositories,
            self.directory,
            events,
            users=users,
            languages=languages,
            clock=clock,
            policies=policies,
            tell_sessions=self.sessions.look_again_at_all,
        )
        self.domains = Domains(repositories.domains, self.directory, events, clock)
        self.verification = DomainVerification(self.domains, clock)
        self.connection_secrets = ConnectionSecrets(repositories.connections, secrets)
        self.connections = Connections(
            *(repositories.connections, self.directory, events, self.connection_secrets, clock),
            tell_sessions=self.sessions.look_again_at_all,
        )
        self.members = Members(repositories.members, self.directory, events, self.sessions, clock)
        self.invitations = Invitations(repositories.invitations, self.members, events, users, clock)
        self.identities = Identities(repositories.identities, events, clock)
        self.setup_links = SetupLinks(repositories.setup_links, events, clock)
        factors = KnownFactors(repositories, policies)
        self.policies = OrganizationPolicies(self.directory, policies, factors.of)
        self.explanations = Explanations(
            self.directory, self.invitations, self.policies, policies, users, factors.of
        )
        self.rewrap: Callable[[], Awaitable[int]] = self.connection_secrets.rewrap
