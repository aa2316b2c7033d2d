"""How things are named and written in a store."""
