"""Passkeys: sign in by a touch, after the first mail; by pages, JSON and Python over one flow."""
