"""Passwordless login for any ASGI app, in one line."""

__version__ = "0.1.0"
