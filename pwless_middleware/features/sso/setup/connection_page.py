"""Connect a provider: what is entered at it, and what is entered here of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import ApiError, InvalidArgument, RateLimited
from pwless_middleware.features.sso.connections.provider_forms import (
    MOST_FORM,
    MOST_METADATA,
    ProviderForms,
    field_of_fault,
)
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.paths import acs_path, callback_path, metadata_path
from pwless_middleware.features.sso.setup.access import SetupAccess, SetupSession
from pwless_middleware.features.sso.setup.fields import read_fields, show_fields
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.features.sso.setup.steps import connection_path, test_page_path
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

_STALE: Final = Text("This was changed meanwhile. This is how it is now.")


class ConnectionPage:
    """Show and save what is known of a provider.

    Args:
        kit: everything below.
        access: knows the set-up of a browser.
        frame: shows pages.
        forms: keep what is entered.
    """

    def __init__(
        self,
        kit: Kit,
        access: SetupAccess,
        frame: SetupFrame,
        forms: ProviderForms,
    ) -> None:
        self._kit = kit
        self._access = access
        self._frame = frame
        self._forms = forms
        path = connection_path("{connection}")
        self.routes = (Route(path, {"GET": self.show, "POST": self.save}),)

    async def show(self, request: Request) -> Response:
        """Show what is to be done at the provider, and the form."""
        session, connection = await self._access.require_connection(request)
        return await self._page(request, session, connection)

    async def save(self, request: Request) -> Response:
        """Keep what was entered, once it is well formed and the provider answers."""
        session, connection = await self._access.require_connection(request)
        form = await read_form(request, most_bytes=MOST_FORM)
        try:
            if form.get("version") != str(connection.version):
                raise InvalidArgument.of("version", _STALE, "version")
            await self._forms.save(
                connection,
                read_fields(provider_of(connection), connection, form),
                form,
                by=session.by,
                keeps_mfa=False,
                before_asking=partial(self._access.take_turn, session),
            )
        except SSOFault as fault:
            error = InvalidArgument.of(field_of_fault(connection, form), fault.text, fault.code)
            return await self._page(request, session, connection, form, error, fault)
        except (InvalidArgument, RateLimited) as error:
            return await self._page(request, session, connection, form, error)
        return self._kit.pages.redirect(request, test_page_path(connection.id))

    async def _page(
        self,
        request: Request,
        session: SetupSession,
        connection: Connection,
        form: Mapping[str, str] | None = None,
        error: ApiError | None = None,
        fault: SSOFault | None = None,
    ) -> Response:
        provider = provider_of(connection)
        errors, problem = _errors(error)
        if form is not None and "version" in errors:
            form, problem = None, errors["version"]
        fields = show_fields(provider, connection, form, errors)
        known = {field.name for field in fields}
        problem = problem or "; ".join(text for name, text in errors.items() if name not in known)
        return await self._frame.page(
            request,
            session,
            "sso/setup/connection.html",
            step="provider",
            connection=connection,
            error=error,
            problem=problem,
            connection_id=connection.id,
            version=connection.version,
            title=translate(
                Text("Connect %(name)s", name=provider.name)
                if provider.name
                else Text("Connect your provider")
            ),
            instructions=[translate(step) for step in provider.steps],
            values=self._values(connection),
            fields=fields,
            expected=fault.expected if fault is not None else "",
            received=fault.received if fault is not None else "",
            most_metadata=MOST_METADATA,
        )

    def _values(self, connection: Connection) -> list[tuple[str, str, str]]:
        """Return what is copied from here: an id, what it is, and the value."""
        below = f"{self._kit.origin.url}{self._kit.prefix}"
        if connection.kind == "oidc":
            url = below + callback_path(connection.id)
            return [("redirect-uri", translate(Text("Redirect URI")), url)]
        metadata = below + metadata_path(connection.id)
        return [
            ("acs-url", translate(Text("ACS URL")), below + acs_path(connection.id)),
            ("entity-id", translate(Text("Entity ID")), metadata),
            ("metadata-url", translate(Text("Metadata URL")), metadata),
        ]


def _errors(error: ApiError | None) -> tuple[dict[str, str], str | None]:
    """Return what is wrong by field, and what is wrong with the page as a whole."""
    if not isinstance(error, InvalidArgument):
        return {}, None if error is None else public_message(error)
    return {one.field: translate(one.description) for one in error.violations}, ""
