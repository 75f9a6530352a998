"""The HTTP API: which address answers what, and what every request goes through."""
