"""A private key with the certificate over it, made in a state directory and kept there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from dev.tenant.state import write_private

type PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

RENEWED_BEFORE_END = timedelta(days=30)


@dataclass(frozen=True, slots=True, repr=False)
class CertifiedKey:
    """A private key and the certificate over its public half."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @classmethod
    def from_pem(cls, key_pem: str, certificate_pem: str) -> Self:
        # Unchecked because the file is our own: the check takes longer than the rest of a start.
        key = serialization.load_pem_private_key(
            key_pem.encode(), None, unsafe_skip_rsa_key_validation=True
        )
        return cls(
            cast("PrivateKey", key), x509.load_pem_x509_certificate(certificate_pem.encode())
        )


def keep(
    state: Path, name: str, make: Callable[[], CertifiedKey], fits: Callable[[CertifiedKey], bool]
) -> CertifiedKey:
    """The pair in `{name}.key` and `{name}.pem`, made anew when near its end or unfit."""
    key_file, certificate_file = state / f"{name}.key", state / f"{name}.pem"
    if key_file.exists() and certificate_file.exists():
        kept = CertifiedKey.from_pem(key_file.read_text(), certificate_file.read_text())
        if _is_fresh(kept) and _belongs_together(kept) and fits(kept):
            return kept
    made = make()
    write_private(key_file, made.key_pem)
    write_private(certificate_file, made.certificate_pem)
    return made


def _is_fresh(kept: CertifiedKey) -> bool:
    return kept.certificate.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE_END


def _belongs_together(kept: CertifiedKey) -> bool:
    return kept.key.public_key() == kept.certificate.public_key()


def self_signed(common_name: str, life: timedelta) -> CertifiedKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = named(common_name)
    certificate = begin(name, name, key, life).sign(key, hashes.SHA256())
    return CertifiedKey(key, certificate)


def begin(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    """What every certificate here has; the caller adds extensions and signs."""
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + life)
        .add_extension(identifier, critical=False)
    )


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
