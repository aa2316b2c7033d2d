"""Challenges, the codes and tokens that answer them, and how often anybody may try."""
