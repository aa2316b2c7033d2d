"""Keys, and what is computed from them."""
