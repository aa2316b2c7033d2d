"""Floor 4: the steps of a login, async over a store. No web, no Redis, no SMTP in here."""
