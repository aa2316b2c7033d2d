"""All that company logins are made of, put together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.sso.connections.connection_tests import ConnectionTests
from pwless_middleware.features.sso.connections.metadata_page import MetadataPage
from pwless_middleware.features.sso.connections.probe import ConnectionProbe
from pwless_middleware.features.sso.connections.provider_forms import ProviderForms
from pwless_middleware.features.sso.dashboard.pages import mount_dashboard
from pwless_middleware.features.sso.events import KINDS
from pwless_middleware.features.sso.logins.answer_pages import AnswerPages
from pwless_middleware.features.sso.logins.break_glass import MAIL, BreakGlassUses, OtherWayPage
from pwless_middleware.features.sso.logins.flow import SSOFlow
from pwless_middleware.features.sso.logins.home_realm import HomeRealm
from pwless_middleware.features.sso.logins.linking import Linking
from pwless_middleware.features.sso.logins.login_part import LoginPart
from pwless_middleware.features.sso.logins.login_states import LoginStates
from pwless_middleware.features.sso.logins.mapped_roles import MappedRoles
from pwless_middleware.features.sso.logins.problem import Problems
from pwless_middleware.features.sso.logins.protocols import Protocols
from pwless_middleware.features.sso.logins.provider_logout import ProviderLogout
from pwless_middleware.features.sso.logins.start_pages import StartPages
from pwless_middleware.features.sso.logins.step_up import StepUpBySSO
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.features.sso.saml.certificate_warnings import CertificateWarnings
from pwless_middleware.features.sso.saml.events import KINDS as SAML_KINDS
from pwless_middleware.features.sso.saml.metadata_refresh import DAY, MetadataRefresh
from pwless_middleware.features.sso.saml.signed_requests import give_signing_key
from pwless_middleware.features.sso.scim.pages import ScimPages
from pwless_middleware.features.sso.setup.pages import setup_routes
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.setup_links import setup_url
from pwless_middleware.web.parts.setup_mails import SetupMails

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


def mount_sso(kit: Kit, client: SafeHTTPClient, *, allow_loopback: bool) -> Mounted:
    """Return the pages, and the rules that lead there.

    Args:
        kit: the feature's.
        client: makes requests to providers.
        allow_loopback: whether they may be on this machine. For development.
    """
    floor, oidc = kit.organizations(), OIDCClient(client, kit.clock)
    states = LoginStates(
        kit.secrets, kit.records("logins"), kit.store, realm=kit.keyring.realm, clock=kit.clock
    )
    protocols = Protocols(kit, floor, states, oidc, allow_loopback=allow_loopback)
    _bind_connections(kit, floor, protocols, oidc, client, allow_loopback=allow_loopback)
    linking, roles = Linking(kit, floor), MappedRoles(kit, floor)
    flow, problems = SSOFlow(kit, floor, states, protocols, linking, roles), Problems(kit)
    tests = ConnectionTests(kit, floor, flow, protocols, linking, problems)
    logout, step_up = ProviderLogout(kit, floor, protocols), StepUpBySSO(kit, floor, flow, problems)
    realm, uses = HomeRealm(floor), BreakGlassUses(kit, floor)
    certificates = CertificateWarnings(
        floor.connections,
        kit.records("certificates"),
        kit.events,
        kit.clock,
        allow_loopback=allow_loopback,
    )
    refresh = MetadataRefresh(
        floor.connections, client, kit.events, kit.clock, allow_loopback=allow_loopback
    )
    setup_mails = SetupMails(kit, floor.setup_links.find)
    floor.setup_links.lead_by(partial(setup_url, kit), setup_mails.queue)
    forms = ProviderForms(floor.connections, oidc, client, kit.clock, allow_loopback=allow_loopback)
    dashboard = mount_dashboard(kit, floor, mails=setup_mails, forms=forms)
    return Mounted(
        routes=(
            *StartPages(kit, floor, flow, problems).routes,
            *OtherWayPage(kit, floor).routes,
            *AnswerPages(kit, flow, protocols, tests, problems).routes,
            *tests.routes,
            *MetadataPage(flow, protocols).routes,
            *logout.routes,
            *ScimPages(kit, floor).routes,
            *setup_routes(kit, floor, begin_test=tests.begin, forms=forms),
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
        before_session=(linking.before_session, uses.before_session, roles.before_session),
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


def _bind_connections(
    kit: Kit,
    floor: OrganizationFloor,
    protocols: Protocols,
    oidc: OIDCClient,
    client: SafeHTTPClient,
    *,
    allow_loopback: bool,
) -> None:
    """Have connections checked, tried and prepared by what knows their protocols."""
    host = kit.origin.host.partition(":")[0]

    async def prepare(connection: Connection, by: str) -> Connection:
        return await give_signing_key(floor, connection, host=host, now=kit.clock(), by=by)

    probe = ConnectionProbe(oidc, client, kit.clock, allow_loopback=allow_loopback)
    floor.connections.check_config_by(protocols.check_config)
    floor.connections.probe_by(probe.find_faults)
    floor.connections.prepare_by(prepare)


def _check(kit: Kit) -> None:
    if not kit.policies.has_organizations:
        raise ConfigError("features", "add Organizations(...): SSO is set up for each of them")
