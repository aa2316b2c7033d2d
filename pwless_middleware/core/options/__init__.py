"""Options: known, checked, and told apart from their defaults."""
