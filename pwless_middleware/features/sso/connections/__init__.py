"""A connection to a provider: entered, checked at the provider, and tested by a whole login."""
