"""Streamlit: `streamlit.starlette.App` is the ASGI object; scripts see headers alone."""

from __future__ import annotations

from pathlib import Path

from streamlit.starlette import App

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

inner = App(Path(__file__).parent / "streamlit_script.py")
app = PasswordlessMiddleware(inner, **options(identity_header="Remote-User"))
