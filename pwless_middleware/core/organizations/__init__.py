"""Organizations, their connections, and the policies that they ask of a login."""
