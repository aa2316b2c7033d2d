"""Authenticator apps: one-time passwords by time."""
