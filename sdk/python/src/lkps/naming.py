"""Naming: which session a room is for."""


def session_id_of(room_name: str, agent_name: str) -> str | None:
    """Of a room that LKPS made for the agent, `{installation}--{agent name}--{random}`."""
    _, _, session_id = room_name.partition("--")  # neither name has two hyphens in a row
    return session_id if session_id.startswith(f"{agent_name}--") else None
