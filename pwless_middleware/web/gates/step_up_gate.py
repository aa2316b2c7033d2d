"""The gate in front of what needs a fresh proof, for the host's own handlers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.paths import below
from pwless_middleware.errors import StepUpRequired
from pwless_middleware.web.gates.gate import VARY, Gate
from pwless_middleware.web.gates.sockets import SocketRefusal
from pwless_middleware.web.identity.accounts import Accounts
from pwless_middleware.web.requests.navigation import htmx_page, is_navigation, shown_url
from pwless_middleware.web.responses.responses import Pages, json_error


class StepUpGate:
    """Say who is let through, and answer the others.

    Args:
        accounts, gate, pages: what it works with.
        base_path: the path in `base_url`, for servers that know no root path.
    """

    def __init__(self, accounts: Accounts, gate: Gate, pages: Pages, *, base_path: str) -> None:
        self._accounts = accounts
        self._gate = gate
        self._pages = pages
        self._base_path = base_path

    def refuse(
        self, scope: Scope, session: Session | None, within: int, strength: Strength
    ) -> ASGIApp | None:
        """Return the answer to a request or socket that does not pass, or `None` if it does.

        A stranger is answered as by the gate. Who is signed in is asked again: a page load goes to
        the page for it, and comes back; a form that was posted is told, and can be sent again;
        everything else gets 403 in JSON.

        Args:
            scope: as the app has it.
            session: of whom is signed in; `None` for a stranger.
            within: seconds that a proof counts as fresh.
            strength: what the fresh proofs must be worth together.
        """
        if session is not None and self._accounts.is_fresh(session, within, strength):
            return None
        scope, path = self._outer(scope)
        if session is None:
            return self._gate.refuse(scope, path, None)
        if scope["type"] == "websocket":
            return SocketRefusal(StepUpRequired(""))
        request = Request(dict(scope))
        with self._pages.use_language_of(request):
            response = self._ask_again(request, path, within, strength)
        response.headers["vary"] = VARY
        return response

    def _ask_again(self, request: Request, path: str, within: int, strength: Strength) -> Response:
        is_page, is_read = is_navigation(request), request.method in ("GET", "HEAD")
        next = shown_url(request.scope, path) if is_page and is_read else htmx_page(request)
        url = self._pages.step_up_url(request, next, within=within, strength=strength)
        if is_page and is_read:
            return self._pages.redirect(request, url, ours=False)
        if is_page:
            return self._pages.page(
                request, "confirm_first.html", status=403, in_own_frame=True, step_url=url
            )
        response = json_error(StepUpRequired(url))
        if "hx-request" in request.headers:
            response.headers["hx-redirect"] = url
        return response

    def _outer(self, scope: Scope) -> tuple[Scope, str]:
        """Return the scope with the root path of the whole app, and the path below it.

        Starlette's `Mount` moves the root path and keeps the one before.
        """
        root: str = scope.get("app_root_path", scope.get("root_path", ""))
        path = below(scope["path"], root)
        if not root and self._base_path:
            root = self._base_path
            path = below(path, root)
        return {**scope, "root_path": root}, path
