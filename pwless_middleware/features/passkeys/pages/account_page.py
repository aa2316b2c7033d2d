"""The page of a person's own passkeys, and the one that asks before one is removed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import ApiError, InvalidArgument, NotFound
from pwless_middleware.features.passkeys.ceremonies.ceremonies import held_by_session
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.own_passkeys import FRESH_WITHIN, read_id
from pwless_middleware.features.passkeys.pages.credential_form import read_answer
from pwless_middleware.features.passkeys.pages.login_part import SCRIPT
from pwless_middleware.features.passkeys.pages.problem import Problem
from pwless_middleware.features.passkeys.webauthn.names import name_of
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/account/passkeys"

_DONE: Mapping[str, Text] = {
    "added": Text("Your passkey is added. Next time you can sign in with it."),
    "renamed": Text("The passkey has its new name."),
    "removed": Text("The passkey is removed."),
    "removed_and_others": Text("The passkey is removed, and all other browsers are signed out."),
}
"""What the page says after a form has done its work; the query names it, as for sessions."""


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """One line of the page; the times as people read them, and as machines do.

    Attributes:
        id: of the passkey, as it stands in a URL.
        name: what the person calls it.
        provider: what keeps it, by its model; a hint, and empty where that is its name already.
        is_synced: whether other devices of the person get it too.
        foreign_host: the host that it was made for, if that is not ours any more; else empty.
        created_at, created_iso: when it was added.
        used_at, used_iso: when it last signed in; empty for never.
    """

    id: str
    name: str
    provider: str
    is_synced: bool
    foreign_host: str
    created_at: str
    created_iso: str
    used_at: str
    used_iso: str

    @classmethod
    def of(cls, passkey: Passkey, now: int, *, rp_id: str) -> PasskeyRow:
        """Return a passkey as it is listed; `rp_id` is ours."""
        provider, used_at = name_of(passkey.aaguid), passkey.used_at
        return cls(
            id=b64(passkey.id),
            name=passkey.name or translate(_UNNAMED),
            provider=provider if provider != passkey.name else "",
            is_synced=passkey.is_synced,
            foreign_host=passkey.rp_id if passkey.rp_id != rp_id else "",
            created_at=format_ago(passkey.created_at, now),
            created_iso=format_iso(passkey.created_at),
            used_at=format_ago(used_at, now) if used_at is not None else "",
            used_iso=format_iso(used_at) if used_at is not None else "",
        )


class PasskeyPages:
    """Show the page, and do what its forms ask for.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.account_page = AccountPage(title=Text("Passkeys"), path=PATH, order=30)
        self.routes = (
            Route(PATH, {"GET": self.show, "POST": self.add}),
            Route(f"{PATH}/rename", {"POST": self.rename}),
            Route(f"{PATH}/remove", {"GET": self.show_remove, "POST": self.remove}),
        )

    async def show(self, request: Request) -> Response:
        """List the passkeys, and tell the browser which ones still count."""
        account = await self._kit.accounts.require(request)
        return await self._page(request, account)

    async def add(self, request: Request) -> Response:
        """Keep a passkey that the browser has made."""
        form = await read_form(request)
        account = await self._flow.own.require(request, back=PATH)
        try:
            await self._flow.new.add(
                Owner.of(account.user),
                *read_answer(form),
                self._kit.callers.browser(request),
                held_by_session(account.session),
                only_first=self._flow.new.is_weak(account),
            )
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return await self._page(request, account, error=error)
        return self._kit.pages.redirect(request, f"{PATH}?done=added")

    async def rename(self, request: Request) -> Response:
        """Give a passkey another name."""
        form = await read_form(request)
        account = await self._kit.accounts.require(request, back=PATH)
        id, name = form.get("id", ""), form.get("name", "")
        caller = self._kit.callers.browser(request)
        try:
            await self._flow.own.rename(account.user.id, read_id(id), name, caller=caller)
        except InvalidArgument as error:
            return await self._page(request, account, error=error, renamed=(id, name))
        return self._kit.pages.redirect(request, f"{PATH}?done=renamed")

    async def show_remove(self, request: Request) -> Response:
        """Ask once more; who has not proven lately that it is them is asked for that first."""
        account = await self._flow.own.require(request)
        return await self._remove_page(request, account, request.query_params.get("id", ""))

    async def remove(self, request: Request) -> Response:
        """Remove a passkey, and sign out all other browsers if that is wanted."""
        form = await read_form(request)
        account = await self._flow.own.require(request, back=PATH)
        id, user_id = form.get("id", ""), account.user.id
        caller = self._kit.callers.browser(request)
        try:
            await self._flow.own.remove(
                user_id, read_id(id), session=account.session, caller=caller
            )
        except InvalidArgument:  # it is the last way in
            return await self._remove_page(request, account, id)
        except NotFound:
            return self._kit.pages.redirect(request, f"{PATH}?done=removed")  # pressed twice
        done = "removed"
        if form.get("others") == "yes":
            await self._kit.sessions.revoke_others(user_id, keep=account.session.id)
            done = "removed_and_others"
        return self._kit.pages.redirect(request, f"{PATH}?done={done}")

    async def _remove_page(self, request: Request, account: Account, id: str) -> Response:
        kept = await self._flow.own.list(account.user.id)
        wanted = read_id(id)
        passkey = next((one for one in kept if one.id == wanted), None)
        if passkey is None:
            raise NotFound
        usable = [one.id for one in kept if one.rp_id == self._flow.party.id]
        is_last_way = usable == [wanted] and await self._flow.own.keeps_last(account.user.id)
        problem = Text("Nothing else lets you in. Add another passkey before you remove this one.")
        return self._kit.pages.page(
            request,
            "passkeys/remove.html",
            status=400 if is_last_way else 200,
            page_url=self._url(request),
            id=id,
            passkey_name=passkey.name or translate(_UNNAMED),
            may_remove=not is_last_way,
            problem=translate(problem) if is_last_way else None,
            wait=0,
        )

    async def _page(
        self,
        request: Request,
        account: Account,
        *,
        error: ApiError | None = None,
        renamed: tuple[str, str] | None = None,
    ) -> Response:
        user = account.user
        passkeys = await self._flow.own.list(user.id)
        usable = sum(one.rp_id == self._flow.party.id for one in passkeys)
        strength: Strength = "phishing_resistant" if usable else "any"
        now, problem = self._kit.clock(), Problem.of(error)
        done = request.query_params.get("done", "")
        is_done = done in _DONE and error is None
        error_id, typed = renamed or ("", "")
        here = self._url(request)
        return self._kit.pages.page(
            request,
            "passkeys/account.html",
            status=problem.status,
            retry_after=problem.retry_after,
            scripts=[SCRIPT],
            account_pages=self._kit.offers.account_pages,
            current_path=PATH,
            page_url=here,
            passkeys=[PasskeyRow.of(one, now, rp_id=self._flow.party.id) for one in passkeys],
            is_full=usable >= self._flow.rules().max_per_user,
            is_fresh=self._kit.accounts.is_fresh(account.session, FRESH_WITHIN, strength),
            step_up_url=self._kit.pages.step_up_url(
                request, here, within=FRESH_WITHIN, strength=strength
            ),
            signals=await self._signals(account, passkeys),
            user_email=user.email,
            most=LONGEST,
            notice=translate(_DONE[done]) if is_done else None,
            problem=problem.text if renamed is None else None,
            wait=problem.wait,
            error=problem.text if renamed is not None else None,
            error_id=error_id,
            typed=typed,
        )

    async def _signals(self, account: Account, passkeys: Sequence[Passkey]) -> str:
        """Return what keeps the browser's own list in step (WebAuthn Level 3 §5.1.10)."""
        handle = await self._flow.own.user_handle(account.user.id)
        if handle is None:
            return ""
        whose = {"rpId": self._flow.party.id, "userId": b64(handle)}
        ids = [b64(one.id) for one in passkeys if one.rp_id == self._flow.party.id]
        user = account.user
        return json.dumps(
            {
                "signalAllAcceptedCredentials": {**whose, "allAcceptedCredentialIds": ids},
                "signalCurrentUserDetails": {
                    **whose,
                    "name": user.email,
                    "displayName": user.display_name,
                },
            }
        )

    def _url(self, request: Request) -> str:
        return root_path(request) + self._kit.prefix + PATH


_UNNAMED = Text("Passkey")
"""What a passkey is called whose keeper we do not know, and to which nobody has given a name."""
