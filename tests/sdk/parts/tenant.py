"""A double of one Entra tenant over https: OpenID metadata and client credentials, as MSAL asks for them."""

import ssl
import uuid
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_ID = "66666666-7777-4888-8999-aaaaaaaaaaaa"
CLIENT_SECRET = "the-client-secret-of-the-tests"


class TenantDouble:
    """Issues opaque access tokens, kept in `issued`; `requests` are the token requests it saw."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner: web.AppRunner | None = None
        self.issued: list[str] = []
        self.requests: list[dict[str, str]] = []

    @property
    def ca_file(self) -> Path:
        return self._folder / "ca.pem"

    @property
    def authority(self) -> str:
        if self._runner is None:
            raise RuntimeError("the tenant is not started")
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get(f"/{TENANT_ID}/v2.0/.well-known/openid-configuration", self._metadata)
        app.router.add_post(f"/{TENANT_ID}/oauth2/v2.0/token", self._token)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        context = make_server_certificate(self._folder, self.ca_file)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metadata(self, _: web.Request) -> web.Response:
        tenant = f"{self.authority}/{TENANT_ID}"
        return web.json_response(
            {
                "issuer": f"{tenant}/v2.0",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{tenant}/discovery/v2.0/keys",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(form)
        if form.get("client_secret") != CLIENT_SECRET and "client_assertion" not in form:
            problem = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0"
            return web.json_response(
                {"error": "invalid_client", "error_description": problem}, status=401
            )
        self.issued.append(f"access-token-{uuid.uuid4()}")
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3600, "access_token": self.issued[-1]}
        )


def make_server_certificate(folder: Path, ca_file: Path) -> ssl.SSLContext:
    """A CA of the test's own, and a certificate of it for 127.0.0.1."""
    ca_key, ca = _certificate("a CA of the tests", None)
    key, leaf = _certificate("127.0.0.1", (ca_key, ca))
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    own = folder / "server.pem"
    own.write_bytes(_pem(key) + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own)
    return context


Signer = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(name: str, signer: Signer | None) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer_key = signer[0] if signer else key
    public = signer_key.public_key()
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[1].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(_usage(is_ca=signer is None), critical=True)
    )
    if signer is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(signer_key, hashes.SHA256())


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
