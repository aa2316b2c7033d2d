"""For who has lost a second factor: recovery codes, and the reset."""
