"""Whether a browser keeps cookies; a login needs one that comes back.

A browser that keeps none is told so on the page behind the form, where the cookie of the first
email is missing, and gets no second email from there: its button asks for a cookie alone, and looks
whether that one comes back. Nothing is set by a GET.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.requests.navigation import is_navigation
from pwless_middleware.web.responses.responses import Pages

PROBE_SECONDS = 600
"""Seconds that a cookie lives which was set only to see whether it comes back."""


class CookieCheck:
    """Find out whether a browser keeps cookies, and say so where it does not.

    Args:
        pages, cookies: what it works with.
        host: of the app, for the text.
    """

    def __init__(self, pages: Pages, cookies: Cookies, *, host: str) -> None:
        self._pages = pages
        self._cookies = cookies
        self._host = host

    def keeps_cookies(self, request: Request) -> bool:
        """Whether the browser has brought any cookie of ours."""
        return self._cookies.has_any(request.scope["headers"])

    def lost_its_cookie(self, request: Request) -> bool:
        """Whether a browser comes from our form without the cookie that the answer has set.

        A page that was typed or bookmarked (`Sec-Fetch-Site: none`) says nothing about cookies.
        """
        site = request.headers.get("sec-fetch-site", "same-origin")
        came_from_us = site == "same-origin" and is_navigation(request)
        return came_from_us and not self.keeps_cookies(request)

    def page(self, request: Request, next: str = "") -> Response:
        """Return the page that says so."""
        return self._pages.page(
            request,
            "no_cookies.html",
            in_own_frame=True,
            status=400,
            next=next,
            host=self._host,
        )

    def probe(self, request: Request, next: str) -> Response:
        """Set a cookie that says nothing, and look on the next page whether it comes back."""
        query = {"check": "1", **({"next": next} if next else {})}
        cookies = []
        if not self.keeps_cookies(request):
            cookies = [self._cookies.set_probe(max_age=PROBE_SECONDS)]
        return self._pages.redirect(request, f"{LOGIN_PATH}?{urlencode(query)}", cookies=cookies)
