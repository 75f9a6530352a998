"""R14: a closed list of authorities, and tenants by GUID."""

import pytest

from lkps_core.identity import check_authority, check_tenant_id

CLOUDS = [
    "https://login.microsoftonline.com",
    "https://login.microsoftonline.us",
    "https://login.partner.microsoftonline.cn",
]
LOOPBACK = [
    "http://localhost:8400",
    "http://127.0.0.1:8400",
    "http://127.8.9.10",
    "http://[::1]:8400",
    "https://localhost",
]
FOREIGN = [
    "",
    "login.microsoftonline.com",
    "http://login.microsoftonline.com",
    "https://login.microsoftonline.com.evil.example",
    "https://login.microsoftonline.com:443",
    "https://login.microsoftonline.com//",
    "https://login.microsoftonline.com/common",
    "https://LOGIN.microsoftonline.com",
    "https://login.windows.net",
    "https://sts.windows.net",
    "https://evil.example",
    "http://10.0.0.1",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://user@localhost",
    "http://localhost@evil.example",
    "http://localhost:8400/path",
    "http://localhost?query",
    "http://localhost#fragment",
    "http://localhost:port",
    "http://local\thost",
    "http://[::1",
    "ftp://localhost",
    "//localhost",
]


@pytest.mark.parametrize("environment", ["local", "nonprod", "prod"])
@pytest.mark.parametrize("authority", CLOUDS)
def test_the_clouds_are_authorities_everywhere(authority: str, environment: str) -> None:
    assert check_authority(authority, environment) == authority
    assert check_authority(f"{authority}/", environment) == authority


@pytest.mark.parametrize("authority", LOOPBACK)
def test_loopback_is_an_authority_in_local_alone(authority: str) -> None:
    assert check_authority(authority, "local") == authority
    for environment in ("nonprod", "prod", "", "LOCAL"):
        with pytest.raises(ValueError, match="must be one of"):
            check_authority(authority, environment)


@pytest.mark.parametrize("environment", ["local", "prod"])
@pytest.mark.parametrize("authority", FOREIGN)
def test_nothing_else_is_an_authority(authority: str, environment: str) -> None:
    with pytest.raises(ValueError, match=r"login\.microsoftonline\.us"):
        check_authority(authority, environment)


def test_a_tenant_is_named_by_its_guid_in_lower_case() -> None:
    guid = "6F2C1D7E-4a3b-4c8d-9e0f-1a2b3c4d5e6f"
    assert check_tenant_id(guid) == guid.lower()


@pytest.mark.parametrize(
    "tenant",
    [
        "",
        "common",
        "organizations",
        "consumers",
        "9188040d-6c67-4c5b-b112-36a304b66dad",
        "contoso.onmicrosoft.com",
        "{6f2c1d7e-4a3b-4c8d-9e0f-1a2b3c4d5e6f}",
        "6f2c1d7e4a3b4c8d9e0f1a2b3c4d5e6f",
        "6f2c1d7e-4a3b-4c8d-9e0f-1a2b3c4d5e6f/",
        "6f2c1d7e-4a3b-4c8d-9e0f-1a2b3c4d5e6f\n",
    ],
)
def test_a_tenant_that_could_be_anybody_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="GUID of one organization"):
        check_tenant_id(tenant)
