"""Doubles of the repositories for tests: in memory, held to the contracts of the real ones."""
