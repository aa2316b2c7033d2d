"""NiceGUI: `ui.run_with` puts its pages into a FastAPI app, and that is what is wrapped."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import ui

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options


@ui.page("/")
def site() -> None:
    """Greet the reader: the guide's recipe."""
    request = ui.context.client.request
    ui.label(f"Hello, {request.state.user.email}")


inner = FastAPI()
ui.run_with(inner, storage_secret="a secret of NiceGUI's own, for tests")
app = PasswordlessMiddleware(inner, **options())
