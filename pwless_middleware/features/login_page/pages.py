"""The pages for who comes to sign in: the form, or who is signed in already, or no cookies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.policy import FIRST_FACTORS
from pwless_middleware.core.paths import ENTER_PATH, LOGIN_PATH, safe_next
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import LoginMethod, scripts_of
from pwless_middleware.web.parts.parts import Form, Part, ShownPart, organization_in
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route


class LoginPages:
    """Show the login page, and hand a posted form to the method whose it is."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route(LOGIN_PATH, {"GET": self.show, "POST": self.post}),)

    @property
    def _leads_away(self) -> bool:
        ways = any(method.leads_away for method in self._kit.offers.methods)
        return ways or self._kit.logins.may_lead_away

    async def show(self, request: Request) -> Response:
        """Show the form, or who is signed in; `next` comes from the query, if it is a path of ours.

        With `another` in the query the form is shown whoever is signed in: to use another address.
        """
        next = safe_next(request.query_params.get("next")) or ""
        named = organization_in(request.query_params)
        organization = await self._kit.pages.write_for(request, named)
        check = self._kit.cookie_check
        if "another" in request.query_params:
            return await self._form(request, next, organization)
        if "check" in request.query_params and not check.keeps_cookies(request):
            return check.page(request, next)
        page = await self._show_signed_in(request, next, organization)
        return page if page is not None else await self._form(request, next, organization)

    async def post(self, request: Request) -> Response:
        """Have a method answer its form."""
        form = await read_form(request)
        next = safe_next(form.get("next")) or ""
        organization = await self._kit.pages.write_for(request, organization_in(form))
        if "check" in form:
            return self._kit.cookie_check.probe(request, next)
        method = self._method_of(form)
        if method is None or method.post is None:
            return await self._form(request, next, organization)
        answer = await method.post(request, {**form, "organization": organization}, next)
        if isinstance(answer, Response):
            return answer
        return await self._form(request, next, organization, {method.name: answer})

    def _method_of(self, form: Form) -> LoginMethod | None:
        takes = [method for method in self._kit.offers.methods if method.post is not None]
        return next((m for m in takes if m.field in form), takes[0] if takes else None)

    async def _form(
        self,
        request: Request,
        next: str,
        organization: str,
        posted: Mapping[str, Part] | None = None,
    ) -> Response:
        """Return the page with every method's part.

        Args:
            request: of the page.
            next: where the login leads.
            organization: which one is to be entered; empty for none.
            posted: the part of the method whose form was posted and is shown again, by name.
        """
        posted = posted or {}
        parts, next, organization = await self._parts(
            request, next, organization, posted, signed_in=False
        )
        worst = max(posted.values(), key=lambda part: part.status, default=Part())
        return self._kit.pages.page(
            request,
            "login.html",
            leads_away=self._leads_away,
            in_own_frame=True,
            status=worst.status,
            retry_after=worst.retry_after,
            parts=parts,
            scripts=scripts_of(self._kit.offers.methods),
            next=next,
            shown_at=self._url(request, next, organization) if request.method == "POST" else "",
            organization=organization,
            error=worst.context.get("error"),
            problem=worst.context.get("problem"),
        )

    def _url(self, request: Request, next: str, organization: str) -> str:
        """Return where the same form is shown, without what was posted."""
        url = self._kit.pages.login_url(request, next)
        if not organization:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'organization': organization})}"

    async def _show_signed_in(
        self, request: Request, next: str, organization: str
    ) -> Response | None:
        """Return the page that tells a browser who is signed in here, or `None` for nobody.

        It leads on, and has the forms for another account.

        Bookmarks, a second tab, and office programs (which follow a link without the browser's
        cookies, and then open where that led) come to the login page with a session.
        """
        account = await self._kit.accounts.find(request)
        if account is None:
            return None
        current = account.organization.id if account.organization is not None else ""
        enters = organization != current and await self._kit.looks.of(organization) is not None
        parts, *_ = await self._parts(request, next, organization, {}, signed_in=True)
        return self._kit.pages.page(
            request,
            "signed_in.html",
            leads_away=self._leads_away,
            in_own_frame=True,
            user_email=account.user.email,
            continue_url=next or root_path(request) + "/",
            enter_path=ENTER_PATH if enters else "",
            next=next,
            organization=organization,
            parts=parts,
            scripts=scripts_of(self._kit.offers.methods),
        )

    async def _methods(
        self, organization: str, posted: Mapping[str, Part]
    ) -> Sequence[LoginMethod]:
        """Return the methods that are offered, to who is to enter an organization or to all; and
        the one that has just been tried, which says what was wrong.
        """
        methods, look = self._kit.offers.methods, await self._kit.looks.of(organization)
        if look is None or look.methods is None:
            return methods
        hidden = frozenset(FIRST_FACTORS) - look.methods
        return [method for method in methods if method.name in posted or method.name not in hidden]

    async def _parts(
        self,
        request: Request,
        next: str,
        organization: str,
        posted: Mapping[str, Part],
        *,
        signed_in: bool,
    ) -> tuple[list[ShownPart], str, str]:
        """Return the HTML of every method's part, where the login leads, and into what."""
        offered = await self._methods(organization, posted)
        asked = [(m, posted.get(m.name) or await m.show(request, next)) for m in offered]
        found = [(method, part) for method, part in asked if part is not None]
        methods = [method for method, _ in found]
        for _, part in found:
            next = next or part.next
            if part.organization and not organization:
                organization = await self._kit.pages.write_for(request, part.organization)
        autofill = " ".join(method.autofill for method in methods if method.autofill)
        shown = []
        shared = {"organization": organization, "signed_in": signed_in, "autofill": autofill}
        for method, part in found:
            context = {**part.context, "next": next, **shared}
            html = self._kit.pages.part(request, method.template, **context)
            shown.append(ShownPart(html, is_scripted=method.is_scripted))
        return shown, next, organization
