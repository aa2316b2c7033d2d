"""Operators: their roles, their API keys, and the delivery that they look after."""
