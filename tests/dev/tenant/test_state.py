"""The state directory keeps identities, keys and certificates, for their owner alone."""

import asyncio
import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from dev.tenant.certificates import keep_authority, keep_leaf
from dev.tenant.certified import CertifiedKey, keep, self_signed
from dev.tenant.description import Tenant
from dev.tenant.server import Options, running


def port(authority: str) -> int:
    return int(authority.rpartition(":")[2])


def contents(state: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in state.iterdir()}


async def test_identities_and_keys_survive_a_restart(state: Path) -> None:
    async with running(Options(state)) as first:
        kept = contents(state)
    async with running(
        Options(state, port(first.authority), port(first.authority_https))
    ) as second:
        assert second == first
        assert contents(state) == kept


async def test_a_directory_of_one_public_client_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "directory.json").write_text(json.dumps({"public_client_id": "kept"}))
    async with running(Options(tmp_path)) as tenant:
        assert tenant.public_clients["cli"] == "kept"
        assert tenant.public_clients["crm-frontend"] != "kept"


async def test_the_description_reads_back_as_written_and_is_there_while_it_runs(
    state: Path,
) -> None:
    async with running(Options(state)) as tenant:
        assert Tenant.load(state / "tenant.json") == tenant
    assert not (state / "tenant.json").exists()


@pytest.mark.usefixtures("tenant")
async def test_every_file_is_its_owners_alone(state: Path) -> None:
    modes = {name: (state / name).stat().st_mode & 0o777 for name in contents(state)}
    assert "tenant.json" in modes
    assert set(modes.values()) == {0o600}


async def test_two_directories_have_nothing_in_common(tenant: Tenant, tmp_path: Path) -> None:
    async with running(Options(tmp_path)) as other:
        theirs, ours = (
            {each.client_secret for each in seen.identities} - {None} for seen in (other, tenant)
        )
        assert len(theirs) == len(ours) == 9
        assert not theirs & ours
        assert not {*other.groups.values()} & {*tenant.groups.values()}
        assert other.tenant_id != tenant.tenant_id


async def test_the_description_hides_secrets_in_its_repr(tenant: Tenant) -> None:
    secret = tenant.identity("client").client_secret
    assert secret is not None
    assert secret not in repr(tenant)


def test_an_unknown_identity_is_a_key_error(tenant: Tenant) -> None:
    with pytest.raises(KeyError, match="mallory"):
        tenant.identity("mallory")


async def test_pythons_strict_verification_accepts_the_https_certificate(tenant: Tenant) -> None:
    trusting = ssl.create_default_context(cafile=tenant.ca_file)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("127.0.0.1", "localhost"):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port(tenant.authority_https), ssl=trusting, server_hostname=name
        )
        writer.close()
        await writer.wait_closed()


async def test_the_https_certificate_is_not_trusted_without_the_ca(tenant: Tenant) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", port(tenant.authority_https), ssl=ssl.create_default_context()
        )


def test_a_certificate_near_its_end_is_made_anew(tmp_path: Path) -> None:
    def kept(days: int) -> CertifiedKey:
        return keep(tmp_path, "x", lambda: self_signed("x", timedelta(days=days)), lambda _: True)

    ending = kept(days=29)
    renewed = kept(days=31)
    assert renewed.certificate != ending.certificate
    assert kept(days=31).certificate == renewed.certificate


def test_a_certificate_over_another_key_is_made_anew(tmp_path: Path) -> None:
    first = keep_authority(tmp_path)
    other = keep_leaf(tmp_path, first)
    (tmp_path / "ca.key").write_text(other.key_pem)
    renewed = keep_authority(tmp_path)
    assert renewed.certificate != first.certificate
    assert renewed.key.public_key() == renewed.certificate.public_key()


def test_a_new_ca_makes_a_new_leaf(tmp_path: Path) -> None:
    leaf = keep_leaf(tmp_path, keep_authority(tmp_path))
    assert keep_leaf(tmp_path, keep_authority(tmp_path)).certificate == leaf.certificate
    (tmp_path / "ca.pem").unlink()
    assert keep_leaf(tmp_path, keep_authority(tmp_path)).certificate != leaf.certificate
