"""`pwless organizations` and `pwless explain`: customers, and whose rules a login goes by."""
