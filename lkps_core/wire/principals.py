"""Principals in bodies, and who the caller is taken for."""

from pydantic import Field

from lkps_core.wire.bodies import Answer, Body, Guid


class PrincipalBody(Body):
    tid: Guid
    oid: Guid


class PrincipalAnswer(Answer):
    tid: str
    oid: str


class WhoAmI(Answer):
    kind: str = Field(description="`app` or `user`.")
    tid: str
    oid: str
    client_app_id: str
    permissions: list[str] = Field(description="The app roles or scopes that count.")
    groups: list[str] = Field(description="Entra groups named in the access token.")
    groups_overage: bool = Field(description="The token has too many groups to name them.")
    environment: str
    installation: str
    version: str = Field(description="LKPS's own.")
    livekit_url: str = Field(description="Where agents and clients reach LiveKit.")
