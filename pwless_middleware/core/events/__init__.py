"""Events: what they say, how they are named, counted, kept and searched."""
