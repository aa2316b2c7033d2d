"""Who comes to the login page and needs no email: signed in already, or without cookies.

A login needs a cookie that comes back. A browser that keeps none is told so on the page behind the
form, where the cookie of the first email is missing, and gets no second email from there: its
button asks for a cookie alone, and looks whether that one comes back. Nothing is set by a GET.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.caller import Caller
from pwless_middleware.core.challenge import Kind
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.navigation import is_navigation
from pwless_middleware.web.responses import root_path


class Arrival:
    """Answer those for whom the login form is not the next thing."""

    def __init__(self, kit: Kit, *, kind: Kind, flow_seconds: int) -> None:
        self._kit = kit
        self._kind = kind
        self._flow_seconds = flow_seconds

    async def signed_in_page(self, request: Request, caller: Caller, next: str) -> Response | None:
        """Return the page that tells a browser who is signed in here, or `None` for nobody.

        It leads on, and has the form for another account.

        Bookmarks, a second tab, and office programs (which follow a link without the browser's
        cookies, and then open where that led) come to the login page with a session.
        """
        held = await self._kit.sessions.find(caller.session) if caller.session else None
        if held is None:
            return None
        email, users = held.session.email, self._kit.users
        if users.is_table:
            user = await users.load(held.session.user_id)
            if user is None:
                return None
            email = user.email
        return self._kit.pages.page(
            request,
            "signed_in.html",
            leads_away=self._kit.logins.may_lead_away,
            in_own_frame=True,
            user_email=email,
            continue_url=next or root_path(request) + "/",
            next=next,
            kind=self._kind,
        )

    # --- cookies -------------------------------------------------------------------------------

    def keeps_cookies(self, request: Request) -> bool:
        """Whether the browser has brought any cookie of ours."""
        return self._kit.cookies.has_any(request.scope["headers"])

    def lost_its_cookie(self, request: Request) -> bool:
        """Whether a browser comes from our form without the cookie that the answer has set.

        A page that was typed or bookmarked (`Sec-Fetch-Site: none`) says nothing about cookies.
        """
        site = request.headers.get("sec-fetch-site", "same-origin")
        came_from_us = site == "same-origin" and is_navigation(request)
        return came_from_us and not self.keeps_cookies(request)

    def no_cookies_page(self, request: Request, next: str = "") -> Response:
        """Return the page that says so."""
        return self._kit.pages.page(
            request,
            "no_cookies.html",
            in_own_frame=True,
            status=400,
            next=next,
            host=self._kit.origin.host,
        )

    def probe(self, request: Request, next: str) -> Response:
        """Set a cookie that says nothing, and look on the next page whether it comes back."""
        query = {"check": "1", **({"next": next} if next else {})}
        cookies = []
        if not self.keeps_cookies(request):
            cookies = [self._kit.cookies.set_probe(max_age=self._flow_seconds)]
        return self._kit.pages.redirect(request, "/login?" + urlencode(query), cookies=cookies)
