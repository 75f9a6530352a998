"""The routes of the stand-in's two listeners."""

from aiohttp import web

from dev.tenant.authorize import Authorize
from dev.tenant.controls import Controls
from dev.tenant.description import Tenant
from dev.tenant.device_authorization import DeviceAuthorization
from dev.tenant.endpoints import Endpoints
from dev.tenant.grants import Grants


def plain_routes(tenant: Tenant, grants: Grants) -> list[web.RouteDef]:
    """Those of the http listener: the secure one's, and the controls."""
    return [*_routes(tenant.authority, grants), *Controls(grants.issuer).routes()]


def secure_routes(tenant: Tenant, grants: Grants) -> list[web.RouteDef]:
    return _routes(tenant.authority_https, grants)


def _routes(authority: str, grants: Grants) -> list[web.RouteDef]:
    """Where an answer has an address, it is the listener's own."""
    directory, people = grants.issuer.directory, grants.people
    return [
        *Endpoints(authority, grants).routes(),
        *Authorize(directory, people.codes).routes(),
        *DeviceAuthorization(authority, directory, people.devices).routes(),
    ]
