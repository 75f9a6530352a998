"""The demonstration: an agent and a client that never saw a LiveKit key meet and talk."""
