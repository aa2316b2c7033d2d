"""The pages on which a person changes their address, and on which that is undone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.paths import ADDRESS_PATH
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    LoginDenied,
    RequestExpired,
    Unauthenticated,
)
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.people.address_changes import AddressChanges
from pwless_middleware.languages.current import current_language, translate
from pwless_middleware.languages.times import format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.full_proof import require_full_proof
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.error_text import ErrorText, is_last_try
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import SIGNED_OUT, root_path, with_cookies
from pwless_middleware.web.routing.routes import Route

UNDO_PATH = f"{ADDRESS_PATH}/undo"
FRESH_WITHIN = 300
"""Seconds since the last proof of who it is (security rule 26)."""
LONGEST = 600
"""Seconds that a code lives (NIST SP 800-63B-4 §3.1.3.2); links alone may live longer."""


def new_address(text: str, old: str) -> Address:
    """Return the address that somebody wants to have.

    Args:
        text: as typed.
        old: the one that they have.

    Raises:
        InvalidArgument: it is none, or the one that they have.
    """
    new = parse_address(text)
    if new is None:
        raise InvalidArgument.of(
            "email", Text("Enter one email address, like jo@example.com."), "email"
        )
    if new == parse_address(old):
        raise InvalidArgument.of("email", Text("This is your address already."), "changed")
    return new


def address_of(account: Account) -> Address:
    """Return the address that somebody who is signed in has now."""
    return parse_address(account.user.email) or Address(account.session.email)


class AddressPages:
    """Show the pages, and do what their forms ask for.

    Args:
        kit: everything below.
        flow: reads challenges.
        challenges: their keeper.
        changes: changes addresses.
        rules: how challenges behave.
    """

    def __init__(
        self,
        kit: Kit,
        flow: EmailFlow,
        challenges: Challenges,
        changes: AddressChanges,
        rules: CurrentRules,
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._challenges = challenges
        self._changes = changes
        self._rules = rules
        self.account_page = AccountPage(title=Text("Email address"), path=ADDRESS_PATH, order=20)
        self.routes = (
            Route(ADDRESS_PATH, {"GET": self.show, "POST": self.post}),
            Route(UNDO_PATH, {"GET": self.show_undo, "POST": self.undo}),
        )

    async def show(self, request: Request) -> Response:
        """Ask for the new address, or for the code that is on its way there."""
        account = await self._kit.accounts.require(request)
        challenge = None
        if "another" not in request.query_params:
            challenge = await self._flow.newest(self._caller(request, account))
        if challenge is None:
            await require_full_proof(self._kit, request, fresh_within=FRESH_WITHIN)
        return self._page(request, account, challenge)

    async def post(self, request: Request) -> Response:
        """Send a code to the new address, send it again, or check one."""
        form = await read_form(request)
        is_new = "request_id" not in form
        if is_new:
            account = await require_full_proof(
                self._kit, request, fresh_within=FRESH_WITHIN, back=ADDRESS_PATH
            )
        else:
            account = await self._kit.accounts.require(request, back=ADDRESS_PATH)
        caller = self._caller(request, account)
        id = None if is_new else self._find_held(form["request_id"], caller)
        try:
            if is_new:
                return await self._start(request, account, form.get("email", ""), caller)
            if id is None:
                raise RequestExpired
            if "code" not in form:
                return await self._resend(request, id, caller)
            return await self._confirm(request, account, id, form["code"], caller)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            challenge = await self._flow.read(id, caller) if id is not None else None
            typed = form.get("email", "") if is_new else ""
            return self._page(request, account, challenge, error=error, typed=typed)

    async def _start(
        self, request: Request, account: Account, email: str, caller: Caller
    ) -> Response:
        sent = await self._changes.start(
            new_address(email, account.user.email),
            caller,
            account.session,
            lifetime=min(self._rules().lifetime, LONGEST),
            language=current_language().code,
        )
        return await self._go_on(request, caller, sent.challenge)

    async def _resend(self, request: Request, id: ChallengeId, caller: Caller) -> Response:
        sent = await self._challenges.resend(id, caller, current_language().code)
        return await self._go_on(request, caller, sent.challenge)

    async def _go_on(self, request: Request, caller: Caller, challenge: Challenge) -> Response:
        await self._kit.wake_delivery()
        holds = caller.holds_with(challenge)
        cookie = self._kit.cookies.set_flow(holds, max_age=self._flow.flow_seconds)
        return with_cookies(self._kit.pages.redirect(request, ADDRESS_PATH), [cookie])

    async def _confirm(
        self, request: Request, account: Account, id: ChallengeId, code: str, caller: Caller
    ) -> Response:
        holder = self._kit.callers.browser(request)
        attempt = self._changes.confirm(
            id,
            code,
            caller,
            account.session,
            holder=holder,
            old=address_of(account),
            next=f"{root_path(request)}{self._kit.prefix}{ADDRESS_PATH}?done=changed",
            language=current_language().code,
        )
        response = await respond_with_page(self._kit, request, holder, attempt)
        await self._kit.wake_delivery()
        return response

    def _caller(self, request: Request, account: Account) -> Caller:
        return self._kit.callers.browser(request).for_address_change(account.session.id)

    def _find_held(self, request_id: str, caller: Caller) -> ChallengeId | None:
        try:
            id, _ = self._flow.open_request(request_id, caller)
        except RequestExpired:
            return None
        return id if id in caller.holds else None

    def _page(
        self,
        request: Request,
        account: Account,
        challenge: Challenge | None,
        *,
        error: ApiError | None = None,
        typed: str = "",
    ) -> Response:
        now, error_text = self._kit.clock(), ErrorText.of(error)
        problem, field_error = error_text.problem, error_text.error
        if is_last_try(error):
            problem, field_error = translate(Text("Too many wrong codes were typed.")), None
        is_live = challenge is not None and challenge.is_live(now)
        has_expired = challenge is not None and not is_live
        if isinstance(error, RequestExpired) or (has_expired and error is None):
            problem = translate(Text("Your code has expired, or was used. Ask for a new one."))
        if has_expired and challenge is not None and not challenge.may_resend(now):
            challenge = None
        is_changed = request.query_params.get("done") == "changed" and challenge is None
        notice = Text("Your address is changed. The old one was told, and can undo it for 3 days.")
        return self._kit.pages.page(
            request,
            "address.html",
            status=error.status if error else 200,
            retry_after=error.retry_after if error else None,
            account_pages=self._kit.offers.account_pages,
            current_path=ADDRESS_PATH,
            email=account.user.email,
            new=challenge.address if challenge is not None else "",
            typed=typed,
            is_sent=is_live,
            can_try=not is_last_try(error),
            request_id=self._flow.request_id(challenge) if challenge is not None else "",
            resend_after=self._flow.resend_after(challenge, error) if challenge else 0,
            expires_in=max(0, challenge.expires_at - now) if challenge is not None else 0,
            in_development=isinstance(self._kit.mailer, Outbox),
            code_format="digits" if self._rules().code == "standard" else "letters",
            notice=translate(notice) if is_changed and error is None else None,
            error=field_error,
            problem=problem,
            wait=error_text.wait,
        )

    # --- undo ----------------------------------------------------------------------------------

    async def show_undo(self, request: Request) -> Response:
        """Ask whether to undo a change; whoever has the link may, and needs no session."""
        handle = request.query_params.get("link_token", "")
        change = await self._changes.find(handle)
        if change is None:
            return self._undo_page(request, "expired", status=410)
        return self._undo_page(
            request, "confirm", handle=handle, changed_at=format_time(change.changed_at)
        )

    async def undo(self, request: Request) -> Response:
        """Undo it, and sign everybody out, this browser too where it is that person's."""
        form = await read_form(request)
        caller = self._kit.callers.browser(request)
        found = await self._kit.accounts.find(request)
        try:
            change = await self._changes.undo(form.get("link_token", ""), caller)
        except RequestExpired:
            return self._undo_page(request, "expired", status=410)
        await self._kit.wake_delivery()
        response = self._undo_page(request, "done")
        if found is not None and found.session.user_id == change.user_id:
            response.headers.update(SIGNED_OUT)
            response = with_cookies(response, [self._kit.cookies.clear_session()])
        return response

    def _undo_page(
        self,
        request: Request,
        state: str,
        *,
        status: int = 200,
        handle: str = "",
        changed_at: str = "",
    ) -> Response:
        return self._kit.pages.page(
            request,
            "undo_address.html",
            status=status,
            state=state,
            link_token=handle,
            changed_at=changed_at,
        )
