"""Which authorities may vouch for callers, and how a tenant is named."""

import ipaddress
import re
from urllib.parse import urlsplit

GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
AUTHORITIES = (
    "https://login.microsoftonline.com",
    "https://login.microsoftonline.us",
    "https://login.partner.microsoftonline.cn",
)

_PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def check_authority(authority: str, environment: str) -> str:
    """Return the authority without a trailing slash, or raise ValueError saying what is allowed."""
    origin = authority.removesuffix("/")
    if origin in AUTHORITIES or (environment == "local" and _is_loopback(origin)):
        return origin
    allowed = ", ".join(AUTHORITIES)
    raise ValueError(f"must be one of {allowed}; in local also an origin on loopback")


def check_tenant_id(tenant_id: str) -> str:
    """Return the tenant's GUID in lower case, as tokens spell it, or raise ValueError.

    A domain name could pass to another tenant; `common`, `organizations` and `consumers`, also
    by its GUID, stand for anybody.
    """
    guid = tenant_id.lower()
    if not GUID.fullmatch(guid) or guid == _PERSONAL_ACCOUNTS:
        raise ValueError("must be the GUID of one organization's tenant")
    return guid


def _is_loopback(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_origin = parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" == origin
    return is_origin and "@" not in parts.netloc and _is_loopback_host(host)


def _is_loopback_host(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
