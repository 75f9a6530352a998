"""Certificates: the stand-in's own small CA, its https leaf, and the applications' credentials."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from dev.tenant.certified import CertifiedKey, begin, keep, named, self_signed

LOOPBACK = ("127.0.0.1", "::1")
CA_LIFE = timedelta(days=730)
LIFE = timedelta(days=365)


def keep_authority(state: Path) -> CertifiedKey:
    """The CA of `state`, in `ca.pem` and `ca.key`."""
    return keep(state, "ca", _make_authority, lambda _: True)


def keep_leaf(state: Path, authority: CertifiedKey) -> CertifiedKey:
    """The https certificate of `state`, in `leaf.pem` and `leaf.key`; a new CA means a new leaf."""

    def issued_by_authority(leaf: CertifiedKey) -> bool:
        try:
            leaf.certificate.verify_directly_issued_by(authority.certificate)
        except (ValueError, InvalidSignature):
            return False
        return True

    return keep(state, "leaf", lambda: _make_leaf(authority), issued_by_authority)


def keep_credential(state: Path, name: str) -> CertifiedKey:
    """An application's self-signed credential, in `{name}.pem` and `{name}.key`."""
    return keep(state, name, lambda: self_signed(name, LIFE), lambda _: True)


def _make_authority() -> CertifiedKey:
    key = ec.generate_private_key(ec.SECP256R1())
    name = named("LKPS local tenant CA")
    usage = _key_usage(digital_signature=False, key_cert_sign=True)
    certificate = (
        begin(name, name, key, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return CertifiedKey(key, certificate)


def _make_leaf(authority: CertifiedKey) -> CertifiedKey:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    hosts = [x509.IPAddress(ip_address(host)) for host in LOOPBACK]
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), *hosts])
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    # VERIFY_X509_STRICT, the default from Python 3.13 on, wants the issuer's key named here.
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
    certificate = (
        begin(named("LKPS local tenant"), issuer.subject, key, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True, key_cert_sign=False), critical=True)
        .add_extension(purpose, critical=False)
        .add_extension(names, critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return CertifiedKey(key, certificate)


def _key_usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )
