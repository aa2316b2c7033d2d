"""`pwless check`: what would go wrong in production, found one kind of thing at a time."""
