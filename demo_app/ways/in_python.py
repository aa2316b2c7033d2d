"""Your own form, no HTTP between: `Passwordless.send` and `.verify`. This one is at /own-form."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from demo_app.views import page
from pwless_middleware import ApiError, Passwordless

COOKIE = "own-form"  # holds the auth_request_id, so that the code works in this browser only


async def form(request: Request) -> Response:
    """Ask for the address, then for the code, then sign the browser in."""
    login: Passwordless = request.app.state.passwordless
    request_id = request.cookies.get(COOKIE) or "none"
    if request.method == "GET":
        return page(request, "own_form.html", waiting=COOKIE in request.cookies, error="")
    if request.headers.get("origin") != login.origin.origin:  # your own CSRF rule goes here
        return page(request, "own_form.html", status=403, waiting=False, error="Not from here.")
    fields = {key: values[-1] for key, values in parse_qs((await request.body()).decode()).items()}
    client = request.client.host if request.client else None
    answer: Response = RedirectResponse("/own-form", 303)
    try:
        if "email" in fields:
            agent = request.headers.get("user-agent")
            sent = await login.send(fields["email"], client=client, user_agent=agent)
            answer.set_cookie(COOKIE, sent.auth_request_id, httponly=True, samesite="lax")
            return answer
        if "code" in fields:
            done = await login.verify(
                auth_request_id=request_id,
                code=fields["code"],
                client=client,
                ends=request.state.session,
            )
            answer = RedirectResponse("/dashboard", 303)
            answer.headers.append("set-cookie", done.set_cookie)
    except ApiError as error:
        waiting = "code" in fields and error.status == 400  # wrong, and there are tries left
        answer = page(
            request, "own_form.html", status=error.status, waiting=waiting, error=str(error)
        )
        if waiting:
            return answer
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer
