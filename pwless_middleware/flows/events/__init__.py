"""Events: recorded on the path of a request; told, written and logged behind it."""
