"""A small real app behind the login, to visit in a browser: `python -m demo_app`."""
