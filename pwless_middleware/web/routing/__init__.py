"""Our own paths, what answers them, and the document that describes them."""
