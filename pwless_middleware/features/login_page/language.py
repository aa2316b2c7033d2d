"""Take the language that somebody chooses in the menu of a page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import LOGIN_PATH, safe_next
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.language_menu import LANGUAGE_PATH
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route


class ChosenLanguage:
    """Keep the choice in the browser, and go back to the page.

    It is a form and no link: what is opened by GET changes nothing, and who follows a link of a
    stranger stays in the language that they read.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route(LANGUAGE_PATH, {"POST": self.choose}),)

    async def choose(self, request: Request) -> Response:
        """Set the cookie; a language that is not offered changes nothing."""
        form = await read_form(request)
        code, pages = form.get("language", ""), self._kit.pages
        is_offered = code in self._kit.languages.codes
        cookies = [self._kit.cookies.set_language(code)] if is_offered else []
        next = safe_next(form.get("next"))
        if next is None or not next.startswith(f"{root_path(request)}{self._kit.prefix}/"):
            return pages.redirect(request, LOGIN_PATH, cookies=cookies)
        return pages.redirect(request, next, ours=False, cookies=cookies)
