"""What a person is told where their company's login did not work: no more than a reference.

What was the matter is for administrators: it stands in the event of the same reference, and could
tell a stranger how the company's login is set up.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.break_glass import other_way_path
from pwless_middleware.features.sso.paths import start_url
from pwless_middleware.web.kit import Kit

STATUS = 400


class Problems:
    """Record what was the matter, and show the page that says that something was.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def show(
        self,
        request: Request,
        fault: SSOFault,
        caller: Caller,
        *,
        connection: Connection | None,
        attempt: bytes = b"",
        next: str = "/",
    ) -> Response:
        """Return the page.

        Args:
            request: of the browser.
            fault: what was the matter.
            caller: who has come.
            connection: which one was asked; `None` where none is known by that name.
            attempt: names the login in events; empty for an answer that belongs to none.
            next: where the login was to lead; already checked.
        """
        attempt = attempt or secrets.token_bytes(8)
        self.record(fault, caller, connection=connection, attempt=attempt)
        if connection is not None:
            await self._kit.pages.write_for(request, connection.organization)
        return self._kit.pages.page(
            request,
            "sso/problem.html",
            shown_at=None,  # the URL holds an answer that counts once
            status=STATUS,
            reference=self._kit.events.attempt_digest(attempt) or "",
            again=start_url(connection.id, next=next) if connection is not None else "",
            other_way=self._other_way(connection, next),
        )

    def _other_way(self, connection: Connection | None, next: str) -> str:
        path = other_way_path(self._kit)
        if connection is None or not path:
            return ""
        query = {"organization": connection.organization}
        return f"{path}?{urlencode(query | ({'next': next} if next != '/' else {}))}"

    def record(
        self,
        fault: SSOFault,
        caller: Caller | None,
        *,
        connection: Connection | None,
        attempt: bytes,
    ) -> None:
        """Record what was the matter.

        Args:
            fault, caller, connection, attempt: as of `show`.
        """
        self._kit.events.record(
            "sso.failed",
            caller,
            attempt=attempt,
            organization=connection.organization if connection is not None else None,
            reason=fault.code,
            # What the provider sent stays out: it may name a person (security rule 70).
            details={"connection": connection.id} if connection is not None else None,
        )
