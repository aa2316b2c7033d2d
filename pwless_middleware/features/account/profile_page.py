"""The page of a person's own profile: name, language, address, and the ways to more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import ADDRESS_PATH
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.language import chosen_language
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.people.people import People

PATH = "/account/profile"
EXPORT_PATH, DELETE_PATH = "/account/export", "/account/delete"


class ProfilePage:
    """Show the page, and save what is chosen.

    Args:
        kit: everything below.
        people: where the choice is kept; `None` keeps the language in the browser alone.
    """

    def __init__(self, kit: Kit, people: People | None) -> None:
        self._kit = kit
        self._people = people
        self.account_page = AccountPage(title=Text("Profile"), path=PATH, order=10)
        self.routes = (Route(PATH, {"GET": self.show, "POST": self.save}),)

    async def show(self, request: Request) -> Response:
        """Show what was chosen."""
        account = await self._kit.accounts.require(request)
        return self._page(request, account)

    async def save(self, request: Request) -> Response:
        """Keep what is chosen; the next page is in the language that was chosen."""
        form = await read_form(request)
        account = await self._kit.accounts.require(request, back=PATH)
        code = form.get("language", "")
        try:
            if code and code not in self._kit.languages.codes:
                problem = Text("Choose one of the languages of this list.")
                raise InvalidArgument.of("language", problem, "enum")
            if self._people is not None:
                await self._people.set_profile(
                    account.user.id, name=form.get("name"), language=code, by="person"
                )
        except InvalidArgument as error:
            return self._page(request, account, form=form, error=error)
        cookies = [self._kit.cookies.set_language(code)]
        return self._kit.pages.redirect(request, f"{PATH}?done=saved", cookies=cookies)

    def _page(
        self,
        request: Request,
        account: Account,
        *,
        form: Mapping[str, str] | None = None,
        error: InvalidArgument | None = None,
    ) -> Response:
        # Loaded with the first such page.
        from pwless_middleware.core.people.person import MAX_NAME
        from pwless_middleware.languages.names import language_names

        user = account.user
        name = user.display_name if user.display_name != user.email else ""
        chosen = user.language or chosen_language(request.scope["headers"], self._kit.languages)
        if form is not None:
            name, chosen = form.get("name", ""), form.get("language", "")
        pages = self._kit.offers.account_pages
        is_saved = request.query_params.get("done") == "saved" and error is None
        return self._kit.pages.page(
            request,
            "profile.html",
            status=error.status if error else 200,
            account_pages=pages,
            current_path=PATH,
            has_name=self._people is not None,
            # What the host's own table says is not ours to change.
            has_language=self._people is not None or not user.language,
            user_name=name,
            most=MAX_NAME,
            languages=language_names(self._kit.languages.codes),
            chosen=chosen,
            user_email=user.email,
            address_path=next((p.path for p in pages if p.path == ADDRESS_PATH), None),
            export_path=EXPORT_PATH if self._people is not None else None,
            delete_path=DELETE_PATH if self._people is not None else None,
            notice=translate(Text("Your profile is saved.")) if is_saved else None,
            error=translate(error.violations[0].description) if error else None,
            error_field=error.violations[0].field if error else "",
        )
