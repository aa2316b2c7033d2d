"""Email addresses and their domains, and what changes an address."""
