"""Shiny for Python: `App` is the ASGI object; sessions know the connection that opened them."""

from __future__ import annotations

from typing import Any

from shiny import App, Inputs, Outputs, render, ui

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options


def server(input: Inputs, output: Outputs, session: Any) -> None:
    """Greet the reader: the guide's recipe."""

    @render.text
    def greeting() -> str:
        return f"Hello, {session.http_conn.state.user.email}"


inner = App(ui.page_fluid(ui.output_text("greeting")), server)
app = PasswordlessMiddleware(inner, **options())
