"""An identity of the tenant, as a caller needs it to get tokens."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Identity:
    """An application or a person, and the form parameters with which it gets a token.

    An application's `client_id` is its own; a person's is that of `cli`, a client they sign in
    through.
    The two files are there for applications that have a certificate.
    """

    name: str
    kind: Literal["app", "user"]
    client_id: str
    object_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint: str
    grant: str
    scope: str
    client_secret: str | None = field(default=None, repr=False)
    certificate_file: str | None = None
    private_key_file: str | None = None
    username: str | None = None

    def form(self, scope: str) -> dict[str, str]:
        """The token request's body."""
        proof = (
            {"client_secret": self.client_secret}
            if self.client_secret is not None
            else {"username": self.username or ""}
        )
        return {"grant_type": self.grant, "client_id": self.client_id, "scope": scope, **proof}
