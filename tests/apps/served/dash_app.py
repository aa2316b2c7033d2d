"""Dash: its server is Flask's, which reads the address from a header."""

from __future__ import annotations

from a2wsgi import WSGIMiddleware
from dash import Dash, html
from flask import has_request_context, request

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options


def layout() -> html.Div:
    """Greet the reader: the guide's recipe."""
    if not has_request_context():  # Dash asks once as it starts
        return html.Div()
    return html.Div(f"Hello, {request.headers['Remote-User']}")


board = Dash(__name__)
board.layout = layout
app = PasswordlessMiddleware(WSGIMiddleware(board.server), **options(identity_header="Remote-User"))
