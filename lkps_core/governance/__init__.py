"""Governance: what owners and admins change about who may call whom, and ask about it."""
