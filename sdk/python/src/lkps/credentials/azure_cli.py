"""The Azure CLI's login: whoever signed in with `az login`."""

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lkps.credentials.credential import Blocking
from lkps.credentials.kept import Kept
from lkps.credentials.refusals import explained
from lkps.errors import ConfigurationError, CredentialError, Unavailable

_ARGUMENT = re.compile(r"[A-Za-z0-9._:/-]+")  # on Windows `az` is a batch file, whose shell reads
_ITS_OWN_SESSION = os.name == "posix"


@dataclass(frozen=True)
class AzureCli(Blocking):
    """A person, mostly; `az` asks Entra ID for what its own application may, `.default`."""

    scope: str
    tenant_id: str = ""
    seconds: float = 30.0
    _kept: Kept = field(default_factory=Kept, init=False, repr=False, compare=False)

    def _ask(self) -> str:
        if token := self._kept.good():
            return token
        code, out, err = _run(self._command(), self.seconds)
        if code:
            raise _refused(code, err)
        try:
            answer = json.loads(out)
            return self._kept.keep(str(answer["accessToken"]), _expiry(answer))
        except (KeyError, TypeError, ValueError):
            reason = "the Azure CLI gives something else than a token. Look at az --version"
            raise CredentialError(reason) from None  # the cause has what it gave

    def _forget(self) -> None:
        self._kept.forget()

    def _command(self) -> list[str]:
        program = shutil.which("az")
        if program is None:
            raise ConfigurationError("the Azure CLI is not on the PATH. Install it, and az login")
        tenant = ["--tenant", self.tenant_id] if self.tenant_id else []
        for one in (self.scope, *tenant):
            if not _ARGUMENT.fullmatch(one):
                raise ConfigurationError(f"{one!r} is neither a scope nor a tenant of Entra ID")
        asked = ("account", "get-access-token", "--output", "json", "--scope", self.scope)
        return [program, *asked, *tenant]


def _run(command: list[str], seconds: float) -> tuple[int, str, str]:
    """Never through a shell; when it takes too long, it is ended with all that it started."""
    with subprocess.Popen(  # noqa: S603  az, with checked arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=_ITS_OWN_SESSION,
    ) as az:
        try:
            out, err = az.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(az)
            raise Unavailable(f"the Azure CLI did not answer within {seconds:.0f} s") from None
    return az.returncode, out, err


def _end(az: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        if _ITS_OWN_SESSION:
            os.killpg(az.pid, signal.SIGKILL)
        else:
            az.kill()


def _refused(code: int, err: str) -> CredentialError | Unavailable:
    if known := explained(err):
        return CredentialError(f"the Azure CLI gets no token: {known}")
    if "az login" in err:
        return CredentialError("nobody is signed in to the Azure CLI. az login signs in")
    if "Max retries exceeded" in err:
        return Unavailable("the Azure CLI cannot reach Entra ID")
    return CredentialError(
        f"the Azure CLI gets no token (exit code {code}). az account get-access-token says why"
    )


def _expiry(answer: dict[str, Any]) -> float:
    """`expires_on` is there since 2.54; `expiresOn` is in the local time of who reads it."""
    if "expires_on" in answer:
        return float(answer["expires_on"])
    return datetime.fromisoformat(answer["expiresOn"]).timestamp()
