"""The commands, a module for each of their subjects."""
