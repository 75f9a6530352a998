"""A local stand-in for a Microsoft Entra ID tenant: it signs people in and issues v2.0 tokens."""
