"""Whether messages go out: what health, events and logs say of it."""
