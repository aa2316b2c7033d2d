"""Text messages: the gateways that send them, and what they report of them."""
