"""Who a request is from: a person with a session, or a server with a key."""
