"""The local platform: real parts where they run anywhere, and stand-ins for the rest."""
