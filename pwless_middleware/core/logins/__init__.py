"""What a login is made of: who asks, what was proven, and the session that comes of it."""
