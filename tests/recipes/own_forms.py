"""Your own form handlers over the three verbs in Python: no JSON, no page of ours."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pwless_middleware import ApiError, Passwordless
from pwless_middleware.errors import InvalidCode
from pwless_middleware.web.requests.bodies import read_form


def create_app(login: Passwordless, session_key: str) -> Starlette:
    """Make the app; wrap it in `PasswordlessMiddleware(app, passwordless=login, public=...)`."""

    async def ask(request: Request) -> Response:
        """Take an address and send a code; `auth_request_id` stays in the host's own session."""
        form = await checked_form(request)
        sent = await login.send(
            form.get("email", ""),
            client=request.client.host if request.client else None,
            user_agent=request.headers.get("user-agent"),
            device_token=request.cookies.get("device"),
        )
        request.session["asked"] = sent.auth_request_id
        return PlainTextResponse(f"A code is on its way, good for {sent.expires_in} seconds.")

    async def again(request: Request) -> Response:
        await checked_form(request)
        asked, device = request.session.get("asked", "none"), request.cookies.get("device")
        sent = await login.resend(asked, device_token=device)
        request.session["asked"] = sent.auth_request_id
        return PlainTextResponse(f"Sent again. Once more in {sent.resend_after} seconds.")

    async def enter(request: Request) -> Response:
        """Take the code; `set_cookie` is the whole session."""
        form = await checked_form(request)
        done = await login.verify(
            auth_request_id=request.session.get("asked", "none"),
            code=form.get("code", ""),
            client=request.client.host if request.client else None,
            ends=request.state.session,
            device_token=request.cookies.get("device"),
        )
        request.session.clear()
        response = RedirectResponse("/account", 303)
        response.headers.append("set-cookie", done.set_cookie)
        # It grants nothing but limits that strangers cannot use up.
        response.set_cookie(
            "device", done.device_token, max_age=31_536_000, secure=True, httponly=True
        )
        return response

    async def account(request: Request) -> Response:
        return PlainTextResponse(f"Hello, {request.state.user.display_name}.")

    async def leave(request: Request) -> Response:
        await checked_form(request)
        if request.state.session is not None:
            await login.sessions.end(request.state.session)
        return RedirectResponse("/", 303)

    async def checked_form(request: Request) -> dict[str, str]:
        """Read a form of a page of ours: your own rule against foreign pages goes here."""
        if request.headers.get("origin") != login.origin.origin:
            raise PermissionError
        return await read_form(request)

    async def refused(request: Request, error: Exception) -> Response:
        """Tell what a verb raised: `status` and words for people, and how long to wait."""
        if not isinstance(error, ApiError):
            return PlainTextResponse("This form is not ours.", 403)
        text = str(error)
        if isinstance(error, InvalidCode):
            text += f" {error.attempts_left} tries left."
        wait = error.retry_after
        headers = {"retry-after": str(wait)} if wait is not None else {}
        return PlainTextResponse(text, error.status, headers)

    return Starlette(
        routes=[
            Route("/ask", ask, methods=["POST"]),
            Route("/again", again, methods=["POST"]),
            Route("/enter", enter, methods=["POST"]),
            Route("/account", account),
            Route("/leave", leave, methods=["POST"]),
        ],
        middleware=[Middleware(SessionMiddleware, secret_key=session_key, https_only=True)],
        exception_handlers={ApiError: refused, PermissionError: refused},
    )
