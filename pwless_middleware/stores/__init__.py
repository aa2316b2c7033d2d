"""Floor 3: where records are kept, and the few verbs that are atomic there."""
