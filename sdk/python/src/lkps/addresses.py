"""Addresses below LKPS's API, from names and ids as people typed them."""

from urllib.parse import quote

from lkps.errors import ConfigurationError


def address(*path: str) -> str:
    """None of the segments leads anywhere else."""
    if any(segment in {"", ".", ".."} for segment in path):
        raise ConfigurationError("a name or an id must not be empty")
    return "/".join(quote(segment, safe=":") for segment in path)
