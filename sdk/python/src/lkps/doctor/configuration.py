"""Configuration: which settings were found where, and which mode they choose and why."""

from collections.abc import AsyncIterator

from lkps.credentials.choosing import Choice, choose
from lkps.credentials.environment import Environment
from lkps.doctor.findings import Finding, failed, failed_by, not_checked, ok
from lkps.doctor.patient import Patient
from lkps.errors import ConfigurationError
from lkps.profile import kept_profile
from lkps.settings import LIVEKIT_KEYS, screened

_NEEDED = ("LKPS_URL", "LKPS_API_CLIENT_ID")
_WHO = (
    "lkps login --url https://… --tenant … --client-id … --api-client-id …; or, for a program, set"
    " AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
)


async def settings(patient: Patient) -> AsyncIterator[Finding]:
    said = {name: value for name, value in patient.environ.items() if value}
    patient.variables = {**said, **kept_profile(patient.environ).environment()}
    missing = [name for name in _NEEDED if not patient.variables.get(name)]
    try:
        patient.url = (
            screened(patient.variables.get("LKPS_URL", "")) if "LKPS_URL" not in missing else ""
        )
    except ConfigurationError as error:
        yield failed("settings", str(error), "export LKPS_URL=https://gateway.example/lkps")
        return
    if missing:
        yield failed("settings", f"missing: {', '.join(missing)}", _how(missing))
        return
    yield ok("settings", ", ".join(_found(patient, name) for name in _NEEDED))


async def livekit_keys(patient: Patient) -> AsyncIterator[Finding]:
    found = [name for name in LIVEKIT_KEYS if patient.environ.get(name)]
    if found:
        yield failed(
            "no LiveKit key",
            f"{' and '.join(found)} set: an agent of LKPS refuses to start with a LiveKit key",
            f"unset {' '.join(found)}",
        )
    else:
        yield ok("no LiveKit key", "none is in the environment")


async def mode(patient: Patient) -> AsyncIterator[Finding]:
    environment = Environment(patient.variables)
    try:
        choice = choose(environment)
    except ConfigurationError as error:
        yield failed("credential", str(error), "unset LKPS_CREDENTIAL, or set it to one of these")
        return
    if choice is None:
        yield failed("credential", "nothing says who calls", _WHO)
    elif choice.missing:
        yield failed("credential", f"{choice.name}: {choice.why}", _to_complete(choice))
    elif not patient.api_client_id:
        yield not_checked("credential", f"{choice.name}: {choice.why}; it needs LKPS_API_CLIENT_ID")
    else:
        try:
            patient.credential = choice.mode.credential(environment)
        except ConfigurationError as error:
            yield failed_by("credential", error)
            return
        patient.mode = choice.name
        yield ok("credential", f"{choice.name}: {choice.why}")


def _found(patient: Patient, name: str) -> str:
    where = "environment" if patient.environ.get(name) else "lkps login"
    return f"{name} is {patient.variables[name]} ({where})"


def _how(missing: list[str]) -> str:
    exports = " ".join(f"{name}=…" for name in missing)
    return f"export {exports}; lkps login --url … --api-client-id … keeps them for people"


def _to_complete(choice: Choice) -> str:
    steps = [one if " " in one else f"set {one}" for one in choice.missing]
    return f"It lacks something, and no other is tried: {', '.join(steps)}"
