"""A change of a person's address: asked for, confirmed from the new one, undone."""
