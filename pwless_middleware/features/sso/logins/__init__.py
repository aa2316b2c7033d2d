"""A login at a provider: from the start page there and back, and whose account it opens."""
