"""Sessions: start, look up, end."""
