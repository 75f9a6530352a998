"""The network: the way to LKPS, told apart into names, connections and certificates."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from lkps.api import proxy_for
from lkps.doctor.findings import Finding, failed, not_checked, ok
from lkps.doctor.patient import Patient

_SECONDS = 5.0
_TRUST = (
    "SSL_CERT_FILE names a file of the certificates to trust, and REQUESTS_CA_BUNDLE one for the"
    " command lkps"
)


async def network(patient: Patient) -> AsyncIterator[Finding]:
    if not patient.url:
        for step in ("DNS", "TCP", "TLS"):
            yield not_checked(step, "LKPS_URL is not known")
        return
    proxy = proxy_for(patient.url)
    if proxy is not None:
        patient.is_reachable = True  # as far as can be seen from here
        for step in ("DNS", "TCP", "TLS"):
            yield not_checked(step, f"the proxy {urlsplit(proxy).hostname} is asked instead")
        return
    parts = urlsplit(patient.url)
    name = await _resolved(parts)
    yield name
    connection = await _connected(parts) if name.fix == "" else _after("TCP", "DNS")
    yield connection
    if connection.fix or name.fix:
        yield _after("TLS", "TCP")
        return
    certificate = await _trusted(parts)
    yield certificate
    patient.is_reachable = not certificate.fix


async def _resolved(parts: SplitResult) -> Finding:
    host = str(parts.hostname)
    try:
        async with asyncio.timeout(_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, _port(parts), type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError) as error:
        return failed(
            "DNS",
            f"no address of {host} can be found: {_word(error)}",
            f"Look at the host in LKPS_URL, and at this machine's DNS: nslookup {host}",
        )
    return ok("DNS", f"{host} is {', '.join(dict.fromkeys(str(one[4][0]) for one in found))}")


async def _connected(parts: SplitResult) -> Finding:
    where = f"{parts.hostname}:{_port(parts)}"
    try:
        await _open(parts, None)
    except (OSError, TimeoutError) as error:
        return failed(
            "TCP",
            f"nothing can be reached at {where}: {_word(error)}",
            f"Look at LKPS_URL, or have the network opened from here to {where}",
        )
    return ok("TCP", f"{where} answers")


async def _trusted(parts: SplitResult) -> Finding:
    if parts.scheme == "http":
        return ok("TLS", "not needed on this machine itself")
    try:
        await _open(parts, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return failed("TLS", f"the certificate is not trusted: {error.verify_message}", _TRUST)
    except (OSError, TimeoutError) as error:
        return failed(
            "TLS",
            f"no TLS is spoken there: {_word(error)}",
            f"Look at LKPS_URL: is TLS on port {_port(parts)} of {parts.hostname}?",
        )
    return ok("TLS", "the certificate is trusted")


async def _open(parts: SplitResult, context: ssl.SSLContext | None) -> None:
    async with asyncio.timeout(_SECONDS):
        _, writer = await asyncio.open_connection(parts.hostname, _port(parts), ssl=context)
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()


def _after(step: str, failing: str) -> Finding:
    return not_checked(step, f"{failing} failed")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _word(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_SECONDS:.0f} s"
    return getattr(error, "strerror", None) or type(error).__name__
