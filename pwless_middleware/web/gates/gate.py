"""The gate: which requests pass without a login, and how the others are answered.

People and programs are told apart (Fetch Metadata, and `Accept` for older browsers): a page load is
sent to the login and comes back with its query; a form that was posted after the session ran out is
answered with a page that says so, and can be sent again; everything else gets 401 in JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from pwless_middleware.core.paths import PublicPaths
from pwless_middleware.errors import ApiError, Unauthenticated
from pwless_middleware.web.gates.sockets import SocketRefusal
from pwless_middleware.web.requests.navigation import (
    htmx_page,
    is_navigation,
    referring_page,
    shown_url,
)
from pwless_middleware.web.responses.responses import Pages, json_error

logger = logging.getLogger("pwless.origin")

VARY = "Cookie, Accept, Accept-Language, Sec-Fetch-Mode"


class Gate:
    """Deny by default (OWASP ASVS 5.0 V8.2.1).

    Args:
        public: the paths that need no login.
        pages: makes pages for people, and knows the login page.
        preflight: whether a real CORS preflight passes, as anonymous.

    Attributes:
        public: the paths that need no login.

    Raises:
        ConfigError: a pattern that is none.
    """

    def __init__(self, public: Sequence[str], *, pages: Pages, preflight: bool) -> None:
        self.public = PublicPaths(public)
        self._pages = pages
        self._preflight = preflight
        self._has_told_of_preflights = False

    def passes_preflight(self, scope: Scope) -> bool:
        """Whether a request is a CORS preflight that may pass, as anonymous."""
        return self._preflight and _is_preflight(scope)

    def refuse(self, scope: Scope, path: str, unknown: ApiError | None) -> ASGIApp:
        """Return the answer to a request or socket that does not pass.

        Args:
            scope: with the root path that stands before all our URLs.
            path: below the root path.
            unknown: why it cannot be known who it is; `None` where nobody is signed in.
        """
        if unknown is not None:
            self._pages.outages.note(unknown)
        if scope["type"] == "websocket":
            return SocketRefusal(unknown or Unauthenticated())
        if unknown is None and not self._has_told_of_preflights and _is_preflight(scope):
            self._tell_of_preflights()
        request = Request(dict(scope))  # which writes into the scope that it is given
        with self._pages.use_language_of(request):
            if unknown is None:
                return self._lead_to_login(request, path)
            if is_navigation(request):
                return self._pages.error(request, unknown)
            return json_error(unknown)

    def _tell_of_preflights(self) -> None:
        """Say once what nobody sees: the browser names no reason, and no handler was asked."""
        self._has_told_of_preflights = True
        logger.warning(
            "a CORS preflight was refused, since nobody is signed in by it: put CORSMiddleware "
            "outside the login, or set preflight=True where the app answers preflights itself",
            extra={"event": "preflight_refused"},
        )

    def _lead_to_login(self, request: Request, path: str) -> Response:
        if not is_navigation(request):
            if "x-inertia" in request.headers:
                return self._leave_inertia(request, shown_url(request.scope, path))
            if _renders_errors(request):
                return self._show_signed_out(request, referring_page(request))
            return self._refuse_program(request)
        if request.method not in ("GET", "HEAD"):
            return self._show_signed_out(request, None)
        login = self._pages.login_url(request, shown_url(request.scope, path))
        response = self._pages.redirect(request, login, ours=False)
        response.headers["vary"] = VARY
        return response

    def _show_signed_out(self, request: Request, page: str | None) -> Response:
        """Show that the session is over, and the login in a new tab or instead of the page."""
        response = self._pages.page(
            request,
            "signed_out.html",
            status=401,
            in_own_frame=True,
            login_url=self._pages.login_url(request, page),
            sent=request.method not in ("GET", "HEAD"),
            in_turbo_frame="turbo-frame" in request.headers,
        )
        response.headers["vary"] = VARY
        return response

    def _leave_inertia(self, request: Request, url: str) -> Response:
        """Have Inertia load the login as a page of its own ("External redirects" of its protocol).

        Its visits are page loads: what was asked for with GET is where the login ends.
        """
        page = url if request.method == "GET" else referring_page(request)
        path = self._pages.login_url(request, page)
        login = self._pages.redirect(request, path, ours=False).headers["location"]
        response = json_error(Unauthenticated(login_url=login))
        response.status_code = 409
        response.headers["x-inertia-location"] = login
        response.headers["vary"] = VARY
        return response

    def _refuse_program(self, request: Request) -> Response:
        login = self._pages.login_url(request, htmx_page(request))
        response = json_error(Unauthenticated(login_url=login))
        response.headers["vary"] = VARY
        if "hx-request" in request.headers:
            # htmx follows this with the whole page, whatever the status.
            response.headers["hx-redirect"] = login
        return response


def _renders_errors(request: Request) -> bool:
    """Whether a library asks that shows the HTML of an error in the page: Turbo or Unpoly.

    Turbo's page visits (neither a frame nor a form) are not among them: of an answer that is not
    HTML it makes a page load, which is sent to the login as any other.
    """
    headers = request.headers
    is_turbo_form = "text/vnd.turbo-stream.html" in headers.get("accept", "")
    return "turbo-frame" in headers or is_turbo_form or "x-up-version" in headers


def _is_preflight(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {key for key, _ in scope["headers"]}
    return b"origin" in names and b"access-control-request-method" in names
