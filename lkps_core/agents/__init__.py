"""Agents: their names, whose they are, and which instances are online."""
