"""Requests to addresses that somebody typed (security rule 53)."""
