"""Operators, and what they make and set."""
