"""The CheckpointSigner port: in memory, in a file, and in a vault over real HTTP, the same."""

import asyncio
import base64
import json
import logging
import multiprocessing
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from lkps_core.adapters.checkpoints import FileKey, VaultKey, vault_key
from lkps_core.adapters.memory_trail import MemoryKey
from lkps_core.errors import SigningUnavailable, StorageUnavailable
from lkps_core.lazy import LazySigner
from lkps_core.ports import CheckpointSigner
from lkps_core.settings import Settings
from tests.builders.lkps import ENVIRONMENT

TEXT = "gateway.example/lkps\n1\né\n".encode()
TOKEN = "token-of-the-managed-identity"
VERSION = "0123456789abcdef0123456789abcdef"

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def base64url(decoded: bytes) -> str:
    return base64.urlsafe_b64encode(decoded).decode().rstrip("=")


class Vault:
    """Key Vault's two operations (its REST reference, "Get Key" and "Sign"), until told other."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.asked: list[web.Request] = []
        self.bodies: list[dict[str, str]] = []
        self.answers: dict[str, Handler] = {"GET": self.key, "POST": self.sign}
        self.key_id = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.query == {"api-version": "7.4"}
        return await self.answers[request.method](request)

    async def key(self, _: web.Request) -> web.Response:
        return web.json_response({"key": self.jwk, "attributes": {"enabled": True}})

    async def sign(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        digest = base64.urlsafe_b64decode(body["value"] + "=")
        der = self.private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        halves = [half.to_bytes(32) for half in utils.decode_dss_signature(der)]
        return web.json_response({"kid": self.key_id, "value": base64url(b"".join(halves))})

    @property
    def jwk(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        return {
            "kid": self.key_id,
            "kty": "EC",
            "crv": "P-256",
            "key_ops": ["sign", "verify"],
            "x": base64url(numbers.x.to_bytes(32)),
            "y": base64url(numbers.y.to_bytes(32)),
        }


class Identity:
    """A managed identity, which may be `down`."""

    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []
        self.down = False
        self.closed = False

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        if self.down:
            raise StorageUnavailable(reason="the managed identity did not answer")
        self.scopes.append(scopes)
        return AccessToken(TOKEN, int(time.time()) + 3600)

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    vault = Vault()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", vault.handle)
    async with TestServer(app) as server:
        vault.key_id = str(server.make_url(f"/keys/checkpoints/{VERSION}"))
        yield vault


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
async def in_vault(vault: Vault, identity: Identity) -> AsyncIterator[VaultKey]:
    signer = VaultKey(vault.key_id, identity)
    yield signer
    await signer.close()


@pytest.fixture(params=["memory", "file", "vault"])
def signer(request: pytest.FixtureRequest, tmp_path: Path, in_vault: VaultKey) -> CheckpointSigner:
    signers: dict[str, CheckpointSigner] = {
        "memory": MemoryKey(),
        "file": FileKey(str(tmp_path / "key.pem")),
        "vault": in_vault,
    }
    return signers[request.param]


def verify(public_key: bytes, text: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless the key's owner signed the text."""
    key = load_der_public_key(public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, text, ec.ECDSA(hashes.SHA256()))


async def test_a_signature_holds_for_its_text_and_for_no_other(signer: CheckpointSigner) -> None:
    signature = await signer.sign(TEXT)
    verify(await signer.public_key(), TEXT, signature)
    with pytest.raises(InvalidSignature):
        verify(await signer.public_key(), TEXT + b"\n", signature)


async def test_many_signatures_hold_whatever_their_numbers_length(signer: CheckpointSigner) -> None:
    public_key = await signer.public_key()
    for number in range(100):
        text = str(number).encode()
        verify(public_key, text, await signer.sign(text))


async def test_the_key_stays_the_same(signer: CheckpointSigner) -> None:
    keys = await asyncio.gather(*(signer.public_key() for _ in range(5)))
    assert len({*keys, await signer.public_key()}) == 1


async def test_the_public_key_is_over_p256(signer: CheckpointSigner) -> None:
    key = load_der_public_key(await signer.public_key())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)


async def test_in_memory_the_key_can_be_down() -> None:
    signer = MemoryKey()
    signer.down = True
    with pytest.raises(SigningUnavailable):
        await signer.sign(TEXT)


def public_key_of_file(path: str) -> bytes:
    return asyncio.run(FileKey(path).public_key())


class TestInFile:
    """What only a file has: others that read it, and a content that may be anything."""

    def test_it_is_made_when_it_is_needed_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "folder" / "key.pem"
        signer = FileKey(str(path))
        assert not path.parent.exists()
        asyncio.run(signer.public_key())
        assert [one.name for one in path.parent.iterdir()] == ["key.pem"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    async def test_the_next_process_has_the_same_key(self, tmp_path: Path) -> None:
        path = str(tmp_path / "key.pem")
        signature = await FileKey(path).sign(TEXT)
        verify(await FileKey(path).public_key(), TEXT, signature)

    async def test_many_at_once_make_one_key(self, tmp_path: Path) -> None:
        signers = [FileKey(str(tmp_path / "key.pem")) for _ in range(30)]
        assert len(set(await asyncio.gather(*(one.public_key() for one in signers)))) == 1

    def test_processes_at_once_make_one_key(self, tmp_path: Path) -> None:
        path = str(tmp_path / "key.pem")
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            assert len(set(pool.map(public_key_of_file, [path] * 8, chunksize=1))) == 1
        assert [one.name for one in tmp_path.iterdir()] == ["key.pem"]

    @pytest.mark.parametrize(
        "kind", ["empty", "noise", "another curve", "Ed25519", "RSA", "encrypted"]
    )
    async def test_a_file_that_has_no_such_key_is_unavailable_and_left_as_it_is(
        self, tmp_path: Path, kind: str
    ) -> None:
        p256 = ec.generate_private_key(ec.SECP256R1())
        path, form = tmp_path / "key.pem", (Encoding.PEM, PrivateFormat.PKCS8)
        other_curve = ec.generate_private_key(ec.SECP384R1())
        contents = {
            "empty": b"",
            "noise": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "another curve": other_curve.private_bytes(*form, NoEncryption()),
            "Ed25519": ed25519.Ed25519PrivateKey.generate().private_bytes(*form, NoEncryption()),
            "RSA": rsa.generate_private_key(65537, 2048).private_bytes(*form, NoEncryption()),
            "encrypted": p256.private_bytes(*form, BestAvailableEncryption(b"secret")),
        }
        path.write_bytes(contents[kind])
        with pytest.raises(SigningUnavailable) as refused:
            await FileKey(str(path)).sign(TEXT)
        assert refused.value.reason == "the key's file cannot be used"
        assert path.read_bytes() == contents[kind]

    async def test_a_place_where_no_file_can_be_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(SigningUnavailable):
            await FileKey(str(tmp_path / "file" / "key.pem")).public_key()

    async def test_a_key_that_could_not_be_read_is_read_once_it_can_be(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "key.pem").touch()
        signer = FileKey(str(tmp_path / "key.pem"))
        with pytest.raises(SigningUnavailable):
            await signer.sign(TEXT)
        (tmp_path / "key.pem").unlink()
        verify(await signer.public_key(), TEXT, await signer.sign(TEXT))


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(5)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


async def hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect("/elsewhere")


def answering(answer: object, status: int = 200) -> Handler:
    async def answered(_: web.Request) -> web.Response:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return web.Response(status=status, text=text, content_type="application/json")

    return answered


async def page(_: web.Request) -> web.Response:
    return web.Response(text=f"<html>{TOKEN}</html>", content_type="text/html")


MISBEHAVIOUR: dict[str, tuple[Handler, str]] = {
    "hangs": (hang, "the vault did not answer in time"),
    "drips": (drip, "the vault did not answer in time"),
    "hangs up": (hang_up, "the vault cannot be reached"),
    "redirects": (redirect, "the vault answered 307"),
    "forbids": (answering({"error": {"code": "Forbidden", "message": TOKEN}}, 403), "403"),
    "throttles": (answering({}, 429), "the vault answered 429"),
    "fails": (answering({}, 500), "the vault answered 500"),
    "shows a page": (page, "the vault cannot be reached"),
    "sends no JSON": (answering("{"), "the vault's answer is not JSON"),
    "sends an array": (answering([]), ""),
    "sends null": (answering("null"), ""),
    "sends an empty object": (answering({}), ""),
    "sends null for a value": (answering({"key": None, "value": None}), ""),
    "sends a short value": (answering({"key": "AAAA", "value": "AAAA"}), ""),
    "sends a long value": (answering({"key": "A" * 88, "value": "A" * 88}), ""),
    "sends a number": (answering({"key": 1, "value": 1}), ""),
}

CALLS: dict[str, Callable[[CheckpointSigner], Awaitable[bytes]]] = {
    "GET": lambda signer: signer.public_key(),
    "POST": lambda signer: signer.sign(TEXT),
}


class TestInVault:
    """What only a vault has: a wire, and a key that may be any key."""

    async def test_nothing_is_asked_before_the_key_is_needed(
        self, vault: Vault, in_vault: VaultKey, identity: Identity
    ) -> None:
        assert vault.asked == []
        assert identity.scopes == []

    async def test_a_signature_is_of_the_hash_and_the_text_stays_here(
        self, vault: Vault, in_vault: VaultKey
    ) -> None:
        await in_vault.sign(TEXT)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(TEXT)
        assert vault.bodies == [{"alg": "ES256", "value": base64url(digest.finalize())}]
        assert [(one.method, one.path) for one in vault.asked] == [
            ("POST", f"/keys/checkpoints/{VERSION}/sign")
        ]

    async def test_the_public_key_is_asked_for_once(self, vault: Vault, in_vault: VaultKey) -> None:
        for _ in range(3):
            await in_vault.public_key()
        assert [one.path for one in vault.asked] == [f"/keys/checkpoints/{VERSION}"]

    async def test_a_token_is_for_the_vault_and_asked_for_once(
        self, in_vault: VaultKey, identity: Identity
    ) -> None:
        await in_vault.public_key()
        await in_vault.sign(TEXT)
        assert identity.scopes == [("https://vault.azure.net/.default",)]

    async def test_a_key_in_hardware_is_one_too(self, vault: Vault, in_vault: VaultKey) -> None:
        vault.answers["GET"] = answering({"key": vault.jwk | {"kty": "EC-HSM"}})
        verify(await in_vault.public_key(), TEXT, await in_vault.sign(TEXT))

    @pytest.mark.parametrize(
        "changes",
        [
            {"kty": "RSA"},
            {"crv": "P-384"},
            {"crv": "P-256K"},
            {"crv": None},
            {"x": "AAAA"},
            {"x": "!"},
            {"x": ""},
            {"y": None},
            {"y": base64url(b"\xff" * 32)},
        ],
    )
    async def test_a_key_of_another_kind_is_unavailable(
        self, vault: Vault, in_vault: VaultKey, changes: dict[str, object]
    ) -> None:
        vault.answers["GET"] = answering({"key": vault.jwk | changes})
        with pytest.raises(SigningUnavailable) as refused:
            await in_vault.public_key()
        assert refused.value.reason == "the vault's key is none over P-256"

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize(("handler", "reason"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
    async def test_a_vault_that_misbehaves_is_unavailable_and_then_again_there(
        self,
        vault: Vault,
        in_vault: VaultKey,
        monkeypatch: pytest.MonkeyPatch,
        call: str,
        handler: Handler,
        reason: str,
    ) -> None:
        monkeypatch.setattr(vault_key, "CALL_SECONDS", 0.3)
        right, vault.answers[call] = vault.answers[call], handler
        began = time.monotonic()
        with pytest.raises(SigningUnavailable) as refused:
            await CALLS[call](in_vault)
        assert time.monotonic() - began < 2
        assert reason in refused.value.reason
        assert TOKEN not in refused.value.reason
        assert "/elsewhere" not in {one.path for one in vault.asked}
        vault.answers[call] = right
        assert await CALLS[call](in_vault)

    @pytest.mark.parametrize("call", CALLS)
    async def test_an_identity_that_does_not_answer_is_unavailable(
        self, in_vault: VaultKey, identity: Identity, call: str
    ) -> None:
        identity.down = True
        with pytest.raises(SigningUnavailable) as refused:
            await CALLS[call](in_vault)
        assert refused.value.reason == "the managed identity did not answer"

    @pytest.mark.parametrize("call", CALLS)
    async def test_nobody_at_the_address_is_unavailable(
        self, identity: Identity, call: str
    ) -> None:
        signer = VaultKey(f"http://127.0.0.1:1/keys/checkpoints/{VERSION}", identity)
        try:
            with pytest.raises(SigningUnavailable) as refused:
                await CALLS[call](signer)
        finally:
            await signer.close()
        assert refused.value.reason == "the vault cannot be reached"

    async def test_the_environments_proxy_is_not_used(
        self, in_vault: VaultKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert await in_vault.public_key()

    async def test_neither_the_token_nor_the_signature_is_logged(
        self, in_vault: VaultKey, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        signature = await in_vault.sign(TEXT)
        assert TOKEN not in caplog.text
        assert signature.hex() not in caplog.text

    async def test_closing_ends_what_was_opened(self, vault: Vault, identity: Identity) -> None:
        await VaultKey(vault.key_id, identity).close()
        assert identity.closed


async def test_locally_the_service_makes_the_file_at_its_first_use(tmp_path: Path) -> None:
    settings = replace(
        Settings.read(ENVIRONMENT), environment="local", checkpoint_key=str(tmp_path / "key.pem")
    )
    signer = LazySigner(settings)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
    verify(await signer.public_key(), TEXT, await signer.sign(TEXT))
    await signer.close()
    verify(await FileKey(settings.checkpoint_key).public_key(), TEXT, await signer.sign(TEXT))


async def test_elsewhere_the_service_uses_the_vault() -> None:
    key_id = f"https://127.0.0.1:1/keys/checkpoints/{VERSION}"
    signer = LazySigner(replace(Settings.read(ENVIRONMENT), checkpoint_key=key_id))
    with pytest.raises(SigningUnavailable):
        await signer.sign(TEXT)
    await signer.close()


def test_an_answer_is_due_in_five_seconds() -> None:
    assert vault_key.CALL_SECONDS == 5
