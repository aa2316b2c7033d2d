"""Make what features stand on, from the lowest floor up, of the options of `Passwordless`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.core.spans import Spans
from pwless_middleware.core.storage.store_keys import is_for_features
from pwless_middleware.delivery.base import Mailer, is_inline, parallel_of
from pwless_middleware.delivery.health.handovers import server_of
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.queue.tries import Pace
from pwless_middleware.flows.capabilities.feature_store import FeatureStore, KeyRule
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.event_lines import EventLines
from pwless_middleware.flows.events.events import Events, Subscriber
from pwless_middleware.flows.lifetime import Lifetime
from pwless_middleware.flows.logins.door import make_door
from pwless_middleware.flows.logins.login_rules import ORGANIZATIONS, LoginRules
from pwless_middleware.flows.logins.logins import Logins
from pwless_middleware.flows.logins.pending_logins import PendingLogins
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.logins.withdrawals import Withdrawals
from pwless_middleware.flows.operators.delivery_view import DeliveryView
from pwless_middleware.flows.organization_looks import OrganizationLooks
from pwless_middleware.flows.people.change_budget import ChangeBudget
from pwless_middleware.flows.people.change_lock import ChangeLock
from pwless_middleware.flows.people.users import UserDirectory, Users
from pwless_middleware.flows.sessions.session_validation import SessionValidator
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.settings.brand_settings import make_brand_settings
from pwless_middleware.flows.settings.current_settings import TOPIC, CurrentSettings
from pwless_middleware.flows.settings.language_settings import make_language_settings
from pwless_middleware.flows.settings.session_settings import make_session_settings
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.flows.store_deadline import DeadlineStore
from pwless_middleware.flows.store_times import StoreTimes
from pwless_middleware.languages.languages import Languages
from pwless_middleware.rendering.renderer import Renderer
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.findings.findings import Findings
from pwless_middleware.web.gates.operators import Operators
from pwless_middleware.web.identity.access_tokens import AccessTokens
from pwless_middleware.web.identity.accounts import Accounts
from pwless_middleware.web.identity.callers import Callers
from pwless_middleware.web.identity.keys import ConfiguredKeys
from pwless_middleware.web.identity.servers import Servers
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.mounting.background import Background
from pwless_middleware.web.mounting.floors import Floors, refuse_organizations
from pwless_middleware.web.parts.offers import Offers
from pwless_middleware.web.requests.clients import Clients
from pwless_middleware.web.requests.cookie_check import CookieCheck
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.responses.responses import Pages
from pwless_middleware.web.routing.origin import Origin

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_retention import EventRetention
    from pwless_middleware.database.database import Database
    from pwless_middleware.flows.organizations.floor import OrganizationFloor
    from pwless_middleware.flows.settings.current_templates import ReadPayload
    from pwless_middleware.web.mounting.database_floor import DatabaseFloor


def make_floors(
    *,
    origin: Origin,
    prefix: str,
    cookie_name: str,
    keyring: Keyring,
    store: Store,
    database: Database | None,
    mailer: Mailer,
    users: UserDirectory | None,
    sessions: SessionPolicy | None,
    brand: Brand | None,
    templates: Path | str | None,
    languages: Sequence[str] | None,
    api_keys: Mapping[str, str] | None,
    allowed_origins: frozenset[str],
    trusted_proxies: int | Sequence[str],
    is_serverless: bool,
    id_salt: str | None,
    on_event: Subscriber | None,
    event_retention: EventRetention | None,
    clock: Callable[[], int],
) -> Floors:
    """Return every floor, made of the options of `Passwordless`."""
    events = Events(keyring.derive("events"), clock)
    events.subscribe(EventLines(), kinds=EventLines.kinds)
    if on_event is not None:
        events.subscribe(on_event)
    on_database = _make_database_floor(database, events, event_retention, clock)
    repositories = on_database.repositories if on_database is not None else None
    history = on_database.history if on_database is not None else EventHistory(events)
    times, spans = StoreTimes(), Spans()
    deadline_store = store if isinstance(store, MemoryStore) else DeadlineStore(store, times)
    if on_database is not None:
        known_users = on_database.make_users(users, id_salt=id_salt)
    else:
        known_users = Users(users, id_salt=id_salt)
    signals = Signals(deadline_store, keyring.realm, clock)
    # Who has the keys of a use can make what they make: those of sessions and pending logins
    # stay with their keepers and the door, and a feature has keys of its own.
    session_keys, feature_keys = keyring.derive("sessions"), keyring.derive("features")
    settings = CurrentSettings(repositories.settings if repositories is not None else None)
    policy = make_session_settings(sessions)
    settings.add(policy, by="pwless")
    kept = Sessions(deadline_store, session_keys, clock, events, policy, settings.require)
    settings.subscribe(kept.forget_all)
    signals.subscribe(TOPIC, settings.look)
    signals.subscribe(ORGANIZATIONS, kept.forget_all)
    rules, url = LoginRules(), f"{origin.url}{prefix}"
    validator = SessionValidator(known_users, rules, clock)
    pending = PendingLogins(deadline_store, keyring.derive("pending"), clock)
    withdrawals = Withdrawals(deadline_store, session_keys, kept, pending, clock, events)
    door = make_door(
        deadline_store,
        session_keys,
        policy,
        rules,
        kept,
        pending,
        withdrawals,
        url=url,
        clock=clock,
        events=events,
        require=settings.require,
        wake=lambda: lifetime.wake_delivery(),
    )

    def logins_of(feature: str, may_name: KeyRule) -> Logins:
        return Logins(
            door,
            deadline_store,
            known_users,
            kept,
            pending,
            rules,
            feature=feature,
            may_name=may_name,
            url=url,
            clock=clock,
            events=events,
            spans=spans,
        )

    renderer = _make_renderer(brand, settings, templates=templates, prefix=prefix, host=origin.host)
    catalogues = _make_languages(languages, settings, folder=templates)
    cookies = Cookies(feature_keys, cookie_name=cookie_name, secure=origin.is_secure)
    clients = Clients(trusted_proxies)
    tokens = AccessTokens(keyring.derive("access"), clock)
    servers = _make_servers(api_keys, on_database, signals, tokens)
    callers = Callers(origin, allowed_origins, servers, clients, cookies, events)
    looks = OrganizationLooks()
    pages = Pages(renderer, prefix, origin, catalogues, looks)
    current_templates = mail_templates = None
    if on_database is not None:
        current_templates, mail_templates = on_database.make_templates(
            renderer, signals, origin=origin.origin, allowed_origins=allowed_origins
        )
    own_keys = cache(lambda name: keyring.derive(f"feature:{name}"))  # of a few features
    background = Background(deadline_store, feature_keys, own_keys, clock)
    read_job: ReadPayload = background.topics.read
    if current_templates is not None:
        read_job = current_templates.before(read_job)
    deliveries = _make_deliveries(
        store, read_job, mailer, background, events=events, spans=spans, clock=clock
    )
    lifetime = Lifetime(
        store,
        deliveries,
        mailer,
        events=events,
        lifespans=background.lifespans,
        text_senders=background.text_senders,
        periodics=background.periodics,
        database=database,
        writer=on_database.writer if on_database is not None else None,
        people=known_users.seen,
        settings=settings,
        templates=current_templates,
        is_serverless=is_serverless,
    )
    wake = lifetime.wake_delivery
    view, people = SessionsView(kept, validator, withdrawals), None
    accounts = Accounts(kept, validator, known_users, cookies, pages, prefix=prefix, clock=clock)
    offers = Offers()
    if on_database is not None:
        invitations = on_database.make_invitations(
            background.jobs_of("pwless", wake),
            background.records_of("pwless")("invitations"),
            renderer,
            catalogues,
            mailer,
            login_url=f"{url}{LOGIN_PATH}",
            host=origin.host,
        )
        background.add_jobs("pwless", invitations.readers)
        people = on_database.make_people(
            known_users, view, signals, invitations, languages=catalogues
        )
    policies = Policies(rules)
    make_organizations: Callable[[], OrganizationFloor] = refuse_organizations
    if on_database is not None:
        make_organizations = cache(
            partial(
                on_database.make_organizations,
                signals=signals,
                sessions=view,
                users=known_users,
                languages=catalogues,
                secrets=background.secrets_of("pwless organizations"),  # no feature is named so
                policies=policies,
            )
        )
    kit = Kit(
        name="pwless",
        origin=origin,
        prefix=prefix,
        store=FeatureStore(deadline_store, is_for_features),
        database=database,
        repositories=repositories,
        mail_templates=mail_templates,
        keyring=feature_keys,
        hints=keyring.derive("hints"),
        logins=logins_of("pwless", is_for_features),
        policies=policies,
        looks=looks,
        organizations=make_organizations,
        sessions=view,
        signals=signals,
        users=known_users,
        people=people,
        renderer=renderer,
        pages=pages,
        languages=catalogues,
        cookies=cookies,
        callers=callers,
        secrets=background.secrets_of("pwless"),
        records=background.records_of("pwless"),
        jobs=background.jobs_of("pwless", wake),
        accounts=accounts,
        cookie_check=CookieCheck(pages, cookies, host=origin.host),
        offers=offers,
        operators=Operators(accounts, pages, offers),
        change_budget=ChangeBudget(deadline_store, keyring.realm, clock, events),
        change_lock=ChangeLock(deadline_store, keyring.realm, clock),
        mailer=mailer,
        text_senders=background.text_senders,
        events=events,
        history=history,
        clock=clock,
        wake_delivery=wake,
        delivery=DeliveryView(
            store.jobs, deliveries, mailer, background.text_senders, background.topics, clock
        ),
        is_delivery_failing=lambda: deliveries.is_failing,
        is_text_delivery_failing=lambda: (
            background.text_senders.parallel > 0 and deliveries.are_texts_failing
        ),
        checks=background.checks,
        store_times=times,
        spans=spans,
        findings=Findings(),
        settings=settings,
    )
    return Floors(
        kit, deadline_store, kept, rules, logins_of, background, clients, deliveries, lifetime
    )


def _make_database_floor(
    database: Database | None,
    events: Events,
    retention: EventRetention | None,
    clock: Callable[[], int],
) -> DatabaseFloor | None:
    if database is None:
        return None
    from pwless_middleware.web.mounting.database_floor import DatabaseFloor

    return DatabaseFloor(database, events, retention, clock)


def _make_renderer(
    brand: Brand | None,
    settings: CurrentSettings,
    *,
    templates: Path | str | None,
    prefix: str,
    host: str,
) -> Renderer:
    look = make_brand_settings(brand, host=host)
    settings.add(look, by="pwless")
    # What they say when nothing is known yet: a page that tells of an outage has a brand too.
    renderer = Renderer(brand=look.of({}), templates=templates, prefix=prefix)
    settings.subscribe(lambda: renderer.use_brand(look()))
    return renderer


def _make_languages(
    languages: Sequence[str] | None, settings: CurrentSettings, *, folder: Path | str | None
) -> Languages:
    catalogues = Languages(languages, folder=folder)
    offer = make_language_settings(catalogues, languages)
    settings.add(offer, by="pwless")
    settings.subscribe(lambda: catalogues.offer(offer()))
    return catalogues


def _make_servers(
    api_keys: Mapping[str, str] | None,
    on_database: DatabaseFloor | None,
    signals: Signals,
    tokens: AccessTokens,
) -> Servers:
    configured = ConfiguredKeys(api_keys)
    stored = None
    if on_database is not None:
        stored = on_database.make_stored_keys(signals, names_in_code=configured.names)
    return Servers(configured, stored, tokens)


def _make_deliveries(
    store: Store,
    read_job: ReadPayload,
    mailer: Mailer,
    background: Background,
    *,
    events: Events,
    spans: Spans,
    clock: Callable[[], int],
) -> Deliveries:
    return Deliveries(
        store.jobs,
        read_job,
        clock=clock,
        parallel=parallel_of(mailer),
        parallel_texts=lambda: background.text_senders.parallel,
        # A mailer for tests hides from nobody whether there was somebody to serve.
        pace=Pace(usual=0.0) if is_inline(mailer) else None,
        record=events.record,
        server_on=lambda channel: (
            server_of(mailer) if channel == "mail" else background.text_senders.server
        ),
        spans=spans,
    )
