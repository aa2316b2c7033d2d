"""Floor 2: records with their rules. Pure: `now` is an argument; no I/O, no clock, no async."""
