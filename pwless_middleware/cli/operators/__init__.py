"""`pwless operator`, `pwless keys` and `pwless settings`: who operates, and what holds."""
