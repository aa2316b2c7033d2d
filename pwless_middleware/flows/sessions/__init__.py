"""Sessions: read on every request, validated, ended."""
