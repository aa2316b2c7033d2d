"""marimo: `create_asgi_app` serves notebooks; they see the user of the scope."""

from __future__ import annotations

from pathlib import Path

import marimo

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

notebook = Path(__file__).parent / "marimo_notebook.py"
inner = marimo.create_asgi_app().with_app(path="", root=str(notebook)).build()
app = PasswordlessMiddleware(inner, **options())
