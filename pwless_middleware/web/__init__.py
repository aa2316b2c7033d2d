"""Floor 5, the lowest that knows HTTP: what a feature gets and gives, and how requests are read."""
