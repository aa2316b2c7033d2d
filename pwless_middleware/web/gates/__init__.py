"""The gates: in front of the app, of what needs a fresh proof, and of the dashboard."""
