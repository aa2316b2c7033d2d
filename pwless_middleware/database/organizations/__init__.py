"""Organizations, and what is theirs: domains, members, invitations, connections."""
