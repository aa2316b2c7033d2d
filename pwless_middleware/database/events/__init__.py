"""Events: written, counted, searched, and told as attempts."""
