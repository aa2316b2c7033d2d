"""Challenges: their limits, their mail, and the one verifier of codes and links."""
