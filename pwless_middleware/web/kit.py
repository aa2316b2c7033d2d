"""What a feature gets and what it gives: the one seam that everything later comes through."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Generic, Protocol

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.spans import Spans
from pwless_middleware.delivery.base import Mailer
from pwless_middleware.delivery.texts.base import TextSender
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.health_checks import HealthCheck, HealthChecks
from pwless_middleware.flows.capabilities.lifespans import Lifespan
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.capabilities.topics import ReadJob
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.events import Events, Subscriber
from pwless_middleware.flows.logins.login_rules import (
    BeforeChallenge,
    BeforeSession,
    EntranceOf,
    MayMail,
    MaySignUp,
    MembershipOf,
    OnSession,
    PolicyOf,
    WithSession,
)
from pwless_middleware.flows.logins.logins import Logins
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.operators.delivery_view import DeliveryView
from pwless_middleware.flows.organization_looks import LookOf, OrganizationLooks
from pwless_middleware.flows.people.change_budget import ChangeBudget
from pwless_middleware.flows.people.change_lock import ChangeLock
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.settings.current_settings import CurrentSettings
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.flows.store_times import StoreTimes
from pwless_middleware.languages.languages import Languages
from pwless_middleware.rendering.renderer import Renderer
from pwless_middleware.stores.base import Store
from pwless_middleware.web.findings.findings import Check, Findings
from pwless_middleware.web.gates.operators import Banner, OperatorRules, Operators
from pwless_middleware.web.identity.accounts import Accounts
from pwless_middleware.web.identity.callers import Callers
from pwless_middleware.web.parts.offers import (
    AccountPage,
    AfterLogin,
    Alternatives,
    DashboardPage,
    Keeps,
    LoginMethod,
    Offers,
    OnAddressUndone,
    OnFactorsReset,
    SignOuts,
    StepUpMethod,
)
from pwless_middleware.web.parts.organization_parts import OrganizationTab
from pwless_middleware.web.parts.person_parts import PersonPart
from pwless_middleware.web.parts.steps import StepMethod
from pwless_middleware.web.requests.cookie_check import CookieCheck
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.responses.responses import Pages
from pwless_middleware.web.routing.origin import Origin
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.database import Database
    from pwless_middleware.database.repositories import Repositories
    from pwless_middleware.flows.organizations.floor import OrganizationFloor
    from pwless_middleware.flows.people.people import People
    from pwless_middleware.flows.settings.mail_templates import MailTemplates

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar  # which Starlette brings along, for the same Pythons

VerbsT = TypeVar("VerbsT", covariant=True, default=object)
"""What a feature offers in Python; of a plain `Feature` or `Mounted` nothing is said."""


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything that a feature may use. Each feature gets its own.

    Attributes:
        name: the feature's.
        origin: the public address of the app.
        prefix: where we are mounted, e.g. `/auth`.
        store: the store, inside its time limit, without sessions and pending logins; for all but
            the product's own features without challenges too.
        database: what must last; `None` where the host has given none (`require_database`).
        repositories: what the database keeps, a repository for each kind of record; `None` without
            one, and for all but the product's own features.
        mail_templates: those that operators have edited, and what changes them; `None` without a
            database, and for all but the product's own features.
        keyring: of keys that only this feature has. `EmailLogin`'s are those of codes, links and
            flow cookies: whoever has them can read what a mail says.
        hints: opens the addresses that a rule leads away with (`open_hint`).
        logins: the one door.
        policies: find what a login must come up to.
        looks: find how the pages and mails of an organization look.
        organizations: returns what finds and changes organizations, made with the first call and
            then the same one; for the product's own features alone, and only with a database.
        sessions: finds, lists and ends sessions.
        signals: tells all processes that something has changed.
        users: their keeper.
        people: those of the database; `None` without one.
        renderer, pages: texts, and texts as responses.
        languages: those that people read.
        cookies, callers: what a request says of itself.
        secrets: seals, encrypts and derives under keys that only this feature has.
        records: gives the feature's records of a name: `kit.records("states")`. No other feature
            reaches them, and they reach nothing else in the store.
        jobs: queues what the feature's own readers do later (`Mounted.jobs`).
        accounts: who is signed in.
        cookie_check: whether a browser keeps cookies.
        offers: what all features offer on the login page and the account's.
        operators: let operators in, and show them pages of the dashboard.
        change_budget: counts what somebody changes of what they sign in with; to be spent before
            the mail that tells of the change is queued.
        change_lock: lets one change of a person go on at a time, of those that depend on what else
            the person has.
        mailer: takes messages.
        text_senders: those that features send text messages through (`Mounted.text_senders`).
        events: records what happened.
        history: finds what happened.
        clock: gives unix seconds.
        wake_delivery: to be called after a job was queued.
        delivery: what waits to be sent, and since when nothing goes out.
        is_delivery_failing: whether mails have been failing in a row.
        is_text_delivery_failing: whether text messages have been; never where nobody sends any.
        checks: what features say of their health.
        store_times: tells how long the store takes, for who measures that.
        spans: tell of sends, proofs, steps and deliveries, for who traces them.
        findings: what would go wrong in production.
        settings: what operators have set; `Mounted.settings` are kept current by it.
    """

    name: str
    origin: Origin
    prefix: str
    store: Store
    database: Database | None
    repositories: Repositories | None
    mail_templates: MailTemplates | None
    keyring: Keyring
    hints: Keyring
    logins: Logins
    policies: Policies
    looks: OrganizationLooks
    organizations: Callable[[], OrganizationFloor]
    sessions: SessionsView
    signals: Signals
    users: Users
    people: People | None
    renderer: Renderer
    pages: Pages
    languages: Languages
    cookies: Cookies
    callers: Callers
    secrets: FeatureSecrets
    records: Callable[[str], Records]
    jobs: FeatureJobs
    accounts: Accounts
    cookie_check: CookieCheck
    offers: Offers
    operators: Operators
    change_budget: ChangeBudget
    change_lock: ChangeLock
    mailer: Mailer
    text_senders: TextSenders
    events: Events
    history: EventHistory
    clock: Callable[[], int]
    wake_delivery: Callable[[], Awaitable[None]]
    delivery: DeliveryView
    is_delivery_failing: Callable[[], bool]
    is_text_delivery_failing: Callable[[], bool]
    checks: HealthChecks
    store_times: StoreTimes
    spans: Spans
    findings: Findings
    settings: CurrentSettings

    def require_database(self) -> Database:
        """Return the database, for a feature that cannot be without one.

        Raises:
            ConfigError: there is none.
        """
        if self.database is None:
            raise ConfigError(
                "database", f'{self.name} needs one: add database="sqlite:///pwless.db"'
            )
        return self.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted(Generic[VerbsT]):
    """What a feature adds to the login.

    Attributes:
        routes: its paths below the prefix.
        methods: what it offers on the login page.
        step_up: how it lets who is signed in prove once more who they are.
        steps: how its steps are done, and fresh proofs of a live session given.
        after_login: asked for a page to show between a login by the pages and where it leads.
        account_pages: its pages of a person's account.
        dashboard_pages: its pages of the dashboard. They are there where `Dashboard` is mounted.
        person_parts: what it shows of a person, on the dashboard's page of them.
        organization_tabs: its pages of an organization, on the dashboard. Of the product's own
            features.
        dashboard_banners: asked for a line above every page of the dashboard.
        operators: says who may use the dashboard; of `Dashboard` alone.
        before_challenge: asked before any mail goes out; may refuse, or lead to another page.
        before_session: asked before any session; may refuse, ask for a step, or narrow it.
        on_session: asked of running sessions, once a minute while they are used; may refuse or
            narrow them.
        with_session: asked for the jobs that are queued as a new session begins.
        policies: asked what a login must come up to; the strictest of all features' answers holds.
        entrance: asked which organization a login enters that names none, before all rules. For one
            feature of the product's own.
        memberships: says which organization a session is in: `request.state.organization`, and the
            user's role. For one feature of the product's own.
        may_mail: asked before the mail of a login goes out; may hold it back in silence.
        may_sign_up: asked whether the owner of an address may become a user where strangers may
            not: they were invited.
        looks: says how the pages and mails of an organization look. For one feature of the
            product's own.
        alternatives: asked for another way to sign in, which the page that waits for a code offers.
        sign_outs: asked for another way to sign out, which the page that does so offers.
        proves: the methods of the authentications that it ends in (`Authentication.method`), of
            first proofs and of steps alike; no two features prove the same one.
        recovers: those of `proves` that stand in for what somebody has lost. Tries by them are
            counted apart, in a smaller budget: who has used up the one still has the other
            (security rule 42).
        lifespan: held open beside the requests of each event loop (`flows.capabilities.lifespans`);
            what the feature mounts waits for it. `None` for nothing.
        periodic: what it does every so often, on one process of all.
        text_senders: who its text messages go through (`Delivery.channel`): they say how many are
            sent at a time, and are checked by `pwless check` and closed at the end.
        health: name to a check that raises where something is down; `/health` lists the name then,
            for who has an API key. A check has a second.
        findings: what of it would go wrong in production, for `pwless check` and the dashboard.
        jobs: topic to who reads its jobs, which `Kit.jobs` queues; no two features have one topic.
        event_kinds: the kinds of events that it records, beside the product's own.
        on_event: called with each event, in order, in the event loop; must not block.
        on_address_undone: called with a user's id and the unix second of a change of address that
            was undone from the old one. What was added to the account since then may be the work of
            whoever took it: remove it. May be called again for the same change.
        keeps: asked before a person's last proof by a method is removed; says why it has to stay.
        on_factors_reset: called with a user's id and who does it, as all that somebody proves
            themselves by is removed, since they have lost it.
        rewrap: encrypts anew what it keeps under an older key than the newest one
            (`FeatureSecrets.encrypt`), for all people, and returns how many there were. May be
            called again, and while people sign in; `None` for who keeps no such thing.
        settings: what of it an operator may set, kept current; `None` for nothing. What the feature
            mounts waits until it is known.
        check: called once everything is mounted; raises `ConfigError` where what the feature needs
            of others is not there. `None` for nothing.
        verbs: what it offers to the host's own code, by `Passwordless.verbs`; `None` for nothing.
    """

    routes: tuple[Route, ...] = ()
    methods: tuple[LoginMethod, ...] = ()
    step_up: tuple[StepUpMethod, ...] = ()
    steps: tuple[StepMethod, ...] = ()
    after_login: tuple[AfterLogin, ...] = ()
    account_pages: tuple[AccountPage, ...] = ()
    dashboard_pages: tuple[DashboardPage, ...] = ()
    person_parts: tuple[PersonPart, ...] = ()
    organization_tabs: tuple[OrganizationTab, ...] = ()
    dashboard_banners: tuple[Banner, ...] = ()
    operators: OperatorRules | None = None
    before_challenge: tuple[BeforeChallenge, ...] = ()
    before_session: tuple[BeforeSession, ...] = ()
    on_session: tuple[OnSession, ...] = ()
    with_session: tuple[WithSession, ...] = ()
    policies: tuple[PolicyOf, ...] = ()
    entrance: EntranceOf | None = None
    memberships: MembershipOf | None = None
    may_mail: tuple[MayMail, ...] = ()
    may_sign_up: tuple[MaySignUp, ...] = ()
    looks: LookOf | None = None
    alternatives: tuple[Alternatives, ...] = ()
    sign_outs: tuple[SignOuts, ...] = ()
    proves: tuple[str, ...] = ()
    recovers: tuple[str, ...] = ()
    lifespan: Lifespan | None = None
    periodic: tuple[Periodic, ...] = ()
    text_senders: tuple[TextSender, ...] = ()
    health: Mapping[str, HealthCheck] = field(default_factory=dict)
    findings: tuple[Check, ...] = ()
    jobs: Mapping[str, ReadJob] = field(default_factory=dict)
    event_kinds: tuple[EventKind, ...] = ()
    on_event: Subscriber | None = None
    on_address_undone: tuple[OnAddressUndone, ...] = ()
    keeps: tuple[Keeps, ...] = ()
    on_factors_reset: tuple[OnFactorsReset, ...] = ()
    rewrap: Callable[[], Awaitable[int]] | None = None
    settings: LiveSettings[object] | None = None
    check: Callable[[], None] | None = None
    verbs: VerbsT | None = None


class Feature(Protocol[VerbsT]):
    """One login method or rule. It changes nothing: it is mounted once, and returns what it adds.

    What it keeps in the store, and what it seals, goes under its name: its attribute `name`, or
    else its class's name. Two with one name are refused, so a feature that may be mounted several
    times gives each object a `name` of its own (1 to 40 letters, digits and underscores).
    """

    def mount(self, kit: Kit) -> Mounted[VerbsT]:
        """Return what the feature adds."""
        ...
