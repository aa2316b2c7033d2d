"""Codes by text message, to a phone number that a person has confirmed."""
