"""Signals between processes, and what is held of the database while they vouch for it."""
