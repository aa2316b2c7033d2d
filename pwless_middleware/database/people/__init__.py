"""What is kept about people: themselves, their identities, and their addresses."""
