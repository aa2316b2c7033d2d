"""Ask a provider, and read its answer, by whichever protocol the connection speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection, ConnectionKind
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.login_states import LoginState, LoginStates
from pwless_middleware.features.sso.oidc.client import OIDCClient, StartedLogin
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.features.sso.paths import acs_path, callback_path, metadata_path
from pwless_middleware.features.sso.person import ProviderPerson, role_of
from pwless_middleware.features.sso.saml.own_metadata import make_metadata
from pwless_middleware.features.sso.saml.person import read_person
from pwless_middleware.features.sso.saml.reports import Report as SAMLReport
from pwless_middleware.features.sso.saml.reports import explain_response
from pwless_middleware.features.sso.saml.requests import make_request
from pwless_middleware.features.sso.saml.responses import decode_response, verify_response
from pwless_middleware.features.sso.saml.settings import (
    SAMLSettings,
    ServiceProvider,
    read_saml_settings,
)
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

FRESH_SECONDS: Final = 300
"""Seconds since which somebody who confirms who they are must have signed in at the provider."""


_DRAFT: Final = frozenset({"preset"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLogin:
    """What an answer of a provider comes to.

    Attributes:
        person: who it is.
        has_second_factor: whether the provider says that it asked for a second factor, and the
            connection counts that.
        role: what the person's groups make them here; `None` leaves the role as it is.
    """

    person: ProviderPerson
    has_second_factor: bool
    role: str | None


class Protocols:
    """Speak OpenID Connect and SAML.

    Args:
        kit: everything below.
        floor: keeps the secrets of connections.
        states: compute what is secret of a login.
        oidc: the relying party.
        allow_loopback: whether providers may be on this machine. For development.
    """

    def __init__(
        self,
        kit: Kit,
        floor: OrganizationFloor,
        states: LoginStates,
        oidc: OIDCClient,
        *,
        allow_loopback: bool,
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._states = states
        self._oidc = oidc
        self._assertions = kit.records("assertions")
        self._allow_loopback = allow_loopback
        self._below = f"{kit.origin.url}{kit.prefix}"

    async def start(
        self,
        connection: Connection,
        state: LoginState,
        handle: str,
        *,
        hint: Address | None,
        language: str,
    ) -> str:
        """Return where a browser is sent, at the provider.

        Args:
            connection: which one is asked.
            state: the login that has begun.
            handle: of it; comes back with the answer.
            hint: the address that was typed; `None` for none.
            language: the code of the language of the page.

        Raises:
            SSOFault: the connection is not complete, or its provider cannot be asked.
        """
        ask_anew = state.kind == "step_up"
        if connection.kind == "oidc":
            return await self._oidc.start(
                self._oidc_settings(connection),
                redirect_uri=self._below + callback_path(connection.id),
                state=handle,
                nonce=self._states.derive("nonce", state),
                verifier=self._states.derive("verifier", state),
                login_hint=hint or "",
                ui_locales=language,
                ask_anew=ask_anew,
            )
        settings = self._saml_settings(connection)
        request = make_request(
            settings,
            self.service_provider(connection),
            id=self._request_id(state),
            now=self._kit.clock(),
            relay_state=handle,
            login_hint=hint or "",
            force=ask_anew,
            signing_key=(
                await self._floor.connection_secrets.of(connection.id)
                if settings.sign_requests
                else None
            ),
        )
        return request.url

    async def logout_url(self, connection: Connection) -> str | None:
        """Return where a browser signs out of an OpenID provider; `None` where it cannot.

        Raises:
            SSOFault: the connection is not complete, or its provider cannot be asked.
        """
        settings, back = self._oidc_settings(connection), f"{self._below}/logout"
        return await self._oidc.logout_url(settings, id_token="", return_to=back)

    async def finish_oidc(
        self, connection: Connection, state: LoginState, answer: Mapping[str, str]
    ) -> ProviderLogin:
        """Return who has signed in at an OpenID provider.

        Args:
            connection: which one was asked.
            state: the login, spent.
            answer: the query with which the browser came back.

        Raises:
            SSOFault: anything is not as it must be.
        """
        settings = self._oidc_settings(connection)
        secret = await self._floor.connection_secrets.of(connection.id)
        started = StartedLogin(
            nonce=self._states.derive("nonce", state),
            verifier=self._states.derive("verifier", state),
            redirect_uri=self._below + callback_path(connection.id),
            login_since=_login_since(state),
        )
        login = await self._oidc.finish(
            settings, secret.decode() if secret else None, started, answer
        )
        return _login(settings, login.person)

    async def finish_saml(
        self, connection: Connection, state: LoginState, response: str
    ) -> ProviderLogin:
        """Return who has signed in at a SAML provider.

        Args:
            connection: which one was asked.
            state: the login, spent.
            response: the form's field `SAMLResponse`.

        Raises:
            SSOFault: anything is not as it must be.
        """
        settings = self._saml_settings(connection)
        assertion = verify_response(
            decode_response(response),
            settings,
            self.service_provider(connection),
            request_id=self._request_id(state),
            now=self._kit.clock(),
            login_since=_login_since(state),
        )
        # Also for an answer to another login of this browser: each is somebody's word once.
        ttl = max(1, assertion.spent_until - self._kit.clock())
        if not await self._assertions.add(f"{connection.id} {assertion.id}", ttl=ttl):
            raise SSOFault("assertion_used")
        return _login(settings, read_person(settings, assertion))

    def check_config(
        self, kind: ConnectionKind, config: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Return what a connection keeps of a configuration.

        One that says nothing yet but which provider it will be is kept as it is: a provider has to
        be told our addresses first, which are the connection's own.

        Raises:
            InvalidArgument: a field is missing, malformed or unknown; each is named.
        """
        if config.keys() <= _DRAFT:
            return config
        if kind == "oidc":
            return self._oidc.read_settings(config).to_json()
        return read_saml_settings(config, allow_loopback=self._allow_loopback).to_json()

    def explain_saml(self, connection: Connection, state: LoginState, response: str) -> SAMLReport:
        """Return all that is in an answer of a SAML provider, and all that is wrong with it.

        Raises:
            SSOFault: the connection is not complete.
        """
        return explain_response(
            response,
            self._saml_settings(connection),
            self.service_provider(connection),
            request_id=self._request_id(state),
            now=self._kit.clock(),
        )

    def allows_unsolicited(self, connection: Connection) -> bool:
        """Whether logins by a connection may begin at its provider."""
        return connection.config.get("allow_unsolicited") is True

    def own_metadata(self, connection: Connection) -> str:
        """Return what a SAML provider reads to know us, as XML."""
        try:
            settings = self._saml_settings(connection)
        except SSOFault:  # nothing is known of the provider yet, and it wants to know us first
            return make_metadata(self.service_provider(connection))
        return make_metadata(
            self.service_provider(connection),
            name_id_format=settings.name_id_format,
            sign_requests=settings.sign_requests,
            signing_certificate=settings.signing_certificate,
        )

    def service_provider(self, connection: Connection) -> ServiceProvider:
        """Return who we are to a SAML provider."""
        return ServiceProvider(
            entity_id=self._below + metadata_path(connection.id),
            acs_url=self._below + acs_path(connection.id),
        )

    def _request_id(self, state: LoginState) -> str:
        # An XML ID begins with a letter or `_` (SAML 2.0 Core section 1.3.4).
        return "_" + self._states.derive("request", state)

    def _oidc_settings(self, connection: Connection) -> OIDCSettings:
        try:
            return self._oidc.read_settings(connection.config)
        except InvalidArgument as error:
            raise _incomplete(error) from error

    def _saml_settings(self, connection: Connection) -> SAMLSettings:
        try:
            return read_saml_settings(connection.config, allow_loopback=self._allow_loopback)
        except InvalidArgument as error:
            raise _incomplete(error) from error


def _login_since(state: LoginState) -> int | None:
    """Return since when who confirms who they are must have signed in at the provider."""
    return state.begun_at - FRESH_SECONDS if state.kind == "step_up" else None


def _login(settings: OIDCSettings | SAMLSettings, person: ProviderPerson) -> ProviderLogin:
    return ProviderLogin(
        person=person,
        has_second_factor=settings.counts_mfa and person.has_mfa,
        role=role_of(person.groups, settings.roles, settings.default_role),
    )


def _incomplete(error: InvalidArgument) -> SSOFault:
    fields = ", ".join(violation.field for violation in error.violations)
    return SSOFault("connection_incomplete", received=fields)
