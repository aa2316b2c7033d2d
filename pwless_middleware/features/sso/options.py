"""The feature itself: its option, checked, and what it mounts."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from pwless_middleware.core.connection import SSO_METHOD, Connection
from pwless_middleware.core.named_options import named_options
from pwless_middleware.core.options import check_flag
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.sso.events import KINDS
from pwless_middleware.flows.periodic import Periodic
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.web.kit import Kit, Mounted

_NEEDED = ("joserfc", "signxml", "cryptography")


@named_options()
class SSO:
    """Let people sign in with their company's login, by OpenID Connect or SAML 2.0.

    Needs a database, `Organizations(...)`, and the extra `[sso]`. Which provider an organization
    has is set on the dashboard, by the API, or by the organization itself through a set-up link.

    Args:
        unsafe_loopback: take providers on this machine too, by http or https: for development.
            Whoever sets a connection up can then have this machine's own services asked. Default
            off: requests go to public addresses alone, by https.

    Raises:
        ConfigError: an option is none, or a library is not installed.
    """

    def __init__(self, *, unsafe_loopback: bool = False) -> None:
        check_flag("unsafe_loopback", unsafe_loopback)
        self._unsafe_loopback = unsafe_loopback
        try:
            for library in _NEEDED:
                import_module(library)
        except ImportError as error:
            raise ConfigError(
                "features", "SSO needs: pip install 'pwless-middleware[sso]'"
            ) from error
        self._client = SafeHTTPClient("features", extra="sso", allow_loopback=unsafe_loopback)

    def mount(self, kit: Kit) -> Mounted:
        """Return the pages, and the rules that lead there.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.sso.answer_pages import AnswerPages
        from pwless_middleware.features.sso.break_glass import (
            MAIL,
            BreakGlassUses,
            OtherWayPage,
        )
        from pwless_middleware.features.sso.connection_tests import ConnectionTests
        from pwless_middleware.features.sso.dashboard.pages import mount_dashboard
        from pwless_middleware.features.sso.flow import SSOFlow
        from pwless_middleware.features.sso.home_realm import HomeRealm
        from pwless_middleware.features.sso.linking import Linking
        from pwless_middleware.features.sso.login_part import LoginPart
        from pwless_middleware.features.sso.login_states import LoginStates
        from pwless_middleware.features.sso.mapped_roles import MappedRoles
        from pwless_middleware.features.sso.metadata_page import MetadataPage
        from pwless_middleware.features.sso.oidc.client import OIDCClient
        from pwless_middleware.features.sso.probe import ConnectionProbe
        from pwless_middleware.features.sso.problem import Problems
        from pwless_middleware.features.sso.protocols import Protocols
        from pwless_middleware.features.sso.provider_logout import ProviderLogout
        from pwless_middleware.features.sso.saml.certificate_warnings import CertificateWarnings
        from pwless_middleware.features.sso.saml.events import KINDS as SAML_KINDS
        from pwless_middleware.features.sso.saml.metadata_refresh import DAY, MetadataRefresh
        from pwless_middleware.features.sso.saml.signed_requests import give_signing_key
        from pwless_middleware.features.sso.scim.pages import ScimPages
        from pwless_middleware.features.sso.setup.pages import setup_routes
        from pwless_middleware.features.sso.start_pages import StartPages
        from pwless_middleware.features.sso.step_up import StepUpBySSO
        from pwless_middleware.web.setup_links import setup_url
        from pwless_middleware.web.setup_mails import SetupMails

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the organizations: mount SSO(...) itself, not a "
                "subclass, and not from within another feature",
            )
        floor = kit.organizations()
        states = LoginStates(
            kit.secrets,
            kit.records("logins"),
            kit.store,
            realm=kit.keyring.realm,
            clock=kit.clock,
        )
        oidc = OIDCClient(self._client, kit.clock)
        loopback = self._unsafe_loopback
        protocols = Protocols(kit, floor, states, oidc, allow_loopback=loopback)
        floor.connections.check_config_by(protocols.check_config)
        probe = ConnectionProbe(oidc, self._client, kit.clock, allow_loopback=loopback)
        floor.connections.probe_by(probe.find_faults)
        host = kit.origin.host.partition(":")[0]

        async def prepare(connection: Connection, by: str) -> Connection:
            return await give_signing_key(
                floor.connections, connection, host=host, now=kit.clock(), by=by
            )

        floor.connections.prepare_by(prepare)
        linking = Linking(kit, floor)
        roles = MappedRoles(kit, floor)
        flow = SSOFlow(kit, floor, states, protocols, linking, roles)
        problems = Problems(kit)
        tests = ConnectionTests(kit, floor, flow, protocols, linking, problems)
        answers = AnswerPages(kit, flow, protocols, tests, problems)
        start = StartPages(kit, floor, flow, problems)
        metadata = MetadataPage(flow, protocols)
        logout = ProviderLogout(kit, floor, protocols)
        step_up = StepUpBySSO(kit, floor, flow, problems)
        refresh = MetadataRefresh(
            floor.connections, self._client, kit.events, kit.clock, allow_loopback=loopback
        )
        certificates = CertificateWarnings(
            floor.connections,
            kit.records("certificates"),
            kit.events,
            kit.clock,
            allow_loopback=loopback,
        )
        realm, uses = HomeRealm(floor), BreakGlassUses(kit, floor)
        other_way = OtherWayPage(kit, floor)
        setup_mails = SetupMails(kit, floor.setup_links.find)
        floor.setup_links.lead_by(partial(setup_url, kit), setup_mails.queue)
        setup = setup_routes(
            kit,
            floor,
            begin_test=tests.begin,
            oidc=oidc,
            client=self._client,
            allow_loopback=loopback,
        )
        dashboard = mount_dashboard(
            kit,
            floor,
            mails=setup_mails,
            oidc=oidc,
            client=self._client,
            allow_loopback=loopback,
        )
        return Mounted(
            routes=(
                *start.routes,
                *other_way.routes,
                *answers.routes,
                *tests.routes,
                *metadata.routes,
                *logout.routes,
                *ScimPages(kit, floor).routes,
                *setup,
                *dashboard.routes,
            ),
            organization_tabs=dashboard.organization_tabs,
            person_parts=dashboard.person_parts,
            methods=(LoginPart(kit, floor).method,),
            step_up=(step_up.method,),
            before_challenge=(realm.before_challenge,),
            alternatives=(realm.alternative,),
            sign_outs=(logout.ask,),
            may_mail=(realm.may_mail,),
            before_session=(uses.before_session, roles.before_session),
            with_session=(uses.with_session,),
            proves=(SSO_METHOD,),
            on_address_undone=(linking.remove_since,),
            jobs={MAIL: uses.read, **setup_mails.readers},
            event_kinds=(*KINDS, *SAML_KINDS),
            findings=(certificates.findings,),
            periodic=(
                Periodic("saml_metadata", DAY, refresh.run),
                Periodic("saml_certificates", DAY, certificates.run),
            ),
            check=partial(_check, kit),
        )


def _check(kit: Kit) -> None:
    if not kit.policies.has_organizations:
        raise ConfigError("features", "add Organizations(...): SSO is set up for each of them")
