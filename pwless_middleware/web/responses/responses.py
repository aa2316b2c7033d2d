"""Make pages and JSON of results and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pwless_middleware.core.paths import LOGIN_PATH, STEP_UP_PATH, below, safe_next
from pwless_middleware.errors import ApiError, ForbiddenOrigin, LoginDenied, MethodNotAllowed
from pwless_middleware.flows.organization_looks import OrganizationLooks
from pwless_middleware.languages.current import (
    current_language,
    set_language,
    translate,
    use_language,
)
from pwless_middleware.languages.languages import Languages, Offer
from pwless_middleware.rendering.current_brand import set_current_brand, use_current_brand
from pwless_middleware.rendering.renderer import Renderer
from pwless_middleware.text import Text
from pwless_middleware.web.requests.language import chosen_language, language_of
from pwless_middleware.web.requests.navigation import shown_url
from pwless_middleware.web.responses.language_menu import (
    LanguageMenu,
    LanguageMenus,
    offer_languages,
    offer_no_languages,
)
from pwless_middleware.web.responses.outages import Outages
from pwless_middleware.web.routing.origin import Origin

EVERYWHERE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

SIGNED_OUT = {"clear-site-data": '"cache"'}
"""Goes with every answer that ends the browser's own session: Back shows no private page, neither
from the cache nor as it was left (OWASP ASVS 5.0 14.3.1)."""

# See security numbers. `no-referrer` would make Chromium send `Origin: null` with our own forms.
ON_PAGES = {
    **EVERYWHERE,
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "strict-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
    "x-robots-tag": "noindex",
}

_IN_OWN_FRAME = {
    **ON_PAGES,
    "content-security-policy": ON_PAGES["content-security-policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
}

# By the error's code, else by its status.
_TITLES: Mapping[str | int, str] = {
    "LOGIN_DENIED": Text("You can’t sign in here"),
    "FORBIDDEN_ORIGIN": Text("Please try that again"),
    "NOT_FOUND": Text("Page not found"),
    "METHOD_NOT_ALLOWED": Text("This page takes no such request"),
    "REQUEST_EXPIRED": Text("This has expired"),
    "CONTENT_TOO_LARGE": Text("That was too much"),
    "TOO_MANY_ATTEMPTS": Text("Too many tries"),
    "RATE_LIMITED": Text("Too many emails"),
    503: Text("Not available right now"),
}
_TITLE = Text("That did not work")


_FOR_ADMINISTRATORS = ("/dashboard", "/api/v1/organizations", "/api/v1/users", "/api/v1/events")
"""How the paths begin at which administrators, or their programs, read."""

_current_offer: ContextVar[Languages | Offer | None] = ContextVar("pwless_offer", default=None)
"""The languages that whoever reads the answer may get; `None` is all that are offered."""


class Pages:
    """Render pages as responses.

    Args:
        renderer: makes the HTML.
        prefix: the mount prefix, below which our redirects go.
        origin: the origin of all redirects.
        languages: those that people read.
        looks: how the pages of organizations look.

    Attributes:
        outages: logs what the pages do not say.
    """

    def __init__(
        self,
        renderer: Renderer,
        prefix: str,
        origin: Origin,
        languages: Languages,
        looks: OrganizationLooks,
    ) -> None:
        self._renderer = renderer
        self._prefix = prefix
        self._origin = origin
        self._languages = languages
        self._looks = looks
        self._whole = tuple(prefix + path for path in _FOR_ADMINISTRATORS)
        self._menus = LanguageMenus(renderer, languages)
        self.outages = Outages()

    @contextmanager
    def use_language_of(self, request: Request) -> Iterator[None]:
        """Write pages and errors in the language of a request within a `with` block.

        They are the deployment's, until somebody says which organization they are for. What
        administrators read is in a language that has all of it.
        """
        offer: Languages | Offer = self._languages
        if below(request.scope["path"], request.scope.get("root_path", "")).startswith(self._whole):
            offer = self._languages.for_administrators
        token = _current_offer.set(offer)
        language = language_of(request.scope["headers"], offer)
        try:
            with use_language(language), use_current_brand(None), offer_languages():
                yield
        finally:
            _current_offer.reset(token)

    def prefer_language(self, code: str) -> None:
        """Write the rest of an answer in the language that a person has chosen, if we have it.

        Args:
            code: of the language; empty changes nothing.
        """
        offer = _current_offer.get() or self._languages
        found = offer.find(code) if code else None
        if found is not None:
            set_language(found)

    def write_for_person(self, language: str) -> None:
        """Write the rest of an answer for somebody who is signed in.

        Args:
            language: the code of what they have chosen; empty changes nothing.
        """
        offer_no_languages()
        self.prefer_language(language)

    async def write_for(self, request: Request, organization: str | None) -> str:
        """Write the rest of an answer for an organization: under its name, in its language.

        Args:
            request: of the browser, which may have chosen a language.
            organization: its id, or the host's own key; empty or `None` changes nothing.

        Returns:
            Its id; where there is no such organization, what was given.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        look = await self._looks.of(organization)
        if look is None:
            return organization or ""
        set_current_brand(look.brand)
        if not chosen_language(request.scope["headers"], self._languages):
            self.prefer_language(look.language)
        return look.id

    def page(
        self,
        request: Request,
        name: str,
        *,
        status: int = 200,
        cookies: Iterable[str] = (),
        retry_after: int | None = None,
        leads_away: bool = False,
        in_own_frame: bool = False,
        shown_at: str | None = "",
        **context: object,
    ) -> Response:
        """Return a page of ours.

        Args:
            request: for the root path under which the page's own links go.
            name: the template.
            status: HTTP status.
            cookies: `Set-Cookie` values to add.
            leads_away: whether a form of it may end, by way of the app, on another origin. Chromium
                holds `form-action` against every redirect after a post, when the code is spent.
            in_own_frame: whether a page of this origin may show it in a frame. An app whose frame
                is sent to the login, as its session is over, shows the way on there.
            retry_after: seconds for `Retry-After`; `None` sends none.
            shown_at: path and query at which a GET shows the page, so that it can be shown in
                another language, with the root path; empty (default) for where it is, `None` for
                nowhere.
            context: the template's.
        """
        root = root_path(request)
        menu = self._menu(request, shown_at)
        html = self._renderer.page(
            name, root_path=root, status=status, language_menu=menu, **context
        )
        headers = _IN_OWN_FRAME if in_own_frame else ON_PAGES
        response = Response(html, status, headers, "text/html; charset=utf-8")
        response.headers["content-language"] = current_language().code
        if leads_away:
            policy = headers["content-security-policy"].replace("form-action 'self'; ", "")
            response.headers["content-security-policy"] = policy
        if retry_after is not None:
            response.headers["retry-after"] = str(retry_after)
        return with_cookies(response, cookies)

    def _menu(self, request: Request, shown_at: str | None) -> LanguageMenu | None:
        if shown_at == "":
            shown_at = self.here(request)
            if not shown_at.startswith(f"{root_path(request)}{self._prefix}/"):
                return None  # a page of ours in place of one of the app
        return self._menus.make(shown_at)

    def page_with(
        self,
        request: Request,
        name: str,
        context: Mapping[str, object],
        *,
        status: int = 200,
        retry_after: int | None = None,
    ) -> Response:
        """Return a page whose values were collected by who owns its frame.

        Args:
            request, name, status, retry_after: as for `page`.
            context: the template's.
        """
        more: dict[str, Any] = dict(context)
        return self.page(request, name, status=status, retry_after=retry_after, **more)

    def part(self, request: Request, name: str, **context: object) -> str:
        """Return a part of a page, as HTML that another template takes as it is."""
        return self._renderer.part(name, root_path=root_path(request), **context)

    def here(self, request: Request) -> str:
        """Return the path and query that were asked for, with the root path, as they are shown.

        A form goes there: what is not surely a path of ours (`root_path`) is left out.
        """
        path = below(request.scope["path"], request.scope.get("root_path", ""))
        url = shown_url(request.scope, path)
        return url if safe_next(url.split("?", 1)[0]) else root_path(request) + quote(path)

    def login_url(self, request: Request, next: str | None = None) -> str:
        """Return the path of the login page, with the root path.

        Args:
            request: for the root path.
            next: where the login leads, with the root path; what is no path of ours is left out,
                as `None` is.
        """
        target = safe_next(next)
        query = "" if target in (None, "/") else "?" + urlencode({"next": target})
        return root_path(request) + self._prefix + LOGIN_PATH + query

    def step_up_url(
        self, request: Request, next: str | None = None, *, within: int, strength: str = "any"
    ) -> str:
        """Return the path of the page that asks again who it is, with the root path.

        Args:
            request: for the root path.
            next: where it leads, with the root path; what is no path of ours is left out.
            within: seconds that a proof counts as fresh; who has one goes on at once.
            strength: what the fresh proofs must be worth.
        """
        query = {"within": str(within)}
        if strength != "any":
            query["strength"] = strength
        if (target := safe_next(next)) is not None:
            query["next"] = target
        return f"{root_path(request)}{self._prefix}{STEP_UP_PATH}?{urlencode(query)}"

    def redirect(
        self, request: Request, path: str, *, ours: bool = True, cookies: Iterable[str] = ()
    ) -> Response:
        """Send a browser on with 303, always to a path of the configured origin.

        `Location` is absolute, so that no reader takes the begin of the path for a host.

        Args:
            request: for the root path.
            path: below our prefix, or, with `ours=False`, a checked path of the app.
            ours: whether the prefix goes in front.
            cookies: `Set-Cookie` values to add.
        """
        path = root_path(request) + self._prefix + path if ours else path
        response = RedirectResponse(self._origin.origin + path, 303, EVERYWHERE)
        return with_cookies(response, cookies)

    def error(self, request: Request, error: ApiError, *, again: str | None = None) -> Response:
        """Return the error page: what happened, and the way back.

        Args:
            request: what was asked for.
            error: what came of it.
            again: where to try once more, below our prefix; `None` is the login, the app's root
                where there is no such page, and the page itself where a GET cannot be answered now.
        """
        below = root_path(request) + self._prefix
        label, url = translate(Text("Sign in")), self.login_url(request)
        if again is not None:
            label, url = translate(Text("Try again")), below + again
        elif error.status == 503 and request.method in ("GET", "HEAD"):
            label, url = translate(Text("Try again")), ""
        elif error.status in (404, 405):
            label, url = translate(Text("Go to the start page")), root_path(request) + "/"
        elif isinstance(error, LoginDenied):
            label = translate(Text("Use another address"))
        elif isinstance(error, ForbiddenOrigin):
            # The page may have been opened at another address of the app: name the right one.
            name = self._origin.url + "/"
            label = translate(Text("Open %(name)s", name=name))
            url = self._origin.origin + url
        message = public_message(error)
        if isinstance(error, LoginDenied) and error.public_message == error.message:
            message = translate(Text("If you think that is a mistake, ask whoever runs this site."))
        title = _TITLES.get(error.code) or _TITLES.get(error.status, _TITLE)
        response = self.page(
            request,
            "error.html",
            status=error.status,
            retry_after=error.retry_after,
            # Whether it was found out who asks would tell a path that is hidden from an empty one.
            shown_at=None,
            title=translate(title),
            message=message,
            action_label=label,
            action_url=url,
        )
        return _with_allow(response, error)


def json_response(
    content: Mapping[str, object], *, status: int = 200, cookies: Iterable[str] = ()
) -> Response:
    """Return a JSON answer of ours."""
    return with_cookies(JSONResponse(content, status, EVERYWHERE), cookies)


def json_error(error: ApiError) -> Response:
    """Return an error in Scalekit's shape."""
    detail = {
        "@type": "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo",
        "error_code": error.code,
        **error.detail,
    }
    response = json_response(
        {
            "code": error.grpc,
            "message": public_message(error),
            "details": [_translate_texts(detail)],
        },
        status=error.status,
    )
    if error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return _with_allow(response, error)


def public_message(error: ApiError) -> str:
    """Return what pages and JSON show of an error, in the language that is being written."""
    return "; ".join(translate(text) for text in error.public_texts)


def _translate_texts(value: object) -> object:
    """Return a JSON value whose `Text`s are translated; codes and names are none."""
    if isinstance(value, Text):
        return translate(value)
    if isinstance(value, dict):
        return {key: _translate_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_translate_texts(part) for part in value]
    return value


def with_cookies(response: Response, cookies: Iterable[str]) -> Response:
    """Add `Set-Cookie` headers to a response and give it back."""
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def root_path(request: Request) -> str:
    """Return the path under which the app is shown, in ASCII, without a slash at its end.

    Under `Mount("/{tenant:path}")` the visitor writes it. What a browser could take for another
    host is not used: links then go to the origin's own root.
    """
    path = quote(request.scope.get("root_path", "").rstrip("/"), safe=_IN_PATHS, errors="replace")
    if path and safe_next(path) is None:
        return ""
    return path


_IN_PATHS = "/~:@!$&'()*+,;="


def _with_allow(response: Response, error: ApiError) -> Response:
    if isinstance(error, MethodNotAllowed):
        response.headers["allow"] = ", ".join(error.allow)
    return response
