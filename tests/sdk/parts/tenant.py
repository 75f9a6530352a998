"""A double of one Entra tenant over https: OpenID metadata and client credentials, for MSAL."""

import json
import ssl
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

TENANT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_ID = "66666666-7777-4888-8999-aaaaaaaaaaaa"
CLIENT_SECRET = "the-client-secret-of-the-tests"


class TenantDouble:
    """Issues opaque access tokens, kept in `issued`; `requests` are the token requests it saw."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self.issued: list[str] = []
        self.requests: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = make_server_certificate(folder, self.ca_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def authority(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def metadata(self) -> dict[str, str]:
        tenant = f"{self.authority}/{TENANT_ID}"
        return {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
            "jwks_uri": f"{tenant}/discovery/v2.0/keys",
        }

    def issue(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.requests.append(form)
        if form.get("client_secret") != CLIENT_SECRET and "client_assertion" not in form:
            problem = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0"
            return 401, {"error": "invalid_client", "error_description": problem}
        self.issued.append(f"access-token-{uuid.uuid4()}")
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": self.issued[-1]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tenant = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, tenant.metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*tenant.issue(dict(parse_qsl(body))))

            def log_message(self, *_: object) -> None:
                """Silent."""

            def _answer(self, status: int, body: object) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

        return Handler


def make_server_certificate(folder: Path, ca_file: Path) -> ssl.SSLContext:
    """A CA of the test's own, and a certificate of it for 127.0.0.1."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = self_signed(ca_key)
    leaf = _certificate("127.0.0.1", key, (ca_key, ca))
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    own = folder / "server.pem"
    own.write_bytes(to_pem(key) + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own)
    return context


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Signer = tuple[Key, x509.Certificate]


def self_signed(key: Key) -> x509.Certificate:
    return _certificate("made by the tests", key, None)


def _certificate(name: str, key: Key, signer: Signer | None) -> x509.Certificate:
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
    return builder.sign(signer_key, hashes.SHA256())


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


def to_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
