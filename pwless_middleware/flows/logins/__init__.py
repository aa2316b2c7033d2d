"""The one door, and what stands in front of it: proofs, rules, steps, pending logins."""
