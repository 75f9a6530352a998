"""A double of one Entra tenant over https: OpenID metadata and client credentials, for MSAL."""

import base64
import json
import ssl
import threading
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
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


def token(**claims: object) -> str:
    """An access token with these claims, under a signature of nobody."""
    parts = ({"alg": "RS256"}, claims, "signature")
    encoded = (base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts)
    return ".".join(one.rstrip("=") for one in encoded)


type Answer = tuple[int, object]


def refused(code: int, error: str = "invalid_client", status: int = 401) -> Answer:
    """As Entra refuses, with words that nobody is to read."""
    said = f"AADSTS{code}: Words of Entra.\r\nTrace ID: 0"
    return status, {"error": error, "error_description": said, "error_codes": [code]}


class TenantDouble:
    """Issues opaque access tokens, kept in `issued`; `requests` are the token requests it saw.

    `tokens` are issued before, and `answers` given before it issues any. Its clock is `ahead` of
    this machine's. `without_metadata` is the status that its OpenID metadata has instead of 200.
    Tokens of less than five minutes are asked for before every call.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self.tokens: list[str] = []
        self.answers: list[Answer] = []
        self.ahead = timedelta()
        self.without_metadata = 0
        self.valid_seconds = 3600
        self.authorizations: list[str | None] = []
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

    def issue(self, form: dict[str, str]) -> Answer:
        self.requests.append(form)
        if self.answers:
            return self.answers.pop(0)
        if form.get("client_secret") != CLIENT_SECRET and "client_assertion" not in form:
            problem = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0"
            return 401, {"error": "invalid_client", "error_description": problem}
        self.issued.append(self.tokens.pop(0) if self.tokens else f"access-token-{uuid.uuid4()}")
        return 200, {
            "token_type": "Bearer",
            "expires_in": self.valid_seconds,
            "access_token": self.issued[-1],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tenant = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tenant.authorizations.append(self.headers["Authorization"])
                self._answer(tenant.without_metadata or 200, tenant.metadata())

            def do_POST(self) -> None:
                tenant.authorizations.append(self.headers["Authorization"])
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*tenant.issue(dict(parse_qsl(body))))

            def date_time_string(self, timestamp: float | None = None) -> str:
                return format_datetime(datetime.now(UTC) + tenant.ahead, usegmt=True)

            def log_message(self, *_: object) -> None:
                """Silent."""

            def _answer(self, status: int, body: object) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                text = body if isinstance(body, str) else json.dumps(body)
                self.wfile.write(text.encode())

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
