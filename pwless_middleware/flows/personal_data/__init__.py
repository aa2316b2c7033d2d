"""What is kept about a person, of each kind: exported, and erased."""
