"""How results and errors are told: as pages, as JSON, in words."""
