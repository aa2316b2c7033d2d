"""The frame of the set-up's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import ApiError, NotFound, RequestExpired
from pwless_middleware.features.sso.setup.access import SetupSession
from pwless_middleware.features.sso.setup.steps import Progress
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import public_message

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

SCRIPT: Final = "setup.js"


class SetupFrame:
    """Show pages of a set-up.

    Args:
        kit: everything below.
        floor: says how far a set-up is.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor

    async def page(
        self,
        request: Request,
        session: SetupSession,
        name: str,
        *,
        step: str = "",
        connection: Connection | None = None,
        progress: Progress | None = None,
        problem: str | None = None,
        error: ApiError | None = None,
        **context: object,
    ) -> Response:
        """Return a page.

        Args:
            request: for its paths.
            session: the set-up.
            name: the template, which extends `sso/setup/frame.html`.
            step: which one is being done; empty (default) for none.
            connection: the one whose page it is; `None` for the one that is being set up.
            progress: how far the set-up is; `None` asks.
            problem: what is wrong with the whole page, translated.
            error: what came of what was sent; its text is the problem where there is none.
            context: the template's.

        Raises:
            StoreError: the database cannot be asked.
        """
        if progress is None:
            progress = await Progress.of(self._floor, session, connection)
        if error is not None and problem is None:
            problem = public_message(error)
        shared: dict[str, object] = {
            "scripts": [SCRIPT],
            "organization_name": session.organization.name,
            "steps": progress.steps(step),
            "next_path": progress.next_path,
            "problem": problem,
            "notice": None,
        }
        return self._kit.pages.page_with(
            request,
            name,
            {**shared, **context},
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
        )

    def over(self, request: Request, error: NotFound | RequestExpired) -> Response:
        """Return the page of a link or set-up that does not open, which leads nowhere.

        The way to the login of other error pages is not for who sets it up.
        """
        return self._kit.pages.page(
            request,
            "error.html",
            status=error.status,
            title=translate(_TITLE),
            message=public_message(error),
            action_label=None,
            action_url=None,
        )


_TITLE: Final = Text("This set-up does not open")
