"""The product, put together: every option checked, every floor made, every feature mounted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.brand import Brand
from pwless_middleware.core.challenges.challenge import Template
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.session import Session, SessionPolicy
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.delivery.base import Mailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.account import Account
from pwless_middleware.features.email_login import EmailLogin
from pwless_middleware.features.email_login.python import SendResult, VerifyResult
from pwless_middleware.features.health import Health
from pwless_middleware.features.login_page import LoginPage
from pwless_middleware.features.mailbox import Mailbox, mailbox_url
from pwless_middleware.features.oauth_token import OAuthToken
from pwless_middleware.features.static_files import StaticFiles
from pwless_middleware.features.step_up import StepUp
from pwless_middleware.features.steps import Steps, choose_routes
from pwless_middleware.flows.clock import make_clock
from pwless_middleware.flows.events.events import Subscriber
from pwless_middleware.flows.logins.login_rules import ORGANIZATIONS
from pwless_middleware.flows.people.users import UserDirectory
from pwless_middleware.own_features import have_organizations, is_own, make_database_features
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.connections.open_connections import OpenConnections
from pwless_middleware.web.gates.gate import Gate
from pwless_middleware.web.gates.step_up_gate import StepUpGate
from pwless_middleware.web.identity.identity import Identities
from pwless_middleware.web.kit import Feature, VerbsT
from pwless_middleware.web.mounting.assembly import make_floors
from pwless_middleware.web.mounting.nesting import Instance
from pwless_middleware.web.mounting.option_checks import check_options
from pwless_middleware.web.mounting.shared_doors import Door, add_door
from pwless_middleware.web.mounting.wiring import (
    check_all,
    check_operators,
    checks_of,
    join_features,
    mount_all,
    name_of,
)
from pwless_middleware.web.requests.cookie_names import default_cookie_name
from pwless_middleware.web.routing.openapi import openapi_route
from pwless_middleware.web.routing.origin import Origin, parse_origins
from pwless_middleware.web.routing.routes import Routes

if TYPE_CHECKING:  # each loaded with the first database, or the first use
    from pwless_middleware.core.events.event_retention import EventRetention
    from pwless_middleware.database.database import Database
    from pwless_middleware.flows.operators.api_keys import ApiKeys
    from pwless_middleware.flows.organizations.verbs import OrganizationVerbs
    from pwless_middleware.flows.people.people import People
    from pwless_middleware.flows.settings.settings import Settings
    from pwless_middleware.web.findings.production_checks import Deployment

logger = logging.getLogger("pwless.origin")


def _database_of(url: str) -> Database:
    from pwless_middleware.database.database import Database

    return Database(url)


def make_store(database: Database | None) -> Store:
    """Return the store of who has named none: in the database, or without one in memory."""
    if database is None:
        return MemoryStore()
    from pwless_middleware.stores.sql import SQLStore

    return SQLStore(database)


@named_options(
    secret_key="`python -m pwless_middleware secret` makes one",  # noqa: S106 # a hint, no key
    base_url="set the address that people open, e.g. http://localhost:8000",
    mailer="set SMTPMailer(...), or Outbox() for development",
)
class Passwordless:
    """Everything that the middleware serves, and its verbs in Python.

    Create it first if your own code needs `send`, `verify`, `resend` or `sessions`, and pass it to
    `PasswordlessMiddleware(app, passwordless=...)`.

    Args:
        secret_key: a random text of at least 32 bytes (`python -m pwless_middleware secret`), or
            several, oldest first: all verify, the last one signs. To rotate without logging anyone
            out, roll out `[new, old]`, then `[old, new]`.
        base_url: the address that people open, `https://app.example.com`, including the path if a
            proxy serves the app below one. `http` only works for localhost.
        mailer: `SMTPMailer(...)`, `Outbox()` for development, or your own.
        store: `RedisStore(...)` for several machines; `None` keeps everything in the database, or
            without one, in a new `MemoryStore`.
        database: where lasting data is kept: `"sqlite:///pwless.db"`, `"postgresql://…"`, or a
            `Database`; with `None`, everything that is not in Redis is lost when the process ends.
        features: the login methods and rules; `None` is `(EmailLogin(),)`. An empty list
            is for apps whose `public` is `*`.
        public: the paths that need no login, exact or ending in `/*`; `*` opens all, and your
            handlers decide. Empty (default): every path needs a login.
        prefix: the path of the login's pages; default `/auth`.
        users: your own user table; `None` keeps people in the database, or without one gives each
            address a stable id.
        sessions: how long sessions live; `None` is 7 days idle, 30 days in all.
        brand: name, logo and color of the pages and mails; `None` takes the host's name.
        templates: a folder whose templates replace ours by name; `None` for none.
        languages: of pages, emails and errors, the default first; `None` is all that are complete,
            English first. A `languages/fr.mo` in `templates` adds a language, or changes texts.
        api_keys: name to `pwk_…` key, for backends that use the JSON API; `None` for none. With a
            database, operators make further ones (`Passwordless.api_keys`).
        allowed_origins: further origins whose pages may use the JSON API and sockets.
        trusted_proxies: how many proxies are in front, or their networks; 0 (default) trusts no
            forwarding header.
        bearer: accept `Authorization: Bearer pws_…` on every path of the app.
        cookie_name: of the session cookie; over https it gets `__Host-` in front. `None` is
            `pwless` for an https origin, with a digest of `base_url` behind it where that has a
            port or a path, or is http: apps that share a host do not sign each other out.
        identity_header: pass the user's address to the app in a header of this name; `None` passes
            nothing. Incoming headers of that name are always dropped.
        set_scope_user: write `scope["user"]` and `scope["auth"]`. Turn it off for apps that mistake
            any `user` in the scope for their own; `request.state.user` is always set.
        preflight: let real CORS preflights through to the app, without a session.
        end_streams: end server-sent event streams with their session, as sockets always do.
        require_socket_origin: accept a websocket's cookie only with an `Origin` header. Off
            (default), a socket without one is treated as a client that is not a browser.
        delivery: `queued` (default) has a worker in this process deliver mails. `inline` is for
            serverless hosts, where nothing runs between requests: the request that asks for a mail
            delivers it, and always answers after two seconds.
        unsafe_http: allow an http `base_url` of another machine, in a network that you trust. It
            warns at each start, makes `pwless check` fail, and leaves cookies unprotected.
        id_salt: a random text of at least 16 bytes that makes the ids of the default users
            unguessable; `None` derives them from the address alone. Only without `users`.
        on_event: called with each `Event`, in order, in the event loop, after the answer; a plain
            function that must not block. Exceptions that it raises are logged. `None` calls
            nothing.
        event_retention: how long the database keeps events, and whether with plain addresses;
            `None` is 90 days, with addresses.
        clock: returns unix seconds; fractions are cut off. `None` is the system's. For tests.

    Raises:
        ConfigError: an option is missing or wrong; it names the option and what to set.
    """

    def __init__(
        self,
        *,
        secret_key: str | Sequence[str],
        base_url: str,
        mailer: Mailer,
        store: Store | None = None,
        database: Database | str | None = None,
        features: Sequence[Feature] | None = None,
        public: Sequence[str] = (),
        prefix: str = "/auth",
        users: UserDirectory | None = None,
        sessions: SessionPolicy | None = None,
        brand: Brand | None = None,
        templates: Path | str | None = None,
        languages: Sequence[str] | None = None,
        api_keys: Mapping[str, str] | None = None,
        allowed_origins: Sequence[str] = (),
        trusted_proxies: int | Sequence[str] = 0,
        bearer: bool = False,
        cookie_name: str | None = None,
        identity_header: str | None = None,
        set_scope_user: bool = True,
        preflight: bool = False,
        end_streams: bool = False,
        require_socket_origin: bool = False,
        delivery: Literal["queued", "inline"] = "queued",
        unsafe_http: bool = False,
        id_salt: str | None = None,
        on_event: Subscriber | None = None,
        event_retention: EventRetention | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        check_options(locals())  # every argument, by its name
        features = join_features((EmailLogin(),) if features is None else features)
        self.prefix = prefix
        self.origin = Origin(base_url, unsafe_http=unsafe_http)
        if not self.origin.is_secure and not self.origin.is_development:
            logger.warning(
                "%s is served over http: whoever shares the network can read every code and take "
                "over every session; unsafe_http=True is for networks that you trust",
                self.origin.url,
                extra={"event": "unsafe_http"},
            )
        self.mailer = mailer
        self.database = _database_of(database) if isinstance(database, str) else database
        self.store = make_store(self.database) if store is None else store
        if cookie_name is None:
            cookie_name = default_cookie_name(self.origin.url)
        origins = parse_origins(allowed_origins)
        realm = f"{self.origin.url}\x00{cookie_name}"
        floors = make_floors(
            origin=self.origin,
            prefix=prefix,
            cookie_name=cookie_name,
            keyring=Keyring(secret_key, realm=realm),
            store=self.store,
            database=self.database,
            mailer=mailer,
            users=users,
            sessions=sessions,
            brand=brand,
            templates=templates,
            languages=languages,
            api_keys=api_keys,
            allowed_origins=origins,
            trusted_proxies=trusted_proxies,
            is_serverless=delivery == "inline",
            id_salt=id_salt,
            on_event=on_event,
            event_retention=event_retention,
            clock=make_clock(clock),
        )
        kit = floors.kit
        self.sessions, self.events = kit.sessions, kit.history
        self._kit, self._keys_in_code = kit, frozenset(api_keys or ())
        self.cookies, self.clients = kit.cookies, floors.clients
        self.deliveries, self.lifetime = floors.deliveries, floors.lifetime
        steps = Steps()
        always: tuple[Feature, ...] = (
            *(LoginPage(), StepUp(), steps, Account(), OAuthToken()),
            *(Mailbox(), Health(), StaticFiles()),
            *(() if self.database is None else make_database_features(event_retention, features)),
        )
        own_of_host = [feature for feature in features if is_own(feature)]
        ours = {name_of(feature) for feature in (*own_of_host, *always)}
        mounted = mount_all(
            (*features, *always),
            lambda name: floors.kit_of(name, is_ours=name in ours),
            floors.background,
            kit.settings,
        )
        check_operators(mounted, ours)
        offered = [method for added in mounted.values() for method in added.steps]
        own = mounted[name_of(steps)]
        mounted[name_of(steps)] = replace(own, routes=choose_routes(own.routes, offered))
        floors.bind(mounted)
        check_all(mounted)
        routes = {name: m.routes for name, m in mounted.items()}
        described = [one for of_one in routes.values() for one in of_one if not one.at_root]
        names, url = self.cookies.names, self.origin.url
        document = openapi_route(
            described, url=url, prefix=prefix, names=names, require=kit.settings.require
        )
        routes["pwless"] = (document,)
        self.routes = Routes(routes, kit.pages, self.origin, kit.callers, self.cookies)
        self.gate = Gate(public, pages=kit.pages, preflight=preflight)
        self.findings = kit.findings
        kit.findings.bind(self._describe, checks_of(mounted, kit.repositories))
        step_up = StepUpGate(kit.accounts, self.gate, kit.pages, base_path=self.origin.path)
        self.instance = Instance(prefix, names, step_up)
        given = [mounted[name_of(feature)] for feature in features]
        only_steps = all(added.steps and not added.methods for added in given)
        if only_steps and not self.gate.public.all:
            raise ConfigError(
                "features", "nobody could sign in: add a login method, e.g. EmailLogin()"
            )
        self.identities = Identities(
            floors.kept,
            kit.accounts,
            users_are_held=kit.users.is_held,
            origins={self.origin.origin, *origins},
            require_socket_origin=require_socket_origin,
            bearer=bearer,
            identity_header=identity_header,
            set_scope_user=set_scope_user,
        )
        self.mailbox_url = mailbox_url(kit)
        """Where the development mailbox opens, token and all; `None` where there is none."""
        if self.mailbox_url is not None:
            self.lifetime.notice = f"emails stay on this machine; read them at {self.mailbox_url}"
        self.end_streams = end_streams
        self.vary = (b"vary", b"Cookie, Authorization" if bearer else b"Cookie")
        self.open_connections = OpenConnections(floors.kept, kit.accounts, self.store.feed)
        kit.settings.subscribe(self.open_connections.ask_all)
        kit.signals.subscribe(ORGANIZATIONS, self.open_connections.ask_all)
        named = {name_of(feature): feature for feature in features}
        self._door = Door(realm, self.store, named, sessions or SessionPolicy())
        add_door(self._door)
        self._has_organizations = have_organizations(features)
        self._rewraps = {name: m.rewrap for name, m in mounted.items() if m.rewrap is not None}
        self._verbs = [(feature, mounted[name_of(feature)].verbs) for feature in features]

    @cached_property
    def settings(self) -> Settings:
        """What operators may change while the app runs."""
        from pwless_middleware.flows.settings.settings import Settings

        kit = self._kit
        return Settings(kit.settings, events=kit.events, signals=kit.signals, clock=kit.clock)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """The API keys of the database, made while the app runs."""
        from pwless_middleware.flows.operators.api_keys import ApiKeys

        kit = self._kit
        return ApiKeys(
            kit.repositories.api_keys if kit.repositories is not None else None,
            events=kit.events,
            signals=kit.signals,
            clock=kit.clock,
            names_in_code=self._keys_in_code,
        )

    @property
    def people(self) -> People:
        """Who exists, where the database keeps them; what hangs on their ids, where `users` does.

        Raises:
            ConfigError: there is no database.
        """
        if self._kit.people is None:
            raise ConfigError(
                "database", 'people are kept in one: add database="sqlite:///pwless.db"'
            )
        return self._kit.people

    @cached_property
    def organizations(self) -> OrganizationVerbs:
        """Organizations: their members, domains, connections and policies.

        Raises:
            ConfigError: no feature makes something of them.
        """
        if not self._has_organizations:
            raise ConfigError("features", "add Organizations() to have organizations")
        from pwless_middleware.flows.organizations.verbs import OrganizationVerbs

        return OrganizationVerbs(self._kit.organizations())

    @property
    def text_senders(self) -> TextSenders:
        """Those that features send text messages through."""
        return self._kit.text_senders

    async def sign_out(self, who: str, *, by: str = "python") -> int:
        """End every session of a person, here at once and elsewhere within 100 ms.

        Args:
            who: an address, as somebody types it, or a user's id.
            by: who does it, for the events; without a database nothing tells of it.

        Returns:
            How many sessions there were; 0 as well where nobody has this address.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
            Unavailable: the user table cannot be asked.
        """
        address = parse_address(who) if isinstance(who, str) else None
        user_id = who if address is None else await self._kit.users.id_of(address)
        if user_id is None:
            return 0
        if self._kit.people is None or not await self.sessions.list(user_id):
            return await self.sessions.revoke_all(user_id)
        return await self._kit.people.sign_out_id(user_id, by=by)

    async def sign_out_everybody(self, *, by: str = "python") -> None:
        """End every session that there is, here at once and elsewhere within 100 ms.

        It is a setting, `sessions.not_before`, so that nothing has to be found one by one.

        Args:
            by: who does it, for the events.

        Raises:
            ConfigError: there is no database, or `SessionPolicy(not_before=...)` is in the code.
            StoreError: the database or the store cannot be asked.
        """
        # What began in this very second is over too.
        await self.settings.set({"sessions.not_before": self._kit.clock() + 1}, by=by)

    async def rewrap(self) -> Mapping[str, int]:
        """Encrypt anew what the database keeps under an older key of `secret_key` than the newest.

        Such as the secrets of authenticator apps: call it, or run `pwless rewrap`, before an older
        key leaves the list. May be called again, and while people sign in.

        Returns:
            How many there were, by the name of the feature that keeps them.

        Raises:
            ConfigError: some cannot be decrypted by any key of the list.
            StoreError: the database cannot be asked; some may be under the older key.
        """
        return {name: await rewrap() for name, rewrap in self._rewraps.items()}

    def _describe(self) -> Deployment:
        """Return how it is set up, for `findings`."""
        from pwless_middleware.web.findings.production_checks import Deployment

        return Deployment(
            origin=self.origin,
            session_cookie=self.cookies.names.session.decode().removesuffix("="),
            mailer=self.mailer,
            text_senders=self.text_senders,
            store=self.store,
            believes_proxies=self.clients.believes_proxies,
            is_all_public=self.gate.public.all,
            identity_header=self.identities.header,
        )

    def check_served(self) -> None:
        """Refuse to be served to people with what only tests want.

        A `TextOutbox` is a warning: whoever has another second factor gets in all the same.

        Raises:
            ConfigError: the mailer is an `Outbox`, and `base_url` is not this machine.
        """
        if type(self.mailer) is Outbox and not self.origin.is_development:
            raise ConfigError(
                "mailer",
                f"an Outbox sends nothing, and {self.origin.url} is not this machine: set "
                "SMTPMailer(...); a test takes the fixture pwless_mailbox",
            )
        names = [type(sender).__name__ for sender in self.text_senders.flatten()]
        if "TextOutbox" in names and not self.origin.is_development:
            logger.warning(
                "a TextOutbox sends nothing, and %s is not this machine: nobody gets a code on "
                "their phone; set a gateway, e.g. TwilioTexts(...)",
                self.origin.url,
                extra={"event": "text_outbox"},
            )

    def verbs(self, feature: type[Feature[VerbsT]]) -> VerbsT:
        """Return what a feature offers to the host's own code.

        `passwordless.verbs(EmailLogin)` has `send`, `resend` and `verify`, whose short form are
        those of this class.

        Args:
            feature: its class.

        Raises:
            ConfigError: it is not among the features, or offers nothing in Python.
        """
        if not isinstance(feature, type):
            raise ConfigError("features", "ask for the verbs of a class, e.g. EmailLogin")
        for mounted, verbs in self._verbs:
            if isinstance(mounted, feature):
                if verbs is None:
                    raise ConfigError("features", f"{feature.__name__} offers no verbs")
                return cast("VerbsT", verbs)  # as the class's own `mount` promises
        raise ConfigError("features", f"add {feature.__name__}(...) to use its verbs")

    async def send(
        self,
        email: str,
        *,
        template: Template = "SIGNIN",
        magiclink_auth_uri: str | None = None,
        state: str | None = None,
        expires_in: int | None = None,
        template_variables: Mapping[str, str] | None = None,
        language: str | None = None,
        client: str | None = None,
        user_agent: str | None = None,
        device_token: str | None = None,
        organization: str | None = None,
    ) -> SendResult:
        """Send a mail with a code (and a link, where you name its page) to an address.

        The answer is the same for known and unknown addresses. Keep `auth_request_id` where the
        asking browser cannot lose it, e.g. in your own session.

        Args:
            email: as typed; one address.
            template: the mail's wording, `SIGNIN` (default) or `SIGNUP`.
            magiclink_auth_uri: your page that the link opens, from `EmailLogin(link_uris=...)`;
                `None` sends a code alone.
            state: up to 1000 characters that `verify` gives back; `None` for none.
            expires_in: seconds, 60 to `max_lifetime`; `None` takes `lifetime`.
            template_variables: words for the mail's template, at most 30; `None` for none.
            language: of the mail: a tag such as `de`, or the asking person's whole
                `Accept-Language`; `None` takes the organization's, or else the default, as one that
                there is not.
            client: the asking person's IP address, for the limits by client; `None` counts by
                address alone.
            user_agent: the asking person's `User-Agent`, told in the mail in our own words; `None`
                says "an unknown browser".
            device_token: what the last `verify` gave for this person's device, so that strangers
                cannot use up its limits; `None`, or one that is not ours, counts as a stranger's.
            organization: the one that the login is to enter, by its id or your own key of it;
                `None` names none.

        Raises:
            InvalidArgument: a field is bad; each is named.
            RateLimited: a budget is spent; `retry_after` says for how long.
            LoginDenied: a rule refuses the domain.
            Unavailable: the store or the queue cannot take it.
            ConfigError: there is no `EmailLogin` among the features.
        """
        return await self.verbs(EmailLogin).send(
            email,
            template=template,
            magiclink_auth_uri=magiclink_auth_uri,
            state=state,
            expires_in=expires_in,
            template_variables=template_variables,
            language=language,
            client=client,
            user_agent=user_agent,
            device_token=device_token,
            organization=organization,
        )

    async def resend(
        self,
        auth_request_id: str,
        *,
        language: str | None = None,
        client: str | None = None,
        device_token: str | None = None,
    ) -> SendResult:
        """Send the mail again: the same code and link, or new ones if they have expired.

        Args:
            auth_request_id: as `send` or the last `resend` gave it; keep the one returned.
            language: of the mail from now on, as for `send`; `None` leaves it as it was.
            client: as for `send`.
            device_token: as for `send`.

        Raises:
            RequestExpired: used, unknown, or 900 seconds after the first send.
            RateLimited: its three resends, or a budget, are spent.
            Unavailable: the store or the queue cannot take it.
            ConfigError: there is no `EmailLogin` among the features.
        """
        return await self.verbs(EmailLogin).resend(
            auth_request_id, language=language, client=client, device_token=device_token
        )

    async def verify(
        self,
        *,
        auth_request_id: str,
        code: str | None = None,
        link_token: str | None = None,
        client: str | None = None,
        ends: Session | None = None,
        device_token: str | None = None,
    ) -> VerifyResult:
        """Check a code or a link token, once, and begin a session.

        Args:
            auth_request_id: as `send` gave it.
            code: as typed or pasted: other digits, spaces, dashes and words around it are fine.
            link_token: from the link; give this or `code`.
            client: as for `send`.
            ends: the session that the person had before (`request.state.session`): a login ends
                it; `None` if there was none.
            device_token: as for `send`. The answer has a new one, for the same budget; keep it
                with the device, say in a cookie of yours that lives a year.

        Raises:
            InvalidArgument: neither or both were given, or it does not look like a code.
            InvalidCode: wrong; `attempts_left` says how many tries are left.
            TooManyAttempts: the tries are spent.
            RequestExpired: expired, used or unknown.
            StepRequired: a further step is asked for; there is no session yet.
            LoginDenied: a rule refuses.
            Unavailable: the store could not be asked.
            ConfigError: there is no `EmailLogin` among the features.
        """
        return await self.verbs(EmailLogin).verify(
            auth_request_id=auth_request_id,
            code=code,
            link_token=link_token,
            client=client,
            ends=ends,
            device_token=device_token,
        )
