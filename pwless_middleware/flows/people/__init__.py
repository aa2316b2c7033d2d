"""People and their accounts: found, changed, told of it, and deleted."""
