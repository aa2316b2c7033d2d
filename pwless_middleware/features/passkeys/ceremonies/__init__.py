"""Ceremonies: a browser is asked for a passkey, and its one answer is checked."""
