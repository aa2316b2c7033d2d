"""Second factors: authenticator apps, text messages, recovery codes, trusted browsers."""
