"""Everything that a database holds, read from one and written to another, of whichever kind."""
