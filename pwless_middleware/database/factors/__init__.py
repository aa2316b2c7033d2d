"""What people prove themselves with, and what hangs on it."""
