"""How the demo's pages are made: templates, and the headers that each page carries."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from pwless_middleware import Outbox

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "strict-origin",
    "x-content-type-options": "nosniff",
}

_templates = Jinja2Templates(Path(__file__).parent / "templates")


def page(request: Request, name: str, *, status: int = 200, **context: object) -> Response:
    """Return a page of the demo; every template knows `user` and whether there is a mailbox."""
    own = {
        "user": request.state.user,
        "path": request.url.path,
        "has_mailbox": isinstance(request.app.state.passwordless.mailer, Outbox),
    }
    return _templates.TemplateResponse(
        request, name, {**own, **context}, status_code=status, headers=HEADERS
    )


def make_html(name: str, /, **context: object) -> str:
    """Return a page that is the same for everybody, who is signed in or not."""
    return _templates.get_template(name).render(context)
