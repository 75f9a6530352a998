"""LKPS: an Entra ID identity in, a decision, a scoped LiveKit token and an audit row out."""

__version__ = "0.1.0"
