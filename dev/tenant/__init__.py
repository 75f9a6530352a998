"""A local stand-in for a Microsoft Entra ID tenant that issues v2.0 access tokens on loopback."""
