"""The demo's pages. None of them knows how people sign in: they read `request.state.user`."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from demo_app.views import page

_HERE = Path(__file__).parent

NOTES = (
    (
        "codes",
        "Codes",
        "Six digits, good for five minutes and five tries.",
    ),
    ("links", "Links", "A link works once, and only in the browser that asked for it."),
    (
        "sessions",
        "Sessions",
        "Seven days without use, thirty in all. End one, or all.",
    ),
)
"""Topic, title and text of each note; private, so that there is something to sign in for."""

SNIPPETS = ("pages.py", "server.py", "server.sh", "in_python.py", "../static/spa.js")


async def home(request: Request) -> Response:
    """Show the public page."""
    has_organizations = request.app.state.passwordless.database is not None
    return page(request, "home.html", has_organizations=has_organizations)


async def dashboard(request: Request) -> Response:
    """Greet who has signed in."""
    has_factors = request.app.state.passwordless.database is not None
    session = request.state.session
    organization = request.state.organization
    return page(
        request,
        "dashboard.html",
        session=session,
        has_factors=has_factors,
        organization=organization,
    )


async def notes(request: Request) -> Response:
    """Show private notes; `about` in the query narrows them, and survives a login."""
    about = request.query_params.get("about", "")
    chosen = [note for note in NOTES if about in ("", note[0])]
    return page(request, "notes.html", notes=chosen, about=about, topics=NOTES)


async def echo(request: Request) -> Response:
    """Show the page that talks to `socket`."""
    return page(request, "echo.html")


async def socket(websocket: WebSocket) -> None:
    """Say everything back, and who said it. Nobody gets here without a login."""
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"from": websocket.state.user.email, "text": text[:500]})
    except WebSocketDisconnect:
        return


async def not_found(request: Request, error: Exception) -> Response:
    """Answer for a path that is none; who is not signed in was sent to the login before."""
    return page(request, "not_found.html", status=404)


async def spa(request: Request) -> Response:
    """Serve a front end of its own: HTML and a script, by the JSON API alone."""
    has_passkeys = request.app.state.passwordless.database is not None
    return page(request, "spa.html", has_passkeys=has_passkeys)


async def magic(request: Request) -> Response:
    """Be the page that a backend names as `magiclink_auth_uri`: hand the token on to it.

    Opening it spends nothing. A page of yours posts the token to your backend, which verifies it
    with the `auth_request_id` that it has kept for this browser.
    """
    return page(request, "magic.html", token=request.query_params.get("link_token", ""))


async def ways(request: Request) -> Response:
    """Show the ways to sign people in, as the code that runs here and in the tests."""
    code = {Path(name).name: (_HERE / "ways" / name).read_text() for name in SNIPPETS}
    return page(request, "ways.html", code=code)
