"""A Flask app, WSGI, through a2wsgi; views read the user by a header that we write."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from a2wsgi import WSGIMiddleware
from flask import Flask, Response, redirect, request, session, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

go_on = threading.Event()
inner = Flask(__name__)
inner.secret_key = "flask's own secret"


def reader() -> str:
    """Return who is signed in: the guide's recipe. Inbound headers of the name are dropped."""
    return request.headers.get("Remote-User", "")


@inner.get("/")
def site() -> str:
    """Greet, and count in Flask's own session."""
    session["visits"] = session.get("visits", 0) + 1
    return f"{reader()} {session['visits']}"


@inner.get("/hello")
def hello() -> dict[str, str]:
    """Greet with what the query says."""
    state = request.environ["asgi.scope"]["state"] if "asgi.scope" in request.environ else {}
    return {
        "says": f"{request.args['greeting']}, {reader()}",
        "state": state["user"].email if state else "",
    }


@inner.get("/old")
def old() -> WerkzeugResponse:
    """Redirect by name."""
    return redirect(url_for("hello", greeting="again"))


@inner.get("/set-cookie")
def set_cookie() -> Response:
    """Set a cookie of the app's own."""
    response = Response("set")
    response.set_cookie("own", "of-the-app")
    return response


@inner.get("/cookies")
def cookies() -> dict[str, str]:
    """Show which cookies reach the app."""
    return dict(request.cookies)


@inner.post("/upload")
def upload() -> str:
    """Count an upload."""
    return str(len(request.files["file"].read()))


@inner.get("/stream")
def stream() -> Response:
    """Stream two lines, the second after `/go-on`."""

    def pieces() -> Iterator[bytes]:
        go_on.clear()
        yield b"first\n"
        assert go_on.wait(30)
        yield b"second\n"

    return Response(pieces(), content_type="text/plain")


@inner.get("/go-on")
def release() -> str:
    """Let the stream go on."""
    go_on.set()
    return "gone on"


app = PasswordlessMiddleware(
    WSGIMiddleware(inner),  # type: ignore[arg-type,unused-ignore]  # a2wsgi's types, if installed
    **options(identity_header="Remote-User"),
)
