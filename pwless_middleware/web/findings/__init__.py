"""What would go wrong in production, as `pwless check` and the dashboard tell it."""
